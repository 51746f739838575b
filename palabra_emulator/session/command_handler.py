"""A session's answers to commands: limits, validation, acknowledgement, refusal."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from palabra_agent.languages import AUTO, SOURCE_LANGUAGES, base
from palabra_emulator.faults.catalogue import RATE_LIMIT_CODE, RATE_LIMIT_TEXT
from palabra_emulator.faults.command_faults import faulty_reply, kept_settings
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.session import messages
from palabra_emulator.session.commands import (
    NOT_A_COMMAND,
    Command,
    EndTask,
    Envelope,
    GetTask,
    InterruptTask,
    PauseTask,
    SetTask,
    TtsTask,
    UnknownCommand,
    open_envelope,
    read_command,
)
from palabra_emulator.session.messages import Message, TaskEvent
from palabra_emulator.session.session import EmulatedSession
from palabra_emulator.session.task import Task, TaskRules, read_task
from palabra_emulator.session.validator import FieldError, InvalidCommand
from palabra_emulator.transports.ports import TransportKind
from palabra_emulator.transports.stream_audio import INPUT_AUDIO, StreamInput

_TOLERANCE_SECONDS: Final = 0.05
"""A client that keeps the pace to the millisecond is not refused for the network's jitter."""

_NOT_FOUND: Final = ("NOT_FOUND", "No active task found")
_MOST_NOTED: Final = 16 * 1024
"""Of a larger command, the journal has the size."""

_LONGEST_NAME: Final = 64
_TEXT_LANGUAGES: Final = tuple(sorted(SOURCE_LANGUAGES - {AUTO}))
_VOICELESS_TARGETS: Final = frozenset({"bn"})
"""Targets for which even the default voice does not exist."""


@dataclass(frozen=True, slots=True)
class _Limit:
    bucket: str
    """The commands that count together where buckets are shared."""
    count: int
    seconds: float


_LIMITS: Final = {
    "set_task": _Limit("set_task, get_task", 1, 2.0),
    "get_task": _Limit("set_task, get_task", 1, 2.0),
    "pause_task": _Limit("pause_task, end_task", 1, 3.0),
    "end_task": _Limit("pause_task, end_task", 1, 3.0),
    "tts_task": _Limit("tts_task", 60, 60.0),
}


class RateLimits:
    """Counts the commands of one session."""

    def __init__(self, mode: Literal["separate", "shared", "off"]) -> None:
        self._mode = mode
        self._accepted: dict[str, deque[float]] = {}

    def admits(self, command: str, now: float) -> bool:
        """True if a command may be executed now; if so, it counts."""
        limit = _LIMITS.get(command)
        if limit is None or self._mode == "off":
            return True

        bucket = limit.bucket if self._mode == "shared" else command
        accepted = self._accepted.setdefault(bucket, deque())
        while accepted and now - accepted[0] >= limit.seconds - _TOLERANCE_SECONDS:
            accepted.popleft()
        if len(accepted) >= limit.count:
            return False

        accepted.append(now)
        return True


