"""A channel that comes back through a microphone is held back; a speaker's own words are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from palabra_agent.audio.frame import Frame, FrameReader
from palabra_agent.audio.pcm import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import mix, tone
from palabra_agent.interpretation.leakage import LeakageGuard
from palabra_agent.interpretation.ports import MeetingView, Notice, Person
from tests.babble import babble, played_back
from tests.fakes import sound_of

pytestmark = pytest.mark.unit

ES, DE = "translation_es", "translation_de"
FRAMES_A_SECOND = SAMPLE_RATE // FRAME_SAMPLES

FOUND_SECONDS = 1.7
"""So much of a leak may be interpreted before it is found."""


def silence(seconds: float) -> Pcm:
    """Make silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.int16)


def leak_of(channel: Pcm) -> Pcm:
    """What an open loudspeaker makes of a channel, as long as that."""
    return played_back(channel, delay=0.3, level_db=-10)[: channel.size]


@dataclass
class Listening:
    """Ann's microphone and the Spanish channel, in a room whose time is that of its sound."""

    guard: LeakageGuard
    changes: list[None]
    now: float = 100.0
    _reader: FrameReader = field(default_factory=FrameReader)

    async def hears(self, channel: Pcm, microphone: Pcm, *, name: str = ES) -> list[Frame]:
        """Let both sound; returns what is interpreted of the microphone."""
        size = max(channel.size, microphone.size)
        passed: list[Frame] = []
        for place in range(0, size, FRAME_SAMPLES):
            played = channel[place : place + FRAME_SAMPLES]
            if played.any():
                self.guard.play(name, played, self.now)
            heard = np.zeros(FRAME_SAMPLES, dtype=np.int16)
            spoken = microphone[place : place + FRAME_SAMPLES]
            heard[: spoken.size] = spoken
            passed += self.guard.hear("ann", self._reader.read(heard), self.now)
            self.now += 1 / FRAMES_A_SECOND
            await asyncio.sleep(0)

        return passed

    async def leaks(self, seed: int = 1, seconds: float = 3.0) -> list[Frame]:
        """Let the channel say something that comes back; returns what of it is interpreted."""
        channel = np.concatenate((babble(seed, seconds), silence(1.5)))
        return await self.hears(channel, leak_of(channel))


@asynccontextmanager
async def listening() -> AsyncGenerator[Listening]:
    """Guard a room for the length of a block."""
    changes: list[None] = []
    guard = LeakageGuard()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(guard.run(lambda: changes.append(None)), name="watch")
        yield Listening(guard, changes)
        watching.cancel()


def seconds_of(frames: list[Frame]) -> float:
    """The length of the sound in some frames, pauses left out."""
    return sum(it.duration_ms for it in frames if not it.is_pause) / 1000


def view_of(*people: Person) -> MeetingView:
    """A meeting of some people."""
    return MeetingView(people)


async def test_a_channel_that_comes_back_is_held_back_after_a_moment() -> None:
    """It takes some speech to be sure, and nothing more of it is interpreted then."""
    async with listening() as room:
        assert 0 < seconds_of(await room.leaks(seconds=6)) < FOUND_SECONDS
        assert room.changes


async def test_the_next_time_nothing_of_it_is_interpreted() -> None:
    """The microphone is known by then: it is held back from the channel's first sound on."""
    async with listening() as room:
        await room.leaks(1)
        for seed in range(2, 8):
            assert seconds_of(await room.leaks(seed, seconds=0.3 * seed)) == 0


async def test_single_words_are_found_as_well() -> None:
    """A loop may be made of them."""
    async with listening() as room:
        passed = [seconds_of(await room.leaks(seed, seconds=0.5)) for seed in range(8)]

    assert sum(passed) < 2 * FOUND_SECONDS
    assert passed[-3:] == [0, 0, 0]


async def test_a_loop_dies_out() -> None:
    """What is interpreted of it is said again by the channel, and comes back again."""
    said, repetitions = babble(1, 4), 0
    async with listening() as room:
        while said.size > SAMPLE_RATE // 10:
            repetitions += 1
            assert repetitions < 5
            channel = np.concatenate((said, silence(2)))
            passed = await room.hears(channel, leak_of(channel))
            said = sound_of(it for it in passed if not it.is_pause)

    assert repetitions <= 3


@pytest.mark.parametrize("seed", range(5))
async def test_double_talk_passes_untouched(seed: int) -> None:
    """With a headset the channel and the speaker may speak at once: each frame goes on as it is."""
    channel, own = babble(50 + seed, 8), babble(seed, 8)
    async with listening() as room:
        passed = await room.hears(channel, own)

    assert np.array_equal(sound_of(passed), own)
    assert not any(it.is_late for it in passed)


