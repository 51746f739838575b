"""The emulator's answer to a row: to a task, and to any other command."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from palabra_agent.palabra.protocol.messages import decode
from palabra_emulator.session.commands import (
    EndTask,
    GetTask,
    InterruptTask,
    TtsTask,
    open_envelope,
    read_command,
)
from palabra_emulator.session.task import Task, TaskRules, read_task
from palabra_emulator.session.validator import FieldError, InvalidCommand
from palabra_emulator.transports.ports import TransportKind
from tests.palabra_emulator.client import task
from tests.palabra_emulator.fakes import OPTIONS
from tests.palabra_emulator.talk import Talk, hush

from .reading import fact_differences, facts_of
from .rows import Json, Row

_OPTIONS: Final = replace(OPTIONS, queue_map_hz=0.0, rate_limits="off", strict_fields=True)
_TAIL_SECONDS: Final = 12.0


class EmulatedTalk(Talk):
    """A session of the emulator with a clock that is moved; the row is its client."""

    def __init__(self, transport: TransportKind = "webrtc", *, is_strict: bool = False) -> None:
        super().__init__(_OPTIONS, rules=TaskRules(transport, is_strict=is_strict))
        self.conversation.begin(transport)
        self.session.client_joined()

    def ask(self, message: Mapping[str, Any], *, seconds: float = 0.5) -> list[Json]:
        """Send a command; what comes back within some time, but for sound, levels and texts."""
        self.conversation.receive(json.dumps(message).encode())
        answers = self.posted() + self.hear(hush(seconds))
        return [facts_of(decode(json.dumps(it))) for it in answers]

    def set_task(self, data: Mapping[str, Any]) -> list[Json]:
        """Have a running task; what comes back."""
        return self.ask({"message_type": "set_task", "data": data}, seconds=1.0)


def is_valid_task(data: Mapping[str, Any]) -> bool:
    """Tell whether the server's rules accept a task, on the transport that it is for."""
    return isinstance(judged(data), Task)


def judged(data: Mapping[str, Any], *, is_strict: bool = False) -> Task | tuple[FieldError, ...]:
    """The task as the server reads it, or what is wrong with it."""
    rules = TaskRules(transport_of(data), is_strict=is_strict)
    try:
        return read_task(data, rules)
    except InvalidCommand as invalid:
        return invalid.errors


def transport_of(data: Mapping[str, Any]) -> TransportKind:
    """The transport that a task is for."""
    return "ws" if data["input_stream"]["source"]["type"] == "ws" else "webrtc"


def command_facts(row: Row) -> Json:
    """Read a client's frame, and tell whether it is obeyed."""
    frame: Json = row["frame"]
    name, data = frame["message_type"], frame["data"]
    transport: TransportKind = "ws" if row["transport"] == "ws" else "webrtc"
    facts: Json = {"kind": "command", "command": name, "transport": transport}
    if name == "set_task":
        read = judged(data)
        assert isinstance(read, Task), read
        facts |= {"source": read.transcription.source, "targets": list(read.targets)}
    elif name == "input_audio_data":
        facts |= _sound_facts(data["data"])
    else:
        facts |= _read_facts(frame)

    replies = Replies.to(frame, transport)
    refusals = [it for it in replies.while_running if it.get("code") == "VALIDATION_ERROR"]
    return facts | {"valid": not refusals, "replies": replies}


@dataclass(frozen=True)
class Replies:
    """The emulator's answers to a frame."""

    before_task: list[Json]
    while_running: list[Json]

    @classmethod
    def to(cls, frame: Mapping[str, Any], transport: TransportKind) -> Replies:
        """Ask without a task, and with one."""
        early, running = EmulatedTalk(transport), EmulatedTalk(transport)
        running.set_task(usual_task(transport))
        return cls(early.ask(frame), running.ask(frame, seconds=_TAIL_SECONDS))


def usual_task(transport: TransportKind) -> Json:
    """A task from English to Spanish."""
    data = task("en", "es")
    if transport == "ws":
        formats = {"format": "pcm_s16le", "sample_rate": 24_000, "channels": 1}
        data["input_stream"]["source"] = {"type": "ws", **formats}
        data["output_stream"]["target"] = {"type": "ws", "format": "pcm_s16le"}
    return data


def reply_differences(expected: Mapping[str, Any], replies: Replies) -> list[str]:
    """Where the emulator answers something else than the row has."""
    wrong: list[str] = []
    for key, said in (
        ("reply_before_task", replies.before_task),
        ("reply_after", replies.while_running),
        ("reply", replies.while_running),
        ("any_reply", replies.while_running),
    ):
        if key not in expected:
            continue
        wanted = expected[key] if key == "any_reply" else [expected[key]]
        if not any(_is_said(reply, said) for reply in wanted):
            wrong.append(f"{key}: expected {expected[key]}, got {said}")

    return wrong


REPLY_KEYS: Final = frozenset(
    {"reply_before_task", "reply_after", "reply", "any_reply", "reply_optional"}
)


def _is_said(reply: Json, said: list[Json]) -> bool:
    if reply == {"kind": "none"}:
        return said == []

    return any(fact_differences(reply, facts) == [] for facts in said)


def _read_facts(frame: Mapping[str, Any]) -> Json:
    try:
        command = read_command(open_envelope(json.dumps(frame).encode()), accepts_flush=True)
    except InvalidCommand:
        return {}

    match command:
        case GetTask(exclude_hidden):
            return {"exclude_hidden": exclude_hidden}
        case EndTask(force, eos_timeout):
            return {"force": force, "eos_timeout": eos_timeout}
        case InterruptTask(languages, pause):
            return {"languages": sorted(languages), "pause": pause}
        case TtsTask(text, language, translate):
            return {"text": text, "language": language, "translate": translate}
        case _:
            return {}


def _sound_facts(encoded: str) -> Json:
    try:
        sound = base64.b64decode(encoded, validate=True)
    except ValueError:
        return {}

    return {"samples": len(sound) // 2, "base64_len": len(encoded)}
