"""The config of voice-selection: what it reads, and a sentence for whatever it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from palabra_agent_voice_selection import plugin
from palabra_agent_voice_selection.wanted import AskedFor, PerLanguage, Pool

from palabra_agent.plugin import ClonedVoice, FixedVoice
from tests.plugins.voice_selection.asking import mistakes, read

pytestmark = pytest.mark.unit

KEYS = 'other keys are "pool", "attribute" and "default"'
LIST = "`palabra-agent schema` lists the codes"
TEXTS = "must be a text or a list of texts"
FORMS = (
    'must be a voice id, "clone", {"pool": […]}, {"attribute": […]}, or one of these per language, '
    'as in {"es": …, "default": …}'
)
SECRET = "must be a voice id of 1 to 256 characters, not a value that looks like a credential"
ID = "must be a voice id of 1 to 256 characters, not"


def test_the_example_can_be_read() -> None:
    """What the recipe shows is right, and so is every form of a voice in it."""
    voices = [rule.voice for rule in read(plugin.example).rules]
    assert [type(voice) for voice in voices] == [ClonedVoice, AskedFor, Pool, PerLanguage]


def test_one_text_is_a_list_of_one() -> None:
    """Conditions take one text or a list; codes are spelt as Palabra spells them."""
    one = read({"rules": [{"speaker": "a", "target_language": "ES_mx", "voice": "v"}]})
    several = read({"rules": [{"speaker": ["a"], "target_language": ["es-mx"], "voice": "v"}]})

    assert one == several
    assert one.rules[0].target_language == ("es-mx",)
    assert one.rules[0].voice == FixedVoice("v")


def test_null_is_no_condition() -> None:
    """A condition that is null is as one left out."""
    given = read({"rules": [{"speaker": None, "voice": "v"}]})
    assert given == read({"rules": [{"voice": "v"}]})


@pytest.mark.parametrize(
    ("rule", "mistake"),
    [
        ({"speaker": 3}, f"speaker: {TEXTS}, not 3"),
        ({"speaker": {"a": 1}}, f"speaker: {TEXTS}"),
        ({"speaker": True}, f"speaker: {TEXTS}, not true"),
        ({"speaker": ["a", "a"]}, 'speaker: "a" is given twice'),
        ({"attribute": 1.5}, f"attribute: {TEXTS}, not 1.5"),
        ({"name": {}}, f"name: {TEXTS}"),
        (
            {"source_language": "english"},
            f'source_language: "english" is not a known language, did you mean "en"? {LIST}',
        ),
        (
            {"source_language": "auto"},
            'source_language: "auto" is not one of the languages that may be detected',
        ),
        ({"source_language": ["en", 7]}, "source_language[1]: must be a language code, not 7"),
        ({"source_language": ["en", "EN"]}, 'source_language: "en" is given twice'),
        ({"target_language": ""}, f'target_language: "" is not a known language; {LIST}'),
        ({"target_language": "qq"}, f'target_language: "qq" is not a known language; {LIST}'),
        (
            {"target_language": ["es", "am"]},
            f'target_language[1]: "am" is understood by Palabra but not spoken; {LIST}',
        ),
        ({"target_language": 7}, f"target_language: {TEXTS}, not 7"),
        ({"voice": 3}, f"voice: {FORMS}, not 3"),
        ({"voice": True}, f"voice: {FORMS}, not true"),
        ({"voice": None}, f"voice: {FORMS}"),
        ({"voice": ["a"]}, f"voice: {FORMS}"),
        ({"voice": {}}, f"voice: {FORMS}, not empty"),
        ({"voice": ""}, f'voice: {ID} ""'),
        ({"voice": "x" * 257}, f'voice: {ID} "{"x" * 60}…"'),
        ({"voice": "plbr_" * 60}, f"voice: {SECRET}"),
        ({"voice": {"pool": ["eyJhbGciOi" * 30]}}, f"voice.pool[0]: {SECRET}"),
        ({"voice": "Clone"}, 'voice: "Clone" is no voice, did you mean "clone"?'),
        ({"voice": "cloned"}, 'voice: "cloned" is no voice, did you mean "clone"?'),
        (
            {"voice": "default-high"},
            'voice: "default-high" is no voice, did you mean "default_high"?',
        ),
        (
            {"voice": "attribute"},
            'voice: say what may be asked for: {"attribute": ["default_high", "default_low"]}',
        ),
        ({"voice": "pool"}, 'voice: say which voices are dealt: {"pool": ["default_low", …]}'),
        ({"voice": {"pool": ["a", 3]}}, f"voice.pool[1]: {ID} 3"),
        ({"voice": {"pool": ["a", "a"]}}, 'voice.pool: "a" is given twice'),
        (
            {"voice": {"pool": ["clone"]}},
            'voice.pool[0]: "clone" cannot be dealt from a pool: it needs a rule of its own',
        ),
        ({"voice": {"attribute": 3}}, f"voice.attribute: {TEXTS}, not 3"),
        ({"voice": {"es": 3}}, f"voice.es: {FORMS}, not 3"),
        ({"voice": {"es": {"de": "v"}}}, f"voice.es: {FORMS}"),
        ({"voice": {"es": {"pool": [""]}}}, f'voice.es.pool[0]: {ID} ""'),
        ({"voice": {"ES": "a", "es": "b"}}, 'voice: "es" is given twice'),
        ({"voice": {"iw": "a", "he": "b"}}, 'voice: "he" is given twice'),
        (
            {"voice": {"pools": ["a"]}},
            f'voice: "pools" is not a known language; {LIST}; {KEYS}',
        ),
        (
            {"voice": {"Spanish": "a"}},
            f'voice: "spanish" is not a known language, did you mean "es"? {LIST}; {KEYS}',
        ),
    ],
)
async def test_what_a_rule_cannot_say(rule: dict[str, Any], mistake: str) -> None:
    """Each mistake is told at its place, with the value and what is allowed."""
    assert await mistakes({"rules": [{"voice": "v"}, {"voice": "v", **rule}]}) == [
        f"rules[1].{mistake}"
    ]


@pytest.mark.parametrize(
    ("config", "mistake"),
    [
        ({}, "rules: is missing"),
        ({"rules": []}, "rules: must not be empty"),
        ({"rules": {}}, "rules: must be a list, not an object"),
        ({"rules": "clone"}, 'rules: must be a list, not "clone"'),
        ({"rules": ["clone"]}, 'rules[0]: must be an object, not "clone"'),
        ({"rules": [{}]}, "rules[0].voice: is missing"),
        ({"rules": [{"speaker": [], "voice": "v"}]}, "rules[0].speaker: must not be empty"),
        ({"rules": [{"speaker": "", "voice": "v"}]}, "rules[0].speaker: must not be empty"),
        (
            {"rules": [{"name": ["a", 2], "voice": "v"}]},
            "rules[0].name[1]: must be a string, not 2",
        ),
        ({"rules": [{"voice": {"pool": []}}]}, "rules[0].voice.pool: must not be empty"),
        ({"rules": [{"voice": {"pool": "a"}}]}, 'rules[0].voice.pool: must be a list, not "a"'),
        (
            {"rules": [{"speeker": "a", "voice": "v"}]},
            'rules[0].speeker: unknown key, did you mean "speaker"?',
        ),
        (
            {"rules": [{"identity": "a", "voice": "v"}]},
            'rules[0].identity: unknown key, did you mean "speaker"?',
        ),
        (
            {"rules": [{"language": "a", "voice": "v"}]},
            'rules[0].language: unknown key, did you mean "target_language" or "source_language"?',
        ),
        (
            {"rules": [{"pool": ["a"], "voice": "v"}]},
            'rules[0].pool: belongs into the voice: {"voice": {"pool": […]}}',
        ),
        ({"rule": [], "rules": [{"voice": "v"}]}, 'rule: unknown key, did you mean "rules"?'),
    ],
)
async def test_what_the_host_says_of_a_wrong_shape(config: dict[str, Any], mistake: str) -> None:
    """Missing, empty and unknown things are told in the host's words, at their place."""
    assert await mistakes(config) == [mistake]


@pytest.mark.parametrize(
    "config",
    [
        {"rules": [{"voice": "clone"}], "consent": ["alice"]},
        {"rules": [{"voice": "clone", "consent": True}]},
    ],
)
async def test_no_room_agrees_for_a_person(config: dict[str, Any]) -> None:
    """Where consent was once said, a sentence tells who says it."""
    (mistake,) = await mistakes(config)

    assert "consent: is not said here: speakers agree themselves" in mistake


async def test_every_mistake_is_told() -> None:
    """Several mistakes are told at once."""
    config = {"rules": [{"voice": 3}, {"speaker": 3, "voice": {"pool": [1, 2]}}], "consents": 3}
    assert [mistake.partition(":")[0] for mistake in await mistakes(config)] == [
        "rules[0].voice",
        "rules[1].speaker",
        "rules[1].voice.pool[0]",
        "rules[1].voice.pool[1]",
        "consents",
    ]


def test_everything_is_described() -> None:
    """Each key that a room may write has a description in the schema."""
    schema = plugin.config_model.model_json_schema()
    for model in (schema, schema["$defs"]["Rule"]):
        for key, described in model["properties"].items():
            assert described.get("description"), key
