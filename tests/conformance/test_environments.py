"""An SDK's environment: found by what is in it, never half, and missed in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from palabra_agent.errors import SetupError

from .environments import NEW, OLD, Sdk, install, installed_python

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache that is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_each_sdk_has_a_place_of_its_own(cache: Path) -> None:
    """The two never share an environment, and both are in the cache."""
    assert OLD.folder != NEW.folder
    assert OLD.folder.is_relative_to(cache)
    assert NEW.folder.is_relative_to(cache)


def test_a_missing_environment_is_told_with_the_way_to_it() -> None:
    """The sentence says what to run before these tests."""
    with pytest.raises(SetupError, match=r"2\.2\.1 is not installed.*make test"):
        installed_python(NEW)


def test_an_unsuitable_python_is_refused_before_anything_is_made(cache: Path) -> None:
    """An SDK that does not want this Python says so, and leaves no folder."""
    with pytest.raises(SetupError, match=r"wants a Python below 3\.0.*make test PYTHON="):
        install(replace(OLD, below_python=(3, 0)))

    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("sdk", [OLD, NEW], ids=lambda sdk: sdk.name)
def test_a_lock_pins_the_sdk_and_hashes_everything(sdk: Sdk) -> None:
    """Names, versions and hashes: nothing else decides what is installed, no index is named."""
    lines = sdk.lock.read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if line and line[0].isalnum()]

    assert any(line.startswith(f"palabra-ai=={sdk.version} ") for line in packages)
    assert all("==" in line and line.endswith("\\") for line in packages)
    assert not any("://" in line or line.startswith("--") for line in lines)
