"""The way of LiveKit's events, at a cost that does not grow with the number of tracks and rooms.

LiveKit's SDK hands every frame of sound to every open stream, which throws it away where it is for
another, and every event to each capture that waits to be confirmed. That is quadratic: with forty
tracks a process hears a third of its frames. Here an event of audio goes to the one stream or
source that it is for, found by its handle, and a capture waits for the one before it, which has
long been confirmed. What happens in a room is handed to that room (`narrow_events`). Lines of the
SDK's own log are events as well, thousands of them when a room is joined; they are made only where
debug lines are logged.

The SDK has no public way to do this. So this module, and no other, uses its private parts: in the
versions that it was tried with, and after a test at the start of a process (`prefer_short_path`).
Otherwise, and until then, `open_stream` and `open_source` give the SDK's own classes, whose shape
those of this module have.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import atexit
import ctypes
import itertools
import logging
import os
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Final, Protocol, TypeAlias

import numpy as np
from livekit import rtc

# LiveKit Agents pins the SDK exactly, and `TRIED_VERSIONS` guards what is used of these
from livekit.rtc._ffi_client import FfiClient, FfiHandle, FfiQueue, ffi_event_callback
from livekit.rtc._proto.audio_frame_pb2 import (
    AudioStreamEvent,
    AudioStreamType,
    OwnedAudioFrameBuffer,
)
from livekit.rtc._proto.ffi_pb2 import FfiEvent, FfiRequest

from palabra_agent.audio.pcm import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE

TRIED_VERSIONS: Final = frozenset({"1.1.21"})
"""Of the package `livekit`."""

_FIRST_CAPTURE: Final = 1 << 62
"""Our captures are numbered from here; the SDK numbers all others, from 1."""
_UNCLAIMED: Final = 64
"""Events remembered for streams that are being opened: their first frames may come before the
answer that tells their handle."""
_FOR_EACH_ROOM: Final = frozenset({"publish_track", "unpublish_track", "rpc_method_invocation"})
"""Events without a room's handle that a room waits for, or picks its own from."""

_TEST_SECONDS: Final = 2.0
_TEST_LEVEL: Final = 5000

_LULL_SECONDS: Final = 0.2
"""Nothing more comes of a track that has ended and was still for so long."""

_LEAVING_SECONDS: Final = 0.05
"""A native thread has done by then what it does with an event that came last."""

_NATIVE_LOG: Final = "RUST_LOG"
"""The environment variable that says what the native part prints of its log by itself."""

logger = logging.getLogger(__name__)


class AudioFrames(Protocol):
    """The shape of LiveKit's `AudioStream`, as far as it is used here, and an end."""

    def __aiter__(self) -> AsyncIterator[rtc.AudioFrameEvent]:
        """Itself."""
        ...

    async def __anext__(self) -> rtc.AudioFrameEvent:
        """Wait for the next frame."""
        ...

    def end(self) -> None:
        """Learn that nothing more comes of the track: it ends after what is on its way."""
        ...

    async def aclose(self) -> None:
        """Listen no longer."""
        ...


