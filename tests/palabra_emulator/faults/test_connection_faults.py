"""Connections that a fault stands in."""

from __future__ import annotations

import pytest

from palabra_emulator.faults.connection_faults import FaultyTransport
from palabra_emulator.faults.injection import FaultInjector, SessionFaults
from palabra_emulator.faults.reading import read_fault
from palabra_emulator.journal import Journal
from palabra_emulator.transports.ports import RoomNames
from tests.palabra_emulator.fakes import (
    Clock,
    FakeTransport,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("wish", [{"fault": "F21", "variant": "never"}, {"fault": "F26"}])
async def test_missing_tracks_wait_for_a_session_that_has_some(wish: dict[str, str]) -> None:
    """Without tracks there is nothing to strike, and the journal does not say that there was."""
    journal, clock = Journal(), Clock()
    injector = FaultInjector(journal, clock)
    variant = "no_track" if wish["fault"] == "F26" else "never"
    injector.arm(read_fault({**wish, "variant": variant}))
    real = FakeTransport(RoomNames("room", "bot", "client"))
    faults = SessionFaults("a", 0, injector)

    await FaultyTransport(real, faults, has_bot=False).offer(["es"], anew=False)
    assert [entry.data["action"] for entry in journal.entries()] == ["armed"]

    await FaultyTransport(real, faults, has_bot=True).offer(["es"], anew=False)
    assert [entry.data["action"] for entry in journal.entries()] == ["armed", "struck"]
