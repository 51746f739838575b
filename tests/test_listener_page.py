"""The listener's page as it is committed: built from its sources, which hold what they promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from palabra_agent.local.listener_page import PAGE
from tests.node import LISTENER_PAGE, LIVEKIT_HOOKS, node, tool

pytestmark = pytest.mark.unit


def files_of(folder: Path) -> dict[str, bytes]:
    """All files in a folder, by their names within it."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


def test_the_page_that_is_served_is_the_one_of_its_sources(tmp_path: Path) -> None:
    """A fresh build gives the committed files, byte for byte: `npm run build` writes them."""
    tool(LISTENER_PAGE, "vite", "build", "--outDir", tmp_path, "--emptyOutDir")

    assert files_of(tmp_path) == files_of(PAGE)


def test_its_rules_hold() -> None:
    """Captions, volumes and the contract, by the tests of the page's own."""
    said = node(LISTENER_PAGE, "--test", "tests/*.test.ts")

    assert "fail 0" in said


@pytest.mark.parametrize("folder", [LISTENER_PAGE, LIVEKIT_HOOKS], ids=lambda it: it.name)
def test_its_types_hold(folder: Path) -> None:
    """TypeScript finds nothing."""
    assert tool(folder, "tsc", "--noEmit") == ""


@pytest.mark.parametrize("folder", [LISTENER_PAGE, LIVEKIT_HOOKS], ids=lambda it: it.name)
def test_its_lock_names_no_place_from_which_packages_come(folder: Path) -> None:
    """Packages are found where each user's npm finds them, and proven by their hashes."""
    lock = (folder / "package-lock.json").read_text(encoding="utf-8")

    assert "resolved" not in lock
    assert '"integrity": "sha512-' in lock
