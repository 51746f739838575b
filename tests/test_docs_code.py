"""The plugins that the pages show are plugins: small, and they do what is said of them."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from palabra_agent.plugin import FixedVoice, Plugin
from palabra_agent.testing import Entry, simulated_room, without_waiting
from tests.pages import ROOT, Page

pytestmark = pytest.mark.unit

README: Final = Page(ROOT / "README.md")
PLUGINS_PAGE: Final = Page(ROOT / "docs" / "plugins.md")
MOST_LINES: Final = 20
"""Of a whole plugin with one capability."""


@pytest.fixture(scope="module", autouse=True)
def author(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Somebody's folder with all of this code, from which it can be imported."""
    folder = tmp_path_factory.mktemp("author")
    for page in (README, PLUGINS_PAGE):
        for name, code in page.modules().items():
            (folder / f"{name}.py").write_text(code, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield folder


def shown_tests(module: ModuleType) -> dict[str, Any]:
    """The tests in a module."""
    return {
        name: test
        for name, test in inspect.getmembers(module, inspect.isfunction)
        if name.startswith("test_")
    }


def test_the_readme_has_a_plugin_of_a_few_lines() -> None:
    """A whole plugin with one capability has at most 20 lines."""
    (code,) = README.modules().values()

    assert len(code.splitlines()) <= MOST_LINES


@without_waiting
async def test_the_plugin_in_the_readme_does_what_it_says() -> None:
    """With the config that stands beside it, it chooses the voice in one language, and no other."""
    (name,) = README.modules()
    plugin: Plugin[Any, Any] = import_module(name).plugin
    said = re.search(r'`({"plugins": .*"voice-by-language".*})`', README.text)
    assert said is not None
    (use,) = json.loads(said[1])["plugins"]

    async with simulated_room(Entry(plugin, use["config"], name=use["name"])) as room:
        room.join("alice", source_language="en")
        verdict = await room.explain("alice", "es")

        assert (verdict.choice, verdict.chosen_by) == (FixedVoice("default_high"), use["name"])
        assert await room.voice_of("alice", "de") is None

    assert room.failures == []


def test_the_tests_on_the_page_for_authors_succeed() -> None:
    """Its plugin passes the tests that it shows."""
    tests = shown_tests(import_module("test_plugins"))

    assert len(tests) > 1
    for test in tests.values():
        test()


def test_every_way_to_move_a_room_is_told() -> None:
    """The page names all that `palabra_agent.testing` offers for a room."""
    from palabra_agent.testing import SimulatedRoom

    told = set(re.findall(r"`(\w+)`", PLUGINS_PAGE.section("Testing")))
    offered = {name for name in vars(SimulatedRoom) if not name.startswith("_")}

    assert offered - {"run"} <= told
