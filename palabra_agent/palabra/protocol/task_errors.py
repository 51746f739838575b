"""Errors and warnings of Palabra's, and what each means for the task. Pure.

Rules first, then the code:

* Palabra's errors name no command. `error_kind` tells them apart by class, as few codes are known,
  in whatever letters a code is written.
* A first task that is refused ends the session. A refused change leaves the task that ran before,
  and that one is never refused itself.
* `NOT_FOUND` before the task runs means not yet; afterwards it means that the task is gone: then it
  is sent once more.
* An error of an unknown kind may be a rate limit: what it answers is sent again. Three of them in a
  row refuse a change. One without a code is no limit: said again in the same words, it refuses.
* The warning about a missing voice comes with every sentence. It counts once for each voice, and
  only for a voice that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, cast

from palabra_agent.errors import AccessDenied, SessionLost, TaskRejected
from palabra_agent.palabra.json_values import as_object
from palabra_agent.palabra.protocol.commands import Task
from palabra_agent.palabra.protocol.messages import ErrorReport
from palabra_agent.palabra.protocol.task_state import Acknowledgement, TaskState
from palabra_agent.texts import one_line

VOICE_NOT_FOUND: Final = "VOICE_NOT_FOUND"
"""The code of the warning that Palabra lacks a voice."""

_ENTRY: Final = re.compile(
    r"""'loc': (?P<loc>[(\[][^()\[\]]*[)\]]), 'msg': (["'])(?P<msg>(?:\\.|(?!\2)[^\\])*)\2"""
)
"""An entry of a validation error: the printed form of a Python object."""
_NAME: Final = re.compile(r"'([^']+)'|\b(\d+)\b")
_LONGEST_READ: Final = 5_000
_LONGEST_SENTENCE: Final = 300
"""It is shown in an attribute, together with others; longer ones LiveKit drops without a word."""

_UNKNOWN_COMMAND: Final = "non-empty message_type"
"""Part of the answer to a command that the server does not know; seen live for `flush_task`."""
_MODEL: Final = re.compile(r"model='(?P<model>\w+)'")
_FIELDS_OF_OTHERS: Final = frozenset({"text", "language", "translate_text", "languages"})
"""Fields of a `tts_task` or an `interrupt_task`; no task has these."""
_FIELDS_OF_TASKS: Final = frozenset({"input_stream", "output_stream", "pipeline"})
_DENIED: Final = re.compile(
    "40[123]|100050|.*(UNAUTHORI[SZ]ED|UNAUTHENTICATED|FORBIDDEN|ACCESS_DENIED|PERMISSION|"
    "CREDENTIAL|INSUFFICIENT|PAYMENT|BALANCE).*",
    re.IGNORECASE,
)
"""None of them was ever seen on the data channel; they are those of the session API and its kin."""

_UNKNOWN_IN_A_ROW: Final = 3
"""So many errors of an unknown kind in a row refuse a change of the running task."""
_NOT_YET_IN_A_ROW: Final = 3
"""After so many answers that there is no task it is sent again: six seconds, where two are usual.
"""

_QUOTES: Final = ("'", '"', "`")


class ErrorKind(Enum):
    """The subject of an error, as far as it says so itself."""

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
    """A rate limit, whose code is not known, or something new."""


_BY_CODE: Final = {
    "SERVICE_TIMEOUT": ErrorKind.NO_SOUND,
    "NOT_FOUND": ErrorKind.NO_TASK,
    "404": ErrorKind.NO_TASK,
}
_INVALID: Final = frozenset({"VALIDATION_ERROR", "422"})
_KNOWN: Final = frozenset(
    {
        *_INVALID,
        *_BY_CODE,
        VOICE_NOT_FOUND,
        "AUDIO_STREAM_TOO_FAST",
        "AUDIO_STREAM_TOO_SLOW",
        "AUDIO_STREAM_STALLED",
        "RATE_LIMIT_EXCEEDED",
        "MALFORMED",
        "TOO_LARGE",
    }
)
"""Codes that may stand in the log; what is none of them may be anything that Palabra says."""
_WORD_ENDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_MAY_BE_OF_TASK: Final = frozenset({ErrorKind.SOME_COMMAND, ErrorKind.DENIED})


def error_kind(error: ErrorReport) -> ErrorKind:
    """Tell what an error is about."""
    code = spelled(error.code or error.desc[:_LONGEST_SENTENCE])
    if code in _INVALID:
        return _kind_of_invalid(error.desc)

    known = _BY_CODE.get(code)
    if known is not None:
        return known

    return ErrorKind.DENIED if _DENIED.fullmatch(code) else ErrorKind.UNCLEAR


def known_code(code: str) -> str:
    """Name a code for the log: by itself where it is one that is known, else by its subject."""
    word = spelled(code)
    if word in _KNOWN:
        return code

    return "denied" if _DENIED.fullmatch(word) else "unknown" if code else ""


def spelled(code: str) -> str:
    """Spell a code as Palabra does: `NotFound` and `not-found` are `NOT_FOUND`."""
    return _WORD_ENDS.sub("_", code).upper()


def _kind_of_invalid(desc: str) -> ErrorKind:
    if _UNKNOWN_COMMAND in desc:
        return ErrorKind.UNKNOWN_COMMAND

    model = _MODEL.search(desc)
    if model is not None:
        is_of_task = model["model"].startswith("SetTask")
        return ErrorKind.SETTINGS if is_of_task else ErrorKind.OTHER_COMMAND

    fields = {path[0] for path, _ in entries_of(desc) if path}
    if fields & _FIELDS_OF_TASKS:
        return ErrorKind.SETTINGS

    is_of_others = bool(fields) and fields <= _FIELDS_OF_OTHERS
    return ErrorKind.OTHER_COMMAND if is_of_others else ErrorKind.SOME_COMMAND


def entries_of(desc: str) -> list[tuple[tuple[str, ...], str]]:
    """List the fields that a validation error names, each with what it wants."""
    return [(_path(entry["loc"]), entry["msg"]) for entry in _ENTRY.finditer(desc[:_LONGEST_READ])]


def _path(loc: str) -> tuple[str, ...]:
    return tuple(name or number for name, number in _NAME.findall(loc))


def readable(desc: str) -> str:
    """Turn the validator's own notation into words; a text without it stays as it is."""
    words = "; ".join(f"{'.'.join(path)}: {msg}" for path, msg in entries_of(desc)) or desc
    return one_line(words, _LONGEST_SENTENCE)


def in_words(error: ErrorReport) -> str:
    """Turn an error into words for people."""
    return f"{readable(error.desc)} ({error.code})" if error.desc else error.code or "an error"


class Reaction(Enum):
    """The consequence of an error."""

    NONE = auto()
    """Nothing changes."""
    SEND_AGAIN = auto()
    """The task must be sent again."""
    PAUSE_AGAIN = auto()
    """The task runs on, and must be paused again."""
    REFUSE = auto()
    """The change is refused, and the task that ran before runs on."""
    END = auto()
    """The session is over."""


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """The meaning of one error for the task."""

    reaction: Reaction
    error: TaskRejected | AccessDenied | SessionLost | None = None
    """The reason of a refusal or an end."""
    is_noted: bool = True
    """True where the operator should learn of its code."""
    may_be_limit: bool = False
    """True where it may be a rate limit's: then the refused command counted, and had no effect."""


class TaskErrors:
    """The errors of one task so far, and the meaning of the next one.

    It reads the task's state and never changes it.
    """

    def __init__(self, state: TaskState) -> None:
        self._state = state
        self.last_words = ""
        """The latest error against the task that is under way, where it did not refuse it."""
        self._was_lost = False
        self._unknown_in_a_row = 0
        self._not_yet = 0
        """The number of answers that there is no task yet."""

    def clear(self) -> None:
        """Learn that the task runs."""
        self._was_lost, self._unknown_in_a_row, self.last_words = False, 0, ""

    def assess(self, error: ErrorReport, *, may_be_of_other: bool) -> ErrorMeaning:
        """Count an error, and tell what it means for the task.

        Args:
            error: The error.
            may_be_of_other: True where another command than the task's own awaits its answer.
        """
        kind = error_kind(error)
        if kind is ErrorKind.NO_SOUND:
            return _end(SessionLost("Palabra heard no audio for too long", readable(error.desc)))

        if kind is ErrorKind.NO_TASK:
            return self._no_task()

        if kind is ErrorKind.OTHER_COMMAND:
            return ErrorMeaning(Reaction.NONE)

        is_of_task = kind is ErrorKind.SETTINGS or (kind in _MAY_BE_OF_TASK and not may_be_of_other)
        return (self._refusal(kind, error) if is_of_task else None) or self._unknown(error)

    def _no_task(self) -> ErrorMeaning:
        if not self._state.has_task:
            # not up yet; or it was never heard, as by a peer that was just being set up
            self._not_yet += 1
            is_too_long = self._not_yet % _NOT_YET_IN_A_ROW == 0
            reaction = Reaction.SEND_AGAIN if is_too_long else Reaction.NONE
            return ErrorMeaning(reaction, is_noted=False)

        if self._was_lost:
            return _end(SessionLost("Palabra lost the task"))

        self._was_lost = True
        return ErrorMeaning(Reaction.SEND_AGAIN)

    def _refusal(self, kind: ErrorKind, error: ErrorReport) -> ErrorMeaning | None:
        """Give up a task that Palabra does not take; None where the error cannot mean that."""
        if self._state.acknowledgement is not Acknowledgement.TASK_AWAITED:
            return None

        if kind is ErrorKind.DENIED:
            return self._refuse(AccessDenied(in_words(error)))

        # what ran before was not refused then, and is not now
        rejected = TaskRejected(error.code, readable(error.desc))
        return self._refuse(rejected) if self._state.is_change else None

    def _unknown(self, error: ErrorReport) -> ErrorMeaning:
        """Try again what the error may answer, unless that was in vain too often."""
        if self._state.acknowledgement is Acknowledgement.PAUSE_AWAITED:
            return ErrorMeaning(Reaction.PAUSE_AGAIN, may_be_limit=True)

        if self._state.acknowledgement is not Acknowledgement.TASK_AWAITED:
            return ErrorMeaning(Reaction.NONE, may_be_limit=True)

        said, self.last_words = self.last_words, in_words(error)
        self._unknown_in_a_row += 1
        is_said_again = not error.code and error.desc != "" and said == self.last_words
        is_too_often = self._state.has_task and self._unknown_in_a_row >= _UNKNOWN_IN_A_ROW
        if self._state.is_change and (is_said_again or is_too_often):
            rejected = TaskRejected(error.code, readable(error.desc))
            return self._refuse(rejected, may_be_limit=True)

        return ErrorMeaning(Reaction.SEND_AGAIN, may_be_limit=True)

    def _refuse(
        self, error: TaskRejected | AccessDenied, *, may_be_limit: bool = False
    ) -> ErrorMeaning:
        if not self._state.has_task or not self._state.is_change:
            return _end(error)

        self._unknown_in_a_row, self.last_words = 0, ""
        return ErrorMeaning(Reaction.REFUSE, error, is_noted=False, may_be_limit=may_be_limit)


def _end(error: TaskRejected | AccessDenied | SessionLost) -> ErrorMeaning:
    return ErrorMeaning(Reaction.END, error, is_noted=False)


class MissingVoices:
    """The voices that Palabra lacks, of those that one session asked for.

    The warning names no field, only a sentence. What it names counts only where that was asked
    for, so that nothing else can be made up.
    """

    def __init__(self) -> None:
        self._asked: dict[str, None] = {}
        """Every voice that was ever asked for, in order."""
        self._latest: frozenset[str] = frozenset()
        """Those of the latest task."""
        self._found: set[str] = set()

    def ask(self, task: Task) -> None:
        """Learn of a task that is sent."""
        self._latest = frozenset(_voices_of(task))
        self._asked |= dict.fromkeys(self._latest)

    def find(self, warning: str) -> str | None:
        """Find the voice that a warning means; None where that is known already, or unclear."""
        voice_id = self._meant_by(warning)
        if voice_id is None or voice_id in self._found:
            return None

        self._found.add(voice_id)
        return voice_id

    def _meant_by(self, warning: str) -> str | None:
        """Find the voice that is named; where none is, the only one that there is."""
        for voice_id in self._asked:
            if any(f"{quote}{voice_id}{quote}" in warning for quote in _QUOTES):
                return voice_id

        return next(iter(self._latest)) if len(self._latest) == 1 else None


def _voices_of(task: Task) -> Iterator[str]:
    """Find the voices that a task asks for, in any shape that an operator has made it."""
    pipeline: Mapping[str, Any] = as_object(task.get("pipeline")) or {}
    entries = pipeline.get("translations")
    for entry in cast("list[object]", entries) if isinstance(entries, list) else ():
        speech = as_object((as_object(entry) or {}).get("speech_generation")) or {}
        timbre = as_object(speech.get("voice_timbre_detection")) or {}
        if speech.get("voice_cloning"):
            continue

        if timbre.get("enabled"):
            for key in ("high_timbre_voices", "low_timbre_voices"):
                listed = timbre.get(key)
                ids = cast("list[object]", listed) if isinstance(listed, list) else []
                yield from (it for it in ids if isinstance(it, str) and it)
        elif isinstance(voice_id := speech.get("voice_id"), str) and voice_id:
            yield voice_id
