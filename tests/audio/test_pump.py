"""The loop that copies frames."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from palabra_agent.audio.buffer import FrameBuffer
from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.pump import fill, pump
from tests.clock import eventually, in_jumping_time
from tests.fakes import FakeSound, FakeTrack, frame

pytestmark = pytest.mark.unit


async def played(*frames: Pcm) -> AsyncIterator[Pcm]:
    """Play frames at the speed of speech."""
    for it in frames:
        await asyncio.sleep(0.02)
        yield it


@in_jumping_time
async def test_frames_are_copied_until_they_end() -> None:
    """All that sounds is written, in order; then the loop ends by itself."""
    track = FakeTrack("x")
    await pump(played(frame(1), frame(2), frame(3)), track.write, FrameBuffer())

    assert [int(it[0]) for it in track.frames] == [1, 2, 3]


@in_jumping_time
async def test_digital_silence_is_not_written() -> None:
    """What plays a track is silent by itself; the faintest noise is no digital silence."""
    track = FakeTrack("x")
    await pump(played(frame(1), frame(0), frame(2)), track.write, FrameBuffer())

    assert [int(it[0]) for it in track.frames] == [1, 2]


@in_jumping_time
async def test_a_slow_writer_is_behind_by_no_more_than_the_backlog() -> None:
    """Frames that a slow end cannot take are dropped and counted, the oldest first."""
    backlog = FrameBuffer(capacity_ms=60)
    written: list[int] = []

    async def write(it: Pcm) -> None:
        written.append(int(it[0]))
        await asyncio.sleep(0.1)

    await pump(played(*(frame(1000 + number) for number in range(50))), write, backlog)
    account = backlog.statistics()

    assert written == sorted(written)
    assert written[-3:] == [1047, 1048, 1049]
    assert account.dropped_ms == 1000 - 20 * len(written) > 0


@in_jumping_time
async def test_cancelling_leaves_no_task() -> None:
    """Whoever cancels the copying gets it back at once, with the source released."""
    sound, track = FakeSound(), FakeTrack("x")

    async def copy() -> None:
        async with sound.open_frames() as frames:
            await pump(frames, track.write, FrameBuffer())

    async with asyncio.TaskGroup() as group:
        copying = group.create_task(copy())
        sound.play(frame(1))
        await eventually(lambda: track.frames)
        copying.cancel()

    assert sound.listeners == 0


@in_jumping_time
async def test_a_source_that_breaks_ends_the_copying() -> None:
    """An error of either end comes out, and nothing goes on without it."""
    sound, track = FakeSound(), FakeTrack("x")
    sound.play(frame(1))
    sound.fail(OSError("unplugged"))

    with pytest.raises(ExceptionGroup) as caught:
        async with sound.open_frames() as frames:
            await pump(frames, track.write, FrameBuffer())

    assert [str(error) for error in caught.value.exceptions] == ["unplugged"]


@in_jumping_time
async def test_a_backlog_is_closed_with_its_source() -> None:
    """Whoever reads the backlog learns that no more comes."""
    backlog = FrameBuffer()
    await fill(played(frame(1)), backlog)

    assert await backlog.next_frame() is not None
    assert await backlog.next_frame() is None
