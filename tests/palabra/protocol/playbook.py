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
        _BEGINNINGS[state](self)
        assert state is SessionState.IDLE or self.conversation.state is state

    def __bool__(self) -> Literal[True]:
        assert not self._events, "events that were not expected"
        return True

    def __rshift__(self, happens: Message | Step) -> Playbook:
        assert not self._events, "events that were not expected"
        if callable(happens):
            events = happens(self) or ()
        else:
            events = self.conversation.receive(happens, self.now)
        self._events += in_short(events)
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


def pause(book: Playbook) -> None:
    """Want a pause."""
    book.conversation.pause()


def resume(book: Playbook) -> None:
    """Want no pause any more."""
    book.conversation.resume()


def ask_again(book: Playbook) -> None:
    """Doubt that the task still runs."""
    book.conversation.ask_again()


def go_out(book: Playbook) -> None:
    """Have the latest command gone out."""
    book.conversation.go_out()


def miss_track(book: Playbook) -> None:
    """Find that the track of a target is gone."""
    book.conversation.miss_track()


def repeat(book: Playbook) -> None:
    """Find a peer that heard nothing."""
    book.conversation.repeat()


def finish(book: Playbook) -> None:
    """Want the end."""
    book.conversation.finish()


def hear_tail(book: Playbook) -> None:
    """Hear interpreted speech."""
    book.conversation.hear_tail(book.now)


def wait(seconds: float) -> Step:
    """Let time pass, until which the caller gives up where it should."""

    def passed(book: Playbook) -> Iterable[ConversationEvent]:
        book.now += seconds
        return book.conversation.give_up(book.now)

    return passed


def _configuring(book: Playbook) -> None:
    book.conversation.wish(A)
    book.next_command()


def _running(book: Playbook) -> None:
    _configuring(book)
    book.conversation.receive(RUNNING, book.now)


def _paused(book: Playbook) -> None:
    _running(book)
    book.conversation.pause()
    book.next_command()
    book.conversation.receive(PAUSED, book.now)


def _ending(book: Playbook) -> None:
    _running(book)
    book.conversation.finish()
    book.next_command()


def _failed(book: Playbook) -> None:
    _configuring(book)
    book.conversation.receive(StreamEnded(), book.now)


_BEGINNINGS: Final[dict[SessionState, Callable[[Playbook], None]]] = {
    SessionState.IDLE: lambda _: None,
    SessionState.CONFIGURING: _configuring,
    SessionState.RUNNING: _running,
    SessionState.PAUSED: _paused,
    SessionState.ENDING: _ending,
    SessionState.FAILED: _failed,
}
