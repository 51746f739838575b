"""What the conversation about a task has to say: commands to send, what messages mean for us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from palabra_agent.errors import AccessDenied, SessionLost, TaskRejected
from palabra_agent.session import Transcript, VoiceMissing

Task: TypeAlias = Mapping[str, Any]
"""The `data` of a `set_task`."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command to send now."""

    name: str
    data: Task


@dataclass(frozen=True, slots=True)
class Ready:
    """The task runs as it was sent last."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The wished change was refused; the task runs on as it was."""

    error: TaskRejected | AccessDenied


@dataclass(frozen=True, slots=True)
class Finished:
    """The tail that was waited for is over; nothing more comes."""


@dataclass(frozen=True, slots=True)
class Over:
    """The session is over without us asking for it; nothing more comes."""

    error: TaskRejected | AccessDenied | SessionLost


@dataclass(frozen=True, slots=True)
class Noted:
    """Something to count or log, by its code only."""

    what: str
    code: str


Meaning: TypeAlias = Transcript | VoiceMissing | Ready | Refused | Finished | Over | Noted
