"""The way of LiveKit's audio events, on the short path and on that of its own classes."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

import numpy as np
import pytest
from livekit import rtc
from livekit.rtc._proto.audio_frame_pb2 import AudioStreamEvent
from livekit.rtc._proto.ffi_pb2 import FfiEvent

from palabra_agent.audio.event_path import (
    TRIED_VERSIONS,
    AudioEvents,
    AudioFrames,
    IndexedSource,
    IndexedStream,
    PublicStream,
    trouble_with,
)
from palabra_agent.audio.pcm import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE
from palabra_agent.audio.rtc import RemoteAudio
from tests.clock import HANG_SECONDS, eventually

pytestmark = pytest.mark.unit

QUEUE_MS: Final = 40


class Path:
    """One way for sound to go from a source to a stream."""

    def __init__(
        self,
        source: Callable[[], rtc.AudioSource],
        stream: Callable[[rtc.Track], AudioFrames],
    ) -> None:
        self.source = source
        self.stream = stream


def short_path() -> Path:
    """Ours."""
    events = AudioEvents.installed()
    return Path(
        lambda: IndexedSource(events, QUEUE_MS, SAMPLE_RATE),
        lambda track: IndexedStream(
            events, track, capacity=50, rate=SAMPLE_RATE, frame_ms=FRAME_MS
        ),
    )


def public_path() -> Path:
    """The one of LiveKit's own classes."""
    return Path(
        lambda: rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=QUEUE_MS),
        lambda track: PublicStream(track, capacity=50, rate=SAMPLE_RATE, frame_ms=FRAME_MS),
    )


@pytest.fixture(params=[short_path, public_path])
def path(request: pytest.FixtureRequest) -> Path:
    """Each of both."""
    made: Path = request.param()
    return made


@asynccontextmanager
async def loop_of(path: Path) -> AsyncGenerator[tuple[rtc.AudioSource, AudioFrames]]:
    """Have a source, and a stream that hears it, for the length of a block."""
    source = path.source()
    stream = path.stream(rtc.LocalAudioTrack.create_audio_track("track", source))
    try:
        yield source, stream
    finally:
        async with asyncio.timeout(HANG_SECONDS):
            await stream.aclose()
        await source.aclose()


def frame(level: int) -> rtc.AudioFrame:
    """20 ms of one level."""
    samples = np.full(FRAME_SAMPLES, level, dtype=np.int16)
    return rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, FRAME_SAMPLES)


def level(event: rtc.AudioFrameEvent) -> int:
    """The loudest sample."""
    return int(np.frombuffer(event.frame.data, dtype=np.int16).max())


async def speak(source: rtc.AudioSource, *levels: int) -> None:
    """Play a frame of each level."""
    for it in levels:
        await source.capture_frame(frame(it))


async def heard(stream: AudioFrames, *levels: int) -> list[int]:
    """Listen until all these levels were heard; returns those in their order."""
    found: list[int] = []
    async with asyncio.timeout(HANG_SECONDS):
        async for event in stream:
            if (it := level(event)) in levels and it not in found:
                found.append(it)
            if len(found) == len(levels):
                break
    return found


async def test_frames_come_in_their_order(path: Path) -> None:
    """More than the queue holds: the writer waits, and nothing is lost."""
    levels = tuple(range(1000, 16000, 1000))
    async with loop_of(path) as (source, stream), asyncio.TaskGroup() as group:
        group.create_task(speak(source, *levels))
        assert await heard(stream, *levels) == list(levels)


async def test_each_stream_hears_its_own_track_alone(path: Path) -> None:
    """Twelve at once, each with a level of its own."""
    levels = [1000 * n for n in range(1, 13)]
    async with asyncio.TaskGroup() as group:
        for own in levels:
            group.create_task(hears_only(path, own))


async def hears_only(path: Path, own: int) -> None:
    """Play one level, and find nothing but it and silence in between."""
    async with loop_of(path) as (source, stream), asyncio.TaskGroup() as group:
        playing = group.create_task(speak(source, *[own] * 20))
        found: set[int] = set()
        async with asyncio.timeout(HANG_SECONDS):
            async for event in stream:
                found.add(level(event))
                if own in found and playing.done():
                    break

        assert found <= {0, own}


async def test_what_was_captured_is_played_out(path: Path) -> None:
    """Waiting for it takes as long as what waits."""
    loop = asyncio.get_running_loop()
    async with loop_of(path) as (source, _):
        await speak(source, 1000, 1000)
        began = loop.time()
        await source.wait_for_playout()
        assert loop.time() - began > 0.02
        assert source.queued_duration == 0


async def test_a_cancelled_capture_leaves_the_source_usable(path: Path) -> None:
    """A writer who gives up while the queue is full holds up no other for good."""
    async with loop_of(path) as (source, stream), asyncio.TaskGroup() as group:
        writer = group.create_task(speak(source, *[1000] * 50))
        await heard(stream, 1000)
        writer.cancel()
        await asyncio.wait({writer})
        # LiveKit's own class refuses a second writer until the frame of the first was taken
        await asyncio.sleep(2 * QUEUE_MS / 1000)
        await speak(source, 7000)
        assert await heard(stream, 7000) == [7000]


