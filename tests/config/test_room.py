"""The room config: keys, defaults, merging, and every mistake in words."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.config.room import RoomConfig, parse_room_config, room_config_schema
from palabra_agent.errors import RoomConfigError
from palabra_agent.languages import EVERY_TARGET, TARGET_LANGUAGES
from tests.problems import mistakes_in, refused

pytestmark = pytest.mark.unit

LIST_CODES = "`palabra-agent schema` lists the codes"
CREDENTIALS = (
    "credentials are never accepted from a room or a file of settings; "
    "they belong in the worker's environment"
)


def parse(said: object, *layers: Mapping[str, object]) -> RoomConfig:
    """Parse what a dispatch says, as JSON."""
    return parse_room_config(said if isinstance(said, str) else json.dumps(said), layers=layers)


def mistakes(said: object, *layers: Mapping[str, object]) -> list[str]:
    """The mistakes in a room config, in words."""
    return mistakes_in(lambda: parse(said, *layers))


@pytest.mark.parametrize("metadata", ["", "  \n\t", "{}"])
def test_empty_metadata_means_the_defaults(metadata: str) -> None:
    """Whoever says nothing may ask for every language, and nothing is special."""
    config = parse(metadata)
    assert config.languages == EVERY_TARGET
    assert config.always_on == ()
    assert config.default_listen is None
    assert config.source_language == "auto"
    assert config.spoken_languages == ()
    assert config.speakers == {}
    assert config.channels == "per_language"
    assert (config.captions.enabled, config.captions.partials) == (True, True)
    assert (config.chat.enabled, config.chat.audience, config.chat.commands) == (
        True,
        "language",
        True,
    )
    assert not config.plugins
    assert not config.organisers
    limits = config.limits
    assert (limits.max_speakers, limits.max_languages, limits.max_minutes) == (20, 8, None)
    assert (limits.idle_pause_seconds, limits.linger_seconds) == (20, 5)
    assert config.palabra.transport == "webrtc"


def test_the_documented_defaults_may_be_said() -> None:
    """A value equal to its default is accepted, also where no other value is."""
    said: dict[str, Any] = {
        "always_on": [],
        "default_listen": None,
        "source_language": "auto",
        "spoken_languages": [],
        "speakers": {},
        "channels": "per_language",
        "captions": {"enabled": True, "partials": True, "also_to": []},
        "chat": {"enabled": True, "audience": "language", "commands": True},
        "plugins": [],
        "organisers": [],
        "palabra": {"transport": "webrtc", "allowed_message_types": None},
        "limits": {
            "max_speakers": 20,
            "max_languages": 8,
            "idle_pause_seconds": 20,
            "linger_seconds": 5,
            "max_minutes": None,
        },
    }
    assert parse(said) == parse("")
    assert parse({"chat": {"commands": False}}).chat.commands is False


@pytest.mark.parametrize(
    ("said", "languages"),
    [
        ({"languages": ["es", "de"]}, ("es", "de")),
        ({"languages": ["es_MX", "ZH-Hans", " pt-BR "]}, ("es-mx", "zh-hans", "pt-br")),
        ({"always_on": ["fr"]}, EVERY_TARGET),
        ({"always_on": ["fr"], "languages": ["de", "fr"]}, ("de", "fr")),
    ],
)
def test_the_offer_is_what_is_said_or_everything(
    said: dict[str, Any], languages: tuple[str, ...]
) -> None:
    """Codes are spelt as Palabra spells them."""
    config = parse(said)
    assert config.languages == languages


def test_everything_at_once() -> None:
    """All keys that this version has can be said together."""
    config = parse(
        {
            "languages": ["es", "de"],
            "always_on": ["de"],
            "default_listen": "ES",
            "source_language": "en_US",
            "spoken_languages": ["en-us", "yue"],
            "speakers": {"alice": {"source_language": "auto", "interpret": False}},
            "captions": {"enabled": False, "partials": False},
            "chat": {"enabled": False, "audience": "everyone"},
            "palabra": {"transcription": {"segment_confirmation_silence_threshold": 0.6}},
            "limits": {
                "max_speakers": 1,
                "max_languages": 2,
                "linger_seconds": 0,
                "max_minutes": 0.5,
            },
        }
    )
    assert config.default_listen == "es"
    assert config.source_language == "en-us"
    assert config.spoken_languages == ("en-us", "yue")
    assert config.limits.max_minutes == 0.5
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    ("identity", "language", "interpret"),
    [
        ("alice", "en", True),
        ("guest-alice", "fr", True),
        ("guest-bob", "de", True),
        ("bot-7", None, False),
        ("Alice", None, True),
        ("", None, True),
        ("guest-[x]", "de", True),
    ],
)
def test_the_nearest_override_counts(identity: str, language: str | None, interpret: bool) -> None:
    """The exact identity wins, else the first pattern that fits, else nothing is overridden."""
    config = parse(
        {
            "speakers": {
                "guest-*": {"source_language": "de"},
                "guest-alice": {"source_language": "fr"},
                "g*": {"source_language": "it"},
                "alice": {"source_language": "en"},
                "bot-[0-9]": {"interpret": False},
            }
        }
    )
    override = config.speaker_override(identity)
    assert (override.source_language, override.interpret) == (language, interpret)


def test_layers_merge_deeply_and_the_last_wins() -> None:
    """Objects merge key by key; lists and plain values are replaced as a whole."""
    room = {
        "languages": ["en", "de"],
        "captions": {"enabled": False, "partials": False},
        "palabra": {"translations": {"es_MX": {"speech_generation": {"voice_id": "a"}}}},
    }
    board = {"languages": ["fr"], "captions": {"partials": True}}
    config = parse(
        {
            "captions": {"enabled": True},
            "palabra": {"translations": {"es-mx": {"translate_partial_transcriptions": True}}},
        },
        room,
        board,
    )
    assert config.languages == ("fr",)
    assert (config.captions.enabled, config.captions.partials) == (True, True)
    mexican = config.palabra.translations["es-mx"]
    assert mexican.translate_partial_transcriptions is True
    assert mexican.speech_generation.voice_id == "a"
    assert room["languages"] == ["en", "de"]


def test_a_rooms_patterns_are_asked_before_the_workers() -> None:
    """A pattern in the metadata wins over one of the worker's that fits as well."""
    worker = {"speakers": {"*": {"source_language": "en"}, "g*": {"source_language": "de"}}}
    config = parse({"speakers": {"gu*": {"source_language": "fr"}}}, worker)
    assert config.speaker_override("guest").source_language == "fr"
    assert config.speaker_override("alice").source_language == "en"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            {"limits": {"idle_pause_seconds": -5}},
            "limits.idle_pause_seconds: must be between 0 and 3600, not -5",
        ),
        (
            {"palabra": {"transport": "udp"}},
            'palabra.transport: must be "webrtc", "websocket" or "auto", not "udp"',
        ),
        # languages
        (
            {"languages": ["vn"]},
            f'languages[0]: "vn" is not a known language, did you mean "vi"? {LIST_CODES}',
        ),
        (
            {"languages": ["de-"]},
            f'languages[0]: "de-" is not a known language, did you mean "de"? {LIST_CODES}',
        ),
        (
            {"languages": ["german"]},
            f'languages[0]: "german" is not a known language, did you mean "de"? {LIST_CODES}',
        ),
        ({"languages": ["qq"]}, f'languages[0]: "qq" is not a known language; {LIST_CODES}'),
        (
            {"languages": ["yue"]},
            f'languages[0]: "yue" is understood by Palabra but not spoken; {LIST_CODES}',
        ),
        (
            {"languages": ["auto"]},
            'languages[0]: "auto" is not a language to interpret into',
        ),
        ({"languages": ["es", "ES"]}, 'languages[1]: "es" is given twice'),
        ({"languages": ["es_MX", "es-mx"]}, 'languages[1]: "es-mx" is given twice'),
        ({"languages": ["no", "nb-NO"]}, 'languages[1]: "no" is given twice'),
        (
            {"palabra": {"translations": {"iw": {}, "he": {}}}},
            'palabra.translations: "he" is given twice, in two spellings',
        ),
        ({"languages": [5]}, "languages[0]: must be a language code, not 5"),
        ({"languages": [None]}, "languages[0]: must be a language code, not null"),
        ({"languages": "es"}, 'languages: must be a list, not "es"'),
        ({"languages": {"es": 1}}, "languages: must be a list, not an object"),
        ({"languages": None}, "languages: must be a list, not null"),
        ({"languages": []}, "languages: must not be empty"),
        (
            {"always_on": ["es", "de", "fr"], "limits": {"max_languages": 2}},
            "always_on: 3 languages (es, de, fr) are more than `limits.max_languages` allows, "
            "which is 2",
        ),
        (
            {"always_on": sorted(TARGET_LANGUAGES)[:9]},
            "always_on: 9 languages (af, ar, ar-ae, ar-sa, az, be, bg, bn, bs) are more than "
            "`limits.max_languages` allows, which is 8",
        ),
        (
            {"always_on": ["fr"], "languages": ["es", "de"]},
            'always_on: "fr" is not among the languages, which are es, de',
        ),
        (
            {"languages": ["en", "es"], "default_listen": "fr"},
            'default_listen: "fr" is not among the languages, which are en, es',
        ),
        ({"always_on": True, "languages": ["es"]}, "always_on: must be a list, not true"),
        ({"default_listen": 1}, "default_listen: must be a language code, not 1"),
        (
            {"source_language": "vn"},
            f'source_language: "vn" is not a known language, did you mean "vi"? {LIST_CODES}',
        ),
        (
            {"source_language": "eo"},
            f'source_language: "eo" is not a known language; {LIST_CODES}',
        ),
        (
            {"source_language": "en-"},
            f'source_language: "en-" is not a known language, did you mean "en"? {LIST_CODES}',
        ),
        ({"source_language": None}, "source_language: must be a language code, not null"),
        (
            {"spoken_languages": ["auto"]},
            'spoken_languages[0]: "auto" is not one of the languages that may be detected',
        ),
        # everything else
        (
            {"speakers": {"alice": {"source_language": "zz"}}},
            f'speakers.alice.source_language: "zz" is not a known language; {LIST_CODES}',
        ),
        (
            {"speakers": {"a@b.example": {"interprt": True}}},
            'speakers["a@b.example"].interprt: unknown key, did you mean "interpret"?',
        ),
        ({"speakers": {"": {}}}, 'speakers[""]: must not be empty'),
        ({"speakers": {"alice": "en"}}, 'speakers.alice: must be an object, not "en"'),
        (
            {"speakers": {"[key]": {"interpret": 1}}},
            'speakers["[key]"].interpret: must be true or false, not 1',
        ),
        ({"speakers": ["alice"]}, "speakers: must be an object, not a list"),
        (
            {"channels": "per_langage"},
            'channels: must be "per_language" or "per_speaker", not "per_langage", '
            'did you mean "per_language"?',
        ),
        ({"channels": ["x"]}, 'channels: must be "per_language" or "per_speaker", not a list'),
        ({"captions": True}, "captions: must be an object, not true"),
        ({"captions": {"partials": 1}}, "captions.partials: must be true or false, not 1"),
        ({"captions": {"also_to": "EG_*"}}, 'captions.also_to: must be a list, not "EG_*"'),
        ({"captions": {"also_to": ["a", "a"]}}, 'captions.also_to: "a" is given twice'),
        ({"captions": {"also_to": [""]}}, "captions.also_to[0]: must not be empty"),
        (
            {"chat": {"audience": "all"}},
            'chat.audience: must be "language", "everyone", "original" or "none", not "all"',
        ),
        (
            {
                "chat": {"translate": True},
                "palabra": {"allowed_message_types": ["validated_transcription"]},
            },
            'palabra.allowed_message_types: must hold "translated_transcription", as '
            "`chat.translate` is true",
        ),
        (
            {"chat": {"speak": True}, "palabra": {"speech": False}},
            "palabra.speech: must be true, as `chat.speak` is",
        ),
        ({"chat": {"speak": 1}}, "chat.speak: must be true or false, not 1"),
        ({"plugins": [{"config": {}}]}, "plugins[0].name: is missing"),
        ({"plugins": ["voice-timbre"]}, 'plugins[0]: must be an object, not "voice-timbre"'),
        ({"plugins": {"name": "a"}}, "plugins: must be a list, not an object"),
        ({"plugins": "a"}, 'plugins: must be a list, not "a"'),
        ({"plugins": None}, "plugins: must be a list, not null"),
        ({"plugins": True}, "plugins: must be a list, not true"),
        ({"plugins": [None]}, "plugins[0]: must be an object, not null"),
        ({"plugins": [[]]}, "plugins[0]: must be an object, not a list"),
        ({"plugins": [{"name": ""}]}, "plugins[0].name: must not be empty"),
        ({"plugins": [{"name": 5}]}, "plugins[0].name: must be a string, not 5"),
        ({"plugins": [{"name": ["a"]}]}, "plugins[0].name: must be a string, not a list"),
        (
            {"plugins": [{"name": "a" * 257}]},
            f'plugins[0].name: must have at most 256 characters, not as many as "{"a" * 60}…"',
        ),
        (
            {"plugins": [{"name": "a", "config": []}]},
            "plugins[0].config: must be an object, not a list",
        ),
        (
            {"plugins": [{"name": "a", "config": None}]},
            "plugins[0].config: must be an object, not null",
        ),
        (
            {"plugins": [{"name": "a", "confg": {}}]},
            'plugins[0].confg: unknown key, did you mean "config"?',
        ),
        (
            {"plugins": [{"name": "a"}, {"name": "b"}, {"name": "a", "config": {}}]},
            'plugins[2]: "a" is named twice with the same config',
        ),
        (
            {"plugins": [{"name": f"p{number}"} for number in range(21)]},
            "plugins: 21 plugins are more than the 20 that a room may have",
        ),
        ({"organisers": "olga"}, 'organisers: must be a list, not "olga"'),
        ({"organisers": [""]}, "organisers[0]: must not be empty"),
        ({"organisers": [5]}, "organisers[0]: must be a string, not 5"),
        ({"organisers": ["a", "a"]}, 'organisers: "a" is given twice'),
        ({"limits": {"max_speakers": 0}}, "limits.max_speakers: must be at least 1, not 0"),
        (
            {"limits": {"max_speakers": 1.5}},
            "limits.max_speakers: must be a whole number, not 1.5",
        ),
        (
            {"limits": {"linger_seconds": -1}},
            "limits.linger_seconds: must be between 0 and 300, not -1",
        ),
        (
            {"limits": {"max_minutes": 0}},
            "limits.max_minutes: must be between 0.001 and 44640, not 0",
        ),
        ({"limits": {"max_minutes": "5"}}, 'limits.max_minutes: must be a number, not "5"'),
        ({"langauges": []}, 'langauges: unknown key, did you mean "languages"?'),
        ({"target_languages": []}, 'target_languages: unknown key, did you mean "languages"?'),
        (
            {"chat": {"foo": 1}},
            "chat.foo: unknown key; known are enabled, audience, commands, translate, speak",
        ),
        ({"match": "*"}, "match: belongs to `[[rooms]]` in the worker's file of settings"),
        (
            {"palabra": {"transcription": {"source_language": "en"}}},
            "palabra.transcription.source_language: is not said here but by `source_language` "
            "and `speakers` of the room config",
        ),
    ],
)
def test_each_mistake_is_told_in_words(said: dict[str, Any], words: str) -> None:
    """A refused value is named with its path and with what is allowed, once."""
    assert mistakes(said) == [words]


