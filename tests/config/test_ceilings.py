"""The operator's ceilings: what is cut, what is locked, and what the operator may all the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from palabra_agent.config.ceilings import Ceilings, RoomCeilings, unknown_locks
from palabra_agent.config.room import Limits, RoomConfig, parse_room_config
from palabra_agent.errors import RoomConfigError

pytestmark = pytest.mark.unit

Said = dict[str, Any]

USUAL = Ceilings().in_room(())


def read(said: Said, ceilings: RoomCeilings = USUAL, *layers: Said) -> RoomConfig:
    """Read a room's metadata under ceilings."""
    return parse_room_config(json.dumps(said), layers=layers, ceilings=ceilings)


def refused(said: Said, ceilings: RoomCeilings = USUAL, *layers: Said) -> list[str]:
    """Read it in vain; tell why."""
    with pytest.raises(RoomConfigError) as caught:
        read(said, ceilings, *layers)
    return [str(problem) for problem in caught.value.problems]


def limits(config: RoomConfig) -> tuple[int, int, float | None]:
    """The limits that have ceilings."""
    return config.limits.max_speakers, config.limits.max_languages, config.limits.max_minutes


@pytest.mark.parametrize(
    ("said", "expected", "cuts"),
    [
        ({}, (20, 8, None), []),
        ({"max_speakers": 100, "max_languages": 20}, (100, 20, None), []),
        (
            {"max_speakers": 100_000, "max_languages": 60, "max_minutes": None},
            (100, 20, None),
            [
                "limits.max_speakers: cut from 100000 to 100, the operator's ceiling",
                "limits.max_languages: cut from 60 to 20, the operator's ceiling",
            ],
        ),
    ],
)
def test_no_room_is_without_ceilings(
    said: Said, expected: tuple[int, int, float | None], cuts: list[str]
) -> None:
    """An operator who says nothing is not at the mercy of what a token may hold."""
    whole = {"limits": said}

    assert limits(read(whole)) == expected
    assert list(map(str, USUAL.cuts(whole))) == cuts


@pytest.mark.parametrize(
    ("said", "expected", "cuts"),
    [
        ({}, (5, 2, 90), []),
        ({"limits": {}}, (5, 2, 90), []),
        ({"limits": {"max_speakers": 3, "max_minutes": 89.5}}, (3, 2, 89.5), []),
        (
            {"limits": {"max_minutes": None}},
            (5, 2, 90),
            ["limits.max_minutes: cut from null to 90, the operator's ceiling"],
        ),
        (
            {"limits": {"max_minutes": 44_640.0}},
            (5, 2, 90),
            ["limits.max_minutes: cut from 44640.0 to 90, the operator's ceiling"],
        ),
    ],
)
def test_ceilings_hold_for_rooms_that_name_no_limit(
    said: Said, expected: tuple[int, int, float | None], cuts: list[str]
) -> None:
    """A default above a ceiling is cut without a word: it was not asked for."""
    ceilings = Ceilings(max_speakers=5, max_languages=2, max_minutes=90).in_room(())

    assert limits(read(said, ceilings)) == expected
    assert list(map(str, ceilings.cuts(said))) == cuts


def test_too_many_languages_are_refused_with_the_ceiling() -> None:
    """Which of them the listeners need is not for a ceiling to choose."""
    ceilings = Ceilings(max_languages=2).in_room(())
    said = {"always_on": ["en", "es", "de"], "limits": {"max_languages": 60}}

    assert refused(said, ceilings) == [
        "limits.max_languages: cut from 60 to 2, the operator's ceiling",
        "always_on: 3 languages (en, es, de) are more than `limits.max_languages` allows, which "
        "is 2",
    ]


@pytest.mark.parametrize(
    ("limits_said", "words"),
    [
        ({"max_speakers": None}, "limits.max_speakers: must be a whole number, not null"),
        ({"max_speakers": True}, "limits.max_speakers: must be a whole number, not true"),
        ({"max_speakers": "9" * 9}, "limits.max_speakers: must be a whole number, not"),
        ({"max_speakers": 0}, "limits.max_speakers: must be at least 1, not 0"),
        ([], "limits: must be an object, not a list"),
        (None, "limits: must be an object, not null"),
    ],
)
def test_what_is_no_limit_is_still_a_mistake(limits_said: object, words: str) -> None:
    """Cutting hides none."""
    (sentence,) = refused({"limits": limits_said})

    assert sentence.startswith(words)
    assert USUAL.cuts({"limits": limits_said}) == []


def test_the_operator_s_own_sections_raise_a_ceiling() -> None:
    """What they say of a room holds, and the room may ask for as much, not for more."""
    own = {"limits": {"max_speakers": 300}}
    ceilings = Ceilings(max_speakers=50).in_room([{"limits": {"max_minutes": 5}}, own])

    assert read({}, ceilings, own).limits.max_speakers == 300
    assert read({"limits": {"max_speakers": 400}}, ceilings, own).limits.max_speakers == 300
    assert read({"limits": {"max_speakers": 40}}, ceilings, own).limits.max_speakers == 40
    lower = Ceilings(max_speakers=50).in_room([own, {"limits": {"max_speakers": 4}}])
    assert lower.highest["max_speakers"] == 50


LOCKED = "is locked by the worker's operator: rooms and organisers may not set it"


