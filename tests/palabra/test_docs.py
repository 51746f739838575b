"""The page about Palabra says everything that the code knows."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from palabra_agent.errors import ErrorClass
from palabra_agent.palabra.protocol import commands
from palabra_agent.palabra.protocol.commands import Command
from palabra_agent.palabra.protocol.messages import MESSAGE_TYPES, Message
from palabra_agent.palabra.task.settings import MessageType, TaskSettings

pytestmark = pytest.mark.unit

PAGE = (Path(__file__).parents[2] / "docs" / "palabra.md").read_text(encoding="utf-8")
ROWS = {
    cell: line
    for line in PAGE.splitlines()
    if line.startswith("| `")
    for cell in re.findall(r"`([^`]+)`", line.split("|")[1])
}


def models_in(annotation: object) -> list[type[BaseModel]]:
    """The sections that a field may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in models_in(inner)]


def fields_of(model: type[BaseModel], path: str) -> Iterator[tuple[str, str]]:
    """Every field that holds no further section, with its path and its own words."""
    for name, field in model.model_fields.items():
        sections = models_in(field.annotation)
        is_map = "dict[" in str(field.annotation) and bool(sections)
        here = f"{path}.{name}" + (".*" if is_map else "")
        for section in sections:
            yield from fields_of(section, here)
        if not sections:
            yield here, field.description or ""


FIELDS = dict(fields_of(TaskSettings, "palabra"))


@pytest.mark.parametrize("path", FIELDS)
def test_every_setting_has_a_row(path: str) -> None:
    """A setting stands there by its whole path, and undocumented ones are called so."""
    assert path in ROWS
    is_called_so = "| undocumented |" in ROWS[path]
    assert is_called_so == FIELDS[path].startswith("Undocumented")


def test_every_row_is_a_setting() -> None:
    """No row speaks of a setting that is not there any more."""
    assert {name for name in ROWS if name.startswith("palabra.")} == set(FIELDS)


@pytest.mark.parametrize("message_type", [*MESSAGE_TYPES, *get_args(MessageType)])
def test_every_message_has_a_row(message_type: str) -> None:
    """What is read, and what can be asked for, stands there with the class that it is read into."""
    read_into = re.findall(r"`(\w+)`", ROWS[message_type].split("|")[2])

    assert read_into
    assert set(read_into) <= {it.__name__ for it in get_args(Message)}


def test_every_command_has_a_row() -> None:
    """What we can say to Palabra stands there."""
    functions: dict[str, Any] = dict(inspect.getmembers(commands, inspect.isfunction))
    said = {
        name
        for name, function in functions.items()
        if function.__annotations__.get("return") in {"Command", Command}
    }

    assert said >= {"set_task", "input_audio_data"}
    assert said - ROWS.keys() == set()


@pytest.mark.parametrize("error_class", ErrorClass)
def test_every_error_class_has_a_row(error_class: ErrorClass) -> None:
    """What a failure of the session API may mean stands there."""
    assert error_class in ROWS
