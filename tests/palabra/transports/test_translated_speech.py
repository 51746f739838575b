"""Translated speech that comes in bursts: given out in frames, heard at the speed of speech."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palabra_agent.audio.pcm import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from palabra_agent.audio.resampler import Resampler
from palabra_agent.audio.tones import tone, tone_level_db
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.messages import AudioChunk
from palabra_agent.palabra.transports.translated_speech import (
    SPEECH_RATE,
    PacedTrack,
    QueueLimits,
    SpeechQueue,
)
from tests.clock import eventually, in_jumping_time, passing

pytestmark = pytest.mark.unit


def played(queue: SpeechQueue) -> Pcm:
    """Take all there is."""
    frames: list[Pcm] = []
    while (it := queue.take()) is not None:
        assert it.size == FRAME_SAMPLES
        frames.append(it)

    return np.concatenate([np.empty(0, np.int16), *frames])


def upsampled(sound: Pcm) -> Pcm:
    """Make of a whole sound what should be heard, with some silence after it."""
    return Resampler(SPEECH_RATE, SAMPLE_RATE).push(np.concatenate((sound, np.zeros(960, "<i2"))))


def ms(duration: int) -> bytes:
    """Make so many milliseconds of speech."""
    return np.full(duration * 24, 500, "<i2").tobytes()


def test_a_tone_stays_a_tone() -> None:
    """Speech at 24 kHz is heard at 48 kHz with its pitch, level and length."""
    queue = SpeechQueue(QueueLimits())
    queue.put(tone(700, 2.0, rate=SPEECH_RATE).tobytes(), "u", is_last=True)
    heard = played(queue)

    assert tone_level_db(heard[: 2 * SAMPLE_RATE], 700) == pytest.approx(-10.5, abs=0.2)
    assert 2.0 <= heard.size / SAMPLE_RATE <= 2.02


@given(st.lists(st.integers(0, 700), min_size=1, max_size=40), st.integers(0, 5000), st.randoms())
@settings(deadline=None, max_examples=60)
def test_chunks_of_any_size_make_the_same_sound(
    sizes: list[int], samples: int, taking: object
) -> None:
    """What comes out is what went in, to the last bit, however it was cut and whenever taken."""
    sound = np.random.default_rng(3).integers(-20_000, 20_000, samples).astype("<i2")
    queue, left, heard = SpeechQueue(QueueLimits()), sound.tobytes(), list[Pcm]()
    for number, size in enumerate(sizes):
        chunk, left = left[:size], left[size:]
        queue.put(chunk, "u", is_last=False)
        if number % 3 == 0 and (it := queue.take()) is not None:
            heard.append(it)

    queue.put(left, "u", is_last=True)
    came = np.concatenate([*heard, played(queue)])

    assert np.array_equal(came, upsampled(sound)[: came.size])
    assert came.size >= 2 * samples
    assert queue.statistics().out_ms == queue.statistics().in_ms == samples / 24


def test_half_a_sample_makes_no_noise_of_what_follows() -> None:
    """Where an utterance ends in the middle of a sample, the next one is still itself."""
    for is_last in (True, False):
        queue = SpeechQueue(QueueLimits())
        queue.put(ms(20) + b"\x77", "u1", is_last=is_last)
        queue.put(ms(40), "u2", is_last=True)
        heard = played(queue)

        assert np.abs(heard[200 : 2 * 60 * 24 - 200]).max() < 600


def test_an_incomplete_frame_waits_for_the_rest() -> None:
    """In the middle of an utterance nothing is filled with silence, until its end is given up."""
    queue = SpeechQueue(QueueLimits())
    seen: list[tuple[int, bool]] = []
    for more in (ms(30), ms(10), b""):
        queue.put(more, "u", is_last=False)
        if not more:
            queue.finish()
        seen.append((played(queue).size // FRAME_SAMPLES, queue.is_under_way))

    assert seen == [(1, True), (1, True), (1, False)]
    assert queue.take() is None


def test_too_much_loses_its_oldest() -> None:
    """Above the bound, speech is cut down to what is desired, and every millisecond is counted."""
    queue = SpeechQueue(QueueLimits(max_ms=1000, desired_ms=300))
    for number in range(11):
        queue.put(np.full(2400, number, "<i2").tobytes(), "u", is_last=False)
    account = queue.statistics()

    assert (account.in_ms, account.dropped_ms, account.held_ms) == (1100, 800, 300)
    assert int(played(queue)[2000]) == 8


def test_what_is_hushed_is_never_heard() -> None:
    """It is counted, what sounded fades at once, and what comes later is heard."""
    queue = SpeechQueue(QueueLimits())
    queue.put(ms(500), "u1", is_last=False)
    assert queue.take() is not None
    queue.hush()
    end = played(queue)

    assert end.size == FRAME_SAMPLES
    assert not end[200:].any()
    assert queue.statistics().hushed_ms == 480

    queue.put(ms(100), "u2", is_last=True)
    assert played(queue).max() > 400


def test_limits_may_change_while_something_waits() -> None:
    """The next thing that comes finds the new ones."""
    queue = SpeechQueue(QueueLimits(max_ms=1000, desired_ms=500))
    queue.put(ms(900), "u", is_last=True)
    queue.limit(QueueLimits(max_ms=300, desired_ms=200))
    assert queue.statistics().held_ms == 900

    queue.put(ms(20), "v", is_last=True)
    assert queue.statistics().held_ms == 200


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


@asynccontextmanager
async def listened_to() -> AsyncGenerator[tuple[PacedTrack, Listener]]:
    """Have a track to which somebody listens for the length of a block."""
    track = PacedTrack(QueueLimits())
    listener = Listener(track)
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listener.listen())
        yield track, listener
        listening.cancel()


def speak(track: PacedTrack, milliseconds: int, *, level: int = 500, is_last: bool = False) -> None:
    """Have a chunk of speech arrive."""
    sound = np.full(milliseconds * 24, level, "<i2").tobytes()
    track.put(AudioChunk("u", "0", LanguageCode("es"), is_last, sound), sound)


@in_jumping_time
async def test_a_burst_is_heard_at_the_speed_of_speech() -> None:
    """Twenty seconds that came within a tenth of a second are heard over twenty seconds."""
    async with listened_to() as (track, listener):
        for number in range(100):
            speak(track, 200, is_last=number == 99)
            await asyncio.sleep(0.001)
        await eventually(lambda: len(listener.frames) == 1001)

    steps = np.diff(listener.times)
    assert listener.times[-1] - listener.times[0] == pytest.approx(20 - 0.02, abs=1e-6)
    assert steps[0] == pytest.approx(0)
    assert np.allclose(steps[1:], 0.02)
    assert track.statistics().dropped_ms == 0


@in_jumping_time
async def test_there_are_no_frames_in_a_pause() -> None:
    """Each utterance begins when it comes, two frames at once, and ends with nothing after it."""
    loop = asyncio.get_running_loop()
    async with listened_to() as (track, listener):
        for _ in range(3):
            began = loop.time()
            speak(track, 400, is_last=True)
            await passing(5)
            mine = [time - began for time in listener.times if time >= began]
            assert len(mine) == 21
            assert mine[:3] == pytest.approx([0, 0, 0.02])


@in_jumping_time
async def test_speech_that_stops_in_the_middle_is_heard_to_its_end() -> None:
    """A part of a frame waits a moment for more, then it is heard; nothing is held for ever."""
    async with listened_to() as (track, listener):
        speak(track, 210)
        await passing(0.25)
        assert len(listener.frames) == 10
        await passing(0.1)
        assert len(listener.frames) == 11
        assert track.statistics().held_ms == 0


@in_jumping_time
async def test_speech_that_comes_just_in_time_is_not_torn() -> None:
    """Chunks at the speed of speech, each a little late, make one sound."""
    async with listened_to() as (track, listener):
        for number in range(20):
            speak(track, 190, level=1000, is_last=number == 19)
            await asyncio.sleep(0.2)
        await eventually(lambda: track.statistics().held_ms == 0)
        await passing(1)

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
async def test_stops_of_the_process_delay_no_later_utterance() -> None:
    """The one that they fall into ends later; the next is heard as soon as it comes."""
    track, loop = PacedTrack(QueueLimits()), asyncio.get_running_loop()
    speak(track, 3000, is_last=True)
    async with track.open_frames() as frames:
        began = loop.time()
        for number in range(150):
            await anext(frames)
            if number in {40, 80, 120}:
                await asyncio.sleep(0.25)
        ended = loop.time() - began
        await anext(frames)  # the end of the upsampler
        held_ms = track.statistics().held_ms
        await asyncio.sleep(0.5)
        speak(track, 400, is_last=True)
        came = loop.time()
        await anext(frames)

    assert ended > 3.2
    assert held_ms == 0
    assert loop.time() == came


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
    async with listened_to() as (track, listener):
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


@in_jumping_time
async def test_the_sound_ends_with_the_connection() -> None:
    """What came is heard, then whoever listens is told that it is over."""
    track = PacedTrack(QueueLimits())
    listener = Listener(track)
    async with asyncio.TaskGroup() as group:
        group.create_task(listener.listen())
        speak(track, 300)
        track.close()

    assert len(listener.frames) == 16
