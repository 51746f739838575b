"""The journal."""

from __future__ import annotations

import json

import pytest

from palabra_emulator.journal import Journal

pytestmark = pytest.mark.unit

LONE = "\ud800"


def test_journal_can_always_be_written() -> None:
    """Whatever somebody managed to put into an event, its line is text that can be sent."""
    journal = Journal()
    journal.add(None, "rest", path=LONE)

    assert json.loads("".join(journal.lines()).encode())["data"] == {"path": LONE}
