"""Where Palabra's own SDKs run: a virtual environment for each, with the versions that it wants.

This module alone knows the lock files, the place of the environments in the cache, and how one is
made: in a temporary folder, moved into place as a whole, so that an interrupted installation
leaves nothing half. The name holds a hash of all that decides the content; an environment with
that name is complete and is used as it is. Run as a program it makes sure that all are there: that
is a step of `make test` of its own, because tests run where no package index can be reached.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from palabra_agent.errors import SetupError
from palabra_agent.local.livekit_build import cache_folder

_LOCKS: Final = Path(__file__).with_name("locks")
_HASH_LENGTH: Final = 12
_LAST_LINES: Final = 8
_HOW_TO_INSTALL: Final = (
    "`make test` does it, or: .venv/bin/python -m tests.conformance.environments"
)


@dataclass(frozen=True, slots=True)
class Sdk:
    """One of Palabra's published SDKs."""

    name: str
    """Of its lock file."""
    version: str
    below_python: tuple[int, int] | None
    """The first Python that it does not want, if it says one."""
    takes: str
    """How long the installation takes, in words."""

    @property
    def lock(self) -> Path:
        """The exact versions of it and of all that it needs."""
        return _LOCKS / f"{self.name}.lock"

    @property
    def folder(self) -> Path:
        """Its environment's place in the cache, whether it is there or not."""
        place = f"{Path(sys.base_prefix).resolve()} {sys.version}"
        content = hashlib.sha256(self.lock.read_bytes() + place.encode()).hexdigest()
        return cache_folder() / "conformance" / f"{self.name}-{content[:_HASH_LENGTH]}"

    @property
    def is_installed(self) -> bool:
        """Whether its environment is there and its Python still starts."""
        python = python_in(self.folder)
        return os.access(python, os.X_OK)


OLD: Final = Sdk("palabra-ai-0.6", "0.6.11", (3, 14), "about a minute")
"""The last line that speaks WebRTC."""

NEW: Final = Sdk("palabra-ai-2", "2.2.1", None, "some seconds")
"""The current one, which speaks WebSocket only."""


def python_in(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / "bin" / "python"


def installed_python(sdk: Sdk) -> Path:
    """The interpreter with which an SDK runs.

    Raises:
        SetupError: It is not installed; says how to install it.
    """
    if not sdk.is_installed:
        raise SetupError(f"palabra-ai {sdk.version} is not installed. {_HOW_TO_INSTALL}")

    return python_in(sdk.folder)


def install(sdk: Sdk) -> None:
    """Make an SDK's environment. Blocks until pip has ended.

    Raises:
        SetupError: The Python is too new for it, or pip fails; says why.
    """
    if sdk.below_python and sys.version_info[:2] >= sdk.below_python:
        wanted = ".".join(map(str, sdk.below_python))
        raise SetupError(
            f"palabra-ai {sdk.version} wants a Python below {wanted}, and this is"
            f" {sys.version_info.major}.{sys.version_info.minor}."
            " Name another: make test PYTHON=/path/to/python3"
        )

    target = sdk.folder
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # beside the target: a rename is only whole within one file system
        folder = Path(tempfile.mkdtemp(prefix="install-", dir=target.parent))
    except OSError as error:
        raise SetupError(f"{target.parent} cannot be written: {error.strerror}") from None

    try:
        venv.create(folder, clear=True, symlinks=True, with_pip=False)
        _run_pip(sdk, folder)
        _move(folder, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_pip(sdk: Sdk, folder: Path) -> None:
    """Let this environment's pip install into the other one, nothing but what the lock names."""
    command = [sys.executable, "-m", "pip", "--python", str(python_in(folder)), "install"]
    options = ["--quiet", "--disable-pip-version-check", "--progress-bar", "off", "--no-deps"]
    done = subprocess.run(
        [*command, *options, "--require-hashes", "--requirement", str(sdk.lock)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        words = "\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-_LAST_LINES:])
        raise SetupError(
            f"palabra-ai {sdk.version} could not be installed (pip, exit code"
            f" {done.returncode}):\n{words}\n"
            "Most often the network is the reason: run it again when the package index can be"
            " reached."
        )


def _move(folder: Path, target: Path) -> None:
    """Put a finished environment in its place, unless another process was faster."""
    shutil.rmtree(target, ignore_errors=True)
    try:
        folder.rename(target)
    except OSError:
        if not python_in(target).exists():
            raise


def main() -> None:
    """Make sure that every SDK's environment is there; a step of `make test`."""
    for sdk in (OLD, NEW):
        if sdk.is_installed:
            continue

        began = time.monotonic()
        _say(f"==> installing palabra-ai {sdk.version} for the conformance tests ({sdk.takes})")
        try:
            install(sdk)
        except SetupError as error:
            sys.exit(str(error))
        except KeyboardInterrupt:
            sys.exit("\ninterrupted: nothing half-installed was left")
        _say(f"    {sdk.folder} ({time.monotonic() - began:.0f} s)")


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
