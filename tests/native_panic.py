"""Has the native part of LiveKit's SDK give up, as the SDK tells it: for a process of its own."""

from __future__ import annotations

import ctypes

from livekit.rtc import _ffi_client
from livekit.rtc._proto import ffi_pb2


def give_up() -> None:
    """Have the SDK told of a panic, on the way by which its native part tells of everything."""
    event = ffi_pb2.FfiEvent()
    event.panic.message = "timed out waiting for ReadyForRoomEventRequest"
    told = event.SerializeToString()
    data = (ctypes.c_uint8 * len(told)).from_buffer_copy(told)
    _ffi_client.ffi_event_callback(data, len(told))
