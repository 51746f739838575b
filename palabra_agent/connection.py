"""Whether a LiveKit room can be written to and believed right now."""

from __future__ import annotations

from livekit import rtc


def is_up(room: rtc.Room) -> bool:
    """Whether we are in the room; `Room.isconnected()` says so while it reconnects as well."""
    return room.connection_state == rtc.ConnectionState.CONN_CONNECTED
