"""Hidden participants, such as recorders: only LiveKit's server knows that they are there.

It is asked while the room wants some of them to read along, and names them by a pattern.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

from palabra_agent.concurrency import Watched
from palabra_agent.config.settings import LiveKitSettings
from palabra_agent.interpretation.settings import InterpretationSettings
from palabra_agent.interpretation.transcript_writer import is_pattern
from palabra_agent.worker.livekit_api import hidden_participants

_ASK_SECONDS: Final = 5.0
"""Between two questions: a recorder that comes reads along after this time at the latest."""


class NotesHidden(Protocol):
    """The meeting, which does not see them by itself."""

    def note_hidden(self, identities: Sequence[str]) -> None:
        """Learn who is there."""
        ...


@asynccontextmanager
async def looking_for_hidden(
    meeting: NotesHidden,
    settings: Watched[InterpretationSettings],
    livekit: LiveKitSettings,
    room: str,
    *,
    pause_seconds: float = _ASK_SECONDS,
) -> AsyncGenerator[None]:
    """Tell a meeting of its hidden participants for the length of a block, while they matter.

    Args:
        meeting: Is told of them.
        settings: Say whether they matter.
        livekit: The server that knows them.
        room: The room's name.
        pause_seconds: The time between two questions.
    """

    async def look() -> None:
        while True:
            await settings.wait_until(lambda now: any(map(is_pattern, now.rules.also_to)))
            hidden = await hidden_participants(livekit, room)
            if hidden is not None:
                meeting.note_hidden(hidden)
            await asyncio.sleep(pause_seconds)

    async with asyncio.TaskGroup() as group:
        looking = group.create_task(look(), name="hidden")
        try:
            yield
        finally:
            looking.cancel()