class AudioEvents(FfiQueue[FfiEvent]):
    """All events of the SDK's native part; those of our streams and sources find them by number.

    `put` is called on native threads, and so are those who are told; everything else is called on
    that of an event loop.
    """

    def __init__(self) -> None:
        super().__init__()
        self._streams: dict[int, Callable[[AudioStreamEvent], None]] = {}
        self._captures: dict[int, Callable[[str], None]] = {}
        self._unclaimed: deque[AudioStreamEvent] = deque(maxlen=_UNCLAIMED)
        self._inboxes: dict[asyncio.AbstractEventLoop, _Inbox] = {}
        self._known = threading.local()
        """Marks the native threads that Python knows for good."""

    @classmethod
    def installed(cls) -> AudioEvents:
        """Those of this process, which have taken the place of the SDK's own queue."""
        client = FfiClient.instance
        queue = client.queue
        if isinstance(queue, AudioEvents):
            return queue

        events = cls()
        # other threads may be using the queue that is replaced
        events._lock, events._subscribers = queue._lock, queue._subscribers
        client._queue = events
        return events

    def remove(self) -> None:
        """Let the SDK have a queue of its own kind again, which tells the same subscribers."""
        queue = FfiQueue[FfiEvent]()
        queue._lock, queue._subscribers = self._lock, self._subscribers
        FfiClient.instance._queue = queue

    def put(self, item: FfiEvent) -> None:
        """Hand an event to the one that it is for, or to the SDK's own classes."""
        if not hasattr(self._known, "mark"):
            self._known.mark = True
            # else Python would make its state of this thread anew for each event
            ctypes.pythonapi.PyGILState_Ensure()

        kind = item.WhichOneof("message")
        if kind == "audio_stream_event" and self._is_delivered(item.audio_stream_event):
            return

        if kind == "capture_audio_frame":
            captured = item.capture_audio_frame
            tell = self._captures.pop(captured.async_id, None)
            if tell is not None:
                tell(captured.error)
                return

        super().put(item)

    def _is_delivered(self, event: AudioStreamEvent) -> bool:
        with self._lock:
            tell = self._streams.get(event.stream_handle)
            if tell is None:
                self._unclaimed.append(event)
                return False

            if event.HasField("eos"):
                del self._streams[event.stream_handle]

        tell(event)
        return True

    def add_stream(self, handle: int, tell: Callable[[AudioStreamEvent], None]) -> None:
        """Tell a stream what comes under its handle until it ends, and what has come already."""
        with self._lock:
            self._streams[handle] = tell
            waiting = list(self._unclaimed)
            self._unclaimed.clear()
            for event in waiting:
                self._is_delivered(event)

    def inbox(self) -> _Inbox:
        """That of the streams of the running event loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            for closed in [it for it in self._inboxes if it.is_closed()]:
                del self._inboxes[closed]
            return self._inboxes.setdefault(loop, _Inbox(loop))

    def add_capture(self, number: int, tell: Callable[[str], None]) -> None:
        """Tell a source when its frame was taken, with the reason if it was not."""
        self._captures[number] = tell

    def forget_capture(self, number: int) -> None:
        """Tell the source nothing more of this."""
        self._captures.pop(number, None)


class _Inbox:
    """What has come for the streams of one event loop, which is woken once for all that waits.

    The frames of all tracks come at about the same moments, and each waking has its price.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[tuple[IndexedStream, AudioStreamEvent]] = deque()
        self._is_told = False
        """True from when the loop was told until it has begun to look."""

    def put(self, stream: IndexedStream, event: AudioStreamEvent) -> None:
        """Have a stream receive an event, in the thread of its loop.

        Raises:
            RuntimeError: The loop is closed.
        """
        self._waiting.append((stream, event))
        if self._loop.is_closed():
            while self._waiting:
                _release(self._waiting.popleft()[1])
            raise RuntimeError("Event loop is closed")

        if not self._is_told:
            self._is_told = True
            self._loop.call_soon_threadsafe(self._hand_out)

    def _hand_out(self) -> None:
        self._is_told = False
        while self._waiting:
            stream, event = self._waiting.popleft()
            stream.receive(event)


class IndexedStream:
    """LiveKit's `AudioStream`, to which only its own events come."""

    def __init__(
        self, events: AudioEvents, track: rtc.Track, *, capacity: int, rate: int, frame_ms: int
    ) -> None:
        """Listen to a track; the arguments are those of `open_stream`."""
        self._inbox = events.inbox()
        self._track = track
        """Kept: a track that is let go ends."""
        self._frames: deque[rtc.AudioFrameEvent] = deque(maxlen=capacity)
        self._arrived = asyncio.Event()
        self._is_over = False
        self._is_closed = asyncio.Event()
        self._lull: asyncio.TimerHandle | None = None
        """Waits for the end, where the track has ended."""
        request = FfiRequest()
        new = request.new_audio_stream
        new.track_handle = track._ffi_handle.handle
        new.sample_rate = rate
        new.num_channels = 1
        new.frame_size_ms = frame_ms
        new.queue_size_frames = 0  # no bound there: `capacity` is
        new.type = AudioStreamType.AUDIO_STREAM_NATIVE
        owned = FfiClient.instance.request(request).new_audio_stream.stream
        self._handle = FfiHandle(owned.handle.id)
        events.add_stream(self._handle.handle, self._on_event)

    def _on_event(self, event: AudioStreamEvent) -> None:
        """Take an event over, on whichever thread it comes."""
        try:
            self._inbox.put(self, event)
        except RuntimeError:  # the loop was closed before the stream was
            self._handle.dispose()

    def receive(self, event: AudioStreamEvent) -> None:
        """Take in a frame, or the end."""
        if event.HasField("frame_received"):
            self._frames.append(rtc.AudioFrameEvent(_frame_of(event.frame_received.frame)))
            if self._lull is not None:
                self.end()
        else:
            self._is_over = True
            self._is_closed.set()
        self._arrived.set()

    def end(self) -> None:
        """Learn that nothing more comes of the track: it ends after what is on its way."""
        if self._lull is not None:
            self._lull.cancel()
        self._lull = asyncio.get_running_loop().call_later(_LULL_SECONDS, self._finish)

    def _finish(self) -> None:
        self._is_over = True
        self._arrived.set()

    def __aiter__(self) -> AsyncIterator[rtc.AudioFrameEvent]:
        """Itself."""
        return self

    async def __anext__(self) -> rtc.AudioFrameEvent:
        """Wait for the next frame; cancelling it loses nothing."""
        while not self._frames:
            if self._is_over:
                raise StopAsyncIteration

            self._arrived.clear()
            await self._arrived.wait()

        return self._frames.popleft()

    async def aclose(self) -> None:
        """Listen no longer; over when the native part has sent its last event."""
        if self._lull is not None:
            self._lull.cancel()
        self._handle.dispose()
        await self._is_closed.wait()


