"""The life of one Palabra session: its states, and the one table of what leads from which to which.

    idle → creating → connecting → waiting for the peer → configuring → running → paused → resuming
         → running → ending → closed;   whatever is lost or refused on the way has failed

A failed session is never revived: Palabra ties a session to one connection, so the next try is a
new session with a life of its own, after a pause.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class SessionState(StrEnum):
    """Where a session stands."""

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
    """Nothing more is heard; what was said before is still being interpreted."""
    CLOSED = "closed"
    """Ended as we wanted."""
    FAILED = "failed"
    """Lost or refused."""


class Signal(StrEnum):
    """What may happen to a session."""

    WANTED = "wanted"
    CREATED = "created"
    CONNECTED = "connected"
    PEER_EXPECTED = "peer expected"
    """Palabra's side is there, or has been waited for long enough to be told what we want."""
    CONFIRMED = "confirmed"
    """Palabra says that the task runs."""
    PAUSED = "paused"
    """Palabra was told to pause."""
    RESUMED = "resumed"
    """Palabra was told to hear again."""
    END_WANTED = "end wanted"
    STREAM_ENDED = "stream ended"
    LOST = "lost"
    """The connection or the server's side is gone, something did not come in time, or was refused.
    """
    LEFT = "left"
    """We leave, whatever is under way."""


_S, _E = SessionState, Signal
_WAY_OUT: Final = {_E.LOST: _S.FAILED, _E.LEFT: _S.CLOSED}

TRANSITIONS: Final[Mapping[SessionState, Mapping[Signal, SessionState]]] = {
    _S.IDLE: {_E.WANTED: _S.CREATING},
    _S.CREATING: {_E.CREATED: _S.CONNECTING, **_WAY_OUT},
    _S.CONNECTING: {_E.CONNECTED: _S.WAITING_PEER, **_WAY_OUT},
    _S.WAITING_PEER: {_E.PEER_EXPECTED: _S.CONFIGURING, **_WAY_OUT},
    _S.CONFIGURING: {
        _E.CONFIRMED: _S.RUNNING,
        _E.END_WANTED: _S.ENDING,
        _E.STREAM_ENDED: _S.FAILED,
        **_WAY_OUT,
    },
    _S.RUNNING: {
        _E.PAUSED: _S.PAUSED,
        _E.END_WANTED: _S.ENDING,
        _E.STREAM_ENDED: _S.FAILED,
        **_WAY_OUT,
    },
    _S.PAUSED: {
        _E.RESUMED: _S.RESUMING,
        _E.CONFIRMED: _S.RUNNING,
        _E.END_WANTED: _S.ENDING,
        _E.STREAM_ENDED: _S.FAILED,
        **_WAY_OUT,
    },
    _S.RESUMING: {
        _E.CONFIRMED: _S.RUNNING,
        _E.END_WANTED: _S.ENDING,
        _E.STREAM_ENDED: _S.FAILED,
        **_WAY_OUT,
    },
    # the server closes the connection by itself, with or without a word
    _S.ENDING: {_E.STREAM_ENDED: _S.CLOSED, _E.LOST: _S.CLOSED, _E.LEFT: _S.CLOSED},
    _S.CLOSED: {},
    _S.FAILED: {},
}
"""What leads where. A signal that is not in a state's row means nothing there."""

DEADLINE_SECONDS: Final[Mapping[SessionState, float]] = {
    _S.CREATING: 20.0,
    _S.CONNECTING: 15.0,
    _S.WAITING_PEER: 5.0,
    _S.CONFIGURING: 30.0,
    _S.RESUMING: 10.0,
    _S.ENDING: 10.0,
}
"""How long a session may stay in a state. Waiting for the peer is not fatal: then it is told."""

OVER: Final = frozenset({_S.CLOSED, _S.FAILED})
"""States without a way on."""


class Lifecycle:
    """Where one session stands."""

    def __init__(self, state: SessionState = SessionState.IDLE) -> None:
        self.state = state

    def follow(self, signal: Signal) -> bool:
        """Take in what happened; returns whether it meant anything."""
        after = TRANSITIONS[self.state].get(signal)
        if after is None:
            return False

        self.state = after
        return True

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen."""
        return self.state in OVER

    @property
    def has_task(self) -> bool:
        """Whether a task is known to be there, heard or paused."""
        return self.state in {SessionState.RUNNING, SessionState.PAUSED, SessionState.RESUMING}