class CommandHandler:
    """The command side of one session, whichever way the packets come."""

    def __init__(
        self,
        session: EmulatedSession,
        options: EmulatorOptions,
        rules: TaskRules,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._options = options
        self._rules = rules
        self._sound: StreamInput | None = None
        """The way in for sound in messages, where the client's connection has it."""
        self._limits = RateLimits(options.rate_limits)
        self._clock = clock

    def begin(self, transport: TransportKind) -> None:
        """Talk to a client that has just come by this transport, which its tasks must match."""
        self._limits = RateLimits(self._options.rate_limits)
        self._session.pipeline.transport = transport
        self._rules = replace(self._rules, transport=transport)
        is_strict = self._options.strict_fields
        self._sound = (
            StreamInput(self._session, is_strict=is_strict, clock=self._clock)
            if transport == "ws"
            else None
        )

    def tick(self) -> None:
        """Do what time brings; called some twenty times a second."""
        if self._sound is not None:
            self._sound.tick()

    def receive(self, payload: bytes, *, is_reliable: bool = True) -> None:
        """Obey a packet, or say why not."""
        try:
            envelope = open_envelope(payload)
        except UnknownCommand:
            self._note("?", "unknown", {}, is_reliable=is_reliable)
            self._refuse("VALIDATION_ERROR", NOT_A_COMMAND)
            return
        if self._sound is not None and envelope.message_type == INPUT_AUDIO:
            self._sound.receive(envelope.fields)
            return

        outcome = self._answer(envelope)
        content: dict[str, object] = dict(envelope.fields) if outcome != "unknown" else {}
        if len(payload) > _MOST_NOTED:
            content = {"size": len(payload)} if content else {}
        name = envelope.message_type[:_LONGEST_NAME]
        self._note(name, outcome, content, is_reliable=is_reliable)

    def _answer(self, envelope: Envelope) -> str:
        name = envelope.message_type
        is_paused = self._session.state == "paused"
        reply = faulty_reply(self._session.faults, name, self._rules, is_paused=is_paused)
        if reply is not None:
            for message in reply.messages:
                self._post(message)
            return reply.outcome

        try:
            command = self._read(envelope)
            if not self._limits.admits(name, self._clock()):
                self._refuse(RATE_LIMIT_CODE, RATE_LIMIT_TEXT)
                return "rate_limited"
            return self._obey(command, name)
        except UnknownCommand:
            self._refuse("VALIDATION_ERROR", NOT_A_COMMAND)
            return "unknown"
        except InvalidCommand as invalid:
            self._refuse("VALIDATION_ERROR", invalid.desc)
            return "invalid"

    def _read(self, envelope: Envelope) -> Command:
        command = read_command(envelope, accepts_flush=self._options.flush_task)
        if isinstance(command, GetTask) and self._options.dialect == "ack-only":
            raise UnknownCommand

        return command

    def _obey(self, command: Command, name: str) -> str:
        match command:
            case EndTask():
                return self._end(command)
            case SetTask() if not (self._session.is_finishing or self._session.is_over):
                return self._set(command)
            case GetTask() | PauseTask() | InterruptTask() | TtsTask() if self._session.is_ready:
                return self._obey_with_task(command, name)
            case _:
                self._refuse(*_NOT_FOUND)
                if isinstance(command, GetTask):
                    self._session.polled_in_vain()
                return "not_found"

    def _obey_with_task(
        self, command: GetTask | PauseTask | InterruptTask | TtsTask, name: str
    ) -> str:
        session = self._session
        match command:
            case GetTask(exclude_hidden):
                shown = self._task.shown(exclude_hidden=exclude_hidden)
                self._post(messages.current_task(shown, session.state))
            case PauseTask():
                session.pause()
                self._acknowledge(name, "paused")
            case InterruptTask(languages, pause):
                session.pipeline.interrupt(languages, self._clock())
                session.note("interrupted", languages=sorted(languages))
                if pause:
                    session.pause()
                self._acknowledge(name, "interrupted")
            case TtsTask():
                self._speak(command, name)

        return "ok"

    def _set(self, command: SetTask) -> str:
        read_task(command.settings, self._rules)
        task = read_task(kept_settings(self._session.faults, command.settings), self._rules)
        event = self._session.follow(task)
        if event is not None:
            self._acknowledge("set_task", event)
        for voice_id in self._missing_voices(task):
            self._post(messages.voice_not_found(voice_id))

        return "ok"

    def _missing_voices(self, task: Task) -> list[str]:
        missing: list[str] = []
        for translation in task.translations:
            voice_id = translation.voice_id or "default_low"
            is_known = voice_id in self._options.voices
            if not is_known or base(translation.target) in _VOICELESS_TARGETS:
                missing.append(voice_id)

        return missing

    def _end(self, command: EndTask) -> str:
        """End, with or without the tail; also where there is no task yet, so that none waits."""
        if command.force:
            self._session.end("end_task force")
        else:
            self._session.finish(command.eos_timeout)

        return "ok"

    def _speak(self, command: TtsTask, name: str) -> None:
        spoken = base(command.language) if command.translate else command.language
        permitted = _TEXT_LANGUAGES if command.translate else self._task.targets
        if spoken not in permitted:
            text = f"unexpected value; permitted: {', '.join(map(repr, permitted))}"
            error = FieldError(("language",), text, "value_error.const")
            raise InvalidCommand("TtsTaskRequestMessage", [error])

        transcription_id = self._session.pipeline.say(
            command.text, command.language, self._clock(), translate=command.translate
        )
        self._acknowledge(name, "queued", transcription_id)

    @property
    def _task(self) -> Task:
        task = self._session.task
        assert task is not None, "a session that is ready has a task"
        return task

    def _acknowledge(
        self, name: str, event: TaskEvent, transcription_id: str | None = None
    ) -> None:
        if self._options.dialect != "legacy":
            status = self._session.state
            self._post(messages.task_status(name, event, status, transcription_id))

    def _refuse(self, code: str, desc: str) -> None:
        self._post(messages.error(code, desc))

    def _post(self, message: Message) -> None:
        self._session.outbox.post(message)

    def _note(self, name: str, outcome: str, data: dict[str, object], *, is_reliable: bool) -> None:
        self._session.note(
            "command", message_type=name, data=data, outcome=outcome, reliable=is_reliable
        )
