"""Commands that are answered by a fault instead of being obeyed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from palabra_emulator.faults.injection import SessionFaults, TriggeredFault
from palabra_emulator.session import messages
from palabra_emulator.session.messages import Message
from palabra_emulator.session.task import TaskRules, read_task
from palabra_emulator.session.validator import FieldError, InvalidCommand

_MODEL: Final = "SetTaskRequestMessage"
_FAULTS: Final = frozenset({"F10", "F11", "F12", "F23", "F24"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What is done instead."""

    outcome: str
    """A word for the journal."""
    messages: tuple[Message, ...] = ()


def answer(
    faults: SessionFaults, command: str, rules: TaskRules, *, is_paused: bool
) -> Reply | None:
    """Say what a command is answered instead of being obeyed, if a fault strikes it."""

    def fits(stroke: TriggeredFault) -> bool:
        return _fits(stroke, command, is_paused=is_paused)

    stroke = faults.strike("command", _FAULTS, fits, command=command)
    if stroke is None:
        return None

    match stroke.fault:
        case "F10":
            return Reply("invalid", (messages.error("VALIDATION_ERROR", _refusal(stroke)),))
        case "F11":
            desc = mistaken_task_refusal(stroke.variant, rules)
            return Reply("invalid", (messages.error("VALIDATION_ERROR", desc),))
        case "F23":
            return Reply("ignored")
        case _:
            error = messages.error(stroke.text("code"), stroke.text("detail"))
            return Reply("rate_limited", (error,))


def mistaken_task_refusal(mistake: str, rules: TaskRules) -> str:
    """What the validator says about a task with one mistake in it."""
    task = _task(rules)
    _MISTAKES[mistake](task)
    if mistake == "cloning_timbre":
        rules = replace(rules, is_strict=True)
    try:
        read_task(task, rules)
    except InvalidCommand as invalid:
        return invalid.desc

    raise AssertionError(f"the validator accepts {mistake}")


def _fits(stroke: TriggeredFault, command: str, *, is_paused: bool) -> bool:
    match stroke.fault:
        case "F10" | "F11":
            return command == "set_task"
        case "F12":
            return stroke.params["command"] in {command, "any"}
        case "F23":
            return command == "end_task"
        case _:
            is_pause = command == "pause_task" and stroke.variant != "resume"
            is_resume = command == "set_task" and is_paused and stroke.variant != "pause"
            return is_pause or is_resume


def _refusal(stroke: TriggeredFault) -> object:
    loc = tuple(cast("list[str | int]", stroke.params["loc"]))
    flaw = FieldError(loc, stroke.text("msg"), stroke.text("type"))
    if stroke.variant == "list":
        return [{**flaw.entry(), "loc": list(loc)}]

    return InvalidCommand(_MODEL, [flaw]).desc


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


def _mismatch(task: dict[str, Any]) -> None:
    kind = task["output_stream"]["target"]["type"]
    task["output_stream"]["target"]["type"] = "webrtc" if kind == "ws" else "ws"


_TRANSCRIPTION: Final = ("pipeline", "transcription")
_TRANSLATION: Final = ("pipeline", "translations", 0)
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
