"""The command line tells what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from palabra_agent.__main__ import app

pytestmark = pytest.mark.unit


def test_command_line_tells_every_mistake(tmp_path: Path) -> None:
    """`emulator` refuses wrong options and scenarios before it serves anything."""
    scenario = tmp_path / "wrong.toml"
    scenario.write_text('[[faults]]\nfault = "F17"\nvariant = "remove"\n', encoding="utf-8")
    wrong_option = CliRunner().invoke(app, ["emulator", "--option", "dialect=old"])
    wrong_scenario = CliRunner().invoke(app, ["emulator", "--scenario", str(scenario)])

    assert (wrong_option.exit_code, wrong_option.stdout) == (1, "")
    assert wrong_option.stderr == (
        'palabra-agent: dialect: must be "legacy", "legacy+ack" or "ack-only", not "old"\n'
    )
    assert (wrong_scenario.exit_code, wrong_scenario.stdout) == (1, "")
    assert wrong_scenario.stderr == (
        f'palabra-agent: {scenario}: faults[0].variant: must be "removed", "room_deleted", '
        '"server_shutdown" or "signal_drop", not "remove"; did you mean "removed"?\n'
    )