def test_repeated_keys_are_refused_beside_all_else() -> None:
    """JSON lets the last of two equal keys win in silence; here both places are named."""
    text = '{"languages": [], "chat": {"enabled": 1, "enabled": 2}, "languages": ["es"]}'
    assert mistakes(text) == [
        "languages: given twice",
        "chat.enabled: given twice",
        "chat.enabled: must be true or false, not 2",
    ]
    assert mistakes('{"chat": {}, "chat": {}}') == ["chat: given twice"]
    many = ",".join(f'"{number % 3000}": 1' for number in range(4000))
    assert len(mistakes(f'{{"speakers": {{{many}}}}}')) == 202


def test_every_mistake_is_told_at_once() -> None:
    """One reading finds all mistakes, those between fields too; the text joins them."""
    said = {
        "languages": ["es", "de"],
        "always_on": ["fr"],
        "default_listen": "vn",
        "limits": {"max_languages": 1},
        "channels": "per_listener",
        "speakers": {"alice": {"source_language": "zz", "interpret": 0}},
        "palabra": {
            "transport": "udp",
            "translation_queue_configs": {"global": {"desired_queue_level_ms": 99999}},
        },
        "nope": 1,
    }
    problems = refused(lambda: parse(said))
    assert str(RoomConfigError(problems)) == "; ".join(map(str, problems))
    places = [problem.path or problem.reason.split(":")[0] for problem in problems]
    assert places == [
        "always_on",
        "default_listen",
        "speakers.alice.source_language",
        "speakers.alice.interpret",
        "channels",
        "palabra.transport",
        "palabra.translation_queue_configs.global.max_queue_level_ms",
        "nope",
    ]


