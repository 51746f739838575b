"""Recorded and documented `set_task` payloads: judged by the emulator, and said with our settings.

As in `test_wire`, the rows are the project's own and those of the folder that `PALABRA_WIRE` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from palabra_emulator.session.task import Task
from palabra_emulator.session.validator import FieldError

from .wire.emulated import EmulatedTalk, judged, transport_of
from .wire.rows import Json, Row, Rule, differences, rows
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
    said = EmulatedTalk(transport_of(data), is_strict=is_strict).set_task(data)
    judgement = Judgement(data, judged(data, is_strict=is_strict), said)
    wrong = [differences(expected, judgement, RULES) for expected in row.alternatives]

    assert [] in wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("row", ACCEPTED, ids=name_of)
def test_our_settings_say_a_task(row: Row) -> None:
    """Whatever a client sent and Palabra accepted can be said in a room config, field by field."""
    data: Json = row["message"]["data"]

    assert lost(data, rebuilt(data)) == []


@dataclass(frozen=True)
class Judgement:
    """What the emulator makes of a task, and says of it."""

    data: Json
    verdict: Any
    """A `Task`, or its errors."""
    said: list[Json]

    def codes(self, kind: str) -> set[str]:
        """The codes of the errors or the warnings that the task was answered with."""
        return {it["code"] for it in self.said if it["kind"] == kind}


def is_refused(entry: Mapping[str, Any], verdict: Task | tuple[FieldError, ...]) -> bool:
    """Whether an entry with this place and these words is among the errors."""
    errors = () if isinstance(verdict, Task) else verdict
    return any(
        list(error.loc) == entry["loc"] and entry["msg_contains"] in error.msg for error in errors
    )


def is_the_entry(value: object, it: Judgement, expected: Mapping[str, Any]) -> bool:
    """Whether place and words, which together are one entry, are among the errors."""
    return is_refused(expected, it.verdict)


def defaults_of(task: Task, names: Mapping[str, Any]) -> Json:
    """The task's defaults, wherever in it they stand."""
    pipeline: Any = task.full["pipeline"]
    found = {**pipeline["transcription"], **pipeline}
    return {name: found[name] for name in names}


RULES: Mapping[str, Rule[Judgement]] = {
    "kind": lambda value, it, _: (
        value == ("accepted" if isinstance(it.verdict, Task) else "rejected")
    ),
    "source": lambda value, it, _: it.verdict.transcription.source == value,
    "targets": lambda value, it, _: list(it.verdict.targets) == value,
    "transport": lambda value, it, _: transport_of(it.data) == value,
    "speech": lambda value, it, _: it.verdict.has_speech is value,
    "defaults": lambda value, it, _: defaults_of(it.verdict, value) == value,
    "diagnostics": lambda value, it, _: set(value) <= it.verdict.allowed_messages,
    "warning_expected": lambda value, it, _: any(code in value for code in it.codes("warning")),
    "error_code": lambda value, it, _: it.codes("error") == {value},
    "loc": is_the_entry,
    "msg_contains": is_the_entry,
    "also": lambda value, it, _: all(is_refused(entry, it.verdict) for entry in value),
}