async def test_steady_tones_pass_untouched() -> None:
    """A hum is like every hum, and no leak."""
    channel = np.concatenate([tone(500, 0.8), silence(0.6)] * 8)
    own = np.concatenate([tone(330, 0.8), silence(0.6)] * 8)
    async with listening() as room:
        passed = await room.hears(channel, own)

    assert np.array_equal(sound_of(passed), own)


async def test_who_puts_a_headset_on_loses_no_word() -> None:
    """Held back at first, their words go on late as soon as they are seen to be their own."""
    async with listening() as room:
        await room.leaks(1)
        own = babble(9, 4)
        passed = await room.hears(babble(2, 4), own)

        assert seconds_of(passed) == pytest.approx(
            seconds_of(list(FrameReader().cut(own))), abs=0.1
        )
        assert any(it.is_late for it in passed)
        assert room.guard.objection_to("ann") == ""


async def test_words_that_begin_as_the_channel_ends_are_not_lost() -> None:
    """What is held at its end is compared once more."""
    async with listening() as room:
        await room.leaks(1)
        channel = np.concatenate((babble(2, 2), silence(4)))
        own = np.concatenate((silence(1.9), babble(9, 3)))
        passed = await room.hears(channel, own)

    assert seconds_of(passed) > seconds_of(list(FrameReader().cut(own))) - 0.1


async def test_who_speaks_louder_than_the_leak_is_heard() -> None:
    """A speaker is nearer to their microphone than their loudspeaker is."""
    channel, own = babble(50, 6), babble(3, 6)
    leaked = played_back(channel, delay=0.3, level_db=-20)[: channel.size]
    async with listening() as room:
        passed = await room.hears(channel, mix(own, leaked))

    assert seconds_of(passed) > seconds_of(list(FrameReader().cut(own))) - 0.5


async def test_a_microphone_is_trusted_again_when_nothing_came_back_for_long() -> None:
    """After two minutes a word is not held back for a moment."""
    async with listening() as room:
        await room.leaks(1)
        room.now += 121
        own = babble(9, 2)
        passed = await room.hears(babble(2, 2), own)

    assert np.array_equal(sound_of(passed), own)
    assert not any(it.is_late for it in passed)


async def test_a_microphone_is_not_held_back_for_ever() -> None:
    """Also where it was held back when the last sign of a leak came."""
    async with listening() as room:
        channel, own = babble(1, 3), babble(9, 2)
        await room.hears(channel, leak_of(channel))
        room.now += 121
        passed = await room.hears(babble(2, 2), own)

    assert seconds_of(passed) > seconds_of(list(FrameReader().cut(own))) - 0.1


async def test_it_is_held_back_for_the_channel_that_it_carries_alone() -> None:
    """What another one says is no reason."""
    async with listening() as room:
        await room.leaks(1)
        own = babble(9, 2)
        passed = await room.hears(babble(2, 2), own, name=DE)

    assert not any(it.is_late for it in passed)
    assert np.array_equal(sound_of(passed), own)


async def test_it_is_told_once_to_the_speaker_alone() -> None:
    """In a sentence, when texts reach them, with advice."""
    ann, bob = Person("ann", "Ann"), Person("bob", "Bob")
    joining = Person("ann", "Ann", is_reachable=False)
    async with listening() as room:
        assert list(room.guard.notices(view_of(ann, bob))) == []
        await room.leaks(1)
        assert list(room.guard.notices(view_of(joining, bob))) == []
        [notice] = room.guard.notices(view_of(ann, bob))
        await room.leaks(2)
        assert list(room.guard.notices(view_of(ann, bob))) == []

    assert isinstance(notice, Notice)
    assert notice.recipients == ("ann",)
    assert "headset" in notice.text


async def test_it_can_be_explained_while_it_lasts() -> None:
    """The channel is named; before and after there is nothing to explain."""
    async with listening() as room:
        assert room.guard.objection_to("ann") == ""
        channel = babble(1, 3)
        await room.hears(channel, leak_of(channel))
        assert room.guard.objection_to("ann") == "it carries what translation_es plays"

        await room.hears(silence(2), silence(2))
        assert room.guard.objection_to("ann") == ""


async def test_who_left_is_forgotten() -> None:
    """Who comes back may have another microphone."""
    async with listening() as room:
        await room.leaks(1)
        room.guard.follow({"bob"})
        own = babble(9, 2)
        passed = await room.hears(babble(2, 2), own)

    assert not any(it.is_late for it in passed)


async def test_the_log_tells_it_once_and_names_no_one(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever leaks all the time does not fill it."""
    async with listening() as room:
        for seed in range(4):
            await room.leaks(seed)

    [record] = caplog.records
    assert record.getMessage() == (
        "a microphone carries what a channel plays: held back while it does"
    )
    assert "ann" not in {str(value) for value in vars(record).values()}
