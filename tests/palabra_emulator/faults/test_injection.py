"""Armed faults and what triggers them, with a clock that the test moves."""

from __future__ import annotations

from typing import Any

import pytest

from palabra_emulator.faults.catalogue import (
    CommandTooOften,
    EndIgnored,
    Fault,
    TokenRefused,
)
from palabra_emulator.faults.injection import FaultInjector, SessionFaults
from palabra_emulator.faults.reading import read_fault
from palabra_emulator.journal import Journal
from tests.palabra_emulator.fakes import Clock

pytestmark = pytest.mark.unit


def armed(*wishes: dict[str, Any]) -> tuple[FaultInjector, Clock, Journal]:
    """An injector with some faults, its clock, and its journal."""
    clock, journal = Clock(), Journal()
    injector = FaultInjector(journal, clock)
    for wish in wishes:
        injector.arm(read_fault(wish))
    return injector, clock, journal


def someone(injector: FaultInjector, session_id: str = "a", number: int = 0) -> SessionFaults:
    """A session to which faults may happen."""
    return SessionFaults(session_id, number, injector)


def test_fault_strikes_as_often_as_it_was_armed_for() -> None:
    """Once by default; for ever with 0 or null."""
    injector, _, journal = armed({"fault": "F12"}, {"fault": "F23", "times": 0})
    session = someone(injector)

    assert injector.trigger("command", session, CommandTooOften) is not None
    assert injector.trigger("command", session, CommandTooOften) is None
    assert all(injector.trigger("command", session, EndIgnored) for _ in range(5))
    assert [it.fault.id for it in injector.armed] == ["F23"]
    actions = [entry.data["action"] for entry in journal.entries() if entry.event == "fault"]
    assert actions == ["armed"] * 2 + ["struck"] * 6


def test_fault_is_meant_for_one_session_or_any() -> None:
    """By its id or its number; without a session, whoever comes first."""
    injector, _, _ = armed(
        {"fault": "F12", "session": "b"}, {"fault": "F12", "session": 2}, {"fault": "F23"}
    )
    first, second, third = (someone(injector, "abc"[n], n) for n in range(3))

    assert injector.trigger("command", first, CommandTooOften) is None
    assert injector.trigger("command", second, CommandTooOften) is not None
    assert injector.trigger("command", third, CommandTooOften) is not None
    assert injector.trigger("command", first, EndIgnored) is not None


def test_delays_count_from_arming_and_from_running() -> None:
    """`at_seconds` from the arming on, `after_seconds` from the session's first running on."""
    injector, clock, _ = armed(
        {"fault": "F12", "at_seconds": 5}, {"fault": "F13", "after_seconds": 2}
    )
    session = someone(injector)

    assert injector.trigger("command", session, Fault) is None
    clock.advance(5)
    assert injector.trigger("command", session, Fault) is not None
    assert injector.trigger_immediate([session]) == []
    session.running_since = clock.now
    assert injector.trigger_immediate([session]) == []
    clock.advance(2)
    assert [it.id for _, it in injector.trigger_immediate([session])] == ["F13"]
    assert injector.armed == []


def test_one_stroke_takes_every_running_session() -> None:
    """What strikes by itself takes all that run; again only after `every_seconds`."""
    injector, clock, _ = armed({"fault": "F20", "times": 2, "every_seconds": 3})
    both = [someone(injector, "a", 0), someone(injector, "b", 1)]

    assert len(injector.trigger_immediate(both)) == 2
    assert injector.trigger_immediate(both) == []
    clock.advance(3)
    assert len(injector.trigger_immediate(both)) == 2
    assert injector.armed == []


def test_some_faults_stay_with_what_they_struck() -> None:
    """One stroke counts once, however often it is asked about, until it is withdrawn."""
    injector, _, _ = armed({"fault": "F6"})
    first, second = someone(injector, "a"), someone(injector, "b")

    assert injector.trigger_once("join", first, TokenRefused) is not None
    assert injector.trigger_once("join", first, TokenRefused) is not None
    assert injector.trigger_once("join", second, TokenRefused) is None
    assert injector.withdraw("1")
    assert injector.trigger_once("join", first, TokenRefused) is None
    assert not injector.withdraw("1")
