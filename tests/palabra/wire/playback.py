"""A conversation as the rows of a sequence tell it, and what came of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from palabra_agent.palabra.protocol.commands import Command, Task
from palabra_agent.palabra.protocol.conversation import TaskConversation
from palabra_agent.palabra.protocol.events import ConversationEvent, OperatorNotice, SessionEnded
from palabra_agent.palabra.protocol.messages import AudioChunk, ErrorReport, Message, TaskReport
from palabra_agent.palabra.protocol.task_errors import readable
from palabra_agent.palabra.protocol.transcripts import TranscriptOrder
from palabra_agent.palabra.transports.websocket import closing_reason
from palabra_agent.session import BriefFollowed, Transcript, UpdateRefused

from .emulated import is_valid_task
from .reading import fact_differences, facts_of, is_equal, read
from .rows import Json, Row, differences

_TASK: Final[Task] = {"pipeline": {"transcription": {"source_language": "en"}}}
_PATIENCE_SECONDS: Final = 10.0


@dataclass
class Playback:
    """Plays a sequence: what a client sends is wished for, what a server sends is received."""

    conversation: TaskConversation = field(default_factory=TaskConversation)
    order: TranscriptOrder = field(default_factory=TranscriptOrder)
    now: float = 0.0
    place: int = 0
    """The row that is played; the first is 1."""
    sent: list[tuple[float, Command]] = field(default_factory=list[tuple[float, Command]])
    events: list[ConversationEvent] = field(default_factory=list[ConversationEvent])
    delivered: list[Transcript] = field(default_factory=list[Transcript])
    chunks: list[AudioChunk] = field(default_factory=list[AudioChunk])
    states: list[str] = field(default_factory=list[str])
    ready_at: int = 0
    words: str = ""
    """The latest error's own."""

    def prepare(self, rows: Sequence[Row]) -> None:
        """Have what the sequence takes for granted: a task that was sent, or that runs."""
        names = [row["frame"]["message_type"] for row in rows if row["direction"] == "client"]
        if names[:1] == ["set_task"]:
            return

        self.conversation.wish(_TASK)
        self._send("set_task")
        if names:
            self._receive(TaskReport("set_task", "running"))

    def play(self, row: Row) -> Json:
        """Play a row; returns what it was read as, or came to."""
        self.place += 1
        if row["direction"] == "client":
            facts = self._say(row)
        elif row.get("event") == "close":
            facts = self._close(row["close_code"])
        else:
            facts = self._hear(row)

        if not self.states or self.states[-1] != self.conversation.state.value:
            self.states.append(self.conversation.state.value)
        return facts

    def _say(self, row: Row) -> Json:
        frame = row["frame"]
        name, data = frame["message_type"], frame["data"]
        conversation = self.conversation
        wishes: Mapping[str, Callable[[], object]] = {
            "set_task": lambda: conversation.wish(data),
            "get_task": lambda: None,
            "pause_task": conversation.pause,
            "end_task": conversation.finish,
            "tts_task": lambda: conversation.enqueue(Command(name, data)),
            "interrupt_task": lambda: conversation.enqueue(Command(name, data)),
            "flush_task": lambda: conversation.enqueue(Command(name, data)),
        }
        if name == "set_task":
            conversation.resume()
        # the older name for the same wish is what the conversation tries by itself
        if not (name == "flush_task" and self.sent[-1][1].name == "interrupt_task"):
            wishes[name]()

        since, command = self.now, self._send(name)
        waited_ms = (self.now - since) * 1000
        facts = {"kind": "command", "command": command.name, "waited_ms": waited_ms}
        return facts | ({"valid": is_valid_task(data)} if name == "set_task" else {})

    def _send(self, name: str) -> Command:
        """Let time pass until a command of this name goes out."""
        end = self.now + _PATIENCE_SECONDS
        while (due := self.conversation.next_time()) is not None and due <= end:
            self.now = max(self.now, due)
            command = self.conversation.next_command(self.now)
            assert command is not None, "a due command exists"
            self.sent.append((self.now, command))
            if command.name == name:
                return command

        raise AssertionError(f"{name} is not sent")

    def _hear(self, row: Row) -> Json:
        message = read(row)
        if isinstance(message, ErrorReport):
            self.words = message.desc

        facts, known = facts_of(message), len(self.delivered)
        events = self._receive(message)
        facts["surface"] = any(is_error(it) for it in events)
        facts["session_continues"] = not self.is_over
        facts["before_validated"] = self._is_early(message)
        if isinstance(message, Transcript) and len(self.delivered) == known:
            facts["kind"] = "ignored"
        if isinstance(message, AudioChunk):
            self.chunks.append(message)
        if facts.get("code") == "NOT_FOUND" and self.ready_at:
            facts["meaning"] = self._what_of_a_lost_task()

        return facts

    def _receive(self, message: Message) -> list[ConversationEvent]:
        events = self.conversation.receive(message, self.now)
        self.events += events
        for event in events:
            if isinstance(event, BriefFollowed):
                self.ready_at = self.place
            if isinstance(event, Transcript) and self.order.is_news(event):
                self.delivered.append(event)

        return events

    def _is_early(self, message: object) -> bool | None:
        if not isinstance(message, Transcript) or not message.is_translation:
            return None

        named = (it for it in self.delivered if it.transcription_id == message.transcription_id)
        return not any(it.is_final and not it.is_translation for it in named)

    def _what_of_a_lost_task(self) -> str:
        sent_again = self._send("set_task").name
        return f"task gone after it ran: resend {sent_again} or rebuild, never silently ready"

    def _close(self, code: int) -> Json:
        reason = closing_reason(code)
        was_over = self.is_over
        events = self.conversation.lose(reason) if not was_over else []
        self.events += events
        failures = [it.error for it in self.ends if it.error is not None]
        is_rate_limit = "rate limit" in reason and not was_over
        return {
            "kind": "connection_closed",
            "code": code,
            "expected": any(it.error is None for it in self.ends),
            "worded_by": "SERVICE_TIMEOUT" if self._is_worded(failures) else None,
            "meaning": "rate_limit (20 connections/min)" if is_rate_limit else None,
            # a lost session is tried again by the speaker's loop, which pauses before
            "retry": "back off" if any(it.retryable for it in failures) else None,
        }

    def _is_worded(self, failures: Sequence[Exception]) -> bool:
        return bool(self.words) and any(readable(self.words) in str(it) for it in failures)

    @property
    def ends(self) -> list[SessionEnded]:
        """The end of the session: at most one."""
        return [it for it in self.events if isinstance(it, SessionEnded)]

    @property
    def is_over(self) -> bool:
        """True where the session has ended, wanted or not."""
        return bool(self.ends)

    @property
    def failures(self) -> str:
        """The sentences that a person is told of the end."""
        return " ".join(str(it.error) for it in self.ends if it.error is not None)

    @property
    def finals(self) -> list[Transcript]:
        """Finished texts that were delivered, in order."""
        return [it for it in self.delivered if it.is_final]


