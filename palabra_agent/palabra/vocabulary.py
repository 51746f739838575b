"""The few words that several sides of Palabra's interface have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

TransportKind: TypeAlias = Literal["webrtc", "websocket"]
"""The way into a session, in our words."""

StreamType: TypeAlias = Literal["webrtc", "ws"]
"""The same in the task's own words."""

STREAM_TYPES: Final[Mapping[TransportKind, StreamType]] = {"webrtc": "webrtc", "websocket": "ws"}

GLOBAL: Final = "global"
"""Palabra's word for every target of a task."""
