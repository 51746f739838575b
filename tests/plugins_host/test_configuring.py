"""Mistakes that a plugin's model finds with the stock of pydantic, in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.config.room import RoomConfig, parse_room_config
from palabra_agent.errors import RoomConfigError
from palabra_agent.plugins_host.catalog import PluginCatalog
from tests.broken_plugins.forgets_to_return import Forgetful
from tests.plugins_host.installed import catalog_of, entry
from tests.problems import mistakes_in

pytestmark = pytest.mark.unit

VOICES = catalog_of(entry("voices"))
BEYOND_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


def parse(*uses: object, plugins: PluginCatalog = VOICES) -> RoomConfig:
    """Parse a room config with these plugins."""
    return parse_room_config(json.dumps({"plugins": uses}), plugins=plugins)


def mistakes(*uses: object) -> list[str]:
    """What is wrong with them."""
    return mistakes_in(lambda: parse(*uses))


def test_what_belongs_elsewhere_is_told_so() -> None:
    """A plugin's own keys belong in its config, and its name into the list."""
    assert mistakes({"name": "voices", "voice": "low"}) == [
        "plugins[0].voice: unknown key; known are name, config; what the plugin itself is told "
        "belongs in `config`"
    ]
    with pytest.raises(RoomConfigError) as caught:
        parse_room_config('{"voices": {}, "vices": {}}', plugins=VOICES)
    misplaced, other = map(str, caught.value.problems)
    assert misplaced == "voices: is a plugin; name it under `plugins`"
    assert other.startswith("vices: unknown key")


def outcome(uses: object) -> str:
    """Parse; only words may come of it."""
    try:
        parse_room_config(json.dumps({"plugins": uses}), plugins=VOICES)
    except RoomConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"pitch": 0}, "pitch: must be greater than 0, not 0"),
        ({"pitch": 4}, "pitch: must be less than 4, not 4"),
        ({"pitch": "high"}, 'pitch: must be a number, not "high"'),
        ({"pitch": [1]}, "pitch: must be a number, not a list"),
        ({"steps": 0}, "steps: must be at least 1, not 0"),
        ({"steps": 10}, "steps: must be at most 9, not 10"),
        ({"steps": 1.5}, "steps: must be a whole number, not 1.5"),
        ({"steps": "x"}, 'steps: must be a whole number, not "x"'),
        ({"steps": None}, "steps: must be a whole number, not null"),
        (
            {"mood": "lovely"},
            'mood: must be "calm" or "lively", not "lovely", did you mean "lively"?',
        ),
        ({"mood": {}}, 'mood: must be "calm" or "lively", not an object'),
        ({"size": "bog"}, 'size: must be "small", "big" or 7, not "bog", did you mean "big"?'),
        ({"size": 8}, 'size: must be "small", "big" or 7, not 8'),
        ({"code": "EN"}, 'code: must match pattern "^[a-z]{2}$", not "EN"'),
        ({"title": "x"}, 'title: must have at least 2 characters, not as few as "x"'),
        (
            {"title": "x" * 11},
            f'title: must have at most 10 characters, not as many as "{"x" * 11}"',
        ),
        ({"since": "noon"}, 'since: must be in a time format, not "noon"'),
        ({"page": "here"}, 'page: must be a URL, not "here"'),
        (
            {"page": "ftp://example.org"},
            "page: cannot be \"ftp://example.org\": URL scheme should be 'http' or 'https'",
        ),
        ({"names": "x"}, 'names: must be a list, not "x"'),
        ({"names": [1]}, "names[0]: must be a string, not 1"),
        # one of several models, told by its kind
        (
            {"range": {"kind": "hihg"}},
            "range: Input tag 'hihg' found using 'kind' does not match any of the expected tags: "
            "'high', 'low'",
        ),
        ({"range": {"hz": 3}}, "range: Unable to extract tag using discriminator 'kind'"),
        ({"range": "high"}, 'range: must be an object, not "high"'),
        ({"range": {"kind": "low", "hz": 3}}, "range.hz: must be a multiple of 10, not 3"),
        ({"range": {"kind": "low"}}, "range.hz: is missing"),
        # the author's own words
        ({"voice": "nobody"}, 'voice: cannot be "nobody": there is no such voice. Ask somebody'),
        ({"voice": "nothing"}, 'voice: cannot be "nothing"'),
        ({"pitch": 3, "steps": 9}, "nine steps are too many for a pitch of 3"),
        # keys
        ({"vioce": "x"}, 'vioce: unknown key, did you mean "voice"?'),
        (
            {"api_key": "x"},
            "api_key: credentials are never accepted from a room; what a plugin needs of them "
            "belongs in the worker's settings, under `[plugins.NAME]`",
        ),
        # what is not to be seen
        ({"token": 1234}, "token: must be a string, not that"),
        ({"token": "let me in"}, "is not valid"),
    ],
)
def test_each_mistake_is_told_in_words(config: dict[str, Any], sentence: str) -> None:
    """Field, value and what is allowed, in one sentence, at its path in the room config."""
    told = mistakes({"name": "voices", "config": config})
    where = "plugins[0].config" if ": " not in sentence else "plugins[0].config."
    separator = ": " if ": " not in sentence else ""
    assert told == [f"{where}{separator}{sentence}"]


