"""The events that one plugin is still to be told of one capability: bounded, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic

from palabra_agent.capabilities.capability import RequestT, TellAll


class WaitingEvents(Generic[RequestT]):
    """Events that one plugin is still to be told, in order: no more than its capability allows."""

    def __init__(self, capability: TellAll[RequestT]) -> None:
        self._capability = capability
        self._events: deque[RequestT] = deque()
        self._dropped = 0
        self.changed = asyncio.Event()
        """Set by a new event, and where no more will come."""
        self.idle = asyncio.Event()
        """Set while nothing is being told."""
        self.idle.set()

    def __len__(self) -> int:
        return len(self._events)

    @property
    def untold(self) -> int:
        """The number of events that were dropped, or wait still."""
        return len(self._events) + self._dropped

    def put(self, event: RequestT) -> None:
        """Let an event wait; where too many do, the oldest expendable goes, else the oldest."""
        self._events.append(event)
        if len(self._events) > self._capability.most_waiting:
            is_expendable = self._capability.is_expendable
            expendable = (at for at, it in enumerate(self._events) if is_expendable(it))
            del self._events[next(expendable, 0)]
            self._dropped += 1

        self.idle.clear()
        self.changed.set()

    def pop(self) -> RequestT:
        """Take the oldest."""
        return self._events.popleft()