def test_very_many_mistakes_are_counted() -> None:
    """Nobody reads ten thousand mistakes: the first hundred are told, the rest counted."""
    told = mistakes({f"k{number}": 1 for number in range(5000)})
    assert len(told) == 101
    assert told[-1] == "and 4900 more mistakes"


@pytest.mark.parametrize(
    "key",
    ["client_id", "client_secret", "api_key", "apiKey", "PALABRA_API_KEY", "token", "password"],
)
@pytest.mark.parametrize("place", [(), ("palabra",), ("palabra", "websocket")])
def test_credentials_are_never_accepted(key: str, place: tuple[str, ...]) -> None:
    """Credentials in a room's config are refused wherever they are, and not repeated."""
    said: dict[str, Any] = {key: "hunter2"}
    for part in reversed(place):
        said = {part: said}
    assert mistakes(said) == [".".join((*place, key)) + f": {CREDENTIALS}"]


@pytest.mark.parametrize(
    "secret",
    [
        "plbr_0123456789",
        "eyJhbGciOiJIUzI1NiJ9.e30.abc",
        "Bearer abcdef",
        "https://me:hunter2@example.com",
        "9f86d081884c7d659a2feaa0c55ad015",
    ],
)
@pytest.mark.parametrize(
    "where",
    [
        '{"channels": %s}',
        '{"languages": [%s]}',
        '{"source_language": %s}',
        '{"limits": {"max_minutes": %s}}',
        '{"organisers": %s}',
        '{"plugins": [{"name": "x", "config": %s}]}',
        '{"speakers": {%s: 1}}',
        "{%s: 1}",
    ],
)
def test_what_looks_like_a_credential_is_not_shown(secret: str, where: str) -> None:
    """A token in a wrong place does not reach the sentence that says so."""
    told = mistakes(where % json.dumps(secret))
    assert told
    for word in (secret, secret.lower(), secret.replace("_", "-").lower()):
        assert word not in " ".join(told)