@pytest.mark.parametrize(
    ("config", "sentences"),
    [
        ({"other": 5}, ["other: must be a string, not 5", "other: must be an object, not 5"]),
        ({"often": "x"}, ['often: must be a whole number, not "x"', 'often: must be "never"']),
        ({"other": {"ids": ["a", 7]}}, ["other.ids[1]: must be a string, not 7"]),
        ({"other": {"idz": []}}, ['other.idz: unknown key, did you mean "ids"?']),
    ],
)
def test_of_a_union_each_branch_is_told(config: dict[str, Any], sentences: list[str]) -> None:
    """At the place in what was written, without pydantic's names of the branches."""
    told = mistakes({"name": "voices", "config": config})

    for sentence in sentences:
        assert any(each.startswith(f"plugins[0].config.{sentence}") for each in told)


def test_everything_is_told_at_once() -> None:
    """Mistakes of several plugins, of the list, and of the rest of the config stand together."""
    text = json.dumps(
        {
            "langauges": [],
            "plugins": [
                {"name": "voices", "config": {"steps": 0, "pitch": 0}},
                {"name": "voice"},
                {"name": "voices", "config": []},
                {"config": {}},
                7,
                {"name": "voices", "confg": {}},
            ],
            "limits": {"max_speakers": 0},
        }
    )
    with pytest.raises(RoomConfigError) as caught:
        parse_room_config(text, plugins=VOICES)

    assert [problem.path for problem in caught.value.problems] == [
        "limits.max_speakers",
        "plugins[0].config.pitch",
        "plugins[0].config.steps",
        "plugins[1].name",
        "plugins[2].config",
        "plugins[3].name",
        "plugins[4]",
        "plugins[5].confg",
        "langauges",
    ]


def test_the_same_settings_twice_are_refused() -> None:
    """Two entries may be of one plugin, unless they come to the same."""
    twice = 'plugins[2]: "voices" is named twice with the same config'

    assert len(parse({"name": "voices"}, {"name": "voices", "config": {"steps": 1}}).plugins) == 2
    assert mistakes(
        {"name": "voices"},
        {"name": "voices", "config": {"steps": 1}},
        {"name": "voices", "config": {"voice": "default_high"}},
    ) == [twice]


def test_a_room_has_twenty_plugins_at_most() -> None:
    """Of more, none is even asked."""
    uses = [{"name": "voices", "config": {"voice": f"v{n}"}} for n in range(100)]

    assert len(parse(*uses[:20]).plugins) == 20
    assert mistakes(*uses) == ["plugins: 100 plugins are more than the 20 that a room may have"]


def test_a_strict_model_is_told_what_json_can_say() -> None:
    """A list is as good as a tuple there, and a string may be a date."""
    settings = {"diary": {"folder": "x", "password": "swordfish"}}
    diary = catalog_of(entry("diary"), settings=settings)
    use = {"name": "diary", "config": {"days": ["2026-01-31"]}}

    assert diary.configure(parse(use, plugins=diary).plugins)


def test_very_many_mistakes_are_counted() -> None:
    """What nobody could read is cut, and soon checked."""
    names = [0] * 9_000
    told = mistakes({"name": "voices", "config": {"names": names}})

    assert len(told) == 31
    assert told[0] == "plugins[0].config.names[0]: must be a string, not 0"
    assert told[-1] == "plugins[0].config: and 8970 more mistakes"


@pytest.mark.parametrize("value", ["x" * 60_000, 10**19, -1e308, "💥" * 9_000, "\x9b31m\u202e"])
@pytest.mark.parametrize("key", ["title", "steps", "mood", "often", "range", "other"])
def test_huge_values_are_shown_in_part(key: str, value: object) -> None:
    """No sentence grows with what it is about, nor does it reach for the terminal."""
    words = outcome([{"name": "voices", "config": {key: value}}])

    assert len(words) < 300
    assert words.isprintable()


@given(BEYOND_JSON, BEYOND_JSON, BEYOND_JSON)
def test_no_json_breaks_the_check(uses: object, config: object, value: object) -> None:
    """Whatever stands there, it is accepted or refused in words."""
    for said in (uses, [{"name": "voices", "config": config}], [uses, config]):
        assert "broke" not in outcome(said)
    for key in ("other", "range", "often", "names", "token", "voice"):
        assert "broke" not in outcome([{"name": "voices", "config": {key: value}}])


def test_the_broken_model_is_what_it_is() -> None:
    """The premise of another test: it gives nothing."""
    assert Forgetful.model_validate({}) is None
