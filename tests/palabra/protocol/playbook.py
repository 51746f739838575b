"""Conversations about a task as playbooks: what happens (`>>`), and what must come of it (`<<`).

    assert Playbook() >> wish(A) << set_task(A) >> RUNNING << BriefFollowed() << NOTHING

A command is awaited as long as its rate limit needs; an event must have come already.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Any, Final, Literal, TypeAlias

from palabra_agent.palabra.protocol.commands import Command, get_task, pause_task, set_task
from palabra_agent.palabra.protocol.conversation import TaskConversation
from palabra_agent.palabra.protocol.events import ConversationEvent, SessionEnded
from palabra_agent.palabra.protocol.messages import (
    ErrorReport,
    Message,
    StreamEnded,
    TaskReport,
)
from palabra_agent.palabra.protocol.task_state import SessionState

A, B, C = {"task": "a"}, {"task": "b"}, {"task": "c"}
SET_A, SET_B, SET_C = set_task(A), set_task(B), set_task(C)
GET, PAUSE = get_task(), pause_task()
TEXT = Command("tts_task", {"text": "hi"})

RUNNING = TaskReport("", "running")
PAUSED = TaskReport("pause_task", "paused")
NOT_FOUND = ErrorReport("NOT_FOUND", "no task")
INVALID = ErrorReport("VALIDATION_ERROR", "bad voice")
UNKNOWN_COMMAND = ErrorReport(
    "VALIDATION_ERROR", "Message should contain non-empty message_type field"
)
RATE_LIMIT = ErrorReport("RATE_LIMIT", "slow down")
REFUSED = "Palabra refused the settings: bad voice (VALIDATION_ERROR)"
"""The sentence for `INVALID`."""
LOST: Final = "the Palabra session was lost: "

WEEK = 600_000.0


class Silence(Enum):
    """An expectation of no command."""

    NOTHING = auto()
    """None at all, however long it takes."""
    NOT_YET = auto()
    """None now."""


NOTHING, NOT_YET = Silence.NOTHING, Silence.NOT_YET

Step: TypeAlias = Callable[["Playbook"], "Iterable[ConversationEvent] | None"]
"""Something that the caller does."""


class Playbook:
    """A conversation and its clock. After a step that failed it raises, else it is true."""

    def __init__(self, state: SessionState = SessionState.IDLE) -> None:
        """Begin in a state, with the task `A` where there is one."""
        self.conversation = TaskConversation()
        self.now = 100.0
        self._events: deque[Any] = deque()
        for it in _BEGINNINGS[state]:
            self._take(it)
        assert state is SessionState.IDLE or self.conversation.state is state

    def __bool__(self) -> Literal[True]:
        assert not self._events, "events that were not expected"
        return True

    def __rshift__(self, happens: Message | Step) -> Playbook:
        assert not self._events, "events that were not expected"
        self._events += in_short(self._take(happens))
        return self

    def __lshift__(self, expected: Command | ConversationEvent | Silence | str) -> Playbook:
        if isinstance(expected, Command):
            assert self.next_command() == expected
        elif expected is NOTHING:
            assert self.conversation.next_time() is None
        elif expected is NOT_YET:
            assert self.conversation.next_command(self.now) is None
        else:
            assert self._events, f"{expected} did not come"
            assert self._events.popleft() == expected
        return self

    def _take(self, happens: Message | Step) -> Iterable[ConversationEvent]:
        if callable(happens):
            return happens(self) or ()
        return self.conversation.receive(happens, self.now)

    @property
    def state(self) -> SessionState:
        """The stage that the session has reached."""
        return self.conversation.state

    def next_command(self) -> Command:
        """Wait for the next command."""
        due = self.conversation.next_time()
        assert due is not None, "nothing is to be sent"
        self.now = max(self.now, due)
        command = self.conversation.next_command(self.now)
        assert command is not None
        return command

    def commands(self) -> list[Command]:
        """Wait for all commands that come by themselves."""
        found: list[Command] = []
        while self.conversation.next_time() is not None:
            found.append(self.next_command())
        return found


def in_short(events: Iterable[ConversationEvent]) -> list[Any]:
    """Tell events; an end by an error stands as its sentence."""
    return [
        ended(str(it.error)) if isinstance(it, SessionEnded) and it.error is not None else it
        for it in events
    ]


def ended(sentence: str) -> str:
    """Expect an end by an error with this sentence."""
    return f"ended: {sentence}"


def wish(task: dict[str, str]) -> Step:
    """Want a task."""
    return lambda book: book.conversation.wish(task)


def say(command: Command) -> Step:
    """Want another command sent."""
    return lambda book: book.conversation.enqueue(command)


def _by(act: Callable[[TaskConversation], Iterable[ConversationEvent] | None]) -> Step:
    return lambda book: act(book.conversation)


pause = _by(TaskConversation.pause)
"""Want a pause."""
resume = _by(TaskConversation.resume)
"""Want no pause any more."""
ask_again = _by(TaskConversation.ask_again)
"""Doubt that the task still runs."""
go_out = _by(TaskConversation.go_out)
"""Have the latest command gone out."""
miss_track = _by(TaskConversation.miss_track)
"""Find that the track of a target is gone."""
repeat = _by(TaskConversation.repeat)
"""Find a peer that heard nothing."""
finish = _by(TaskConversation.finish)
"""Want the end."""


def hear_tail(book: Playbook) -> None:
    """Hear interpreted speech."""
    book.conversation.hear_tail(book.now)


def wait(seconds: float) -> Step:
    """Let time pass, until which the caller gives up where it should."""

    def passed(book: Playbook) -> Iterable[ConversationEvent]:
        book.now += seconds
        return book.conversation.give_up(book.now)

    return passed


def _send(book: Playbook) -> None:
    book.next_command()


_CONFIGURING: Final = (wish(A), _send)
_RUNNING: Final = (*_CONFIGURING, RUNNING)
_BEGINNINGS: Final[dict[SessionState, tuple[Message | Step, ...]]] = {
    SessionState.IDLE: (),
    SessionState.CONFIGURING: _CONFIGURING,
    SessionState.RUNNING: _RUNNING,
    SessionState.PAUSED: (*_RUNNING, pause, _send, PAUSED),
    SessionState.ENDING: (*_RUNNING, finish, _send),
    SessionState.FAILED: (*_CONFIGURING, StreamEnded()),
}
