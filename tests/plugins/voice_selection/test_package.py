"""The package: its README shows what can be read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import palabra_agent_voice_selection as package
import pytest

from tests.plugins.voice_selection.asking import read

pytestmark = pytest.mark.unit

FOLDER = Path(package.__file__).parent


def test_the_readme_shows_a_config_that_can_be_read() -> None:
    """What the README shows of a room's config is right."""
    (shown,) = re.findall(
        r"```json\n(.*?)```", (FOLDER.parent / "README.md").read_text(), re.DOTALL
    )
    (use,) = json.loads(shown)["plugins"]
    assert use["name"] == "voice-selection"
    assert len(read(use["config"]).rules) == 4
