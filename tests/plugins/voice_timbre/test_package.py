"""The package: its README shows what can be read, and it loads quickly."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import palabra_agent_voice_timbre as package
import pytest

pytestmark = pytest.mark.unit

FOLDER = Path(package.__file__).parent


def test_loading_is_light() -> None:
    """The plugin is imported, and its config checked, without any library that hears."""
    code = (
        "import sys; from palabra_agent_voice_timbre import plugin;"
        "plugin.config_model(detection='local');"
        "print(*sorted({'swift_f0', 'onnxruntime', 'av'} & sys.modules.keys()))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == ""


def test_the_readme_shows_configs_that_can_be_read() -> None:
    """What the README shows of rooms' configs is right."""
    readme = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    shown = [json.loads(it) for it in re.findall(r"```json\n(.*?)```", readme, re.DOTALL)]
    uses = [use for room in shown for use in room["plugins"]]

    assert {use["name"] for use in uses} == {"voice-timbre"}
    for use in uses:
        package.TimbreConfig.model_validate_json(json.dumps(use.get("config", {})))


def test_the_readme_explains_every_key() -> None:
    """Its table has a row for each."""
    readme = (FOLDER.parent / "README.md").read_text(encoding="utf-8")

    assert [
        key for key in package.TimbreConfig.model_fields if f"\n| `{key}` |" not in readme
    ] == []
