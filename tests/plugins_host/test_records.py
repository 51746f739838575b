"""Records of plugins for people, and errors of one plugin in the log."""

from __future__ import annotations

import logging

import pytest

from palabra_agent.errors import Phase, PluginError
from palabra_agent.plugins_host.records import ErrorLog, PluginRecord, PluginStatus

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (PluginRecord("dice", "d", "1"), "dice: ready"),
        (
            PluginRecord("dice", "d", "1", status=PluginStatus.FAILED, error="ImportError"),
            "dice: failed to load: ImportError",
        ),
        (
            PluginRecord(
                "dice", "d", "1", status=PluginStatus.FAILED, error="ImportError", said="no x"
            ),
            "dice: failed to load: ImportError (no x)",
        ),
    ],
)
def test_a_record_is_a_line(record: PluginRecord, line: str) -> None:
    """With the mistake, and with the plugin's own words where there are some."""
    assert str(record) == line


@pytest.mark.parametrize("status", PluginStatus)
def test_only_a_ready_one_is_had_by_rooms(status: PluginStatus) -> None:
    """What was left out on purpose, or lacks settings, is not broken either."""
    record = PluginRecord("dice", "d", "1", status=status)
    unhurt = {PluginStatus.READY, PluginStatus.NOT_ALLOWED, PluginStatus.NEEDS_SETTINGS}

    assert record.is_ready == (status is PluginStatus.READY)
    assert record.is_broken == (status not in unhurt)


def test_each_kind_of_error_is_logged_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Kinds beyond twenty are one; each error is told to whoever wants to know."""
    told: list[PluginError] = []
    log = ErrorLog(told.append)
    for number in (0, 0, *range(30)):
        log.note(PluginError("dice", Phase.CALL, f"E{number}"))
    log.sum_up("dice")

    assert len(told) == 32
    warned = [it for it in caplog.records if it.levelno == logging.WARNING]
    reasons = [vars(it)["reason"] for it in warned if "reason" in vars(it)]
    assert reasons == [f"E{number}" for number in range(21)]
    counts = [(vars(it)["kind"], vars(it)["count"]) for it in warned if "count" in vars(it)]
    assert counts == [("call: E0", 3), ("others", 10)]
