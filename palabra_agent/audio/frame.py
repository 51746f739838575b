"""Sound in frames, and what can be listened to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from palabra_agent.audio.pcm import Pcm


class FrameSource(Protocol):
    """Something that can be listened to, such as a microphone or a translated track."""

    def open_frames(self) -> AbstractAsyncContextManager[AsyncIterator[Pcm]]:
        """Listen: yields frames in real time until the sound ends; closed on exit."""
        ...