def _frame_of(owned: OwnedAudioFrameBuffer) -> rtc.AudioFrame:
    """Copy a frame out of the native part's memory, which is released."""
    info = owned.info
    data = ctypes.string_at(info.data_ptr, 2 * info.num_channels * info.samples_per_channel)
    _drop(owned.handle.id)
    return rtc.AudioFrame(data, info.sample_rate, info.num_channels, info.samples_per_channel)


def _release(event: AudioStreamEvent) -> None:
    if event.HasField("frame_received"):
        _drop(event.frame_received.frame.handle.id)


def _drop(handle: int) -> None:
    """Let the native part forget something at once: an `FfiHandle` is for what stays longer."""
    FfiClient.instance._ffi_lib.livekit_ffi_drop_handle(handle)


_Shape: TypeAlias = tuple[int, int, int]
"""Samples a second, channels, and samples of each channel."""


class _Request:
    """A request to the native part that is sent again and again, and whose answer says nothing."""

    def __init__(self, request: FfiRequest) -> None:
        self._data = ctypes.create_string_buffer(request.SerializeToString(), request.ByteSize())
        self._size = request.ByteSize()
        self._start = ctypes.cast(self._data, ctypes.POINTER(ctypes.c_ubyte))
        self._answer = ctypes.POINTER(ctypes.c_ubyte)()
        self._answer_size = ctypes.c_size_t()

    def send(self) -> None:
        """Send it.

        Raises:
            RuntimeError: What it is for is not there any more.
        """
        answer = FfiClient.instance._ffi_lib.livekit_ffi_request(
            self._start, self._size, ctypes.byref(self._answer), ctypes.byref(self._answer_size)
        )
        if not answer:
            raise RuntimeError("LiveKit's SDK did not understand a request")

        _drop(answer)


