"""What the pages say is true: their code runs, their configs are valid, nothing is left out."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections import Counter
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Final

import pytest

from palabra_agent import voices
from palabra_agent.config.room import RoomConfig, parse_room_config
from palabra_agent.config.settings import DEFAULT_IDENTITY, load_settings
from palabra_agent.errors import Phase
from palabra_agent.interpretation import utterance_versions
from palabra_agent.meeting import attributes, people
from palabra_agent.plugin import CAPABILITIES, ENTRY_POINTS
from palabra_agent.plugins_host.catalog import PluginCatalog, load_plugins
from scripts.reference.page import PAGE, text
from scripts.reference.tables import anchor
from tests.environment import environment
from tests.pages import ROOT, Code, Page
from tests.problems import refused

pytestmark = pytest.mark.unit

PAGES: Final = [
    Page(path)
    for pattern in ("*.md", "docs/*.md", "plugins/**/*.md", "examples/**/*.md", "tests/**/*.md")
    for path in sorted(ROOT.glob(pattern))
    if "node_modules" not in path.parts
]
README: Final = Page(ROOT / "README.md")
PLUGINS_PAGE: Final = Page(ROOT / "docs" / "plugins.md")
CONFIGURATION: Final = Page(PAGE)
SECURITY: Final = Page(ROOT / "docs" / "security.md")
SHOWN: Final = "voice-by-language"
"""The plugin in the README, which test_docs_code.py tries."""

TESTS: Final = {
    str(Phase.LOAD): (
        "plugins_host/test_loading.py::test_one_that_fails_to_load_is_recorded",
        "plugins_host/test_loading.py::test_one_that_hangs_on_import_is_given_up",
    ),
    str(Phase.CONFIGURE): (
        "plugins_host/test_configuring.py::test_each_mistake_is_told_in_words",
        "plugins_host/test_loading.py::test_one_that_breaks_at_its_config_is_a_mistake_of_that_entry",
        "plugins_host/test_loading.py::test_one_that_hangs_at_its_config_is_given_up_once",
    ),
    str(Phase.OPEN): (
        "plugins_host/test_open_plugin.py::test_one_that_does_not_open_is_passed_over",
        "plugins_host/test_open_plugin.py::test_one_that_breaks_while_it_is_open_is_passed_over",
    ),
    str(Phase.CALL): (
        "plugins_host/test_chain.py::test_whatever_is_raised_is_passed_over",
        "plugins_host/test_chain.py::test_one_that_hangs_delays_once",
        "capabilities/test_voice.py::test_what_is_no_voice_is_refused_in_words",
        "integration/test_voices.py::test_a_broken_plugin_changes_nothing_else",
    ),
    str(Phase.CLOSE): (
        "plugins_host/test_chain_closing.py::test_one_that_closes_badly_harms_nobody",
        "plugins_host/test_chain_closing.py::test_twenty_that_hang_take_no_longer_than_one",
    ),
    "VoicePolicy": (
        "plugins_host/test_chain.py::test_the_first_voice_wins",
        "integration/test_voices.py::test_two_speakers_sound_different",
    ),
    "TranscriptListener": (
        "plugins_host/test_chain_telling.py::test_listeners_are_told_in_order",
        "plugins_host/test_chain_telling.py::test_a_listener_that_raises_is_told_on",
        "integration/test_voices.py::test_a_transcript_is_on_disk_while_the_meeting_goes_on",
    ),
    "TimbreEstimator": (
        "plugins_host/test_chain.py::test_the_first_estimate_wins",
        "integration/test_voices.py::test_the_timbre_may_be_heard_here",
    ),
}
"""By phase and capability: the tests that break a plugin there, or use it."""

LEAST_WORDS: Final = 40
"""Of a paragraph that says what must be known."""
VARIABLE: Final = re.compile(r"(LIVEKIT|PALABRA)_[A-Z0-9_]+")
"""How the variables are called that people set."""
READ_IN: Final = "config/settings.py"
"""The module that reads them."""


def projects() -> list[dict[str, Any]]:
    """What the plugins' distributions say of themselves, a stranger's included."""
    return [
        tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        for folder in ("plugins", "examples")
        for file in sorted(ROOT.glob(f"{folder}/*/pyproject.toml"))
    ]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> PluginCatalog:
    """The plugins that the pages speak of, whatever else is installed."""
    folder = str(tmp_path_factory.mktemp("transcripts"))
    return load_plugins(
        {"transcript-export": {"directory": folder}},
        entry_points=[
            EntryPoint(name, value, ENTRY_POINTS)
            for project in projects()
            for name, value in project["entry-points"][ENTRY_POINTS].items()
        ],
    )


def code_in(language: str) -> list[Code]:
    """Every block in a language, of every page."""
    return [code for page in PAGES for code in page.code(language)]


def functions_in(file: Path) -> set[str]:
    """Names of the functions of a module."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Page) -> None:
    """Files and headings that a page links to are there, and no two headings share a link."""
    anchors = Counter(map(anchor, page.headings))

    assert list(page.broken_links()) == []
    if any(link.startswith("#") for link in re.findall(r"\]\(([^)]+)\)", page.prose)):
        assert [name for name, count in anchors.items() if count > 1] == []


