"""The distribution: found by its entry point, and built on the public API alone."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import palabra_agent_transcript_export as package
import pytest

from palabra_agent.plugin import ENTRY_POINTS
from tests.plugins.imports import own_imports
from tests.plugins.transcript_export.telling import read, settings

pytestmark = pytest.mark.unit

FOLDER = Path(package.__file__).parent


def shown(language: str) -> str:
    """The first example in the README that is in a language."""
    readme = (FOLDER.parent / "README.md").read_text()
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", readme, re.DOTALL)
    return found[0]


def test_it_is_found_by_its_entry_point() -> None:
    """Room configs call it `transcript-export`."""
    (found,) = entry_points(group=ENTRY_POINTS, name="transcript-export")
    assert found.load() is package.plugin


def test_it_imports_the_public_api_alone() -> None:
    """Of palabra-agent it knows what every stranger knows."""
    assert own_imports(FOLDER) == {"palabra_agent.plugin"}


def test_the_readme_shows_what_can_be_read() -> None:
    """The examples of a room's config and of the worker's settings are right."""
    (use,) = json.loads(shown("json"))["plugins"]
    assert use["name"] == "transcript-export"
    assert read(use["config"]).names is True

    said = tomllib.loads(shown("toml"))["plugins"]["transcript-export"]
    directory = Path(said.pop("directory"))
    assert settings(directory, **said).directory == directory


def test_types_are_shipped() -> None:
    """Whoever imports the package gets its types."""
    assert (FOLDER / "py.typed").is_file()