class IndexedSource(rtc.AudioSource):
    """LiveKit's `AudioSource`, whose captures return at once while its queue has room."""

    _numbers: Final = itertools.count(_FIRST_CAPTURE)

    def __init__(self, events: AudioEvents, queue_ms: int, rate: int) -> None:
        """Make a source; the arguments are those of `open_source`."""
        super().__init__(rate, 1, queue_size_ms=queue_ms)
        self._events = events
        self._is_pending = False
        """True while a frame was not taken yet."""
        self._error = ""
        self._taken: asyncio.Event | None = None
        """Set when it is taken, where a writer waits for that; most never do."""
        self._empty_at = 0.0
        self._number = next(self._numbers)
        self._memory = ctypes.create_string_buffer(0)
        """Holds the frame that is being taken: the native part reads it there."""
        self._shape: _Shape = (0, 0, 0)
        """Of the frame that the request is for."""
        self._request = _Request(FfiRequest())

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Queue a frame once the one before it was taken.

        Cancelling it leaves this frame out. Frames of several writers come one after the other.

        Raises:
            RuntimeError: LiveKit refused the frame before it.
        """
        while self._is_pending:
            await self._until_taken()
        if self._error:
            error, self._error = self._error, ""
            raise RuntimeError(error)

        if frame.samples_per_channel == 0 or self._ffi_handle.disposed:
            return

        now = time.monotonic()
        self._empty_at = max(self._empty_at, now) + frame.duration
        self._prepare(frame)
        self._is_pending = True
        # numbered by us, so that it is known before it is confirmed, which may be at once
        self._events.add_capture(self._number, self._on_captured)
        try:
            self._request.send()
        except BaseException:
            self._events.forget_capture(self._number)
            self._is_pending = False
            raise

    def _prepare(self, frame: rtc.AudioFrame) -> None:
        """Put a frame where the native part reads it; frames of one shape are one request."""
        shape = (frame.sample_rate, frame.num_channels, frame.samples_per_channel)
        if shape != self._shape:
            self._shape = shape
            self._memory = ctypes.create_string_buffer(len(frame._data))
            request = FfiRequest()
            capture = request.capture_audio_frame
            capture.source_handle = self._ffi_handle.handle
            capture.request_async_id = self._number
            capture.buffer.data_ptr = ctypes.addressof(self._memory)
            capture.buffer.sample_rate, capture.buffer.num_channels = shape[:2]
            capture.buffer.samples_per_channel = frame.samples_per_channel
            self._request = _Request(request)
        self._memory.raw = bytes(frame._data)

    async def _until_taken(self) -> None:
        self._taken = taken = self._taken or asyncio.Event()
        # asked again, as it may have been taken before there was an event to set
        if self._is_pending:
            await taken.wait()

    def _on_captured(self, error: str) -> None:
        """Hear that the frame was taken, or why not, on a native thread."""
        self._error = error
        self._is_pending = False
        taken, self._taken = self._taken, None
        if taken is not None:
            with suppress(RuntimeError):  # the loop was closed before the source was
                self._loop.call_soon_threadsafe(taken.set)

    @property
    def queued_duration(self) -> float:
        """So many seconds wait to be played."""
        return max(self._empty_at - time.monotonic(), 0.0)

    def clear_queue(self) -> None:
        """Throw away what waits."""
        super().clear_queue()
        self._empty_at = 0.0

    async def wait_for_playout(self) -> None:
        """Wait until all that was captured has been played."""
        await asyncio.sleep(self.queued_duration)


class PublicStream:
    """LiveKit's `AudioStream` itself, with an end."""

    def __init__(self, track: rtc.Track, *, capacity: int, rate: int, frame_ms: int) -> None:
        """Listen to a track; the arguments are those of `open_stream`."""
        self._stream = rtc.AudioStream.from_track(
            track=track, sample_rate=rate, num_channels=1, frame_size_ms=frame_ms, capacity=capacity
        )
        self._is_ending = False
        self._waiting: asyncio.Timeout | None = None

    def __aiter__(self) -> AsyncIterator[rtc.AudioFrameEvent]:
        """Itself."""
        return self

    async def __anext__(self) -> rtc.AudioFrameEvent:
        """Wait for the next frame; cancelling it loses nothing."""
        self._waiting = asyncio.timeout(_LULL_SECONDS if self._is_ending else None)
        try:
            async with self._waiting:
                return await anext(self._stream)
        except TimeoutError:
            raise StopAsyncIteration from None
        finally:
            self._waiting = None

    def end(self) -> None:
        """Learn that nothing more comes of the track: it ends after what is on its way."""
        self._is_ending = True
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time() + _LULL_SECONDS)

    async def aclose(self) -> None:
        """Listen no longer."""
        await self._stream.aclose()


_events: AudioEvents | None = None
"""Installed in this process and tested; the native part is one for the whole process, too."""


def open_stream(
    track: rtc.Track, *, capacity: int, rate: int = SAMPLE_RATE, frame_ms: int = FRAME_MS
) -> AudioFrames:
    """Listen to a track, in mono.

    Args:
        track: Where the sound comes from.
        capacity: So many frames may wait; then the oldest goes.
        rate: Samples a second.
        frame_ms: The length of a frame in milliseconds.
    """
    if _events is not None:
        return IndexedStream(_events, track, capacity=capacity, rate=rate, frame_ms=frame_ms)

    return PublicStream(track, capacity=capacity, rate=rate, frame_ms=frame_ms)