def test_long_values_are_shortened() -> None:
    """A sentence shows the beginning of a long value, and none of an object or list."""
    [told] = mistakes({"channels": "x y " * 1000, "languages": ["es"]})
    assert len(told) < 200
    [told] = mistakes({"channels": {"deep": ["secret"]}})
    assert told.endswith("not an object")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
KEYS = st.sampled_from(sorted(RoomConfig.model_fields))
SECTION_KEYS = st.sampled_from(
    "enabled partials audience commands max_speakers max_languages idle_pause_seconds "
    "linger_seconds max_minutes name config alice source_language interpret transport websocket "
    "transcription translations translation_queue_configs allowed_message_types default es global "
    "speech_generation voice_id voice_cloning voice_timbre_detection high_timbre_voices "
    "desired_queue_level_ms max_queue_level_ms speech preprocessing undocumented pipeline "
    "advanced style target_language input_stream output_stream".split()
)
VALUES: st.SearchStrategy[object] = st.sampled_from(
    [True, 1, 0.5, "es", "auto", "per_language", "webrtc", None, [], {}, ["es"], 10**19]
)
LIKELY = st.recursive(
    VALUES | JSON,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(SECTION_KEYS | st.text(), inner, max_size=4)
    ),
    max_leaves=20,
)
CONFIGS = st.dictionaries(KEYS | st.text(), LIKELY, max_size=6)


