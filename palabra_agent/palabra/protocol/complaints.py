"""What an error complains of, as far as it says so itself. Pure.

Palabra's errors name no command. Codes are told by class, as few of them are known; what an error
means for the task that is under way is the business of the conversation.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

from palabra_agent.palabra.protocol.messages import ErrorReport
from palabra_agent.palabra.protocol.refusals import entries_of, readable

_UNKNOWN_COMMAND: Final = "non-empty message_type"
"""Part of the answer to a command that the server does not know; seen live for `flush_task`."""

_MODEL: Final = re.compile(r"model='(?P<model>\w+)'")
_FIELDS_OF_OTHERS: Final = frozenset({"text", "language", "translate_text", "languages"})
"""Where the validator complains of a `tts_task` or an `interrupt_task`; no task has these."""
_FIELDS_OF_TASKS: Final = frozenset({"input_stream", "output_stream", "pipeline"})

_DENIED: Final = re.compile(
    "40[123]|100050|.*(UNAUTHORI[SZ]ED|UNAUTHENTICATED|FORBIDDEN|ACCESS_DENIED|PERMISSION|"
    "CREDENTIAL|INSUFFICIENT|PAYMENT|BALANCE).*",
    re.IGNORECASE,
)
"""None of them was ever seen on the data channel; they are those of the session API and its kin."""


class Complaint(Enum):
    """What is wrong."""

    NO_SOUND = auto()
    """Palabra heard nothing for too long, and leaves."""
    NO_TASK = auto()
    """There is none yet, or none any more."""
    DENIED = auto()
    """The credentials or the balance do not allow it: trying again is of no use."""
    UNKNOWN_COMMAND = auto()
    """The server does not know the name of a command."""
    SETTINGS = auto()
    """A `set_task` is wrong."""
    OTHER_COMMAND = auto()
    """A command other than `set_task` is wrong."""
    SOME_COMMAND = auto()
    """A command is wrong, and nothing says which."""
    UNCLEAR = auto()
    """A rate limit, whose code nobody knows, or something new."""


_BY_CODE: Final = {"SERVICE_TIMEOUT": Complaint.NO_SOUND, "NOT_FOUND": Complaint.NO_TASK}


def complaint_of(error: ErrorReport) -> Complaint:
    """Tell what an error is about."""
    if error.code == "VALIDATION_ERROR":
        return _invalid(error.desc)

    known = _BY_CODE.get(error.code)
    if known is not None:
        return known

    return Complaint.DENIED if _DENIED.fullmatch(error.code) else Complaint.UNCLEAR


def in_words(error: ErrorReport) -> str:
    """Turn an error into words for people."""
    return f"{readable(error.desc)} ({error.code})" if error.desc else error.code or "an error"


def _invalid(desc: str) -> Complaint:
    if _UNKNOWN_COMMAND in desc:
        return Complaint.UNKNOWN_COMMAND

    model = _MODEL.search(desc)
    if model is not None:
        is_of_task = model["model"].startswith("SetTask")
        return Complaint.SETTINGS if is_of_task else Complaint.OTHER_COMMAND

    fields = {path[0] for path, _ in entries_of(desc) if path}
    if fields & _FIELDS_OF_TASKS:
        return Complaint.SETTINGS

    is_of_others = bool(fields) and fields <= _FIELDS_OF_OTHERS
    return Complaint.OTHER_COMMAND if is_of_others else Complaint.SOME_COMMAND
