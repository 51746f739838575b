"""What `dispatch` can tell of a room config without knowing the worker's settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from palabra_agent.commands.metadata import check_metadata, plugins_named_in, read_config_argument
from palabra_agent.errors import RoomConfigError
from tests.plugins_host.installed import broken, catalog_of, entry

pytestmark = pytest.mark.unit

NO_PLUGINS = catalog_of()
PLUGINS = catalog_of(entry("voices"), entry("diary"), broken("no_recipe"))
MAY_ALLOW = "; the worker's own settings may allow it"
NOT_OFFERED = '"de" is not among the languages, which are en, es'


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"languages": ["de"], "default_listen": "de"},
        {"always_on": ["de"]},
        {"default_listen": "es"},
    ],
)
def test_a_good_config_is_not_remarked_on(said: dict[str, object]) -> None:
    """What holds with the built-in defaults needs no warning."""
    assert check_metadata(json.dumps(said), NO_PLUGINS) == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"default_listen": "de"}, f"default_listen: {NOT_OFFERED}"),
        ({"default_listen": "DE"}, f"default_listen: {NOT_OFFERED}"),
        ({"always_on": ["fr"], "default_listen": "de"}, "default_listen: "),
        ({"limits": {"max_languages": 1}}, "languages: 2 languages (en, es) are more than"),
        (
            {"languages": ["en", "es", "de", "fr", "it", "pt", "pl", "nl", "sv"]},
            "languages: 9 languages",
        ),
    ],
)
def test_what_the_worker_may_allow_is_a_warning(said: dict[str, object], words: str) -> None:
    """A `[room]` of the worker's that offers other languages, or more, makes it right."""
    (problem,) = check_metadata(json.dumps(said), NO_PLUGINS)

    assert words in str(problem)
    assert str(problem).endswith(MAY_ALLOW)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"languages": ["en"], "default_listen": "de"}, "de"),
        ({"always_on": ["de", "fr"], "limits": {"max_languages": 1}}, "2 languages (de, fr)"),
        ({"default_listen": "klingon"}, "klingon"),
        ({"default_listen": 5}, "5"),
        ({"always_on": "de", "default_listen": "de"}, "always_on"),
        ({"languages": None, "default_listen": "de"}, "languages"),
        ({"langauges": ["es"], "default_listen": "de"}, "langauges: unknown key"),
        ({"limits": 3}, "limits"),
        ([], "must be a JSON object"),
    ],
)
def test_what_no_worker_allows_is_refused(said: object, words: str) -> None:
    """Such a mistake is told alone: what might be right is not said beside it."""
    with pytest.raises(RoomConfigError) as caught:
        check_metadata(json.dumps(said), NO_PLUGINS)

    assert words in str(caught.value)
    assert "which are en, es" not in str(caught.value)


def test_text_that_is_no_json_is_refused() -> None:
    """A slip of the pen is an error, not a warning."""
    with pytest.raises(RoomConfigError, match="is not JSON"):
        check_metadata("{", NO_PLUGINS)


@pytest.mark.parametrize(
    ("uses", "warnings"),
    [
        ([{"name": "voices", "config": {"steps": 2}}], []),
        # whether the worker says what it needs is not known here
        ([{"name": "diary"}], []),
        (
            [{"name": "voice", "config": {"any": 1}}, {"name": "zebra"}],
            [
                'plugins[0].name: "voice" is not installed, did you mean "voices"? '
                "the worker may have it",
                'plugins[1].name: "zebra" is not installed; installed are diary, no_recipe, '
                "voices; the worker may have it",
            ],
        ),
        (
            [{"name": "no_recipe"}],
            [
                'plugins[0].name: "no_recipe" failed to load: its entry point must name a '
                "`Plugin(…)`, not a dict; the worker may have it"
            ],
        ),
    ],
)
def test_what_only_the_worker_may_have_is_a_warning(
    uses: list[dict[str, object]], warnings: list[str]
) -> None:
    """A plugin that is not here may be there; its config cannot be checked, its shape is."""
    said = {"plugins": uses, "default_listen": "de"}
    problems = check_metadata(json.dumps(said), PLUGINS)

    assert [str(problem) for problem in problems] == [
        f"default_listen: {NOT_OFFERED}{MAY_ALLOW}",
        *warnings,
    ]


@pytest.mark.parametrize(
    ("uses", "mistake"),
    [
        ([{"name": "voices", "config": {"steps": 0}}], "plugins[0].config.steps: must be at least"),
        ([{"name": "diary", "config": {"day": []}}], "plugins[0].config.day: unknown key, did you"),
        ([{"name": "voices"}, {"name": "voices"}], 'plugins[1]: "voices" is named twice with the'),
        ([{"name": "zebra", "config": 5}], "plugins[0].config: must be an object, not 5"),
    ],
)
def test_a_plugin_that_is_here_is_asked(uses: list[dict[str, object]], mistake: str) -> None:
    """What its own model refuses is wrong, whatever the worker's settings are."""
    with pytest.raises(RoomConfigError) as caught:
        check_metadata(json.dumps({"plugins": uses}), PLUGINS)

    (problem,) = caught.value.problems
    assert str(problem).startswith(mistake)


@pytest.mark.parametrize(
    ("metadata", "names"),
    [
        ('{"plugins": [{"name": "a"}, {"name": "b"}, {"name": 5}, {}, 7, "c"]}', ("a", "b")),
        ('{"plugins": {"name": "a"}}', ()),
        ("{}", ()),
        ("", ()),
        ("[", ()),
    ],
)
def test_the_plugins_that_are_named_can_be_told(metadata: str, names: tuple[str, ...]) -> None:
    """Only these need be imported; what cannot be read names none."""
    assert plugins_named_in(metadata) == names


def test_a_config_is_read_from_a_file(tmp_path: Path) -> None:
    """`@` names a file; everything else is the config itself."""
    file = tmp_path / "room.json"
    file.write_text('{"languages": ["es"]}', encoding="utf-8")

    assert read_config_argument(f"@{file}") == '{"languages": ["es"]}'
    assert read_config_argument("{}") == "{}"


@pytest.mark.parametrize(
    ("content", "words"), [(b"\xff", "not UTF-8 text"), (None, "No such file")]
)
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    """The sentence names the file."""
    file = tmp_path / "room.json"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(RoomConfigError, match=rf"room\.json: .*{words}"):
        read_config_argument(f"@{file}")
