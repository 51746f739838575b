"""The distribution: found by its entry point, and built on the public API alone."""

from __future__ import annotations

import json
import re
from importlib.metadata import entry_points
from pathlib import Path

import palabra_agent_voice_selection as package
import pytest

from palabra_agent.plugin import ENTRY_POINTS
from tests.plugins.imports import own_imports
from tests.plugins.voice_selection.asking import read

pytestmark = pytest.mark.unit

FOLDER = Path(package.__file__).parent


def test_it_is_found_by_its_entry_point() -> None:
    """Room configs call it `voice-selection`."""
    (found,) = entry_points(group=ENTRY_POINTS, name="voice-selection")
    assert found.load() is package.plugin


def test_it_imports_the_public_api_alone() -> None:
    """Of palabra-agent it knows what every stranger knows."""
    assert own_imports(FOLDER) == {"palabra_agent.plugin"}


def test_the_readme_shows_a_config_that_can_be_read() -> None:
    """What the README shows of a room's config is right."""
    (shown,) = re.findall(
        r"```json\n(.*?)```", (FOLDER.parent / "README.md").read_text(), re.DOTALL
    )
    (use,) = json.loads(shown)["plugins"]
    assert use["name"] == "voice-selection"
    assert len(read(use["config"]).rules) == 4


def test_types_are_shipped() -> None:
    """Whoever imports the package gets its types."""
    assert (FOLDER / "py.typed").is_file()
