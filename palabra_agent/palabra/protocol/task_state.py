"""The state of one session and its task, and the one table of what leads from which to which.

Rules first, then the code:

* A session is created, joined and configured; then its task runs, is paused and resumed, and ends.
  A session that is lost or refused has failed and is never revived: Palabra ties a session to one
  connection, so the next try is a new session with a state of its own.
* Palabra acknowledges a command by saying that the task runs or is paused, or not at all. What it
  was told last is awaited until it says so, and doubted where it may have been lost since.
* The task is always sent whole, and the latest wish counts. A change in a pause waits for its end,
  as `set_task` ends the pause.
* Only a task that is known to run can be paused.
* A refused change is never sent again; the task that ran before runs on, and it is never refused.
* Palabra need not know `get_task`: a server that acknowledges what it is told, and was asked in
  vain, is told again instead.

`TRANSITIONS` says what each signal does to the session's state and to the acknowledgement. Tasks
are compared as a whole. Nothing here knows times or messages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from palabra_agent.errors import AccessDenied, TaskRejected
from palabra_agent.palabra.protocol.commands import Task


class SessionState(StrEnum):
    """The stage that a session has reached."""

    IDLE = "idle"
    """Nothing was asked for yet."""
    CREATING = "creating"
    """Asked for over HTTP."""
    CONNECTING = "connecting"
    """Created; its room or its WebSocket is being joined."""
    WAITING_PEER = "waiting for the peer"
    """Joined; Palabra's side is not known to be there."""
    CONFIGURING = "configuring"
    """The task was asked for, and is not known to run."""
    RUNNING = "running"
    """The task runs, as asked for now or before the latest change. This is what is billed."""
    PAUSED = "paused"
    """The task is kept, and hears nothing."""
    RESUMING = "resuming"
    """The task was told to hear again, and is not known to."""
    ENDING = "ending"
    """Nothing more is heard; the words before that are still being interpreted."""
    CLOSED = "closed"
    """Ended as we wanted."""
    FAILED = "failed"
    """Lost or refused."""


class Acknowledgement(StrEnum):
    """Palabra's answer to what it was told last of the task."""

    UNTOLD = "untold"
    """Palabra has not been told, or it did not count: the task must be sent (again)."""
    TASK_AWAITED = "task awaited"
    """`set_task` was sent, and neither confirmed nor refused."""
    PAUSE_AWAITED = "pause awaited"
    """`pause_task` was sent, and neither confirmed nor refused."""
    DOUBTED = "doubted"
    """Palabra confirmed it, but may have lost it since."""
    GIVEN = "given"
    """Palabra is known to do as it was told."""


class Signal(StrEnum):
    """An occurrence in the life of a session."""

    WANTED = "wanted"
    CREATED = "created"
    CONNECTED = "connected"
    PEER_EXPECTED = "peer expected"
    """Palabra's side is there, or has been waited for long enough to be told the task."""
    TASK_SENT = "task sent"
    PAUSE_SENT = "pause sent"
    RUNS = "runs"
    """Palabra says that the task runs as it was sent, or goes on although a pause was sent."""
    PAUSE_CONFIRMED = "pause confirmed"
    CHANGE_REFUSED = "change refused"
    """Palabra refused a change while the task before it runs on."""
    NOT_COUNTED = "not counted"
    """Palabra has no task, or did not take what it was told last."""
    DOUBT = "doubt"
    """Packets or a track were lost; the task may be, too."""
    STILL_THERE = "still there"
    END_WANTED = "end wanted"
    LOST = "lost"
    """The connection or the server's side is gone, something did not come in time, or was refused.
    """
    LEFT = "left"
    """We leave at once."""


_S, _A = SessionState, Acknowledgement

OVER: Final = frozenset({_S.CLOSED, _S.FAILED})
"""States without a way on."""

_WITH_TASK: Final = (_S.RUNNING, _S.PAUSED, _S.RESUMING)
_JOINED: Final = (_S.CONFIGURING, *_WITH_TASK)
_UNDER_WAY: Final = (_S.CREATING, _S.CONNECTING, _S.WAITING_PEER, *_JOINED)


@dataclass(frozen=True, slots=True)
class Transition:
    """The effect of one signal; a state that is not in it stays as it is."""

    session: Mapping[SessionState, SessionState] = field(
        default_factory=dict[SessionState, SessionState]
    )
    acknowledgement: Mapping[Acknowledgement, Acknowledgement] = field(
        default_factory=dict[Acknowledgement, Acknowledgement]
    )


