"""Speech is kept for speakers of unknown timbre, and estimated when there is enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.audio.pcm import FRAME_SAMPLES, SAMPLE_RATE
from palabra_agent.interpretation.timbre_estimation import TimbreEstimation, VoiceSample
from palabra_agent.voices import Speaker, Timbre
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import frame
from tests.interpretation.fake_plugins import FakePlugins

pytestmark = pytest.mark.unit


def somebody(identity: str) -> Speaker:
    """Make a speaker of whom little is known."""
    return Speaker(identity=identity, name=identity)


def speak(search: TimbreEstimation, identity: str, seconds: float) -> None:
    """Have somebody heard."""
    for _ in range(round(seconds * 50)):
        search.hear(identity, frame(8000))


@asynccontextmanager
async def listening(
    plugins: FakePlugins, *identities: str
) -> AsyncGenerator[tuple[TimbreEstimation, dict[str, Timbre]]]:
    """Listen to some people for the length of a block; yields their timbres too, as they come."""
    search, found = TimbreEstimation(plugins), dict[str, Timbre]()
    search.follow(identities)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(search.run(somebody, found.__setitem__), name="search")
        yield search, found
        running.cancel()


@in_jumping_time
async def test_a_voice_is_estimated_after_two_seconds() -> None:
    """Two seconds of speech are given to the plugins, and their answer is told once."""
    plugins = FakePlugins()
    async with listening(plugins, "ann") as (search, found):
        speak(search, "ann", 1.9)
        await passing(1)
        assert plugins.heard == []

        speak(search, "ann", 0.1)
        await eventually(lambda: found)
        speak(search, "ann", 10)
        await passing(1)

    [(speaker, samples)] = plugins.heard
    assert (speaker.identity, len(samples)) == ("ann", 2 * SAMPLE_RATE)
    assert found == {"ann": plugins.timbre}


@in_jumping_time
async def test_it_is_tried_again_with_more_speech() -> None:
    """While no plugin can tell, each further second is worth another try, with all there is."""
    plugins = FakePlugins()
    plugins.timbre = None
    async with listening(plugins, "ann") as (search, found):
        speak(search, "ann", 2)
        for _ in range(5):
            await passing(0.1)
            speak(search, "ann", 1)

        await passing(0.1)
        plugins.timbre = Timbre(200.0)
        speak(search, "ann", 1)
        await eventually(lambda: found)

    seconds = [len(samples) / SAMPLE_RATE for _, samples in plugins.heard]
    assert seconds == [2, 3, 4, 5, 5, 5, 5]
    assert found == {"ann": Timbre(200.0)}


@in_jumping_time
async def test_nobody_is_estimated_twice_at_a_time() -> None:
    """While an estimate is under way, a speaker who speaks on waits for the next; others do not."""
    plugins = FakePlugins(seconds=1.0)
    plugins.timbre = None
    async with listening(plugins, "ann", "bob") as (search, _):
        speak(search, "ann", 2)
        await eventually(lambda: len(plugins.heard) == 1)
        speak(search, "ann", 5)
        speak(search, "bob", 2)
        await passing(0.5)
        assert [speaker.identity for speaker, _ in plugins.heard] == ["ann", "bob"]

        await passing(1)
        assert [speaker.identity for speaker, _ in plugins.heard] == ["ann", "bob", "ann"]


@in_jumping_time
async def test_who_left_is_not_listened_to() -> None:
    """Nobody's speech is kept when they have left, and an estimate under way is told still."""
    plugins = FakePlugins(seconds=1.0)
    async with listening(plugins, "ann", "bob") as (search, found):
        speak(search, "ann", 2)
        speak(search, "bob", 1.5)
        await eventually(lambda: plugins.heard)
        search.follow(())
        speak(search, "ann", 5)
        search.follow(("bob",))
        speak(search, "bob", 1.5)
        await passing(2)

    assert len(plugins.heard) == 1
    assert found == {"ann": plugins.timbre}


FRAMES_A_SECOND = SAMPLE_RATE // FRAME_SAMPLES


def sound(sample: VoiceSample, seconds: float, level: int = 8000) -> None:
    """Have it hear speech; level 0 is a pause."""
    for _ in range(round(seconds * FRAMES_A_SECOND)):
        sample.hear(frame(level))


def test_two_seconds_of_speech_are_enough() -> None:
    """It is enough when two seconds were spoken, however long that took."""
    sample = VoiceSample()
    sound(sample, 1.0)
    sound(sample, 30.0, level=0)
    sound(sample, 0.98)
    assert not sample.is_enough

    sound(sample, 0.02)
    assert sample.is_enough


def test_each_further_second_is_enough() -> None:
    """Once taken, it is worth another try after one more second of speech."""
    sample = VoiceSample()
    sound(sample, 2.5)
    sample.take()
    sound(sample, 0.98)
    assert not sample.is_enough

    sound(sample, 0.02)
    assert sample.is_enough


def test_pauses_are_left_out() -> None:
    """What is taken holds speech alone, in the order in which it was spoken."""
    sample = VoiceSample()
    for level in 6000, 7000, 8000:
        sound(sample, 0.5, level)
        sound(sample, 1.0, level=100)

    taken = sample.take()
    assert taken.dtype == np.int16
    assert sorted(set(taken.tolist())) == [6000, 7000, 8000]
    assert len(taken) == 1.5 * SAMPLE_RATE
    assert (np.diff(taken) >= 0).all()


def test_the_last_five_seconds_are_kept() -> None:
    """Of somebody who speaks for long, the last five seconds are there and nothing else."""
    sample = VoiceSample()
    sound(sample, 60.0, 6000)
    sound(sample, 5.0, 8000)
    taken = sample.take()
    assert len(taken) == 5 * SAMPLE_RATE
    assert (taken == 8000).all()


def test_what_is_taken_cannot_be_changed() -> None:
    """A plugin cannot write into what others hear after it."""
    sample = VoiceSample()
    sound(sample, 2.0)
    taken = sample.take()
    with pytest.raises(ValueError, match="read-only"):
        taken[0] = 1


def test_nothing_heard_is_an_empty_sample() -> None:
    """Before a word was spoken there is nothing to take."""
    assert len(VoiceSample().take()) == 0


@given(st.lists(st.integers(min_value=0, max_value=8 * SAMPLE_RATE), max_size=20))
def test_memory_is_bounded(sizes: list[int]) -> None:
    """Whatever the length of the frames, never more than five seconds are kept."""
    sample = VoiceSample()
    for size in sizes:
        sample.hear(frame(8000, size))
        assert len(sample.take()) <= 5 * SAMPLE_RATE
