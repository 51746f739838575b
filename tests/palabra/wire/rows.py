"""Rows of recorded wire data: the project's own, and those of a folder that the environment names.

Both have the same form. Ours are of our own making, one or more of each kind; the other ones are
what others have recorded or documented, and this project holds no copy of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

VARIABLE: Final = "PALABRA_WIRE"
"""Names the folder of recorded rows; where it is not set they are left out."""
FILES: Final = ("frames", "rest", "set_task")
OWN: Final = Path(__file__).parent.parent / "fixtures"

Json: TypeAlias = dict[str, Any]

_TOLD: Final = frozenset({"note", "single_source", "policy", "close_after_s"})
"""Keys of an expectation that explain it, or speak of the server alone: nothing to compare."""

FoundT = TypeVar("FoundT")

Rule: TypeAlias = Callable[[Any, FoundT, Mapping[str, Any]], bool]
"""Compares what a key expects with what was found; is given the other keys, too."""


def differences(
    expected: Mapping[str, Any], found: FoundT, rules: Mapping[str, Rule[FoundT]]
) -> list[str]:
    """Where something is not as expected; a key that no rule compares is a difference."""
    wrong: list[str] = []
    for key in sorted(expected.keys() - _TOLD):
        rule = rules.get(key)
        if rule is None:
            wrong.append(f"no rule compares {key!r}")
        elif not rule(expected[key], found, expected):
            wrong.append(f"{key}: expected {expected[key]!r}, came to {found}")

    return wrong


@dataclass(frozen=True)
class Row:
    """One line of a file."""

    name: str
    """Where it is from and its id."""
    facts: Json

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        """Take a key that every row has."""
        return self.facts[key]

    def get(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        """Take a key that some rows have; None where it is not there."""
        return self.facts.get(key)

    @property
    def alternatives(self) -> list[Json]:
        """The outcomes that are right; one of them has to hold."""
        expected: Json = self["expect"]
        others: list[Json] = expected.get("any_of", [])
        common = {key: value for key, value in expected.items() if key != "any_of"}
        # what stands beside the alternatives they have in common, but for what they say themselves
        return [{**common, **other} for other in others] or [common]


def recorded() -> Path | None:
    """The folder of recorded rows, if any is named."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def folder_line() -> str:
    """Say what becomes of the recorded rows."""
    folder = recorded()
    if folder is None:
        return f"recorded wire data: left out, since {VARIABLE} names no folder"

    counts = ", ".join(f"{len(_read(folder, file))} {file}" for file in FILES)
    return f"recorded wire data: {counts}" if folder.is_dir() else "recorded wire data: MISSING"


def rows(file: str) -> list[Row]:
    """All rows of one kind."""
    folders = [("own", OWN), ("wire", recorded())]
    return [
        Row(f"{origin}-{facts['id']}", facts)
        for origin, folder in folders
        if folder is not None
        for facts in _read(folder, file)
    ]


def _read(folder: Path, file: str) -> list[Json]:
    path = folder / f"{file}.jsonl"
    if not path.is_file():
        return []

    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
