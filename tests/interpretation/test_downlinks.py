"""Translated tracks on their way into the channels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from palabra_agent.interpretation.channel import LanguageChannel
from palabra_agent.interpretation.downlinks import Downlinks
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.messages import AudioChunk
from palabra_agent.palabra.transports.stream.paced_track import PacedTrack
from palabra_agent.palabra.transports.stream.speech_queue import QueueLimits
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import FakeSound, FakeTrack, frame

pytestmark = pytest.mark.unit

ES, DE = LanguageCode("es"), LanguageCode("de")


def burst(seconds: float, level: int) -> PacedTrack:
    """Speech that came all at once, on a track that is over."""
    track = PacedTrack(QueueLimits())
    sound = np.full(round(seconds * 24_000), level, "<i2").tobytes()
    track.put(AudioChunk("u", "0", ES, True, sound), sound)
    track.close()
    return track


def seconds_at(track: FakeTrack, level: int) -> float:
    """How long something was played that is as loud."""
    played = np.concatenate([np.empty(0, np.int16), *track.frames])
    return float(np.count_nonzero(np.abs(played - level) < level // 10)) / 48_000


@asynccontextmanager
async def playing() -> AsyncGenerator[tuple[Downlinks, dict[LanguageCode, FakeTrack]]]:
    """Have two channels that play, for the length of a block."""
    tracks = {code: FakeTrack(code) for code in (ES, DE)}
    channels = {code: LanguageChannel(code, track) for code, track in tracks.items()}
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(channel.play()) for channel in channels.values()]
        yield Downlinks(channels, group), tracks
        for task in tasks:
            task.cancel()

    assert [it for channel in channels.values() for it in channel.mixer.statistics()] == []


@in_jumping_time
async def test_what_has_come_is_heard_after_its_track_has_ended() -> None:
    """Five seconds that came at once, and then the end, are five seconds in the channel."""
    async with playing() as (downlinks, tracks):
        source = burst(5, 1000)
        downlinks.begin(ES, source)
        downlinks.end(source)
        downlinks.end(source)
        await passing(6)

    assert seconds_at(tracks[ES], 1000) == pytest.approx(5, abs=0.02)


@in_jumping_time
async def test_who_speaks_next_does_not_talk_over_the_end() -> None:
    """Speech of the next session in that language follows; other languages do not wait."""
    async with playing() as (downlinks, tracks):
        first, second, other = burst(3, 1000), burst(2, 4000), burst(2, 4000)
        downlinks.begin(ES, first)
        downlinks.end(first)
        downlinks.begin(ES, second)
        downlinks.begin(DE, other)
        await passing(2.5)
        assert seconds_at(tracks[DE], 4000) == pytest.approx(2, abs=0.02)
        assert seconds_at(tracks[ES], 4000) == 0
        await passing(3)

    assert seconds_at(tracks[ES], 1000) == pytest.approx(3, abs=0.02)
    assert seconds_at(tracks[ES], 4000) == pytest.approx(2, abs=0.02)


@in_jumping_time
async def test_a_track_that_does_not_end_is_cut_off() -> None:
    """Nobody listens to silence for ever: twenty seconds after the end it is given up."""
    async with playing() as (downlinks, tracks):
        stuck = FakeSound()
        downlinks.begin(ES, stuck)
        await eventually(lambda: stuck.listeners)
        stuck.play(*[frame(1000)] * 3)
        downlinks.end(stuck)
        await passing(19)
        assert stuck.listeners == 1
        await passing(2)
        assert stuck.listeners == 0

    assert seconds_at(tracks[ES], 1000) == pytest.approx(0.06, abs=0.001)


@in_jumping_time
async def test_a_language_without_a_channel_is_not_listened_to() -> None:
    """What was never offered leads nowhere."""
    async with playing() as (downlinks, _):
        sound = FakeSound()
        downlinks.begin(LanguageCode("fr"), sound)
        downlinks.end(sound)
        await passing(1)
        assert sound.listeners == 0
