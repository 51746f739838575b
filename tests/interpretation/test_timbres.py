"""Whose voice is listened to, and when it is estimated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from palabra_agent.audio.pcm import SAMPLE_RATE
from palabra_agent.interpretation.timbres import TimbreSearch
from palabra_agent.voices import Speaker, Timbre
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import frame
from tests.interpretation.fake_plugins import FakePlugins

pytestmark = pytest.mark.unit


def somebody(identity: str) -> Speaker:
    """Make a speaker of whom little is known."""
    return Speaker(identity=identity, name=identity)


def speak(search: TimbreSearch, identity: str, seconds: float) -> None:
    """Have somebody heard."""
    for _ in range(round(seconds * 50)):
        search.hear(identity, frame(8000))


@asynccontextmanager
async def listening(
    plugins: FakePlugins, *identities: str
) -> AsyncGenerator[tuple[TimbreSearch, dict[str, Timbre]]]:
    """Listen to some people for the length of a block; yields their timbres too, as they come."""
    search, found = TimbreSearch(plugins), dict[str, Timbre]()
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
