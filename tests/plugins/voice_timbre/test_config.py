"""The config: what is understood, and the sentences and places of what is not."""

from __future__ import annotations

import json
import math
import sys
from typing import Any, Final

import pytest
from palabra_agent_voice_timbre import TimbreConfig, plugin
from palabra_agent_voice_timbre.config import LIBRARIES, not_installed
from pydantic import ValidationError

pytestmark = pytest.mark.unit

LOCAL: Final = {"detection": "local"}
LOCAL_ALONE: Final = 'it holds with `"detection": "local"` alone: Palabra decides this by itself'
NOT_WITH_CLASSES: Final = "it cannot stand beside `classes`, which say it all"


def read(config: dict[str, Any]) -> TimbreConfig:
    """Check a config as the host does: as JSON."""
    return TimbreConfig.model_validate_json(json.dumps(config))


def mistakes(config: dict[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    """The places and sentences of what is wrong."""
    with pytest.raises(ValidationError) as caught:
        read(config)

    return [
        (error["loc"], error["msg"].removeprefix("Value error, "))
        for error in caught.value.errors()
    ]


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"high": {"es": "default_high"}},
        {"high": {"pt_BR": ["a"]}, "low": {"DEFAULT": "b"}},
        {**LOCAL, "high": {"es": ["a", "b"]}, "threshold_hz": 150.5, "until_known": "pass"},
        {**LOCAL, "classes": [{"voices": {"es": "a"}}]},
        {**LOCAL, "classes": [
            {"up_to_hz": 120, "voices": {"default": ["a", "b"]}},
            {"up_to_hz": 180, "voices": {"default": "c", "es": "d"}},
            {"voices": {"default": "e"}},
        ]},
        plugin.example,
    ],
)  # fmt: skip
def test_good_configs_are_understood(config: dict[str, Any]) -> None:
    """The contract's example, an empty config and the recipe's own example are valid."""
    assert isinstance(read(config), TimbreConfig)


def test_what_is_left_out_is_high_and_low() -> None:
    """Without a word there is one class up to 165 Hz, and one above."""
    low, high = read({}).voice_classes

    assert (low.voices, low.up_to_hz) == ({"default": ("default_low",)}, 165)
    assert (high.voices, high.up_to_hz) == ({"default": ("default_high",)}, math.inf)


def test_codes_are_spelt_alike() -> None:
    """A language may be written in any way; one voice is a list of one."""
    assert read({"high": {" PT_br ": "a"}}).high == {"pt-br": ("a",)}


@pytest.mark.parametrize(
    ("config", "place", "sentence"),
    [
        ({"high": {"es": ["a", "b"]}}, ("high", "es"),
         "has 2 voices, but Palabra's own detection takes exactly one; "
         '`"detection": "local"` takes more'),
        ({"threshold_hz": 150}, ("threshold_hz",), LOCAL_ALONE),
        ({"until_known": "pass"}, ("until_known",), LOCAL_ALONE),
        ({"classes": [{"voices": {"es": "a"}}]}, ("classes",), LOCAL_ALONE),
        ({"low": {"Spanish": "a"}}, ("low", "Spanish", "[key]"),
         '"spanish" is not a known language, did you mean "es"? '
         "`palabra-agent schema` lists the codes"),
        ({"low": {"es": 7}}, ("low", "es"), "must be a voice id or a list of them"),
        ({"low": {"es": {"id": "a"}}}, ("low", "es"),
         "must be a voice id or a list of them"),
        ({"low": {"es": [None]}}, ("low", "es", 0),
         "must be a voice id of 1 to 256 characters"),
        ({"low": {"es": " "}}, ("low", "es", 0),
         "must be a voice id of 1 to 256 characters"),
        ({"low": {"es": "x" * 257}}, ("low", "es", 0),
         "must be a voice id of 1 to 256 characters"),
        ({"low": {"es": [["a"]]}}, ("low", "es", 0),
         "must be a voice id of 1 to 256 characters"),
        ({"low": {"es": "Default-Low"}}, ("low", "es", 0),
         '"Default-Low" is no voice, did you mean "default_low"?'),
        ({**LOCAL, "low": {"es": ["a", "b", "a"]}}, ("low", "es", 2), '"a" is given twice'),
        ({**LOCAL, "classes": [{"voices": {"es": "a"}}], "high": {"es": "b"}}, ("high",),
         NOT_WITH_CLASSES),
        ({**LOCAL, "classes": [{"voices": {"es": "a"}}], "threshold_hz": 100}, ("threshold_hz",),
         NOT_WITH_CLASSES),
    ],
)  # fmt: skip
def test_a_mistake_has_a_place_and_a_sentence(
    config: dict[str, Any], place: tuple[str | int, ...], sentence: str
) -> None:
    """What is wrong is told where it stands, with what is allowed."""
    told = {tuple(part for part in loc if part != "[key]"): why for loc, why in mistakes(config)}

    assert told == {tuple(part for part in place if part != "[key]"): sentence}


