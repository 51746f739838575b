"""A language channel's track and clock."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from palabra_agent.audio.pcm import FRAME_MS, FRAME_SAMPLES, Pcm
from palabra_agent.interpretation.channel import LanguageChannel, open_channel
from palabra_agent.languages import LanguageCode
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import FakeMeeting, FakeTrack, frame

pytestmark = pytest.mark.unit

ES = LanguageCode("es")


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
        async def write(self, frame: Pcm) -> None:
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