def is_error(event: ConversationEvent) -> bool:
    """Tell whether a person gets to see it as an error, in the room or in the log."""
    is_noted = isinstance(event, OperatorNotice) and event.kind == "error"
    is_failure = isinstance(event, SessionEnded) and event.error is not None
    return isinstance(event, UpdateRefused) or is_failure or is_noted


def outcome_differences(expected: Mapping[str, Any], playback: Playback) -> list[str]:
    """Where a whole sequence came to something else than is expected."""
    outcomes = {
        key: _OUTCOMES[key](playback, value) for key, value in expected.items() if key in _OUTCOMES
    }
    return differences(expected, outcomes, {key: is_equal(key) for key in outcomes})


def _final_delivered(playback: Playback, value: list[Json]) -> list[Json]:
    facts = [facts_of(it) for it in playback.finals]
    if len(facts) != len(value):
        return facts

    return [
        {key: fact[key] for key in wanted} if fact_differences(wanted, fact) else wanted
        for wanted, fact in zip(value, facts, strict=True)
    ]


def _texts_by(playback: Playback) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for it in sorted(playback.finals, key=lambda it: (it.part, it.is_translation)):
        found[it.transcription_id].append(it.text)
    return dict(found)


def _samples(chunks: Sequence[AudioChunk], key: Callable[[AudioChunk], str]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for chunk in chunks:
        counted[key(chunk)] += len(chunk.sound) // 2
    return dict(counted)


def _last_partial(playback: Playback, _: object) -> str | None:
    texts = [it.text for it in playback.delivered if not it.is_final]
    return texts[-1] if texts else None


_OUTCOMES: Final[Mapping[str, Callable[[Playback, Any], Any]]] = {
    "final_delivered": _final_delivered,
    "count_final": lambda playback, _: len(playback.finals),
    "last_partial_text": _last_partial,
    "last_text": lambda playback, _: playback.delivered[-1].text,
    "texts": lambda playback, _: [it.text for it in playback.delivered],
    "full_text": lambda playback, _: " ".join(it.text for it in playback.finals),
    "pairs": lambda playback, _: _texts_by(playback),
    "finals_by_base": lambda playback, _: _texts_by(playback),
    "must_deliver": lambda playback, value: [it.text for it in playback.finals if it.text in value],
    "samples": lambda playback, _: sum(len(it.sound) // 2 for it in playback.chunks),
    "samples_by_part": lambda playback, _: _samples(playback.chunks, lambda it: it.part),
    "samples_by_language": lambda playback, _: _samples(playback.chunks, lambda it: it.language),
    "bursts": lambda playback, _: sum(it.is_last for it in playback.chunks),
    # sound is passed on as it is read: all of it was there before the text was
    "audio_waits_for_text": lambda playback, _: not (playback.chunks and playback.finals),
    "user_visible_errors": lambda playback, _: sum(map(is_error, playback.events)),
    "user_notices_for_voice": lambda playback, _: playback.events.count(
        OperatorNotice("warning", "VOICE_NOT_FOUND")
    ),
    "log_lines_max": lambda playback, value: max(value, len(playback.events)),
    "session_continues": lambda playback, _: not playback.is_over,
    "ready_at": lambda playback, _: playback.ready_at,
    "get_task_needed": lambda playback, _: any(it.name == "get_task" for _, it in playback.sent),
    "start_fails": lambda playback, _: any(it.error is not None for it in playback.ends),
    "within_s": lambda playback, value: max(value, playback.now),
    "state": lambda playback, value: [state for state in playback.states if state in value],
    "failure_text_contains": lambda playback, value: [
        it for it in value if it in playback.failures
    ],
}
