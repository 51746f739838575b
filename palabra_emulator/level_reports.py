"""The regular reports on how full the speech queues are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

from palabra_emulator import messages
from palabra_emulator.messages import Message
from palabra_emulator.task import Task

Levels: TypeAlias = Mapping[str, tuple[int, int]]
"""Per language: queue level and its maximum in ms."""


class LevelReports:
    """Posts the bare queue map, and the message of the same content to those who ask for it."""

    def __init__(self, hz: float, post: Callable[[Message], None]) -> None:
        self._period = 1 / hz if hz else None
        self._post = post
        self._due_at = 0.0

    def tick(
        self,
        now: float,
        levels: Callable[[float], Levels],
        task: Task | None,
        *,
        has_data_channel: bool,
    ) -> None:
        """Report when it is time; the map without a type goes through data channels alone."""
        if self._period is None or now < self._due_at:
            return

        self._due_at = now + self._period
        current = levels(now)
        if has_data_channel:
            self._post(messages.queue_map(current))
        if task is not None and "tts_buffer_stats" in task.allowed_messages:
            self._post(messages.tts_buffer_stats(current, time.time()))