@pytest.mark.parametrize(
    "config",
    [
        {"high": "a"}, {"high": None}, {"high": []}, {"high": {}}, {"high": {"es": []}},
        {"detection": "locl"}, {"detection": None},
        {**LOCAL, "threshold_hz": "165"}, {**LOCAL, "threshold_hz": 59},
        {**LOCAL, "threshold_hz": True}, {**LOCAL, "until_known": "never"},
        {**LOCAL, "classes": []}, {**LOCAL, "classes": {}}, {**LOCAL, "classes": [{}]},
        {**LOCAL, "classes": [{"voices": {"es": "a"}, "pitch": 1}]}, {"voices": {}},
    ],
)  # fmt: skip
def test_wrong_types_and_unknown_keys_are_refused(config: dict[str, Any]) -> None:
    """Nothing is half-understood; the host has the words for these."""
    assert len(mistakes(config)) == 1


def test_classes_ascend_to_one_without_a_bound() -> None:
    """Every bound that is missing, left over or out of order is told at once."""
    bounds = [150, None, 120, 300]
    classes = [{"up_to_hz": bound, "voices": {"default": "a"}} for bound in bounds]

    assert mistakes({**LOCAL, "classes": classes}) == [
        (
            ("classes", 3, "up_to_hz"),
            "must be left out of the last class, which is for every higher voice",
        ),
        (("classes", 1, "up_to_hz"), "is missing; only the last class is without"),
        (
            ("classes", 2, "up_to_hz"),
            "must be higher than 150, that of the class before",
        ),
    ]


def test_two_spellings_of_a_language_are_refused() -> None:
    """Neither of two voices for one language wins by accident."""
    assert mistakes({"high": {"es_MX": "a", "es-mx": "b"}}) == [
        (("high", "es_MX"), '"es-mx" is given twice, in two spellings'),
        (("high", "es-mx"), '"es-mx" is given twice, in two spellings'),
    ]
    assert mistakes({"low": {"no": "a", "nb-NO": "b"}}) == [
        (("low", "no"), '"no" is given twice, in two spellings'),
        (("low", "nb-NO"), '"no" is given twice, in two spellings'),
    ]


def test_languages_are_read_as_browsers_write_them() -> None:
    """A voice belongs to the target that is meant."""
    config = read({"high": {"iw": "a", "zh_TW.UTF-8": "b"}})

    assert config.high == {"he": ("a",), "zh-hant": ("b",)}


def test_a_missing_library_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local detection without what hears is refused with what to install; nothing else is."""
    monkeypatch.setitem(sys.modules, "swift_f0", None)

    assert not_installed(LIBRARIES) == ["swift_f0"]
    assert mistakes(LOCAL) == [
        (
            ("detection",),
            '"local" takes what is not installed on the worker, swift_f0: '
            'pip install "palabra-agent-voice-timbre[local]"',
        )
    ]
    assert read({}).detection == "palabra"


def test_every_field_is_described() -> None:
    """The JSON schema explains every key, and names the example's."""
    schema = TimbreConfig.model_json_schema()
    fields = [
        *schema["properties"].values(),
        *schema["$defs"]["TimbreClass"]["properties"].values(),
    ]

    assert all(field.get("description") for field in fields)
    assert plugin.example.keys() <= schema["properties"].keys()
