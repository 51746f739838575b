"""Events that the conversation about a task returns: the session's own, and two of the protocol's.

A transcript, a followed brief, a refused update and a missing voice keep their names from here to
the room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from palabra_agent.errors import AccessDenied, SessionLost, TaskRejected
from palabra_agent.session import BriefFollowed, Transcript, UpdateRefused, VoiceMissing

PAUSE_REFUSED: Final = "pause refused"
"""The kind of notice, given once, that silence goes on being charged."""

TASK_DIFFERS: Final = "task differs"
"""The kind of notice that Palabra runs another task than was sent; its code lists the fields."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Nothing more comes."""

    error: TaskRejected | AccessDenied | SessionLost | None = None
    """The reason, where the caller did not ask for the end."""


@dataclass(frozen=True, slots=True)
class OperatorNotice:
    """Something to count or log, by its code only."""

    kind: str
    """`error`, `warning`, `unread`, `PAUSE_REFUSED` or `TASK_DIFFERS`."""
    code: str


ConversationEvent: TypeAlias = (
    Transcript | BriefFollowed | UpdateRefused | VoiceMissing | SessionEnded | OperatorNotice
)
"""All that comes out of a conversation; the session tells the first four as they are."""
