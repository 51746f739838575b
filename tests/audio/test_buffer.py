"""The bounded queue of frames between two clocks."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.audio.buffer import BufferStatistics, FrameBuffer
from palabra_agent.audio.frame import Frame
from tests.clock import eventually, in_jumping_time
from tests.fakes import FakeSound, frame, level_of

pytestmark = pytest.mark.unit

CAPACITY_MS, TARGET_MS = 100, 40

steps = st.lists(
    st.one_of(
        st.just("take"),
        st.tuples(st.sampled_from(["voice", "pause"]), st.sampled_from([1, 10, 20, 60, 100])),
    ),
    max_size=80,
)


def numbered(number: int, ms: int) -> Frame:
    """Make an audible frame that can be recognised."""
    return frame(1000 + number, samples=48 * ms)


def run(buffer: FrameBuffer, script: list[str | tuple[str, int]]) -> list[Frame]:
    """Put and take by a script; return what was taken."""
    taken: list[Frame] = []
    for number, step in enumerate(script):
        if isinstance(step, tuple):
            kind, ms = step
            buffer.put(numbered(number, ms) if kind == "voice" else frame(0, samples=48 * ms))
        elif (it := buffer.take()) is not None:
            taken.append(it)

    return taken


@given(steps)
def test_nothing_is_unaccounted_for(script: list[str | tuple[str, int]]) -> None:
    """What went in came out, was dropped, was trimmed or is held."""
    buffer = FrameBuffer(capacity_ms=CAPACITY_MS, target_ms=TARGET_MS)
    taken = run(buffer, script)
    account = buffer.statistics()

    assert account.in_ms == pytest.approx(
        account.out_ms + account.dropped_ms + account.trimmed_ms + account.held_ms
    )
    assert account.in_ms == sum(step[1] for step in script if isinstance(step, tuple))
    assert account.out_ms == pytest.approx(sum(it.duration_ms for it in taken))


@given(steps)
def test_the_bound_holds_at_every_moment(script: list[str | tuple[str, int]]) -> None:
    """The queue never holds more than it may."""
    buffer = FrameBuffer(capacity_ms=CAPACITY_MS, target_ms=TARGET_MS)
    held: list[float] = []
    for number in range(len(script)):
        run(buffer, script[number : number + 1])
        held.append(buffer.statistics().held_ms)

    assert max(held, default=0) <= CAPACITY_MS


@given(steps)
def test_the_order_is_kept(script: list[str | tuple[str, int]]) -> None:
    """What comes out comes in the order in which it went in, each frame once."""
    buffer = FrameBuffer(capacity_ms=CAPACITY_MS, target_ms=TARGET_MS)
    heard = [level_of(it) for it in run(buffer, script) if it.peak]

    assert all(earlier < later for earlier, later in pairwise(heard))


@given(st.lists(st.sampled_from([1, 10, 20]), max_size=30))
def test_speech_is_only_ever_dropped_when_full(lengths: list[int]) -> None:
    """Speech that fits comes out untouched, however much more than the target it is."""
    buffer = FrameBuffer(capacity_ms=1000, target_ms=0)
    for number, ms in enumerate(lengths):
        buffer.put(numbered(number, ms))

    assert [buffer.take() is not None for _ in lengths] == [True] * len(lengths)
    assert buffer.statistics().dropped_ms == buffer.statistics().trimmed_ms == 0


def test_a_stall_is_won_back_in_the_next_pause() -> None:
    """Delay that a stall left behind is taken out of silence, down to the target."""
    buffer = FrameBuffer(capacity_ms=100, target_ms=20)
    for _ in range(2):
        buffer.put(frame(1000))
    for _ in range(3):
        buffer.put(frame(0))

    assert buffer.take() is not None
    assert buffer.take() is not None
    assert buffer.take() is not None
    assert buffer.take() is None
    assert buffer.statistics() == BufferStatistics(100, 60, 0, 40, 0)


@pytest.mark.parametrize(("behind_ms", "trimmed_ms"), [(0, 0), (20, 0), (21, 20), (60, 40)])
def test_what_waits_behind_counts(behind_ms: float, trimmed_ms: float) -> None:
    """A pause is left out where the queue and what was taken before are too much together."""
    buffer = FrameBuffer(capacity_ms=100, target_ms=60)
    for _ in range(2):
        buffer.put(frame(0))
    buffer.take(behind_ms)

    assert buffer.statistics().trimmed_ms == trimmed_ms


@pytest.mark.parametrize(
    ("levels", "left"),
    [
        ([0, 0, 1000, 0], [1000, 0]),
        ([0, 0, 0], [0]),
        ([1000, 0, 0], [1000, 0, 0]),
        ([100, 0, 1000], [100, 0, 1000]),
        ([], []),
    ],
    ids=["before a word", "alone", "after a word", "after noise", "nothing"],
)
def test_silence_before_a_sound_is_skipped_on_demand(levels: list[int], left: list[int]) -> None:
    """Only what waits before something else goes, and it is accounted for."""
    buffer = FrameBuffer(capacity_ms=100, target_ms=100)
    for level in levels:
        buffer.put(frame(level))
    buffer.skip_silence()

    assert buffer.statistics().trimmed_ms == 20 * (len(levels) - len(left))
    assert [it.peak for _ in left if (it := buffer.take()) is not None] == left


def test_silence_that_is_needed_is_not_skipped() -> None:
    """Sentences are confirmed by the pause after them."""
    buffer = FrameBuffer(capacity_ms=100, target_ms=100)
    buffer.put(frame(0), is_needed=True)
    buffer.put(frame(1000))
    buffer.skip_silence()

    assert buffer.statistics().trimmed_ms == 0


def test_the_oldest_goes_first() -> None:
    """A queue without room keeps what is newest."""
    buffer = FrameBuffer(capacity_ms=40, target_ms=20)
    for number in range(4):
        buffer.put(numbered(number, 20))

    assert [level_of(it) for it in (buffer.take(), buffer.take()) if it is not None] == [1002, 1003]
    assert buffer.statistics().dropped_ms == 40


@in_jumping_time
async def test_waiting_ends_with_the_next_frame() -> None:
    """A reader that waits gets the frame as soon as it is there, and all of them in order."""
    buffer = FrameBuffer(capacity_ms=CAPACITY_MS, target_ms=TARGET_MS)
    read: list[int] = []

    async def read_all() -> None:
        while (it := await buffer.next_frame()) is not None:
            read.append(level_of(it))

    async with asyncio.TaskGroup() as group:
        group.create_task(read_all())
        for number in range(5):
            buffer.put(numbered(number, 20))
            await eventually(lambda: buffer.statistics().held_ms == 0)
        buffer.close()

    assert read == [1000, 1001, 1002, 1003, 1004]


@in_jumping_time
async def test_a_closed_queue_is_read_to_its_end() -> None:
    """Closing loses nothing that waits; then, and again, there is no more."""
    buffer = FrameBuffer(capacity_ms=CAPACITY_MS, target_ms=TARGET_MS)
    buffer.put(frame(1000))
    buffer.put(frame(2000))
    buffer.close()

    assert [await buffer.next_frame() is None for _ in range(4)] == [False, False, True, True]


@in_jumping_time
async def test_a_reader_that_gives_up_loses_nothing() -> None:
    """Cancelling the wait leaves the next frame to whoever reads next."""
    buffer = FrameBuffer(capacity_ms=CAPACITY_MS, target_ms=TARGET_MS)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await buffer.next_frame()
    buffer.put(frame(7))

    assert await buffer.next_frame() is not None
    assert buffer.statistics().out_ms == 20


@in_jumping_time
async def test_a_queue_is_filled_as_frames_come() -> None:
    """It holds what came, and its reader learns when the source has ended."""
    buffer, sound = FrameBuffer(capacity_ms=CAPACITY_MS, target_ms=TARGET_MS), FakeSound()
    sound.play(frame(1000), frame(2000))
    sound.end()
    async with sound.open_frames() as frames:
        await buffer.fill(frames)

    assert [await buffer.next_frame() is None for _ in range(3)] == [False, False, True]


@in_jumping_time
async def test_a_source_that_breaks_closes_the_queue() -> None:
    """Its error comes out, and the reader is not left waiting."""
    buffer, sound = FrameBuffer(capacity_ms=CAPACITY_MS, target_ms=TARGET_MS), FakeSound()
    sound.fail(OSError("unplugged"))
    with pytest.raises(OSError, match="unplugged"):
        async with sound.open_frames() as frames:
            await buffer.fill(frames)

    assert await buffer.next_frame() is None