TRANSITIONS: Final[Mapping[Signal, Transition]] = {
    Signal.WANTED: Transition({_S.IDLE: _S.CREATING}),
    Signal.CREATED: Transition({_S.CREATING: _S.CONNECTING}),
    Signal.CONNECTED: Transition({_S.CONNECTING: _S.WAITING_PEER}),
    Signal.PEER_EXPECTED: Transition({_S.WAITING_PEER: _S.CONFIGURING}),
    Signal.TASK_SENT: Transition(
        {_S.PAUSED: _S.RESUMING}, dict.fromkeys(Acknowledgement, _A.TASK_AWAITED)
    ),
    Signal.PAUSE_SENT: Transition({_S.RUNNING: _S.PAUSED}, {_A.GIVEN: _A.PAUSE_AWAITED}),
    Signal.RUNS: Transition(
        dict.fromkeys((_S.CONFIGURING, _S.PAUSED, _S.RESUMING), _S.RUNNING),
        dict.fromkeys((_A.TASK_AWAITED, _A.PAUSE_AWAITED, _A.DOUBTED), _A.GIVEN),
    ),
    Signal.PAUSE_CONFIRMED: Transition(
        acknowledgement=dict.fromkeys((_A.PAUSE_AWAITED, _A.DOUBTED), _A.GIVEN)
    ),
    Signal.CHANGE_REFUSED: Transition(acknowledgement={_A.TASK_AWAITED: _A.GIVEN}),
    Signal.NOT_COUNTED: Transition(acknowledgement=dict.fromkeys(Acknowledgement, _A.UNTOLD)),
    Signal.DOUBT: Transition(acknowledgement={_A.GIVEN: _A.DOUBTED}),
    Signal.STILL_THERE: Transition(acknowledgement={_A.DOUBTED: _A.GIVEN}),
    Signal.END_WANTED: Transition(dict.fromkeys(_JOINED, _S.ENDING)),
    # while it ends, the server closes the connection by itself, with or without a word
    Signal.LOST: Transition({**dict.fromkeys(_UNDER_WAY, _S.FAILED), _S.ENDING: _S.CLOSED}),
    Signal.LEFT: Transition(dict.fromkeys((*_UNDER_WAY, _S.ENDING), _S.CLOSED)),
}

DEADLINE_SECONDS: Final[Mapping[SessionState, float]] = {
    _S.CREATING: 20.0,
    _S.CONNECTING: 15.0,
    _S.WAITING_PEER: 5.0,
    _S.CONFIGURING: 30.0,
    _S.RESUMING: 10.0,
    _S.ENDING: 10.0,
}
"""The longest stay in a state. Waiting for the peer is not fatal: then it is told the task."""

_MISSED: Final[Mapping[SessionState, str]] = {
    _S.CONFIGURING: "was not ready",
    _S.RUNNING: "did not answer",
    _S.RESUMING: "did not hear again",
    _S.ENDING: "did not end it",
}

_Refusal: TypeAlias = TaskRejected | AccessDenied


