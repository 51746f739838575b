"""What is installed, and whether a room may have it."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from palabra_agent.config.plugins import PluginUse
from palabra_agent.errors import RoomConfigError
from palabra_agent.plugins_host.catalog import PluginCatalog, load_plugins
from palabra_agent.plugins_host.configuring import PluginDeadlines
from palabra_agent.plugins_host.records import PluginRecord, PluginStatus
from tests.broken_plugins import latch
from tests.plugins_host.installed import catalog_of, entries_in, entry, install

pytestmark = pytest.mark.unit

DIARY = {"folder": "here", "password": "swordfish"}


def the_record(catalog: PluginCatalog) -> PluginRecord:
    """The only one."""
    (record,) = catalog.records
    return record


def words(catalog: PluginCatalog, *names: str) -> list[str]:
    """Why rooms cannot have plugins."""
    with pytest.raises(RoomConfigError) as caught:
        catalog.configure([PluginUse(name=name) for name in names])
    return [str(problem) for problem in caught.value.problems]


def test_a_good_plugin_is_ready(tmp_path: Path) -> None:
    """The record tells who brings it, and of what kind it is; nothing is wrong with it."""
    install(tmp_path, "acme-voices", "2.1", {"voices": "tests.good_plugins.voices:plugin"})
    catalog = load_plugins(entry_points=entries_in(tmp_path))

    assert the_record(catalog) == PluginRecord("voices", "acme-voices", "2.1", "voice policy")
    assert the_record(catalog).is_ready
    assert str(the_record(catalog)) == "voices: ready"
    (configured,) = catalog.configure([PluginUse(name="voices", config={"steps": 2})])
    assert (configured.name, configured.config.model_dump()["steps"]) == ("voices", 2)
    assert configured.settings.model_dump()["limit"] == 5


def test_nothing_installed_is_nothing_wrong() -> None:
    """A room that names a plugin then is told that there is none."""
    catalog = catalog_of()

    assert catalog.records == ()
    assert catalog.settings_problems() == ()
    assert catalog.configure([]) == ()
    assert words(catalog, "voices") == ['plugins[0].name: "voices" is not installed; no plugin is']


def test_what_is_really_installed_can_be_listed() -> None:
    """Without a list of entry points, those of this installation are taken."""
    records = load_plugins(allowed=()).records

    assert {record.status for record in records} <= {PluginStatus.NOT_ALLOWED}


def test_a_name_that_is_not_installed_is_guessed() -> None:
    """Who names what is not there is told what was meant, or what there is."""
    catalog = catalog_of(entry("voices"), entry("diary"), settings={"diary": DIARY})

    assert words(catalog, "voice", "zebra", "V" * 200, "\u202ename\n") == [
        'plugins[0].name: "voice" is not installed, did you mean "voices"?',
        'plugins[1].name: "zebra" is not installed; installed are diary, voices',
        f'plugins[2].name: "{"V" * 60}…" is not installed; installed are diary, voices',
        'plugins[3].name: "\\u202ename\\n" is not installed; installed are diary, voices',
    ]


def test_what_is_not_allowed_is_not_even_imported() -> None:
    """A room is told what is allowed instead."""
    both = [entry("voices"), entry("raises", "tests.broken_plugins.raises:plugin")]
    catalog = load_plugins(allowed=["voices"], entry_points=both)

    assert [record.status.value for record in catalog.records] == ["not allowed", "ready"]
    assert words(catalog, "raises") == [
        'plugins[0].name: "raises" is not allowed here; allowed are voices'
    ]
    none = load_plugins(allowed=[], entry_points=both)
    assert words(none, "voices") == ['plugins[0].name: "voices" is not allowed here; no plugin is']


def test_two_distributions_with_one_name_are_both_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither is imported, so that no order decides; both are named."""
    raising = {"voices": "tests.broken_plugins.raises:plugin", "diary": "elsewhere:plugin"}
    install(tmp_path, "acme-voices", "2.1", {"voices": "tests.good_plugins.voices:plugin"})
    install(tmp_path, "zeta-voices", "0.1", raising)
    catalog = load_plugins({"voices": {"limit": "x"}}, entry_points=entries_in(tmp_path))
    record = catalog.records[1]

    assert (record.name, record.status.value) == ("voices", "two distributions have this name")
    assert (record.distribution, record.version) == ("acme-voices, zeta-voices", "2.1, 0.1")
    assert words(catalog, "voices") == [
        'plugins[0].name: "voices" cannot be used: acme-voices 2.1 and zeta-voices 0.1 bring it, '
        "and none of them is used"
    ]
    assert [vars(log)["plugin"] for log in caplog.records] == ["diary", "voices"]
    assert catalog.settings_problems() == ()


