"""The speaker's voice on its way to Palabra: held while nobody listens, so that no word is lost.

In a pause the last moments are kept, because a word begins before it is recognised as one. From the
first word until Palabra hears again everything is kept. After that it is an ordinary short queue,
which wins the delay back in the next pauses.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from palabra_agent.audio.buffer import FrameBuffer
from palabra_agent.audio.frame import Frame

_PRE_ROLL_MS: Final = 240.0
"""Kept from before a word is recognised as one: soft consonants, and the 60 ms of recognising. More
would make every first word later."""

_HELD_MS: Final = 15_000.0
"""What may wait while Palabra wakes up: longer than we wait for it."""

_CONFIRMING_MS: Final = 800.0
"""So much of a pause is kept, for sentences to be confirmed by; the rest wins delay back."""


class Voice:
    """One speaker's voice, with one writer and one reader."""

    def __init__(self) -> None:
        self.backlog = FrameBuffer()
        """What is to be sent."""
        self._pre_roll: deque[Frame] = deque()
        self._pre_roll_ms = 0.0
        self._pause_ms = 0.0

    @property
    def has_memories(self) -> bool:
        """Whether frames of a pause are kept that belong before the next one."""
        return bool(self._pre_roll)

    def remember(self, frame: Frame) -> None:
        """Keep a frame of a pause, in case that a word begins with it."""
        self._pre_roll.append(frame)
        self._pre_roll_ms += frame.duration_ms
        while self._pre_roll_ms > _PRE_ROLL_MS and len(self._pre_roll) > 1:
            self._pre_roll_ms -= self._pre_roll.popleft().duration_ms

    def hold(self, frame: Frame) -> None:
        """Queue a frame that must be heard, with what was remembered before it."""
        self._pause_ms = self._pause_ms + frame.duration_ms if frame.is_pause else 0.0
        self.backlog.allow(_HELD_MS)
        for kept in self._pre_roll:
            self.backlog.put(kept, is_precious=True)

        self.backlog.put(frame, is_precious=self._pause_ms <= _CONFIRMING_MS)
        self._pre_roll.clear()
        self._pre_roll_ms = 0.0

    def pass_on(self, frame: Frame) -> None:
        """Queue a frame of a running conversation; where the queue is full, the oldest go."""
        self.backlog.put(frame)
