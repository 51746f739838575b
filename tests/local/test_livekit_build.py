"""Finding livekit-server, and building it: every way to have none is a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from palabra_agent.local.livekit_build import LIVEKIT_VERSION, parse_go_version

pytestmark = pytest.mark.unit


def _program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _run(tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Look for livekit-server where PATH is `bin` and the cache is `cache`."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "palabra_agent.local.livekit_build"],
        env={
            "PATH": f"{tmp_path / 'bin'}",
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_path_wins_over_the_cache(tmp_path: Path) -> None:
    """A livekit-server that is installed already is the one that runs."""
    cached = tmp_path / "cache" / "palabra-agent" / f"livekit-server-{LIVEKIT_VERSION}"
    _program(cached, "true")
    assert _run(tmp_path).stdout == f"{cached}\n"

    _program(tmp_path / "bin" / "livekit-server", "true")
    assert _run(tmp_path).stdout == f"{tmp_path / 'bin' / 'livekit-server'}\n"


def test_a_build_lands_in_the_cache_as_a_whole(tmp_path: Path) -> None:
    """`go install` of the pinned version goes to a folder aside, which leaves nothing behind."""
    _program(
        tmp_path / "bin" / "go",
        'case $1 in version) echo "go version go1.26.8 linux/amd64";;'
        ' *) echo "$*" >&2; echo "#!$*" > "$GOBIN/server"; /bin/chmod +x "$GOBIN/server";; esac',
    )
    ran = _run(tmp_path)

    cached = Path(ran.stdout.strip())
    assert ran.returncode == 0
    assert os.access(cached, os.X_OK)
    assert f"livekit-server/cmd/server@v{LIVEKIT_VERSION}" in cached.read_text()
    assert list(cached.parent.iterdir()) == [cached]


def test_a_failed_build_tells_the_compiler_s_last_words(tmp_path: Path) -> None:
    """The reason that Go gave is shown, the way out too, and nothing is left in the cache."""
    _program(
        tmp_path / "bin" / "go",
        'case $1 in version) echo "go version go1.26.8 linux/amd64";;'
        " *) echo 'no route to the module proxy' >&2; exit 1;; esac",
    )
    ran = _run(tmp_path)

    assert ran.returncode == 1
    assert "no route to the module proxy" in ran.stderr
    assert "put a livekit-server" in ran.stderr
    assert list((tmp_path / "cache" / "palabra-agent").iterdir()) == []


@pytest.mark.parametrize(
    ("go", "sentence"),
    [
        (None, "Go is missing"),
        ("echo go version go1.22.1 linux/amd64", "Go is too old (go version go1.22.1"),
        ("echo something else", "Go is too old"),
        ("exit 1", "Go is missing"),
    ],
)
def test_a_machine_without_a_fit_go_is_told_how_to_get_one(
    tmp_path: Path, go: str | None, sentence: str
) -> None:
    """No Go, an old Go and a Go that does not run each end with three lines of help."""
    if go is not None:
        _program(tmp_path / "bin" / "go", go)
    ran = _run(tmp_path)

    assert ran.returncode == 1
    assert sentence in ran.stderr
    assert "put a livekit-server" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_go_versions_are_read() -> None:
    """Releases and candidates are understood, other words are not."""
    assert parse_go_version("go version go1.26.8 linux/amd64") == (1, 26)
    assert parse_go_version("go version go1.27rc1 darwin/arm64") == (1, 27)
    assert parse_go_version("gopher") is None