async def test_a_closed_stream_ends_for_its_listener(path: Path) -> None:
    """A listener who reads on after `aclose` is told that it is over."""
    source = path.source()
    stream = path.stream(rtc.LocalAudioTrack.create_audio_track("track", source))
    await speak(source, 1000)
    async with asyncio.timeout(HANG_SECONDS):
        await heard(stream, 1000)
        await stream.aclose()
        # the listener reads what was still on its way, and is then told
        async for event in stream:
            assert level(event) in {0, 1000}
    await source.aclose()


async def test_a_stream_ends_when_nothing_more_comes_of_its_track() -> None:
    """As of one that goes with its room; what was on its way comes first."""
    streams = AudioEvents.installed()._streams
    async with loop_of(short_path()) as (source, stream):
        await speak(source, 1000)
        await heard(stream, 1000)
        assert isinstance(stream, IndexedStream)
        handle, tell = stream._handle.handle, stream._on_event
        del streams[handle]
        stream.end()
        async with asyncio.timeout(HANG_SECONDS):
            assert {level(event) async for event in stream} <= {0, 1000}
        streams[handle] = tell


async def test_many_streams_open_and_close_at_once(path: Path) -> None:
    """Closing one never hangs, whatever of its sound is on its way."""
    source = path.source()
    track = rtc.LocalAudioTrack.create_audio_track("track", source)
    async with asyncio.timeout(HANG_SECONDS), asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(path.stream(track).aclose())
    await source.aclose()


async def test_frames_of_two_writers_come_one_after_the_other() -> None:
    """Both have to wait for the queue, and neither is forgotten."""
    async with (
        loop_of(short_path()) as (source, stream),
        asyncio.timeout(HANG_SECONDS),
        asyncio.TaskGroup() as group,
    ):
        group.create_task(speak(source, *[1000] * 20))
        group.create_task(speak(source, *[2000] * 20))
        assert set(await heard(stream, 1000, 2000)) == {1000, 2000}


