"""The package: its README shows what can be read."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import palabra_agent_transcript_export as package
import pytest

from tests.plugins.transcript_export.telling import read, settings

pytestmark = pytest.mark.unit

FOLDER = Path(package.__file__).parent


def shown(language: str) -> str:
    """The first example in the README that is in a language."""
    readme = (FOLDER.parent / "README.md").read_text()
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", readme, re.DOTALL)
    return found[0]


def test_the_readme_shows_what_can_be_read() -> None:
    """The examples of a room's config and of the worker's settings are right."""
    (use,) = json.loads(shown("json"))["plugins"]
    assert use["name"] == "transcript-export"
    assert read(use["config"]).names is True

    said = tomllib.loads(shown("toml"))["plugins"]["transcript-export"]
    directory = Path(said.pop("directory"))
    assert settings(directory, **said).directory == directory