@pytest.mark.parametrize(
    ("said", "paths"),
    [
        ({"palabra": {"undocumented": {"upload": "https://example.org"}}}, ["undocumented"]),
        ({"palabra": {"preprocessing": {"record_tracks": ["a"]}}}, ["preprocessing"]),
        (
            {"palabra": {"undocumented": {"x": 1}, "preprocessing": {}}},
            ["preprocessing", "undocumented"],
        ),
        ({"palabra": {"transport": "websocket"}}, []),
    ],
)
def test_what_is_not_documented_is_locked_unless_the_operator_says_otherwise(
    said: Said, paths: list[str]
) -> None:
    """It may send sound elsewhere, or have it recorded."""
    if paths:
        assert refused(said) == [f"palabra.{path}: {LOCKED}" for path in paths]
    free = Ceilings(locked=()).in_room(())
    assert read(said, free).palabra.transport in {"webrtc", "websocket"}


def test_what_the_operator_sets_is_not_touched_by_saying_the_same() -> None:
    """What is locked stays as the operator's own sections have it."""
    own = {"palabra": {"undocumented": {"x": 1}}, "languages": ["es"]}

    assert read({"languages": ["de"]}, USUAL, own).palabra.undocumented == {"x": 1}
    assert read(own, USUAL, own).palabra.undocumented == {"x": 1}
    others: list[object] = [{"x": 2}, {"y": 1}, None, []]
    for other in others:
        said: Said = {"palabra": {"undocumented": other}}
        assert f"palabra.undocumented: {LOCKED}" in refused(said, USUAL, own)
    assert f"palabra.undocumented: {LOCKED}" in refused({"palabra": None}, USUAL, own)


@pytest.mark.parametrize(
    ("locked", "said", "is_refused"),
    [
        ("organisers", {"organisers": ["mallory"]}, True),
        ("limits.idle_pause_seconds", {"limits": {"idle_pause_seconds": None}}, True),
        ("limits.idle_pause_seconds", {"limits": {"linger_seconds": 1}}, False),
        ("palabra", {"palabra": {"speech": False}}, True),
        ("palabra.translations.es", {"palabra": {"translations": {"ES": {"style": "x"}}}}, True),
        ("palabra.translations.es", {"palabra": {"translations": {"de": {"style": "x"}}}}, False),
        ("plugins", {"plugins": []}, True),
    ],
)
def test_any_key_can_be_locked(locked: str, said: Said, *, is_refused: bool) -> None:
    """With all that is in it."""
    ceilings = Ceilings(locked=(locked,)).in_room(())
    if is_refused:
        assert refused(said, ceilings) == [f"{locked}: {LOCKED}"]
    else:
        read(said, ceilings)


EXPORT: Said = {"name": "export", "config": {"names": True}}
QUIET: Said = {"name": "export"}
VOICES: Said = {"name": "voices"}


@pytest.mark.parametrize(
    ("own", "said", "is_refused"),
    [
        ([], [VOICES], False),
        ([], [EXPORT], True),
        ([EXPORT], [VOICES], True),
        ([EXPORT], [], True),
        ([QUIET], [EXPORT], True),
        ([EXPORT], [EXPORT, EXPORT], True),
        ([EXPORT], [VOICES, EXPORT], False),
        ([], ["export", 5, {"name": ["export"]}], False),
    ],
)
@pytest.mark.parametrize("by_name", [True, False])
def test_a_locked_plugin_is_where_the_operator_put_it(
    own: list[object], said: list[object], *, is_refused: bool, by_name: bool
) -> None:
    """It can be neither added nor changed nor left out; all else of the list is free."""
    ceilings = Ceilings(locked_plugins=("export",) if by_name else ())
    in_room = ceilings.in_room((), () if by_name else ("export",))
    below: Mapping[str, object] = {"plugins": own}
    problems = in_room.touched(below, {"plugins": said})

    assert bool(problems) is is_refused
    assert all(it.path == "plugins" for it in problems)
    assert all('"export" is locked by the worker\'s operator' in it.reason for it in problems)


def test_ceilings_of_some_rooms_lie_over_those_of_all() -> None:
    """What they leave out stays."""
    every = Ceilings(max_speakers=5, max_minutes=60)
    some = every.under(Ceilings(max_minutes=600, locked=()))

    assert (some.max_speakers, some.max_minutes, some.locked) == (5, 600, ())
    assert every.under(None) is every


def test_only_what_is_there_can_be_locked() -> None:
    """A lock with a slip of the pen would hold nothing."""
    locked = (
        "palabra.undocumentd",
        "palabra.preprocessing.record_tracks",
        "limits",
        "palabra.translations.es.style",
        "limits.max_speakers.x",
        "nothing",
        "",
    )

    assert unknown_locks(locked, RoomConfig) == [
        (0, '"palabra.undocumentd" is no key of the room config, did you mean "undocumented"?'),
        (4, '"limits.max_speakers.x" is no key of the room config'),
        (5, '"nothing" is no key of the room config'),
        (6, '"" is no key of the room config'),
    ]


def test_each_ceiling_is_one_of_a_limit() -> None:
    """By the same name."""
    assert Ceilings.model_fields.keys() - {"locked", "locked_plugins"} <= Limits.model_fields.keys()
