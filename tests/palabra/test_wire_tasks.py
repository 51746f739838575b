"""Recorded and documented `set_task` payloads: judged by the emulator, and said with our settings.

As in `test_wire`, the rows are the project's own and those of the folder that `PALABRA_WIRE` names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from palabra_emulator.session.task import Task
from palabra_emulator.session.validator import FieldError

from .wire.emulated import EmulatedTalk, judged, transport_of
from .wire.rows import TOLD, Json, Row, rows
from .wire.tasks import lost, rebuilt

pytestmark = pytest.mark.unit

ROWS = rows("set_task")
ACCEPTED = [row for row in ROWS if row["expect"].get("kind") == "accepted"]


def name_of(row: Row) -> str:
    """Name a row in the report."""
    return row.name


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_the_emulator_judges_a_task(row: Row) -> None:
    """A task is accepted or rejected as on Palabra's own server, for the same reasons."""
    data: Json = row["message"]["data"]
    is_strict = row.get("mode") == "strict"
    verdict = judged(data, is_strict=is_strict)
    said = EmulatedTalk(transport_of(data), is_strict=is_strict).start(data)
    wrong = [differences(expected, verdict, data, said) for expected in row.alternatives]

    assert [] in wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("row", ACCEPTED, ids=name_of)
def test_our_settings_say_a_task(row: Row) -> None:
    """Whatever a client sent and Palabra accepted can be said in a room config, field by field."""
    data: Json = row["message"]["data"]

    assert lost(data, rebuilt(data)) == []


def differences(
    expected: Mapping[str, Any],
    verdict: Task | tuple[FieldError, ...],
    data: Json,
    said: list[Json],
) -> list[str]:
    """Where the emulator's verdict, or what it says of it, is not the row's."""
    found: list[str] = []
    for key, value in expected.items():
        if key in TOLD:
            continue
        check = CHECKS.get(key)
        if check is None:
            found.append(f"no rule compares {key!r}")
        elif not check(value, verdict, data if key == "transport" else said):
            found.append(f"{key}: expected {value!r}, judged {verdict}")

    # a rejection names its place and its words; together they are one entry
    if "loc" in expected and not is_refused(expected, verdict):
        found.append(f"no entry {expected['loc']} with {expected['msg_contains']!r} in {verdict}")
    return found


def is_refused(entry: Mapping[str, Any], verdict: Task | tuple[FieldError, ...]) -> bool:
    """Whether an entry with this place and these words is among the errors."""
    errors = () if isinstance(verdict, Task) else verdict
    return any(
        list(error.loc) == entry["loc"] and entry["msg_contains"] in error.msg for error in errors
    )


def codes(said: list[Json], kind: str) -> set[str]:
    """The codes of the errors or the warnings that a task was answered with."""
    return {it["code"] for it in said if it["kind"] == kind}


def defaults_of(task: Task, names: Mapping[str, Any]) -> Json:
    """The task's defaults, wherever in it they stand."""
    pipeline: Any = task.full["pipeline"]
    found = {**pipeline["transcription"], **pipeline}
    return {name: found[name] for name in names}


Check = Callable[[Any, Any, Any], bool]
CHECKS: Mapping[str, Check] = {
    "kind": lambda value, verdict, _: (
        value == ("accepted" if isinstance(verdict, Task) else "rejected")
    ),
    "source": lambda value, task, _: task.transcription.source == value,
    "targets": lambda value, task, _: list(task.targets) == value,
    "transport": lambda value, _, data: transport_of(data) == value,
    "speech": lambda value, task, _: task.has_speech is value,
    "defaults": lambda value, task, _: defaults_of(task, value) == value,
    "diagnostics": lambda value, task, _: set(value) <= task.allowed_messages,
    "warning_expected": lambda value, _, said: any(it in value for it in codes(said, "warning")),
    "error_code": lambda value, _, said: codes(said, "error") == {value},
    "loc": lambda value, errors, _: value in [list(error.loc) for error in errors],
    "msg_contains": lambda value, errors, _: any(value in error.msg for error in errors),
    "also": lambda value, errors, _: all(is_refused(entry, errors) for entry in value),
}
