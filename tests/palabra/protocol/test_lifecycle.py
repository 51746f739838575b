"""The life of a session: the table of its transitions, checked as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.palabra.protocol.lifecycle import (
    DEADLINE_SECONDS,
    OVER,
    TRANSITIONS,
    Lifecycle,
    SessionState,
    Signal,
)

pytestmark = pytest.mark.unit

S, E = SessionState, Signal

# For every state what each signal leads to; what is not named means nothing there.
TABLE: dict[SessionState, str] = {
    S.IDLE: "WANTED>CREATING",
    S.CREATING: "CREATED>CONNECTING LOST>FAILED LEFT>CLOSED",
    S.CONNECTING: "CONNECTED>WAITING_PEER LOST>FAILED LEFT>CLOSED",
    S.WAITING_PEER: "PEER_EXPECTED>CONFIGURING LOST>FAILED LEFT>CLOSED",
    S.CONFIGURING: (
        "CONFIRMED>RUNNING END_WANTED>ENDING STREAM_ENDED>FAILED LOST>FAILED LEFT>CLOSED"
    ),
    S.RUNNING: "PAUSED>PAUSED END_WANTED>ENDING STREAM_ENDED>FAILED LOST>FAILED LEFT>CLOSED",
    S.PAUSED: (
        "RESUMED>RESUMING CONFIRMED>RUNNING END_WANTED>ENDING STREAM_ENDED>FAILED "
        "LOST>FAILED LEFT>CLOSED"
    ),
    S.RESUMING: "CONFIRMED>RUNNING END_WANTED>ENDING STREAM_ENDED>FAILED LOST>FAILED LEFT>CLOSED",
    S.ENDING: "STREAM_ENDED>CLOSED LOST>CLOSED LEFT>CLOSED",
    S.CLOSED: "",
    S.FAILED: "",
}


@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("signal", Signal)
def test_every_signal_in_every_state(state: SessionState, signal: Signal) -> None:
    """Each leads where the table says, or nowhere."""
    moves = dict(move.split(">") for move in TABLE[state].split())
    life = Lifecycle(state)

    assert life.follow(signal) == (signal.name in moves)
    assert life.state.name == moves.get(signal.name, state.name)


def test_every_state_is_in_the_table() -> None:
    """None is forgotten, here or there."""
    assert set(TABLE) == set(TRANSITIONS) == set(SessionState)


def test_every_state_can_be_reached_and_left() -> None:
    """From the beginning each state can be reached, and from each an end."""
    reached = {S.IDLE}
    while new := {to for state in reached for to in TRANSITIONS[state].values()} - reached:
        reached |= new

    assert reached == set(SessionState)
    assert all(OVER & set(TRANSITIONS[state].values()) for state in reached - OVER - {S.IDLE})


def test_waiting_states_have_a_deadline() -> None:
    """Nothing that depends on somebody else lasts for ever; what we decide ourselves may."""
    ours = {S.IDLE, S.RUNNING, S.PAUSED} | OVER
    assert set(DEADLINE_SECONDS) == set(SessionState) - ours


@given(st.lists(st.sampled_from(Signal)))
def test_what_is_over_stays_over(signals: list[Signal]) -> None:
    """Whatever happens, in any order."""
    life = Lifecycle()
    was_over = False
    for signal in signals:
        life.follow(signal)
        assert life.is_over or not was_over
        was_over = life.is_over
