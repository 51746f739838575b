"""Where a livekit-server comes from: PATH, else the cache, else Go builds the pinned version.

This module alone knows that version, the cache's place, and how `go install` is watched. A build
happens in a temporary folder and is moved into the cache as a whole, so that a build that is
interrupted leaves nothing half. Run as a program it makes sure that a binary is there.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, TypeAlias

from palabra_agent.errors import SetupError

LIVEKIT_VERSION: Final = "1.13.5"
"""Later ones cannot be built by `go install`, and the module proxy has no earlier ones."""

Progress: TypeAlias = Callable[[str], None]
"""Told a short sentence whenever there is something new to say."""

_PACKAGE: Final = f"github.com/livekit/livekit-server/cmd/server@v{LIVEKIT_VERSION}"
_GO_NEEDED: Final = (1, 26)
_LAST_LINES: Final = 8

_HOW_TO_GET_ONE: Final = (
    f"put a livekit-server {LIVEKIT_VERSION} on PATH (github.com/livekit/livekit/releases),\n"
    f"or install Go {_GO_NEEDED[0]}.{_GO_NEEDED[1]} or newer (go.dev/dl) and run this again:"
    " it is then built here, once, in about two minutes"
)


def find_livekit_server() -> Path | None:
    """The binary on PATH, else the one in the cache, else none."""
    on_path = shutil.which("livekit-server")
    if on_path is not None:
        return Path(on_path)

    cached = cached_livekit_server()
    return cached if os.access(cached, os.X_OK) else None


def cached_livekit_server() -> Path:
    """Where a built binary is kept, whether it is there or not."""
    return cache_folder() / f"livekit-server-{LIVEKIT_VERSION}"


def cache_folder() -> Path:
    """Where this project keeps what takes long to make, whether it is there or not."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "palabra-agent"


def ensure_livekit_server(progress: Progress) -> Path:
    """The binary that there is, else one that is built now.

    Raises:
        SetupError: There is none and it cannot be built; says how to get one.
    """
    return find_livekit_server() or build_livekit_server(progress)


def build_livekit_server(progress: Progress) -> Path:
    """Build the pinned version into the cache. Blocks for about two minutes.

    Raises:
        SetupError: Go is missing, too old, or fails; says how to get a binary otherwise.
    """
    _require_go()

    target = cached_livekit_server()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # beside the target: a rename is only whole within one file system
        folder = tempfile.mkdtemp(prefix="build-", dir=target.parent)
    except OSError as error:
        raise SetupError(f"{target.parent} cannot be written: {error.strerror}") from None

    try:
        _install(Path(folder), progress)
        (Path(folder) / "server").replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    return target


def parse_go_version(words: str) -> tuple[int, int] | None:
    """The version in what `go version` says: `go version go1.26.8 linux/amd64` is (1, 26)."""
    found = re.search(r"\bgo(\d+)\.(\d+)", words)
    return (int(found[1]), int(found[2])) if found else None


def _require_go() -> None:
    why = f"livekit-server {LIVEKIT_VERSION} is not on this machine, and cannot be built:"
    try:
        said = subprocess.run(
            ["go", "version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError):
        raise SetupError(f"{why} Go is missing.\n{_HOW_TO_GET_ONE}") from None

    version = parse_go_version(said)
    if version is None or version < _GO_NEEDED:
        raise SetupError(f"{why} Go is too old ({said.strip()}).\n{_HOW_TO_GET_ONE}")


def _install(folder: Path, progress: Progress) -> None:
    """Run `go install` into a folder; its whole process group ends when this does."""
    building = subprocess.Popen(
        ["go", "install", "-v", _PACKAGE],
        cwd=folder,
        env={**os.environ, "GOBIN": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    try:
        assert building.stderr is not None
        last_lines = _watch(building.stderr, progress)
        code = building.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(building.pid, signal.SIGKILL)
        building.wait()

    if code != 0 or not (folder / "server").exists():
        said = "\n".join(f"  {line}" for line in last_lines)
        raise SetupError(
            f"building livekit-server failed (go install, exit code {code}):\n{said}\n"
            f"Run it again when the reason is gone, or {_HOW_TO_GET_ONE}"
        )


def _watch(lines: IO[str], progress: Progress) -> list[str]:
    """Tell how far a build is until it has no more to say; return its last lines."""
    started = time.monotonic()
    downloaded = compiled = 0
    last: deque[str] = deque(maxlen=_LAST_LINES)

    for line in lines:
        last.append(line.rstrip())
        if line.startswith("go: downloading"):
            downloaded += 1
        else:
            compiled += 1
        seconds = time.monotonic() - started
        progress(f"{downloaded} modules downloaded, {compiled} packages built, {seconds:.0f} s")

    return list(last)


def print_progress(title: str) -> Progress:
    """A progress line that rewrites itself on a terminal, and comes every 15 s elsewhere."""
    on_terminal = sys.stderr.isatty()
    told = 0.0

    def tell(words: str) -> None:
        nonlocal told
        if on_terminal:
            sys.stderr.write(f"\r{title}: {words}\033[K")
        elif time.monotonic() - told >= 15:
            told = time.monotonic()
            sys.stderr.write(f"{title}: {words}\n")
        sys.stderr.flush()

    return tell


def main() -> None:
    """Make sure that a livekit-server is there; the last step of `make setup`."""
    found = find_livekit_server()
    try:
        path = found or build_livekit_server(
            print_progress(f"    building livekit-server {LIVEKIT_VERSION} (once, about 2 minutes)")
        )
    except SetupError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: nothing half-built was left")

    if found is None and sys.stderr.isatty():
        sys.stderr.write("\n")
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
