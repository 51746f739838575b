"""Bursts of speech heard at the speed of speech."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from palabra_agent.audio.pcm import FRAME_SAMPLES, Pcm
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.messages import AudioChunk
from palabra_agent.palabra.transports.stream.paced_track import PacedTrack
from palabra_agent.palabra.transports.stream.speech_queue import QueueLimits
from tests.clock import eventually, in_jumping_time, passing

pytestmark = pytest.mark.unit


class Listener:
    """Somebody who listens, and notes when each frame came."""

    def __init__(self, track: PacedTrack) -> None:
        self.track = track
        self.frames: list[Pcm] = []
        self.times: list[float] = []

    async def listen(self) -> None:
        """Listen to the end."""
        async with self.track.open_frames() as frames:
            async for it in frames:
                self.frames.append(it.samples)
                self.times.append(asyncio.get_running_loop().time())


def speak(track: PacedTrack, milliseconds: int, *, level: int = 500, is_last: bool = False) -> None:
    """Have a chunk of speech arrive."""
    sound = np.full(milliseconds * 24, level, "<i2").tobytes()
    track.put(AudioChunk("u", "0", LanguageCode("es"), is_last, sound), sound)


@in_jumping_time
async def test_a_burst_is_heard_at_the_speed_of_speech() -> None:
    """Twenty seconds that came within a tenth of a second are heard over twenty seconds."""
    track = PacedTrack(QueueLimits())
    listener = Listener(track)
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listener.listen())
        for number in range(100):
            speak(track, 200, is_last=number == 99)
            await asyncio.sleep(0.001)
        await eventually(lambda: len(listener.frames) == 1001)
        listening.cancel()

    steps = np.diff(listener.times)
    assert listener.times[-1] - listener.times[0] == pytest.approx(20 - 0.02, abs=1e-6)
    assert steps[0] == pytest.approx(0)
    assert np.allclose(steps[1:], 0.02)
    assert track.statistics().dropped_ms == 0


@in_jumping_time
async def test_there_are_no_frames_in_a_pause() -> None:
    """Each utterance begins when it comes, two frames at once, and ends with nothing after it."""
    track = PacedTrack(QueueLimits())
    listener = Listener(track)
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listener.listen())
        for _ in range(3):
            began = loop.time()
            speak(track, 400, is_last=True)
            await passing(5)
            mine = [time - began for time in listener.times if time >= began]
            assert len(mine) == 21
            assert mine[:3] == pytest.approx([0, 0, 0.02])
        listening.cancel()


@in_jumping_time
async def test_speech_that_stops_in_the_middle_is_heard_to_its_end() -> None:
    """A part of a frame waits a moment for more, then it is heard; nothing is held for ever."""
    track = PacedTrack(QueueLimits())
    listener = Listener(track)
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listener.listen())
        speak(track, 210)
        await passing(0.25)
        assert len(listener.frames) == 10
        await passing(0.1)
        assert len(listener.frames) == 11
        assert track.statistics().held_ms == 0
        listening.cancel()


@in_jumping_time
async def test_speech_that_comes_just_in_time_is_not_torn() -> None:
    """Chunks at the speed of speech, each a little late, make one sound."""
    track = PacedTrack(QueueLimits())
    listener = Listener(track)
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listener.listen())
        for number in range(20):
            speak(track, 190, level=1000, is_last=number == 19)
            await asyncio.sleep(0.2)
        await eventually(lambda: track.statistics().held_ms == 0)
        await passing(1)
        listening.cancel()

    heard = np.concatenate(listener.frames)
    assert (heard[200 : 20 * 190 * 48] == 1000).all()


@in_jumping_time
async def test_a_stall_is_not_made_up_for_in_a_rush() -> None:
    """Whoever takes no frames for a while gets a few at once, and the rest in time."""
    track = PacedTrack(QueueLimits())
    speak(track, 4000, is_last=True)
    loop = asyncio.get_running_loop()
    async with track.open_frames() as frames:
        await anext(frames)
        await asyncio.sleep(1)
        began = loop.time()
        times = []
        for _ in range(10):
            await anext(frames)
            times.append(loop.time() - began)

    assert times[:5] == pytest.approx([0, 0, 0, 0, 0.02])
    assert times[-1] == pytest.approx(0.12)


@in_jumping_time
async def test_what_nobody_listens_to_waits_within_its_limits() -> None:
    """The beginning of a word is not lost to a listener who comes a moment later."""
    track = PacedTrack(QueueLimits(max_ms=1000, desired_ms=400))
    for _ in range(7):
        speak(track, 200)
    assert track.statistics().held_ms == 600

    listener = Listener(track)
    track.close()
    await listener.listen()
    assert len(listener.frames) == 31
    assert listener.frames[0].size == FRAME_SAMPLES


@in_jumping_time
async def test_what_is_hushed_is_not_heard() -> None:
    """It stops within a frame, and what comes later is heard at once."""
    track = PacedTrack(QueueLimits())
    listener = Listener(track)
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listener.listen())
        speak(track, 5000)
        await passing(1.001)
        track.hush()
        count = len(listener.frames)
        await passing(3)
        assert len(listener.frames) <= count + 2
        speak(track, 200, level=900, is_last=True)
        await passing(1)
        assert listener.frames[-3][0] == 900
        assert track.statistics().hushed_ms > 3900
        listening.cancel()


@in_jumping_time
async def test_the_sound_ends_with_the_connection() -> None:
    """What came is heard, then whoever listens is told that it is over."""
    track = PacedTrack(QueueLimits())
    listener = Listener(track)
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listener.listen())
        speak(track, 300)
        track.close()
        await listening

    assert len(listener.frames) == 16