class TaskState:
    """One session and its task: what is wished, what was sent of it, and what Palabra confirmed."""

    def __init__(self, session: SessionState = SessionState.IDLE) -> None:
        self.session = session
        self.acknowledgement = Acknowledgement.UNTOLD
        self.wants_pause = False
        """True while Palabra should hear, and charge, nothing."""
        self.was_asked = False
        """True where `get_task` went out since the latest command: its answer speaks of that."""
        self.is_askable = True
        """False where Palabra is known not to answer `get_task`."""
        self.sent: Task | None = None
        """The task that Palabra was told last, or is known to run since that was refused."""
        self._wish: Task | None = None
        """The latest wish, refused or not."""
        self._planned: Task | None = None
        """The task that is to run: the latest wish, or the running one where that was refused."""
        self._running: Task | None = None
        """The task that Palabra confirmed last."""
        self._refused: Task | None = None
        self._refusal: _Refusal | None = None

    def follow(self, signal: Signal) -> None:
        """Take in what happened; a signal that is not in the row of a state means nothing there."""
        row = TRANSITIONS[signal]
        self.session = row.session.get(self.session, self.session)
        self.acknowledgement = row.acknowledgement.get(self.acknowledgement, self.acknowledgement)

    @property
    def is_over(self) -> bool:
        """True where nothing more can happen."""
        return self.session in OVER

    @property
    def has_task(self) -> bool:
        """True where a task is known to be there, heard or paused."""
        return self.session in _WITH_TASK

    @property
    def is_paused(self) -> bool:
        """True where `pause_task` is the latest that Palabra was told."""
        return self.session is _S.PAUSED and self.acknowledgement is not _A.UNTOLD

    @property
    def is_settled(self) -> bool:
        """True where Palabra is known to do as it was told."""
        return self.acknowledgement is _A.GIVEN

    @property
    def running(self) -> Task | None:
        """The task that Palabra confirmed last; None before the first."""
        return self._running

    @property
    def is_change(self) -> bool:
        """True where the task that was sent last is another one than runs."""
        return self.sent != self._running

    @property
    def needs_task(self) -> bool:
        """True where `set_task` is to be sent; a change in a pause waits for its end."""
        if self._planned is None or (self.wants_pause and self.is_paused):
            return False

        is_told = self.acknowledgement is not _A.UNTOLD and self._planned == self.sent
        return self.is_paused or not is_told

    @property
    def needs_pause(self) -> bool:
        """True where `pause_task` is to be sent: only a task that is known to run can be paused."""
        return self.wants_pause and not self.is_paused and self.is_settled

    @property
    def needs_answer(self) -> bool:
        """True where Palabra is to be asked for the task."""
        is_open = self.acknowledgement in {_A.TASK_AWAITED, _A.PAUSE_AWAITED, _A.DOUBTED}
        return is_open and self.is_askable

    @property
    def is_wish_met(self) -> bool:
        """True where the latest wish runs."""
        is_told = self.acknowledgement not in {_A.UNTOLD, _A.TASK_AWAITED}
        return is_told and self._wish == self._running == self.sent

    def wish(self, task: Task) -> _Refusal | None:
        """Want a task; returns the refusal if it was refused before: then the running one stays."""
        self._wish = task
        if self._is_wish_refused():
            self._planned = self._running
            return self._refusal

        self._planned = task
        return None

    def send_task(self) -> Task:
        """Take the planned task as sent."""
        assert self._planned is not None, "only what is wished is sent"
        self.sent, self.was_asked = self._planned, False
        self.follow(Signal.TASK_SENT)
        return self.sent

    def send_pause(self) -> None:
        """Take a pause as sent."""
        self.was_asked = False
        self.follow(Signal.PAUSE_SENT)

    def confirm(self) -> bool:
        """Learn that the task runs as it was sent; returns whether that is news for the caller."""
        is_news = self.acknowledgement is _A.TASK_AWAITED and not self._is_wish_refused()
        self._running = self.sent
        self.follow(Signal.RUNS)
        return is_news

    def doubt(self) -> None:
        """Learn that the task may be gone: Palabra is asked, or where it cannot be, told again.

        A pause is not told again that way: `set_task` would end it.
        """
        if self.is_askable:
            self.follow(Signal.DOUBT)
        elif self.session is _S.RUNNING and self.is_settled:
            self.follow(Signal.NOT_COUNTED)

    def stop_asking(self) -> None:
        """Learn that Palabra does not know `get_task`; what it was asked about is told again."""
        self.is_askable = False
        self.follow(Signal.STILL_THERE if self.is_paused else Signal.NOT_COUNTED)

    def refuse(self, error: _Refusal) -> None:
        """Bar the task that was sent last; the one that ran before is to run on.

        While Palabra listens it runs on by itself; where the change was to end a pause, it is sent.
        """
        self._refused, self._refusal = self.sent, error
        # a newer wish than the refused one still stands
        if self._planned == self._refused:
            self._planned = self._running
        if self.session is _S.RUNNING:
            self.sent = self._running
            self.follow(Signal.CHANGE_REFUSED)
        else:
            self.follow(Signal.NOT_COUNTED)

    def _is_wish_refused(self) -> bool:
        return self._refusal is not None and self._wish == self._refused


class StateDeadline:
    """The time until which Palabra may take to answer, anew in each state.

    Times are in seconds of any steady clock.
    """

    def __init__(self) -> None:
        self.at = math.inf
        """The time to give up; infinity while nothing is expected."""
        self._session = SessionState.IDLE
        self._seconds = math.inf

    def follow(self, state: TaskState, now: float) -> None:
        """Learn of the state.

        A running task that is told something new goes on meanwhile: that may take as long as the
        first configuring.
        """
        waits = state.session is _S.RUNNING and not state.is_settled
        seconds = DEADLINE_SECONDS.get(_S.CONFIGURING if waits else state.session, math.inf)
        if (state.session, seconds) != (self._session, self._seconds):
            self._session, self._seconds = state.session, seconds
            self.at = now + seconds

    def renew(self, now: float) -> None:
        """Begin anew: a part of the expected came, and more may."""
        self.at = now + self._seconds

    @property
    def words(self) -> str:
        """The sentence for a deadline that has passed."""
        return f"Palabra {_MISSED[self._session]} within {self._seconds:g} s"