def outcome(text: str, *layers: Mapping[str, object]) -> RoomConfig | None:
    """Parse; the only exception that may come is ours, and its text can be sent."""
    try:
        return parse_room_config(text, layers=layers)
    except RoomConfigError as error:
        refusal = error
    assert refusal.problems
    assert str(refusal).encode()
    return None


@given(st.text() | JSON.map(json.dumps))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Whatever the metadata is, it is a config or a refusal in words."""
    outcome(text)


@given(CONFIGS, CONFIGS)
def test_no_json_breaks_the_checks(said: dict[str, Any], layer: dict[str, Any]) -> None:
    """Whatever stands under known keys, in the metadata or in a layer, is judged in words."""
    config = outcome(json.dumps(said), layer)
    if config is not None:
        assert set(config.always_on) <= set(config.languages)
        assert outcome("", config.model_dump(mode="json")) == config


@given(st.text(min_size=1), st.text())
def test_no_pattern_breaks_the_overrides(pattern: str, identity: str) -> None:
    """Any text may be a pattern, and any identity may be asked about."""
    config = outcome(json.dumps({"speakers": {pattern[:256]: {"interpret": False}}}))
    if config is not None:
        config.speaker_override(identity)
        assert config.speaker_override(pattern[:256]).interpret is False


def test_organisers_are_said_by_the_highest_layer() -> None:
    """As every list, theirs is replaced and not added to; the worker's own hold beside it."""
    config = parse({"organisers": ["olga"]}, {"organisers": ["otto", "olaf"]})
    assert config.organisers == ("olga",)
    assert parse({}, {"organisers": ["otto"]}).organisers == ("otto",)


