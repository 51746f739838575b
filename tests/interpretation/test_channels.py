"""Language channels: their tracks, their clocks, and the translated tracks that lead into them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from palabra_agent.audio.pcm import FRAME_MS, FRAME_SAMPLES, Pcm
from palabra_agent.interpretation.channels import Downlinks, LanguageChannel, open_channel
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.messages import AudioChunk
from palabra_agent.palabra.transports.translated_speech import PacedTrack, QueueLimits
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import FakeMeeting, FakeSound, FakeTrack, frame

pytestmark = pytest.mark.unit

ES, DE = LanguageCode("es"), LanguageCode("de")


@in_jumping_time
async def test_a_channel_is_published_for_its_block() -> None:
    """The track is there under its name while the block lasts, and gone after it."""
    meeting = FakeMeeting()
    async with open_channel(meeting, ES) as channel:
        assert list(meeting.tracks) == ["translation_es"]
        assert (channel.language, channel.sid) == ("es", "TR_translation_es")

    assert meeting.tracks == {}


@in_jumping_time
async def test_a_broken_block_leaves_nothing_behind() -> None:
    """A failure within the block unpublishes the track and comes out."""
    meeting = FakeMeeting()
    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        async with open_channel(meeting, ES):
            raise OSError

    assert meeting.tracks == {}


@in_jumping_time
async def test_words_are_played_a_frame_a_tick() -> None:
    """Frames come out whole and in order, after a short cushion; nothing is played in a pause."""
    meeting = FakeMeeting()
    async with open_channel(meeting, ES) as channel:
        track = meeting.tracks["translation_es"]
        await passing(1)
        assert track.frames == []
        with channel.mixer.open_input() as words:
            for number in range(3):
                words.put(frame(1000 + number))
            await eventually(lambda: len(track.frames) == 3)
        await passing(1)

    sound = np.concatenate(track.frames)
    assert len(track.frames) == 3
    assert sound.size == 3 * FRAME_SAMPLES + FRAME_SAMPLES // 2
    assert not sound[: FRAME_SAMPLES // 2].any()
    assert set(sound[FRAME_SAMPLES // 2 :].tolist()) == {1000, 1001, 1002}


@in_jumping_time
async def test_the_clock_does_not_drift() -> None:
    """In a minute of speech a frame is played every 20 ms, on time."""
    meeting = FakeMeeting()
    loop = asyncio.get_running_loop()
    async with open_channel(meeting, ES) as channel:
        with channel.mixer.open_input() as words:
            began = loop.time()
            for number in range(3000):
                words.put(frame(1000))
                await asyncio.sleep(began + (number + 1) * FRAME_MS / 1000 - loop.time())
            account = words.statistics()
            played = len(meeting.tracks["translation_es"].frames)

    assert account.dropped_ms == account.trimmed_ms == 0
    assert played == pytest.approx(3000, abs=2)


@in_jumping_time
async def test_a_stall_is_not_played_after() -> None:
    """After a stuck track the clock catches up by no more than a few frames."""
    times: list[float] = []

    class StuckTrack(FakeTrack):
        async def write(self, samples: Pcm) -> None:
            times.append(asyncio.get_running_loop().time())
            if len(times) == 1:
                await asyncio.sleep(10)

    channel = LanguageChannel(ES, StuckTrack("x"))
    with channel.mixer.open_input() as words:
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(channel.play())
            for _ in range(600):
                words.put(frame(1000))
                await asyncio.sleep(FRAME_MS / 1000)
            playing.cancel()

    after = [it for it in times if it > 9]
    assert len([it for it in after if it < 10.05]) <= 6
    assert len(after) == pytest.approx(100, abs=6)


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
async def playing_channels() -> AsyncGenerator[tuple[Downlinks, dict[LanguageCode, FakeTrack]]]:
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
    async with playing_channels() as (downlinks, tracks):
        source = burst(5, 1000)
        downlinks.begin(ES, source)
        downlinks.end(source)
        downlinks.end(source)
        await passing(6)

    assert seconds_at(tracks[ES], 1000) == pytest.approx(5, abs=0.02)


@in_jumping_time
async def test_who_speaks_next_does_not_talk_over_the_end() -> None:
    """Speech of the next session in that language follows; other languages do not wait."""
    async with playing_channels() as (downlinks, tracks):
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
    async with playing_channels() as (downlinks, tracks):
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
    async with playing_channels() as (downlinks, _):
        sound = FakeSound()
        downlinks.begin(LanguageCode("fr"), sound)
        downlinks.end(sound)
        await passing(1)
        assert sound.listeners == 0
