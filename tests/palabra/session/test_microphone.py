"""The voice on its way: held while Palabra does not listen, and nothing of a word lost."""

from __future__ import annotations

import asyncio

import pytest

from palabra_agent.palabra.session.microphone import MicrophoneBuffer
from tests.clock import eventually, in_jumping_time
from tests.fakes import PlayedTrack, frame, level_of
from tests.stops import speak_through_stops

pytestmark = pytest.mark.unit


class MicrophoneScene:
    """A buffer, the levels that are written into it, and those that come out."""

    def __init__(self) -> None:
        self.buffer = MicrophoneBuffer()

    def write(self, *levels: int) -> None:
        """Write a frame of each level."""
        for level in levels:
            self.buffer.write(frame(level))

    def listen(self, *, is_known: bool = True) -> None:
        """Let Palabra take sound in, or be told to."""
        self.buffer.set_listening(is_listening=True, is_known=is_known)

    def refute(self) -> None:
        """Find that Palabra did not listen."""
        self.buffer.set_listening(is_listening=False, is_known=False)

    async def read(self, count: int) -> list[int]:
        """Read so many frames, each of which must be there."""
        async with asyncio.timeout(0.1):
            heard = [await self.buffer.next_frame() for _ in range(count)]

        return [level_of(it) for it in heard if it is not None]

    async def read_all(self) -> list[int]:
        """Read to the end of a buffer that is closed."""
        self.buffer.close()
        levels: list[int] = []
        while (it := await self.buffer.next_frame()) is not None:
            levels.append(level_of(it))

        return levels

    @property
    def held_ms(self) -> float:
        """How much waits."""
        return self.buffer.statistics().held_ms


@in_jumping_time
async def test_what_came_before_the_first_word_is_sent_before_it() -> None:
    """A quarter of a second of it, quiet frames too, in order; then it is forgotten."""
    scene = MicrophoneScene()
    scene.listen()
    for level in range(40):
        scene.buffer.remember(frame(level))
    scene.write(1000, 1001, 1002)

    assert await scene.read_all() == [*range(28, 40), 1000, 1001, 1002]


@in_jumping_time
async def test_frames_wait_until_palabra_listens() -> None:
    """A reader that asked before gets nothing until then, and loses nothing by it."""
    scene = MicrophoneScene()
    scene.write(1000, 1001)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(scene.read_all())
        await asyncio.sleep(5)
        assert not reading.done()
        scene.listen()
        await eventually(reading.done)

    assert reading.result() == [1000, 1001]


@in_jumping_time
async def test_what_was_given_out_in_vain_comes_again() -> None:
    """First, in order, with what came meanwhile behind it; as often as it takes."""
    scene = MicrophoneScene()
    scene.write(*range(1000, 1010))
    for _ in range(2):
        scene.listen(is_known=False)
        assert await scene.read(4) == [*range(1000, 1004)]
        scene.refute()
    scene.write(1010)
    scene.listen(is_known=False)
    assert await scene.read(3) == [1000, 1001, 1002]
    scene.listen()

    assert await scene.read_all() == [*range(1003, 1011)]


@in_jumping_time
async def test_what_is_known_to_be_heard_never_comes_again() -> None:
    """An answer proves all that was given out before it."""
    scene = MicrophoneScene()
    scene.write(1000, 1001)
    scene.listen(is_known=False)
    assert await scene.read(2) == [1000, 1001]
    scene.listen()
    scene.refute()
    scene.write(1002)
    scene.listen()

    assert await scene.read_all() == [1002]


@in_jumping_time
async def test_the_end_waits_for_the_proof() -> None:
    """A reader may have to give the last frames out again."""
    scene = MicrophoneScene()
    scene.write(1000)
    scene.listen(is_known=False)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(scene.read_all())
        await asyncio.sleep(5)
        assert not reading.done()
        scene.refute()
        scene.listen()
        await eventually(reading.done)

    assert reading.result() == [1000, 1000]


