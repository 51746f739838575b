"""Commands that are answered by a fault instead of being obeyed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from palabra_emulator.faults.catalogue import (
    CommandTooOften,
    EndIgnored,
    Fault,
    MistakenTask,
    PauseTooSoon,
    TaskChanged,
    TaskRefused,
)
from palabra_emulator.faults.injection import SessionFaults
from palabra_emulator.session import messages
from palabra_emulator.session.messages import Message
from palabra_emulator.session.task import TaskRules, read_task
from palabra_emulator.session.validator import FieldError, InvalidCommand

_MODEL: Final = "SetTaskRequestMessage"

_TRANSCRIPTION: Final = ("pipeline", "transcription")
_TRANSLATION: Final = ("pipeline", "translations", 0)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in place of obeying."""

    outcome: str
    """A word for the journal."""
    messages: tuple[Message, ...] = ()


def faulty_reply(
    faults: SessionFaults, command: str, rules: TaskRules, *, is_paused: bool
) -> Reply | None:
    """Say what a command is answered instead of being obeyed, if a fault is triggered by it."""

    def fits(fault: Fault) -> bool:
        return _fits(fault, command, is_paused=is_paused)

    kinds = (TaskRefused, MistakenTask, CommandTooOften, EndIgnored, PauseTooSoon)
    match faults.trigger("command", *kinds, fits=fits, command=command):
        case TaskRefused() as fault:
            return Reply("invalid", (messages.error("VALIDATION_ERROR", _refusal(fault)),))
        case MistakenTask(variant=mistake):
            desc = mistaken_task_refusal(mistake, rules)
            return Reply("invalid", (messages.error("VALIDATION_ERROR", desc),))
        case CommandTooOften(code=code, detail=detail) | PauseTooSoon(code=code, detail=detail):
            return Reply("rate_limited", (messages.error(code, detail),))
        case EndIgnored():
            return Reply("ignored")
        case _:
            return None


def kept_settings(faults: SessionFaults, settings: Mapping[str, object]) -> Mapping[str, object]:
    """Say what a server makes of a task's settings that it has accepted."""
    match faults.trigger("command", TaskChanged, command="set_task"):
        case None:
            return settings
        case TaskChanged(variant=change):
            kept: dict[str, Any] = copy.deepcopy(dict(settings))
            _CHANGES[change](kept)
            return kept


def mistaken_task_refusal(mistake: str, rules: TaskRules) -> str:
    """The validator's words about a task with one mistake in it."""
    task = _task(rules)
    _MISTAKES[mistake](task)
    if mistake == "cloning_timbre":
        rules = replace(rules, is_strict=True)
    try:
        read_task(task, rules)
    except InvalidCommand as invalid:
        return invalid.desc

    raise AssertionError(f"the validator accepts {mistake}")


def _fits(fault: Fault, command: str, *, is_paused: bool) -> bool:
    match fault:
        case CommandTooOften(command=limited):
            return limited in {command, "any"}
        case EndIgnored():
            return command == "end_task"
        case PauseTooSoon(variant=variant):
            is_pause = command == "pause_task" and variant != "resume"
            is_resume = command == "set_task" and is_paused and variant != "pause"
            return is_pause or is_resume
        case _:
            return command == "set_task"


def _refusal(fault: TaskRefused) -> object:
    loc = tuple(fault.loc)
    error = FieldError(loc, fault.msg, fault.type)
    if fault.variant == "list":
        return [{**error.entry(), "loc": list(loc)}]

    return InvalidCommand(_MODEL, [error]).desc


def _task(rules: TaskRules) -> dict[str, Any]:
    kind = rules.transport
    way = {"type": kind, "format": "pcm_s16le", "sample_rate": 24_000, "channels": 1}
    if kind == "webrtc":
        way = {"type": kind}
    return {
        "input_stream": {"content_type": "audio", "source": dict(way)},
        "output_stream": {"content_type": "audio", "target": dict(way)},
        "pipeline": {
            "transcription": {"source_language": "en"},
            "translations": [{"target_language": "es"}],
        },
    }


def _set(*path: str | int, value: object) -> Callable[[dict[str, Any]], None]:
    def change(task: dict[str, Any]) -> None:
        inner: Any = task
        for part in path[:-1]:
            inner = inner[part]
        inner[path[-1]] = value

    return change


def _drop(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(task: dict[str, Any]) -> None:
        inner: Any = task
        for part in path[:-1]:
            inner = inner[part]
        del inner[path[-1]]

    return change


def _drop_last_target(task: dict[str, Any]) -> None:
    del task["pipeline"]["translations"][-1]


def _mismatch(task: dict[str, Any]) -> None:
    kind = task["output_stream"]["target"]["type"]
    task["output_stream"]["target"]["type"] = "webrtc" if kind == "ws" else "ws"


_CHANGES: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "target": _drop_last_target,
    "silence": _set(*_TRANSCRIPTION, "segment_confirmation_silence_threshold", value=2.0),
}
_MISTAKES: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "threshold": _set(*_TRANSCRIPTION, "segment_confirmation_silence_threshold", value=0.1),
    "levels": _set(
        "pipeline",
        "translation_queue_configs",
        value={"global": {"desired_queue_level_ms": 8000, "max_queue_level_ms": 8000}},
    ),
    "source": _set(*_TRANSCRIPTION, "source_language", value="tlh"),
    "target": _set(*_TRANSLATION, "target_language", value="tlh"),
    "missing_source": _drop(*_TRANSCRIPTION, "source_language"),
    "missing_target": _drop(*_TRANSLATION, "target_language"),
    "missing_translations": _drop("pipeline", "translations"),
    "content_type": _set("input_stream", "content_type", value="video"),
    "stream_type": _set("input_stream", "source", "type", value="rtmp"),
    "type_mismatch": _mismatch,
    "cloning_timbre": _set(
        *_TRANSLATION,
        "speech_generation",
        value={"voice_cloning": True, "voice_timbre_detection": {"enabled": True}},
    ),
}
