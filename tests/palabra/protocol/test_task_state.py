"""The state of a session and its task: its transitions as a table, its deadlines, its wishes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.errors import TaskRejected
from palabra_agent.palabra.protocol.task_state import (
    DEADLINE_SECONDS,
    OVER,
    TRANSITIONS,
    Acknowledgement,
    SessionState,
    Signal,
    StateDeadline,
    TaskState,
)

pytestmark = pytest.mark.unit

S = SessionState
A, B, C = {"task": "a"}, {"task": "b"}, {"task": "c"}
REFUSAL = TaskRejected("VALIDATION_ERROR", "no")

TABLE = """
wanted           idle > creating
created          creating > connecting
connected        connecting > waiting for the peer
peer expected    waiting for the peer > configuring
task sent        paused > resuming
                 any > task awaited
pause sent       running > paused
                 given > pause awaited
runs             configuring, paused, resuming > running
                 task awaited, pause awaited, doubted > given
pause confirmed  pause awaited, doubted > given
change refused   task awaited > given
not counted      any > untold
doubt            given > doubted
still there      doubted > given
end wanted       configuring, running, paused, resuming > ending
lost             any > failed
                 ending > closed
left             any > closed
"""
"""Each signal, the states of the session or of the acknowledgement that it ends, and the next one.

`any` is every acknowledgement, or every state of a session between its creation and its end.
"""


def printed() -> str:
    """Print the transitions in the form of the table."""
    lines = [
        f"{signal:17}{move}"
        for signal, row in TRANSITIONS.items()
        for move in (*moves_of(row.session), *moves_of(row.acknowledgement))
    ]
    named = [
        " " * 17 + line[17:] if line[:17] == before[:17] else line
        for before, line in zip(["", *lines], lines, strict=False)
    ]
    return "\n".join(["", *named, ""])


def moves_of(moves: Mapping[Any, StrEnum]) -> Iterator[str]:
    """Print the states that lead to the same one in one line."""
    under_way = {*SessionState} - OVER - {S.IDLE}
    for after in dict.fromkeys(moves.values()):
        before = [it for it in moves if moves[it] is after]
        is_any = set(before) in ({*Acknowledgement}, under_way, under_way - {S.ENDING})
        yield f"{'any' if is_any else ', '.join(before)} > {after}"


def running(task: dict[str, str]) -> TaskState:
    """Make the state of a task that is known to run."""
    state = TaskState(S.CONFIGURING)
    state.wish(task)
    state.send_task()
    assert state.confirm()
    return state


def needs(state: TaskState) -> str:
    """Name the command that a state needs, if any."""
    needed = {"set": state.needs_task, "pause": state.needs_pause, "get": state.needs_answer}
    return " ".join(name for name, is_needed in needed.items() if is_needed)


def test_the_table_of_transitions() -> None:
    """Every signal leads where this table says."""
    assert printed() == TABLE


def test_every_signal_is_in_the_table() -> None:
    """None is forgotten."""
    assert set(TRANSITIONS) == set(Signal)


@pytest.mark.parametrize("session", SessionState)
@pytest.mark.parametrize("signal", Signal)
def test_a_signal_moves_a_session(session: SessionState, signal: Signal) -> None:
    """A state that is not in the signal's row stays as it is, and an end stays the end."""
    state = TaskState(session)
    state.follow(signal)

    assert state.session is TRANSITIONS[signal].session.get(session, session)
    assert state.is_over == (state.session in OVER)
    assert session not in OVER or state.session is session


def test_every_state_can_be_reached_and_left() -> None:
    """From the beginning each state can be reached, and from each an end."""
    moves = [move for row in TRANSITIONS.values() for move in row.session.items()]
    reached = {S.IDLE}
    while new := {after for before, after in moves if before in reached} - reached:
        reached |= new

    assert reached == set(SessionState)
    assert {before for before, after in moves if after in OVER} == reached - OVER - {S.IDLE}


def test_waiting_states_have_a_deadline() -> None:
    """Nothing that depends on Palabra lasts for ever; what we decide ourselves may."""
    ours = {S.IDLE, S.RUNNING, S.PAUSED} | OVER
    assert set(DEADLINE_SECONDS) == set(SessionState) - ours


@given(st.lists(st.sampled_from(Signal)))
def test_what_is_over_stays_over(signals: list[Signal]) -> None:
    """Whatever happens, in any order."""
    state = TaskState()
    was_over = False
    for signal in signals:
        state.follow(signal)
        assert state.is_over or not was_over
        was_over = state.is_over


def test_a_task_is_wished_sent_and_confirmed() -> None:
    """Each step needs the next one, and nothing else."""
    state = TaskState(S.CONFIGURING)
    assert needs(state) == ""
    state.wish(A)
    assert needs(state) == "set"
    assert state.send_task() == A
    assert needs(state) == "get"
    assert state.confirm()
    assert needs(state) == ""

    assert state.is_settled
    assert state.is_wish_met
    assert state.session is S.RUNNING


def test_a_pause_is_wished_sent_and_ended() -> None:
    """Only a running task is paused, a change in a pause waits, and the task ends the pause."""
    state = running(A)
    state.wants_pause = True
    assert needs(state) == "pause"
    state.send_pause()
    assert needs(state) == "get"
    state.follow(Signal.PAUSE_CONFIRMED)
    state.wish(B)
    assert needs(state) == ""
    state.wants_pause = False

    assert needs(state) == "set"
    assert state.send_task() == B
    assert state.session is S.RESUMING


@pytest.mark.parametrize(("session", "needed"), [(S.RUNNING, ""), (S.RESUMING, "set")])
def test_a_refused_change_leaves_what_ran(session: SessionState, needed: str) -> None:
    """While it runs nothing is sent; in a resumption the task that ran before ends the pause."""
    state = running(A)
    if session is S.RESUMING:
        state.send_pause()
    state.wish(B)
    state.send_task()
    assert state.is_change
    state.refuse(REFUSAL)

    assert state.session is session
    assert needs(state) == needed
    assert state.wish(B) is REFUSAL
    assert needs(state) == needed
    assert state.wish(C) is None
    assert state.send_task() == C


def test_a_confirmation_of_what_ran_does_not_meet_a_refused_wish() -> None:
    """That the old task runs on is no news for the caller, and does not follow the wish."""
    state = running(A)
    state.wish(B)
    state.send_task()
    state.refuse(REFUSAL)
    state.follow(Signal.NOT_COUNTED)
    assert state.send_task() == A

    assert not state.confirm()
    assert not state.is_wish_met


def test_a_task_that_did_not_count_is_told_again() -> None:
    """The same one, as Palabra does not have it."""
    state = running(A)
    state.follow(Signal.NOT_COUNTED)

    assert not state.is_wish_met
    assert needs(state) == "set"
    assert state.send_task() == A


def test_a_deadline_begins_with_each_state() -> None:
    """It runs while something is expected, and is not put off by anything but a new state."""
    deadline, state = StateDeadline(), TaskState(S.CONFIGURING)
    deadline.follow(state, 100)
    deadline.follow(state, 110)
    assert (deadline.at, deadline.words) == (130, "Palabra was not ready within 30 s")
    state.wish(A)
    state.send_task()
    state.confirm()
    deadline.follow(state, 120)
    assert deadline.at == math.inf
    state.follow(Signal.DOUBT)
    deadline.follow(state, 200)
    assert (deadline.at, deadline.words) == (230, "Palabra did not answer within 30 s")
    state.follow(Signal.END_WANTED)
    deadline.follow(state, 210)
    deadline.renew(215)

    assert (deadline.at, deadline.words) == (225, "Palabra did not end it within 10 s")
