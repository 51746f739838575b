"""The shared fixtures: what they let pass and what they fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

_SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
markers =
    unit:
    livekit:
"""

_TESTS = """
import asyncio
import pytest

unit = pytest.mark.unit

@unit
async def test_tidy():
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0))

@unit
async def test_ends_soon():
    test_ends_soon.task = asyncio.create_task(asyncio.sleep(0.01))

@unit
async def test_leaks():
    test_leaks.task = asyncio.create_task(asyncio.sleep(60), name="forgotten")

@pytest.mark.asyncio(loop_scope="module")
@unit
async def test_leaks_in_a_shared_loop():
    test_leaks.task = asyncio.create_task(asyncio.sleep(60), name="forgotten-too")

@unit
def test_plain():
    pass

def test_says_no_category():
    pass

@pytest.mark.livekit
def test_needs_a_namespace():
    pass
"""


def test_each_mistake_is_failed_and_named(tmp_path: Path) -> None:
    """A leaked task, a missing category and a shared network each fail their test, in words."""
    here = Path(__file__)
    shutil.copy(here.parents[1] / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text(_SETTINGS)
    (tmp_path / "test_inner.py").write_text(_TESTS)

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200"},
    )

    passed = {line.split("::")[1] for line in ran.stdout.splitlines() if line.startswith("PASSED")}
    assert passed == {
        "test_tidy",
        "test_ends_soon",
        "test_leaks",  # passed, and then its check failed: an error of the same test
        "test_leaks_in_a_shared_loop",
        "test_plain",
    }
    assert "tasks left running: ['forgotten']" in ran.stdout
    assert "tasks left running: ['forgotten-too']" in ran.stdout
    assert "this module says no category" in ran.stdout
    assert "use `make test`" in ran.stdout
    assert "5 passed, 4 errors" in ran.stdout
