"""Our plugins as distributions: found by their names, typed, and strangers to the host."""

from __future__ import annotations

import ast
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import palabra_agent_transcript_export
import palabra_agent_voice_selection
import palabra_agent_voice_timbre
import pytest

from palabra_agent.plugin import ENTRY_POINTS

pytestmark = [
    pytest.mark.unit,
    pytest.mark.parametrize(
        ("name", "package"),
        [
            ("transcript-export", palabra_agent_transcript_export),
            ("voice-selection", palabra_agent_voice_selection),
            ("voice-timbre", palabra_agent_voice_timbre),
        ],
    ),
]


def folder_of(package: ModuleType) -> Path:
    """The folder of a package's modules."""
    assert package.__file__ is not None
    return Path(package.__file__).parent


def test_it_is_found_by_its_entry_point(name: str, package: ModuleType) -> None:
    """Room configs call it so."""
    (found,) = entry_points(group=ENTRY_POINTS, name=name)

    assert found.load() is package.plugin


def test_it_imports_the_public_api_alone(name: str, package: ModuleType) -> None:
    """Of palabra-agent it knows what every stranger knows."""
    trees = [ast.parse(it.read_text(encoding="utf-8")) for it in folder_of(package).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {alias.name for it in nodes if isinstance(it, ast.Import) for alias in it.names}
    imported |= {it.module or "" for it in nodes if isinstance(it, ast.ImportFrom)}

    ours = {it for it in imported if it.partition(".")[0] == "palabra_agent"}
    assert ours == {"palabra_agent.plugin"}, name


def test_types_are_shipped(name: str, package: ModuleType) -> None:
    """Whoever imports the package gets its types."""
    assert (folder_of(package) / "py.typed").is_file(), name