def test_one_distribution_with_a_name_twice_is_left_out() -> None:
    """The sentence does not speak of two."""
    catalog = catalog_of(entry("voices"), entry("voices", "elsewhere:plugin"))

    assert the_record(catalog).error == (
        "unknown unknown has several entry points of this name, and none of them is used"
    )


@pytest.mark.parametrize(
    "name",
    ["two words", "-dash", "a/b", "a:b", "[x]", "nul\0", "\x1b[31mred", "ä", "x" * 65, "", "a\nb"],
)
def test_an_odd_name_is_not_used(name: str) -> None:
    """What room configs and terminals could stumble over is refused, and shown harmlessly."""
    record = the_record(catalog_of(entry(name, "tests.good_plugins.voices:plugin")))

    assert record.status is PluginStatus.FAILED
    assert record.error == (
        "its name may have letters, digits, `-`, `_` and `.`, at most 64, the first a letter or "
        "digit"
    )
    assert record.name.isprintable()


@pytest.mark.parametrize("name", ["a", "9", "voice-timbre", "Acme.Voices_2", "x" * 64])
def test_an_ordinary_name_is_used(name: str) -> None:
    """What package indexes allow is allowed."""
    assert the_record(catalog_of(entry(name, "tests.good_plugins.voices:plugin"))).is_ready


def test_settings_reach_the_plugin_that_they_name() -> None:
    """`[plugins.NAME]` is read by the recipe's own model."""
    catalog = catalog_of(entry("diary"), entry("voices"), settings={"diary": DIARY})
    (configured,) = catalog.configure([PluginUse(name="diary", config={"days": ["2026-01-31"]})])

    assert configured.settings.model_dump(mode="json")["folder"] == "here"
    assert "swordfish" not in repr(configured)


@pytest.mark.parametrize(
    ("settings", "mistakes"),
    [
        ({"voices": {"limit": 0}}, ["plugins.voices.limit: must be greater than 0, not 0"]),
        (
            {"voices": {"limit": "x", "api_tokn": "s", "webhooks": ["a", 1]}},
            [
                'plugins.voices.limit: must be a whole number, not "x"',
                "plugins.voices.webhooks[1]: must be a string, not that",
                'plugins.voices.api_tokn: unknown key, did you mean "api_token"?',
            ],
        ),
        ({"voices": {"api_token": 5}}, ["plugins.voices.api_token: must be a string, not that"]),
        (
            {"voices": {"api_token": "hunter2hunter2"}},
            ["plugins.voices.api_token: is not valid"],
        ),
        (
            {"voices": {"door": "shut", "api_token": "correct horse"}},
            ["plugins.voices: is not valid"],
        ),
        (
            {"voices": {"door": "shut", "webhooks": ["correct horse"]}},
            ["plugins.voices: is not valid"],
        ),
        ({"voice": {}}, ['plugins.voice: "voice" is not installed, did you mean "voices"?']),
        (
            {"voices": {"limit": float("nan")}},
            ["plugins.voices.limit: must be a finite number, not NaN"],
        ),
    ],
)
def test_wrong_settings_are_told(
    settings: dict[str, dict[str, object]], mistakes: list[str]
) -> None:
    """Each mistake has the path of the worker's file, and no secret in it."""
    catalog = catalog_of(entry("voices"), settings=settings)

    assert [str(problem) for problem in catalog.settings_problems()] == mistakes
    if "voices" in settings:
        assert the_record(catalog).status is PluginStatus.WRONG_SETTINGS
        assert the_record(catalog).error == "; ".join(mistakes)


def test_a_room_is_not_told_what_is_wrong_with_the_settings() -> None:
    """Whoever reads the refusal may be a guest."""
    catalog = catalog_of(entry("voices"), settings={"voices": {"limit": -4321}})

    assert words(catalog, "voices") == [
        'plugins[0].name: "voices" cannot be used: what the worker\'s settings say of it is wrong'
    ]