@pytest.mark.parametrize("code", code_in("json"), ids=str)
def test_json_is_valid(code: Code, catalog: PluginCatalog) -> None:
    """What is shown as JSON is JSON; what looks like a room config is one."""
    said: Any = json.loads(code.text)
    if {"languages", "plugins", "palabra", "speakers"} & set(said):
        parse_room_config(code.text, plugins=catalog)


@pytest.mark.parametrize("said", re.findall(r'`(\{"\w.*?\})`', README.prose))
def test_json_within_a_line_is_valid(said: str, catalog: PluginCatalog) -> None:
    """So are the snippets in the README's text and tables: keys of a room config, or a plugin."""
    part: Any = json.loads(said)
    config = {"plugins": [part]} if "name" in part else part
    plugins = None if SHOWN in said else catalog
    is_config = set(config) <= set(RoomConfig.model_fields)
    assert not is_config or parse_room_config(json.dumps(config), plugins=plugins)


@pytest.mark.parametrize("code", code_in("toml"), ids=str)
def test_toml_is_valid(code: Code, tmp_path: Path) -> None:
    """Where nothing but credentials is missing, what is shown as the worker's file is accepted."""
    said = tomllib.loads(code.text)
    if not {"worker", "room", "rooms", "plugins"} & set(said):
        return

    file = tmp_path / "worker.toml"
    file.write_text(code.text, encoding="utf-8")
    with environment({}):
        problems = refused(lambda: load_settings(config_file=file))

    wrong = [it for it in problems if it.path and not VARIABLE.match(it.path)]
    assert wrong == []


def test_what_is_reserved_is_named() -> None:
    """The page about security names all attributes that are ours, and the identity."""
    modules = map(vars, (attributes, people, utterance_versions, voices))
    ours = {
        str(value)
        for module in modules
        for name, value in module.items()
        if name.endswith("_ATTRIBUTE")
    }
    reserved = SECURITY.section("Identities and attributes that are reserved")

    assert "palabra.state" in ours
    assert [it for it in sorted({*ours, DEFAULT_IDENTITY}) if f"`{it}`" not in reserved] == []


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda it: it.__name__)
def test_every_capability_has_a_paragraph(capability: type) -> None:
    """The page for authors tells of it under its name, its methods included."""
    section = PLUGINS_PAGE.section(f"`{capability.__name__}`")
    methods = [name for name in vars(capability) if not name.startswith("_")]

    assert len(section.split()) > LEAST_WORDS
    assert [name for name in methods if f"`{name}(" not in section] == []


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_paragraph(phase: Phase) -> None:
    """The page for authors tells of it under its name, and has it in its table."""
    section = PLUGINS_PAGE.section(str(phase))

    assert len(section.split()) > LEAST_WORDS
    assert re.search(rf"^\| {phase} \|", PLUGINS_PAGE.section("Phases"), re.MULTILINE)


def test_every_phase_and_capability_has_tests() -> None:
    """Each is in the table of tests, and the tests are there."""
    named = [test.split("::") for tests in TESTS.values() for test in tests]
    there = {file: functions_in(ROOT / "tests" / file) for file, _ in named}

    assert set(TESTS) == {*map(str, Phase), *(it.__name__ for it in CAPABILITIES)}
    assert [f"{file}::{name}" for file, name in named if name not in there[file]] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda it: it.name)
def test_what_is_to_be_installed_is_there(page: Page) -> None:
    """Folders that a page has people install are there, and nothing is looked for at an index."""
    said = re.findall(r"pip install ([^`#\n]+)", page.text)
    folders = [it for line in said for it in re.findall(r"\./([\w/-]+)", line) if "NAME" not in it]

    assert [it for it in folders if not (ROOT / it / "pyproject.toml").exists()] == []
    assert [line for line in said if re.search(r"(?<![/\w])palabra-agent", line)] == []


def test_what_our_plugins_need_is_locked() -> None:
    """Set-up installs plugins without their dependencies, which stand in the locks instead."""
    ours = {project["name"] for project in projects()} | {"palabra-agent"}
    needs = {
        re.split(r"[^\w-]", need)[0]
        for project in projects()
        for group in (project["dependencies"], *project.get("optional-dependencies", {}).values())
        for need in group
    }

    for name in ("requirements-dev.lock", "requirements-plugins.lock"):
        locked = re.findall(r"^([\w-]+)==", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        assert needs - ours - set(locked) == set()


def test_the_page_on_configuration_is_up_to_date() -> None:
    """It is what the code says now: `make docs` writes it."""
    assert text() == CONFIGURATION.text, "docs/configuration.md is stale: run `make docs`"


def test_every_setting_has_a_meaning() -> None:
    """What Palabra documents, what is ours, and what our plugins want is told in words."""
    rows = [line for line in CONFIGURATION.text.splitlines() if line.startswith("| `")]

    assert [
        row for row in rows if row.endswith("| – |") and not row.startswith("| `palabra.")
    ] == []


def test_every_variable_is_on_the_page() -> None:
    """The variables that are read are those in the table."""
    read = {
        node.value
        for node in ast.walk(
            ast.parse((ROOT / "palabra_agent" / READ_IN).read_text(encoding="utf-8"))
        )
        if isinstance(node, ast.Constant) and VARIABLE.fullmatch(str(node.value))
    }
    told = re.findall(r"^\| `(\w+)` \|", CONFIGURATION.section("Variables"), re.MULTILINE)

    assert set(told) == read
    assert len(told) == len(read)