async def test_a_refused_frame_is_told_with_the_next(path: Path) -> None:
    """LiveKit takes frames of the source's own rate alone; an empty one is no frame."""
    other = rtc.AudioFrame(bytes(960), SAMPLE_RATE // 2, 1, 480)
    async with loop_of(path) as (source, stream):
        with pytest.raises(Exception, match="sample_rate"):
            await capture_twice(source, other)
        await source.capture_frame(rtc.AudioFrame(b"", SAMPLE_RATE, 1, 0))
        await speak(source, 7000)
        assert await heard(stream, 7000) == [7000]


async def capture_twice(source: rtc.AudioSource, played: rtc.AudioFrame) -> None:
    """Play a frame and once more."""
    for _ in range(2):
        await source.capture_frame(played)


async def test_a_track_that_is_gone_has_no_frames(path: Path) -> None:
    """LiveKit refuses to open a stream of one that it has taken back."""
    source = path.source()
    track = rtc.LocalAudioTrack.create_audio_track("track", source)
    track._ffi_handle.dispose()
    with pytest.raises(AssertionError):
        path.stream(track)
    async with RemoteAudio(track).open_frames() as frames:
        assert [frame async for frame in frames] == []
    await source.aclose()


async def test_a_stream_that_outlives_its_loop_ends() -> None:
    """Nothing listens to it any more: the native part is told so, and it is forgotten."""
    events = AudioEvents.installed()
    before = set(events._streams)

    async def leave_open() -> tuple[rtc.AudioSource, AudioFrames]:
        path = short_path()
        source = path.source()
        stream = path.stream(rtc.LocalAudioTrack.create_audio_track("track", source))
        await anext(stream)
        return source, stream

    source, _ = await asyncio.to_thread(asyncio.run, leave_open())
    await eventually(lambda: set(events._streams) <= before, "the stream is forgotten")
    await source.aclose()


def stream_event(stream: int, frame: int) -> FfiEvent:
    """A frame of a stream, or its end where the frame is 0."""
    event = FfiEvent()
    event.audio_stream_event.stream_handle = stream
    if frame:
        event.audio_stream_event.frame_received.frame.handle.id = frame
    else:
        event.audio_stream_event.eos.SetInParent()
    return event


def test_events_that_come_before_their_stream_is_known_are_kept_for_it() -> None:
    """In their order, the end with them; what is for others stays."""
    events, told = AudioEvents(), list[tuple[str, int]]()

    def tell(name: str) -> Callable[[AudioStreamEvent], None]:
        return lambda event: told.append((name, event.frame_received.frame.handle.id))

    for stream, frame in ((1, 10), (2, 20), (1, 11), (1, 0), (2, 21)):
        events.put(stream_event(stream, frame))
    events.add_stream(1, tell("first"))
    events.add_stream(2, tell("second"))
    events.put(stream_event(2, 22))
    events.put(stream_event(1, 12))

    assert told == [
        *(("first", it) for it in (10, 11, 0)),
        *(("second", it) for it in (20, 21, 22)),
    ]


async def test_events_of_others_go_to_the_classes_of_livekit() -> None:
    """A process may use both; what is remembered of the others' is bounded."""
    events = AudioEvents()
    queue = events.subscribe()
    events.add_stream(1, lambda _: None)
    for frame in range(1, 200):
        events.put(stream_event(1, frame))
        events.put(stream_event(2, frame))
    await asyncio.sleep(0)

    assert queue.qsize() == 199
    assert len(events._unclaimed) < 100


async def test_the_test_finds_what_works_and_what_does_not() -> None:
    """Events that do not reach us, as in a version that hands them out in another way."""
    assert await trouble_with(AudioEvents.installed()) == ""
    assert await trouble_with(AudioEvents()) == "no sound came through in its test"


def run_program(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own: the path is chosen once in a process."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize(
    ("version", "is_short"), [(rtc.__version__, True), ("0.0.1", False), ("", False)]
)
def test_a_process_takes_the_short_path_in_versions_that_were_tried(
    version: str, *, is_short: bool
) -> None:
    """In others it goes on with LiveKit's own classes, and says so once."""
    code = (
        "import logging; logging.basicConfig(); from livekit import rtc\n"
        "from palabra_agent.audio.event_path import open_source, prefer_short_path\n"
        f"print(prefer_short_path({version!r}), end=' ')\n"
        "async def kind(): return type(open_source(40)).__name__\n"
        "import asyncio; print(asyncio.run(kind()))"
    )
    done = run_program(code)

    assert done.stdout.split() == (
        ["True", "IndexedSource"] if is_short else ["False", "AudioSource"]
    )
    assert done.stderr.count("longer path") == (not is_short)


def test_a_process_whose_test_fails_goes_on_with_livekit_s_own_classes() -> None:
    """An SDK that hands its events out in another way: sound passes all the same, and all is told.

    The queue that it had is put back.
    """
    code = """
import asyncio, logging
logging.basicConfig()
from livekit.rtc._ffi_client import FfiClient, FfiQueue
from palabra_agent.audio import event_path
from tests.audio.test_event_path import Path, heard, loop_of, speak

class Deaf(event_path.AudioEvents):
    def put(self, item):
        FfiQueue.put(self, item)

async def sound():
    path = Path(
        lambda: event_path.open_source(40), lambda it: event_path.open_stream(it, capacity=50)
    )
    async with loop_of(path) as (source, stream):
        await speak(source, *[1000] * 25)
        return type(source).__name__, await heard(stream, 1000)

Deaf.installed()
print(event_path.prefer_short_path(), type(FfiClient.instance.queue) is FfiQueue, end=" ")
print(*asyncio.run(sound()))
"""
    done = run_program(code)

    assert done.stdout.split() == ["False", "True", "AudioSource", "[1000]"]
    assert done.stderr.count("no sound came through in its test") == 1


def test_a_process_may_end_while_sound_comes() -> None:
    """A native thread that is in Python meanwhile is let out of it; else it aborts the process."""
    run_program("""
import asyncio, time
from palabra_agent.audio import event_path
from tests.audio.test_event_path import frame

class Slow(event_path.AudioEvents):
    def put(self, item):
        time.sleep(0.02)
        super().put(item)

async def sound():
    source = event_path.open_source(40)
    track = event_path.rtc.LocalAudioTrack.create_audio_track("track", source)
    stream = event_path.open_stream(track, capacity=50)
    await source.capture_frame(frame(1000))
    await anext(stream)
    return source, track, stream

Slow.installed()
assert event_path.prefer_short_path()
kept = asyncio.run(sound())
""")


@pytest.mark.parametrize(("threshold", "are_made"), [("DEBUG", True), ("INFO", False)])
def test_the_native_part_makes_lines_of_its_log_for_those_who_debug(
    threshold: str, *, are_made: bool
) -> None:
    """It makes fine ones always: each is an event, and a joined room means thousands."""
    code = f"""
import asyncio, logging
logging.basicConfig(level={threshold!r})
from livekit import rtc
from palabra_agent.audio.event_path import prefer_short_path

async def join_nothing():
    try:
        await rtc.Room().connect("ws://127.0.0.1:1", "no token")
    except rtc.ConnectError:
        pass

assert prefer_short_path()
asyncio.run(join_nothing())
"""
    logged = run_program(code).stderr

    # lines of its beginning may come as late as those of the join: only the latter are counted
    assert ("ws://127.0.0.1:1" in logged) == are_made


def test_the_installed_version_was_tried() -> None:
    """A new version of LiveKit's SDK is to be tried before it is counted in."""
    assert rtc.__version__ in TRIED_VERSIONS