def test_a_plugin_that_nobody_uses_needs_no_settings() -> None:
    """It is installed with others, perhaps; who names it is told that it lacks something."""
    catalog = catalog_of(entry("diary"))

    assert catalog.settings_problems() == ()
    assert the_record(catalog).status is PluginStatus.NEEDS_SETTINGS
    assert the_record(catalog).error == (
        "plugins.diary.folder: is missing; plugins.diary.password: is missing"
    )
    assert words(catalog, "diary") == [
        'plugins[0].name: "diary" cannot be used: the worker\'s settings do not say what it needs'
    ]


def test_an_allow_list_with_a_slip_of_the_pen_is_told() -> None:
    """Otherwise the plugin would be refused to every room, and nobody knew why."""
    catalog = load_plugins(
        allowed=["voices", "dairy"], entry_points=[entry("diary"), entry("voices")]
    )

    assert [str(problem) for problem in catalog.settings_problems()] == [
        'worker.allowed_plugins[1]: "dairy" is not installed, did you mean "diary"?'
    ]


def test_the_same_plugin_may_stand_there_twice() -> None:
    """Two entries are the same where they come to the same config, however they are written."""
    catalog = catalog_of(entry("voices"))
    plain = PluginUse(name="voices")
    spelt = PluginUse(name="voices", config={"voice": "default_high", "pitch": 1})
    other = PluginUse(name="voices", config={"voice": "x"})
    wrong = PluginUse(name="voices", config={"voice": 5})

    assert catalog.are_same(plain, spelt)
    assert not catalog.are_same(plain, other)
    assert not catalog.are_same(wrong, wrong)
    assert not catalog.are_same(PluginUse(name="nobody"), PluginUse(name="nobody"))
    assert len(set(map(id, catalog.configure([plain, other])))) == 2


def test_a_new_version_of_a_plugin_says_what_changed() -> None:
    """A config that was good until yesterday is refused in words, not misunderstood."""
    use = PluginUse(name="voices", config={"voice": "x"})
    later = entry("voices", "tests.good_plugins.voices_later:plugin")

    assert catalog_of(entry("voices")).mistakes(use) == []
    assert catalog_of(later).mistakes(use) == [
        (("config", "fallback"), "is missing"),
        (("config", "voice"), 'unknown key, did you mean "voice_id"?'),
    ]


def test_a_hundred_plugins_are_soon_loaded() -> None:
    """What is loaded is listed in order of names; long lists are cut in sentences."""
    entries = [entry(f"v{n:03}", "tests.good_plugins.voices:plugin") for n in range(100)]
    began = time.process_time()
    catalog = load_plugins(entry_points=entries)

    assert time.process_time() - began < 4
    assert [record.name for record in catalog.records] == sorted(it.name for it in entries)
    assert all(record.is_ready for record in catalog.records)
    (sentence,) = words(catalog, "zebra")
    assert sentence.endswith("v019 and 80 more")


def test_time_for_all_together_is_limited(caplog: pytest.LogCaptureFixture) -> None:
    """Those that come after one that took it all are not loaded, and told so."""
    entries = [entry("a-hanging", "tests.broken_plugins.hangs:plugin"), entry("voices")]
    catalog = load_plugins(entry_points=entries, deadlines=PluginDeadlines(each=5, total=0.2))
    hanging, voices = catalog.records

    assert not latch.never.is_set()
    assert hanging.error.startswith("it takes longer than ")
    assert voices.error == "the 0.2 s that all plugins together may take were over"
    assert words(catalog, "voices")[0].startswith('plugins[0].name: "voices" failed to load: the')
    assert len(caplog.records) == 2


def test_a_distribution_that_cannot_be_read_hides_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One with a broken list of entry points is named in the log, and passed over."""
    install(tmp_path, "acme-voices", "2.1", {"acme": "tests.good_plugins.voices:plugin"})
    install(tmp_path, "torn", "1.0", {})
    (tmp_path / "torn-1.0.dist-info" / "entry_points.txt").write_bytes(b"[palabra\xff\xfe")
    nameless = tmp_path / "nameless-1.0.dist-info"
    nameless.mkdir()
    (nameless / "entry_points.txt").write_text("[palabra_agent.plugins]\nlost = a:b")
    monkeypatch.syspath_prepend(str(tmp_path))

    with caplog.at_level(logging.WARNING):
        records = load_plugins(allowed=["acme"]).records

    names = [record.name for record in records]
    assert "acme" in names
    assert "lost" in names
    (told,) = [it for it in caplog.records if getattr(it, "distribution", None) == "torn"]
    assert told.getMessage() == "the entry points of a distribution cannot be read"
