"""Each way in which a plugin can fail to load, or to read what it is told."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import pytest

from palabra_agent.config.plugins import PluginUse
from palabra_agent.plugins_host.catalog import load_plugins
from palabra_agent.plugins_host.configuring import PluginDeadlines
from palabra_agent.plugins_host.loading import record_of
from palabra_agent.plugins_host.records import PluginRecord, PluginStatus
from tests.plugins_host.installed import SHORT, broken, catalog_of, entries_in, entry, install

pytestmark = pytest.mark.unit


def load_one(value: str, *, seconds: float = 5.0) -> PluginRecord:
    """Load one plugin beside a good one, which is never harmed."""
    entries = [entry("it", value), entry("voices")]
    catalog = load_plugins(entry_points=entries, deadlines=PluginDeadlines(seconds, 30, 1))
    record, good = catalog.records
    assert good.is_ready
    return record


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("raises:plugin", "it raises RuntimeError"),
        ("exits:plugin", "it raises SystemExit"),
        ("interrupts:plugin", "it raises KeyboardInterrupt"),
        (
            "misses_a_module:plugin",
            'it needs the module "surely_not_installed", which is not installed',
        ),
        (
            "surely_not_there:plugin",
            'it needs the module "tests.broken_plugins.surely_not_there", which is not installed',
        ),
        (
            "no_recipe.plugin",
            'it needs the module "tests.broken_plugins.no_recipe.plugin", which is not installed',
        ),
        (
            "no_recipe:plugins",
            'there is no "plugins" in the module "tests.broken_plugins.no_recipe"',
        ),
        ("no_recipe:plugin", "its entry point must name a `Plugin(…)`, not a dict"),
        ("no_recipe", "its entry point must name a `Plugin(…)`, not a module"),
        ("no_recipe:the_class", "its entry point must name a `Plugin(…)`, not the class Plugin"),
        ("wrong_models:config", "its `config_model` must be a subclass of `PluginConfig`"),
        ("wrong_models:an_instance", "its `config_model` must be a subclass of `PluginConfig`"),
        ("wrong_models:settings", "its `settings_model` must be a subclass of `PluginConfig`"),
        (
            "asks_for_secrets:plugin",
            "its `config_model` asks rooms for a secret, `accounts.key`, which "
            "belongs in its `settings_model`",
        ),
    ],
)
def test_one_that_fails_to_load_is_recorded(
    value: str, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The record says why, in our words; the log says it once, with plugin and phase."""
    record = load_one(f"tests.broken_plugins.{value}")

    assert (record.status, record.error) == (PluginStatus.FAILED, error)
    (told,) = caplog.records
    assert told.getMessage() == "a plugin broke"
    assert (vars(told)["plugin"], vars(told)["phase"]) == ("it", "load")
    assert vars(told)["reason"] == error


@pytest.mark.parametrize("value", ["", ":", "a b:c", "../x:plugin", "tests.good_plugins.voices:"])
def test_an_entry_point_that_names_nothing_is_recorded(value: str) -> None:
    """Whatever stands there, it ends in a sentence."""
    record = load_one(value)

    assert record.status is PluginStatus.FAILED
    assert record.error


def test_one_that_hangs_on_import_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """It is left behind in its thread after its deadline."""
    record = load_plugins(
        entry_points=[broken("hangs")], deadlines=PluginDeadlines(each=0.2)
    ).records[0]

    assert (record.status, record.error) == (PluginStatus.FAILED, "it takes longer than 0.2 s")
    assert [it.name for it in threading.enumerate() if it.name == "plugin load" and it.daemon]
    assert len(caplog.records) == 1


def test_what_a_plugin_says_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Its words are for the operator's terminal, on one line; a traceback for those who debug."""
    with caplog.at_level(logging.INFO):
        record = load_one("tests.broken_plugins.raises:plugin")

    assert "alice" not in caplog.text + record.error
    assert record.said == "alice@example.org may not know this nor that"
    assert str(record) == f"it: failed to load: it raises RuntimeError ({record.said})"
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        load_one("tests.broken_plugins.raises:plugin")
    assert [it.levelname for it in caplog.records if it.exc_info] == ["DEBUG"]


def test_what_a_plugin_prints_goes_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """It would stand among a command's own lines, or the log's."""
    sys.modules.pop("tests.broken_plugins.prints", None)

    assert load_one("tests.broken_plugins.prints:plugin").is_ready
    assert capsys.readouterr() == ("", "hello from a plugin\n")


@pytest.mark.parametrize(
    ("name", "config", "reason"),
    [
        ("voices", {"voice": "surprise"}, "it raises KeyError"),
        ("voices", {"voice": "exit"}, "it raises SystemExit"),
        ("forgets_to_return", {}, "its config model gives something else"),
    ],
)
def test_one_that_breaks_at_its_config_is_a_mistake_of_that_entry(
    name: str, config: dict[str, str], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """That is something else than to refuse it, and is told as such, once in the log."""
    catalog = catalog_of(entry("voices"), broken("forgets_to_return"))
    use = PluginUse(name=name, config=dict(config))

    assert catalog.mistakes(use) == [((), f"the plugin {name} broke at configure: {reason}")]
    (told,) = caplog.records
    assert (vars(told)["plugin"], vars(told)["phase"]) == (name, "configure")


def test_one_that_hangs_at_its_config_is_given_up_once() -> None:
    """It is not waited for a second time; what was good stays good, what is new is read."""
    catalog = catalog_of(broken("thinks_for_ever"), deadlines=SHORT)
    good, bad, new = (PluginUse(name="thinks_for_ever", config={"number": n}) for n in (1, -1, 2))
    broke = "the plugin thinks_for_ever broke at configure: "

    assert catalog.mistakes(good) == []
    assert catalog.mistakes(bad) == [((), f"{broke}it takes longer than 0.3 s")]
    ((_, reason),) = catalog.mistakes(bad)
    assert reason.startswith(f"{broke}it took longer than 0.3 s, and is asked again in ")
    assert catalog.mistakes(good) == catalog.mistakes(new) == []


def test_one_that_hangs_at_its_settings_cannot_be_used() -> None:
    """The worker is told at its start, and goes on without it where nobody says anything."""
    catalog = catalog_of(
        broken("thinks_for_ever"),
        settings={"thinks_for_ever": {"number": -1}},
        deadlines=SHORT,
    )

    assert [str(problem) for problem in catalog.settings_problems()] == [
        "plugins.thinks_for_ever: the plugin thinks_for_ever broke at configure: it takes longer "
        "than 0.3 s"
    ]
    assert catalog.records[0].status is PluginStatus.WRONG_SETTINGS


def test_a_distribution_s_own_words_are_clean(tmp_path: Path) -> None:
    """They stand in the table of `palabra-agent plugins`, on a terminal."""
    install(tmp_path, "odd", "1.0\x1b[31m\u202e", {"odd": "tests.good_plugins.voices:plugin"})
    record = record_of(list(entries_in(tmp_path)))

    assert (record.distribution, record.version) == ("odd", "1.0")