@in_jumping_time
async def test_nothing_keeps_a_buffer_open_that_nothing_waits_in() -> None:
    """Also while Palabra does not listen."""
    assert await MicrophoneScene().read_all() == []


@in_jumping_time
async def test_fifteen_seconds_wait_while_palabra_is_resumed() -> None:
    """Beyond that the oldest go, counted."""
    scene = MicrophoneScene()
    scene.write(*range(1000, 1850))
    scene.listen()

    assert scene.buffer.statistics().dropped_ms == 2000
    assert await scene.read_all() == [*range(1100, 1850)]


@in_jumping_time
async def test_a_long_pause_is_not_held_whole() -> None:
    """So much of it as confirms a sentence; the rest of it would only be delay."""
    scene = MicrophoneScene()
    scene.write(*[1000] * 10, *[0] * 100, *[1001] * 10)
    scene.listen()

    assert await scene.read_all() == [1000] * 10 + [0] * 40 + [1001] * 10


@in_jumping_time
async def test_digital_silence_is_not_queued_while_palabra_listens() -> None:
    """The track that plays the frames is silent by itself."""
    scene = MicrophoneScene()
    scene.listen()
    scene.write(0, 1000, 0, 0)

    assert scene.buffer.statistics().in_ms == 20
    assert await scene.read_all() == [1000]


@in_jumping_time
async def test_the_delay_is_won_back_in_pauses() -> None:
    """What was held is played as it is; of what comes then, pauses are left out."""
    scene = MicrophoneScene()
    scene.write(*[1000] * 100)
    scene.listen()
    scene.write(1001, 200, 1002, 1003)

    assert await scene.read_all() == [1000] * 100 + [1001, 1002, 1003]
    assert scene.buffer.statistics().dropped_ms == 0


@in_jumping_time
async def test_stops_of_the_process_leave_no_delay_after_a_pause() -> None:
    """Of what came at once after each, however much of it the track had taken by then."""
    track = PlayedTrack()
    buffer = MicrophoneBuffer(lambda: track.waiting_ms)
    buffer.set_listening(is_listening=True)

    async def send() -> None:
        while (it := await buffer.next_frame()) is not None:
            await track.write(it.samples)

    async with asyncio.TaskGroup() as group:
        sending = group.create_task(send())
        delays = await speak_through_stops(buffer.write, track)
        sending.cancel()

    assert delays.amid > 200
    assert delays.after <= delays.before + 20


@in_jumping_time
async def test_afterwards_it_is_short_again() -> None:
    """A stall long after a pause costs what it always costs."""
    scene = MicrophoneScene()
    scene.write(*[1000] * 100)
    scene.listen()
    played = await scene.read(100)
    for _ in range(101):
        scene.write(1001)
        assert await scene.read(1) == [1001]
    scene.write(*range(2000, 2020))

    assert played == [1000] * 100
    assert await scene.read_all() == [2017, 2018, 2019]


@in_jumping_time
async def test_a_reader_in_step_loses_nothing() -> None:
    """While it plays what was held, new frames come as fast as old ones go."""
    scene = MicrophoneScene()
    scene.write(*range(4000, 4100))
    scene.listen()
    heard: list[int] = []
    for level in range(4100, 4300):
        scene.write(level)
        heard += await scene.read(1)

    assert heard + await scene.read_all() == [*range(4000, 4300)]


@in_jumping_time
async def test_a_reader_who_takes_much_at_once_loses_nothing() -> None:
    """Chunks of a third of a second leave a quarter faster than they are spoken."""
    scene = MicrophoneScene()
    scene.write(*range(4000, 4100))
    scene.listen()
    heard: list[int] = []
    for level in range(4100, 5000):
        scene.write(level)
        if (level - 4000) % 13 == 0:
            heard += await scene.read(min(16, round(scene.held_ms / 20)))
            if not scene.held_ms:
                break

    assert heard == [4000 + number for number in range(len(heard))]
    assert 400 < len(heard) < 1000
