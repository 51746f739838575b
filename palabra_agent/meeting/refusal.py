"""What the interpreter does in a room whose config it cannot accept: says so, and leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from palabra_agent.errors import RoomConfigError
from palabra_agent.interpretation.ports import Meeting, Notice, RoomState, RoomStatus

_LONGEST_SECONDS: Final = 30.0
_ANNOUNCED_SECONDS: Final = 2.5
"""A participant without a track is shown to the others this long after it joined."""
_READING_SECONDS: Final = 5.0
_LONGEST_SENTENCE: Final = 2000

logger = logging.getLogger(__name__)


async def refuse(meeting: Meeting, error: RoomConfigError, keys: Sequence[str]) -> None:
    """Tell the people of a room what is wrong with its config, and give them time to read it.

    Waits for somebody to be there, for 30 s at most.

    Args:
        meeting: The room.
        error: What is wrong.
        keys: Which keys of the config are, for the log: a whole path may hold an identity.
    """
    sentence = refusal_sentence(error)
    logger.error("room config refused", extra={"mistakes": len(error.problems), "keys": keys})
    meeting.show(RoomStatus(RoomState.FAILED, error=sentence))
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            began = asyncio.get_running_loop().time()
            async for view in meeting.views():
                if view.people:
                    break
            else:
                return

            meeting.texts.put(Notice(sentence))
            waited = asyncio.get_running_loop().time() - began
            await asyncio.sleep(max(_ANNOUNCED_SECONDS - waited, 0) + _READING_SECONDS)
    except TimeoutError:
        logger.info("nobody came to read why the room has no interpreter")


def refusal_sentence(error: RoomConfigError) -> str:
    """Say what is wrong, short enough for an attribute and a chat message."""
    text = f"No interpretation, the room's configuration is wrong: {error}"
    return text if len(text) <= _LONGEST_SENTENCE else text[: _LONGEST_SENTENCE - 1] + "…"