def test_a_rooms_plugins_replace_the_workers() -> None:
    """The order of asking is one list's, and never put together from two."""
    worker = {"plugins": [{"name": "a"}, {"name": "b"}]}
    assert [use.name for use in parse({}, worker).plugins] == ["a", "b"]
    assert [use.name for use in parse({"plugins": [{"name": "c"}]}, worker).plugins] == ["c"]
    assert parse({"plugins": []}, worker).plugins == ()


def test_the_schema_refuses_lists_and_codes_that_the_config_refuses() -> None:
    """An editor that knows the schema marks them while they are written."""
    keys = room_config_schema()["properties"]
    assert keys["languages"]["minItems"] == 1
    assert keys["organisers"]["uniqueItems"] is True

    spoken, source = (
        keys["spoken_languages"]["items"]["pattern"],
        keys["source_language"]["pattern"],
    )
    for code in ("en", "en-gb"):
        assert re.search(spoken, code)
        assert re.search(source, code)
    assert re.search(source, "auto")
    assert not re.search(spoken, "auto")
    assert not any(re.search(source, wrong) for wrong in ("auto-es", "zz", "en-", "autoen"))


def test_a_config_may_name_its_schema() -> None:
    """Editors look for it there; nobody else does."""
    said = {"$schema": "./room.schema.json", "languages": ["de"]}

    assert parse(said) == parse({"languages": ["de"]})
    assert "$schema" not in parse(said).model_dump()
    assert room_config_schema()["properties"]["$schema"]["type"] == "string"
    assert mistakes({"$schema": 1}) == [
        '["$schema"]: must be a string, the address of a JSON Schema for editors'
    ]


def test_the_schema_describes_the_config() -> None:
    """The JSON Schema names every key with its meaning, and the codes that are allowed."""
    schema = room_config_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert set(schema["properties"]) == {"$schema", *RoomConfig.model_fields}
    assert schema["additionalProperties"] is False
    assert schema["properties"]["languages"]["items"]["enum"] == sorted(TARGET_LANGUAGES)
    limits = schema["$defs"]["Limits"]["properties"]
    assert (limits["linger_seconds"]["minimum"], limits["linger_seconds"]["maximum"]) == (0, 300)
    assert limits["linger_seconds"]["description"]
    (example,) = schema["examples"]
    assert set(example) <= set(RoomConfig.model_fields)
    assert parse(example).model_dump(exclude_unset=True)
