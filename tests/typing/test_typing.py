"""A wrong plugin is rejected in its author's editor: by mypy and by pyright, both strict.

The files in `accepted` and `rejected` are checked and never run; what the pages show as Python must
be accepted, too. A line that must be rejected says
`# error: KIND`, a kind of `KINDS`, and names one checker where the other cannot know.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from tests.clock import HANG_SECONDS
from tests.pages import ROOT, Page

pytestmark = pytest.mark.unit

HERE: Final = Path(__file__).parent
FOLDERS: Final = ("accepted", "rejected")
SHOWING_PYTHON: Final = (Page(ROOT / "README.md"), Page(ROOT / "docs" / "plugins.md"))
EXPECTATION: Final = re.compile(r"# error: ([\w-]+)(?:, (mypy|pyright) alone)?$")
KINDS: Final = {
    "override": {"override", "reportIncompatibleMethodOverride"},
    "abstract": {"abstract", "reportAbstractUsage"},
    "recipe": {"arg-type", "type-var", "call-overload", "reportArgumentType", "reportCallIssue"},
    "argument": {"arg-type", "call-arg", "reportArgumentType", "reportCallIssue"},
    "answer": {"list-item", "return-value", "reportReturnType"},
    "attribute": {"attr-defined", "reportAttributeAccessIssue"},
    "none": {"union-attr", "reportOptionalMemberAccess"},
    "read-only": {"misc", "index", "reportAttributeAccessIssue", "reportIndexIssue"},
}
"""What a checker may call each kind of mistake."""


@dataclass(frozen=True, order=True)
class Place:
    """A line of one of the files."""

    file: str
    line: int


Complaints: TypeAlias = dict[str, dict[Place, set[str]]]
"""By checker and line, what it calls them."""


def name_of(file: Path) -> str:
    """How a file is called here: `rejected/recipes.py`."""
    return f"{file.parent.name}/{file.name}"


def run(folder: Path, *words: str) -> str:
    """Run a checker in an author's folder, without any settings of this project's."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG_SECONDS,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def mypy(folder: Path) -> Iterator[tuple[Place, str]]:
    """What mypy complains of."""
    for line in run(folder, "mypy", "--strict", "--output=json", ".").splitlines():
        said: dict[str, Any] = json.loads(line)
        if said["severity"] == "error":
            yield Place(name_of(Path(said["file"])), said["line"]), said["code"]


def pyright(folder: Path) -> Iterator[tuple[Place, str]]:
    """What pyright complains of."""
    settings = {"include": ["."], "typeCheckingMode": "strict"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    report = json.loads(run(folder, "pyright", "--outputjson", "--pythonpath", sys.executable))
    for said in report["generalDiagnostics"]:
        line = said["range"]["start"]["line"] + 1
        yield Place(name_of(Path(said["file"])), line), said["rule"]


CHECKERS: Final = {"mypy": mypy, "pyright": pyright}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> Complaints:
    """Everything that both complain of, by line."""
    author = tmp_path_factory.mktemp("author")
    for name in FOLDERS:
        shutil.copytree(HERE / name, author / name)

    for page in SHOWING_PYTHON:
        for name, code in page.modules().items():
            (author / f"{name}.py").write_text(code, encoding="utf-8")

    found: Complaints = {}
    for checker, check in CHECKERS.items():
        by_place = found.setdefault(checker, {})
        for place, rule in check(author):
            by_place.setdefault(place, set()).add(rule)
    return found


def expected(checker: str) -> dict[Place, str]:
    """The kinds of mistakes that a checker must find, by line."""
    found: dict[Place, str] = {}
    for file in (file for name in FOLDERS for file in (HERE / name).glob("*.py")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            said = EXPECTATION.search(line)
            assert said or "# error" not in line, f"{file.name}:{number} expects nothing known"
            if said and said[2] in {None, checker}:
                found[Place(name_of(file), number)] = said[1]
    return found


@pytest.mark.parametrize("checker", CHECKERS)
def test_what_is_wrong_is_rejected_and_nothing_else(checker: str, complaints: Complaints) -> None:
    """Each checker complains of the lines that say so, for their reason, and of no other line."""
    wanted = expected(checker)
    got = complaints[checker]

    assert sorted(got) == sorted(wanted)
    assert [
        (place, kind, got[place]) for place, kind in wanted.items() if not got[place] & KINDS[kind]
    ] == []


def test_each_kind_of_mistake_is_tried() -> None:
    """No kind is left without a line, and right plugins hold none."""
    assert {kind for checker in CHECKERS for kind in expected(checker).values()} == set(KINDS)
    assert all(place.file.startswith("rejected/") for place in expected("pyright"))