def open_source(queue_ms: int, rate: int = SAMPLE_RATE) -> rtc.AudioSource:
    """Make a source of sound in mono.

    Args:
        queue_ms: So many milliseconds may wait to be played.
        rate: Samples a second.
    """
    if _events is not None:
        return IndexedSource(_events, queue_ms, rate)

    return rtc.AudioSource(rate, 1, queue_size_ms=queue_ms)


def narrow_events(room: rtc.Room) -> None:
    """Hand a room that is connected no event of another room from now on.

    Otherwise each room takes a look at everything that happens in any, and at each confirmation of
    a text that was sent: with a session a speaker that is quadratic as well.
    """
    if _events is None or room._ffi_handle is None:
        return

    handle = room._ffi_handle.handle

    def concerns_it(event: FfiEvent) -> bool:
        kind = event.WhichOneof("message")
        if kind == "room_event":
            return event.room_event.room_handle == handle

        return kind in _FOR_EACH_ROOM

    with _events._lock:
        _events._subscribers[:] = [
            (queue, loop, concerns_it if queue is room._ffi_queue else its_filter)
            for queue, loop, its_filter in _events._subscribers
        ]


def prefer_short_path(version: str = rtc.__version__) -> bool:
    """Use the short path in this process from now on, if it works here; say so if it does not.

    Takes about 0.1 s, before a process has an event loop.

    Args:
        version: Of the SDK.

    Returns:
        Whether it is used.
    """
    global _events  # noqa: PLW0603 - the native part of the SDK is one for the process, too
    if _events is not None:
        return True

    if version not in TRIED_VERSIONS:
        _warn(f"it was not tried with livekit {version}")
        return False

    # read once, when the native part begins: an operator's own wish goes first
    os.environ.setdefault(_NATIVE_LOG, "off")
    events = AudioEvents.installed()
    atexit.register(_end_native_part)
    if trouble := _trouble_here(events):
        events.remove()
        _warn(trouble)
        return False

    _events = events
    if not logger.isEnabledFor(logging.DEBUG):
        _hush_native_part()
    return True


def _end_native_part() -> None:
    """End the native part, and let its threads leave Python, before Python ends.

    A native thread that waits for Python's lock when Python ends aborts the process.
    """
    FfiClient.instance._dispose()
    time.sleep(_LEAVING_SECONDS)


def _hush_native_part() -> None:
    """Have the native part keep its log to itself: it makes debug lines and finer ones, always.

    An operator who sets its own variable has it print what that says.
    """
    FfiClient.instance._ffi_lib.livekit_ffi_initialize(
        ffi_event_callback, False, b"python", rtc.__version__.encode("ascii")
    )


def _warn(trouble: str) -> None:
    logger.warning("audio events take the longer path of LiveKit's own classes: %s", trouble)


def _trouble_here(events: AudioEvents) -> str:
    try:
        return asyncio.run(trouble_with(events))
    except Exception as error:  # noqa: BLE001 - whatever changed in the SDK, there is another way
        return f"its test ended with {type(error).__name__}"


async def trouble_with(events: AudioEvents) -> str:
    """Send sound from a source to a stream; returns what went wrong, or an empty text."""
    source = IndexedSource(events, queue_ms=40, rate=SAMPLE_RATE)
    track = rtc.LocalAudioTrack.create_audio_track("test", source)
    stream = IndexedStream(events, track, capacity=8, rate=SAMPLE_RATE, frame_ms=FRAME_MS)
    try:
        async with asyncio.timeout(_TEST_SECONDS), asyncio.TaskGroup() as group:
            speaking = group.create_task(_speak(source), name="sound of the test")
            await _hear(stream)
            speaking.cancel()
        async with asyncio.timeout(_TEST_SECONDS):
            await stream.aclose()
    except TimeoutError:
        return "no sound came through in its test"
    finally:
        await source.aclose()

    return ""


async def _speak(source: rtc.AudioSource) -> None:
    samples = np.full(FRAME_SAMPLES, _TEST_LEVEL, dtype=np.int16)
    frame = rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, FRAME_SAMPLES)
    while True:
        await source.capture_frame(frame)
        await asyncio.sleep(FRAME_MS / 1000)


async def _hear(stream: IndexedStream) -> None:
    async for event in stream:
        if np.frombuffer(event.frame.data, dtype=np.int16).max() == _TEST_LEVEL:
            return
