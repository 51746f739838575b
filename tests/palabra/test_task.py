"""Palabra's task settings and the `set_task` that they make."""

from __future__ import annotations

import json
import pickle
from typing import Any, TypeAlias

import pytest
from pydantic import ValidationError

from palabra_agent.config.problems import problems_of
from palabra_agent.languages import AUTO, LanguageCode
from palabra_agent.palabra.task import TRANSCRIPTION_TYPES, TaskSettings
from palabra_agent.palabra.task_building import build_task

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")


Json: TypeAlias = dict[str, Any]


def settings(said: dict[str, Any]) -> TaskSettings:
    """Check what a room says under `palabra`."""
    return TaskSettings.model_validate(said)


def mistakes(said: dict[str, Any]) -> list[str]:
    """What is wrong with it, in words."""
    with pytest.raises(ValidationError) as caught:
        settings(said)
    return [str(problem) for problem in problems_of(caught.value, TaskSettings)]


def build(said: dict[str, Any], *targets: LanguageCode, partials: bool = True) -> Json:
    """Build the pipeline of an English speaker's task."""
    data: Json = build_task(
        settings(said),
        source_language=EN,
        detectable_languages=(),
        targets=targets or (ES,),
        partial_translations=partials,
    )
    pipeline: Json = data["pipeline"]
    return pipeline


def translation(said: dict[str, Any], target: LanguageCode = ES) -> Json:
    """Build the translation of one target."""
    entry: Json = build({"translations": said}, target)["translations"][0]
    return entry


def test_the_default_task_is_the_documented_example() -> None:
    """Without settings, every field is sent with its documented value and shape."""
    assert build_task(
        TaskSettings(),
        source_language=EN,
        detectable_languages=(),
        targets=(ES,),
        partial_translations=True,
    ) == {
        "input_stream": {"content_type": "audio", "source": {"type": "webrtc"}},
        "output_stream": {"content_type": "audio", "target": {"type": "webrtc"}},
        "pipeline": {
            "transcription": {
                "source_language": "en",
                "detectable_languages": [],
                "segment_confirmation_silence_threshold": 0.7,
                "sentence_splitter": {"enabled": True},
                "verification": {
                    "auto_transcription_correction": False,
                    "transcription_correction_style": None,
                },
            },
            "translations": [
                {
                    "target_language": "es",
                    "translate_partial_transcriptions": True,
                    "speech_generation": {
                        "voice_cloning": False,
                        "voice_id": "default_low",
                        "voice_timbre_detection": {
                            "enabled": False,
                            "high_timbre_voices": ["default_high"],
                            "low_timbre_voices": ["default_low"],
                        },
                    },
                }
            ],
            "translation_queue_configs": {
                "global": {
                    "desired_queue_level_ms": 6000,
                    "max_queue_level_ms": 20000,
                    "auto_tempo": True,
                    "min_tempo": 1.0,
                    "max_tempo": 1.3,
                }
            },
            "allowed_message_types": [
                "partial_transcription",
                "validated_transcription",
                "translated_transcription",
                "partial_translated_transcription",
            ],
        },
    }


def test_the_task_is_json() -> None:
    """What is built can be sent: plain JSON values, one translation for each target in order."""
    data = build_task(
        TaskSettings(),
        source_language=AUTO,
        detectable_languages=[EN, LanguageCode("en-us"), DE],
        targets=(ES, DE),
        partial_translations=False,
    )
    pipeline = json.loads(json.dumps(data))["pipeline"]
    assert [entry["target_language"] for entry in pipeline["translations"]] == ["es", "de"]
    assert pipeline["transcription"]["source_language"] == "auto"
    assert pipeline["transcription"]["detectable_languages"] == ["en", "de"]


def test_a_source_is_sent_without_its_region() -> None:
    """Palabra hears languages: `en-us` is sent as `en`, and nothing detectable goes with it."""
    data: Any = build_task(
        TaskSettings(),
        source_language=LanguageCode("en-us"),
        detectable_languages=(DE,),
        targets=(LanguageCode("es-mx"),),
        partial_translations=False,
    )
    assert data["pipeline"]["transcription"]["source_language"] == "en"
    assert data["pipeline"]["transcription"]["detectable_languages"] == []
    assert data["pipeline"]["translations"][0]["target_language"] == "es-mx"


@pytest.mark.parametrize(
    ("said", "partials", "sent"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"default": {"translate_partial_transcriptions": None}}, True, True),
        ({"default": {"translate_partial_transcriptions": False}}, True, False),
        ({"default": {"translate_partial_transcriptions": True}}, False, True),
        (
            {
                "default": {"translate_partial_transcriptions": True},
                "es": {"translate_partial_transcriptions": False},
            },
            True,
            False,
        ),
        ({"de": {"translate_partial_transcriptions": True}}, False, False),
    ],
)
def test_partial_translations_are_the_rooms_word_unless_set(
    said: dict[str, Any], partials: bool, sent: bool
) -> None:
    """`translate_partial_transcriptions` holds where somebody set it, else the captions decide."""
    pipeline = build({"translations": said}, partials=partials)
    assert pipeline["translations"][0]["translate_partial_transcriptions"] is sent
    assert pipeline["allowed_message_types"] == list(TRANSCRIPTION_TYPES)


def test_a_targets_entry_lies_over_the_default_one() -> None:
    """Only what a target says itself replaces what is said for all, however deep."""
    said = {
        "default": {
            "translate_partial_transcriptions": False,
            "speech_generation": {
                "voice_id": "anna",
                "voice_timbre_detection": {"enabled": True, "high_timbre_voices": ["h"]},
            },
        },
        "es": {"speech_generation": {"voice_timbre_detection": {"low_timbre_voices": ["l"]}}},
    }
    assert translation(said) == {
        "target_language": "es",
        "translate_partial_transcriptions": False,
        "speech_generation": {
            "voice_cloning": False,
            "voice_id": "anna",
            "voice_timbre_detection": {
                "enabled": True,
                "high_timbre_voices": ["h"],
                "low_timbre_voices": ["l"],
            },
        },
    }
    detection = translation(said, DE)["speech_generation"]["voice_timbre_detection"]
    assert detection["low_timbre_voices"] == ["default_low"]


def test_a_cloned_voice_has_no_id() -> None:
    """With cloning, no voice is named, not even the default one."""
    speech = translation({"default": {"speech_generation": {"voice_cloning": True}}})
    assert speech["speech_generation"]["voice_id"] is None
    assert speech["speech_generation"]["voice_cloning"] is True


def test_a_target_may_leave_a_common_clone() -> None:
    """A target that says `voice_cloning: false` may name a voice although all others clone."""
    said = {
        "default": {"speech_generation": {"voice_cloning": True}},
        "es": {"speech_generation": {"voice_cloning": False, "voice_id": "anna"}},
    }
    assert translation(said)["speech_generation"]["voice_id"] == "anna"
    assert translation(said, DE)["speech_generation"]["voice_id"] is None


def test_queue_configs_are_sent_whole_and_only_for_this_task() -> None:
    """Each entry names all its values, and none is for a language that is not translated into."""
    said = {
        "translation_queue_configs": {
            "global": {"max_queue_level_ms": 30000, "auto_tempo": False},
            "es": {"desired_queue_level_ms": 8000},
            "fr": {"desired_queue_level_ms": 9000},
        }
    }
    sent = build(said, ES, DE)["translation_queue_configs"]
    common = {"max_queue_level_ms": 30000, "auto_tempo": False, "min_tempo": 1.0, "max_tempo": 1.3}
    assert sent == {
        "global": {"desired_queue_level_ms": 6000, **common},
        "es": {"desired_queue_level_ms": 8000, **common},
    }


def test_a_targets_queue_is_judged_as_it_holds() -> None:
    """A maximum below the built-in desired level is right where the common one is lower still."""
    said = {"global": {"desired_queue_level_ms": 2500}, "es": {"max_queue_level_ms": 5000}}
    sent = build({"translation_queue_configs": said})["translation_queue_configs"]
    assert sent["es"]["max_queue_level_ms"] == 5000


def test_glossary_switches_are_sent_only_where_they_are_set() -> None:
    """Fields that are documented in passing stay out of the task until somebody uses them."""
    said: dict[str, Any] = {
        "transcription": {
            "allow_hotwords_glossaries": False,
            "verification": {"allowed_verification_glossary_ids": ["v"]},
        },
        "translations": {"default": {"allowed_translation_glossary_ids": ["a", "b"]}},
    }
    pipeline = build(said)
    assert pipeline["transcription"]["allow_hotwords_glossaries"] is False
    verification = pipeline["transcription"]["verification"]
    assert verification["allowed_verification_glossary_ids"] == ["v"]
    assert pipeline["translations"][0]["allowed_translation_glossary_ids"] == ["a", "b"]
    assert "allow_translation_glossaries" not in pipeline["translations"][0]
    assert "glossar" not in json.dumps(build({}))


@pytest.mark.parametrize("types", [[], ["tts_text"], ["translated_transcription"]])
def test_named_message_types_are_sent_as_they_are(types: list[str]) -> None:
    """Whoever names the message types gets these and no others."""
    assert build({"allowed_message_types": types})["allowed_message_types"] == types


def test_every_documented_field_is_reachable() -> None:
    """Palabra's settings page, field by field, can be said under `palabra`."""
    said: dict[str, Any] = {
        "transport": "webrtc",
        "websocket": {
            "format": "opus",
            "sample_rate": 48000,
            "channels": 2,
            "output_format": "zlib_pcm_s16le",
            "chunk_ms": 100,
        },
        "transcription": {
            "segment_confirmation_silence_threshold": 2,
            "sentence_splitter": {"enabled": False},
            "verification": {
                "auto_transcription_correction": True,
                "transcription_correction_style": "formal",
            },
        },
        "translations": {
            "ES_MX": {
                "translate_partial_transcriptions": True,
                "speech_generation": {
                    "voice_cloning": False,
                    "voice_id": "default_high",
                    "voice_timbre_detection": {
                        "enabled": True,
                        "high_timbre_voices": ["one"],
                        "low_timbre_voices": ["two"],
                    },
                },
            }
        },
        "translation_queue_configs": {
            "global": {
                "desired_queue_level_ms": 6000,
                "max_queue_level_ms": 20000,
                "auto_tempo": True,
                "min_tempo": 1.15,
                "max_tempo": 1.45,
            },
            "es_MX": {},
        },
        "allowed_message_types": ["partial_transcription", "pipeline_timings"],
    }
    mexican = LanguageCode("es-mx")
    pipeline = build(said, mexican)
    entry = said["translations"]["ES_MX"]
    queue = said["translation_queue_configs"]["global"]
    assert pipeline["transcription"].items() >= said["transcription"].items()
    assert pipeline["translations"] == [{"target_language": "es-mx", **entry}]
    assert pipeline["translation_queue_configs"] == {"global": queue, "es-mx": queue}
    assert pipeline["allowed_message_types"] == said["allowed_message_types"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            {"transport": "webrct"},
            'transport: must be "webrtc", "websocket" or "auto", not "webrct", '
            'did you mean "webrtc"?',
        ),
        (
            {"transcription": {"segment_confirmation_silence_threshold": 0.1}},
            "transcription.segment_confirmation_silence_threshold: "
            "must be between 0.3 and 2.0, not 0.1",
        ),
        (
            {"transcription": {"segment_confirmation_silence_threshold": 2.5}},
            "transcription.segment_confirmation_silence_threshold: "
            "must be between 0.3 and 2.0, not 2.5",
        ),
        (
            {"transcription": {"segment_confirmation_silence_threshold": "0.7"}},
            'transcription.segment_confirmation_silence_threshold: must be a number, not "0.7"',
        ),
        (
            {"transcription": {"source_language": "en"}},
            "transcription.source_language: is not said here but by `source_language` "
            "and `speakers` of the room config",
        ),
        (
            {"transcription": {"detectable_languages": ["en"]}},
            "transcription.detectable_languages: is not said here but by `spoken_languages` "
            "of the room config",
        ),
        (
            {"transcription": {"sentence_spliter": {}}},
            'transcription.sentence_spliter: unknown key, did you mean "sentence_splitter"?',
        ),
        (
            {"transcription": {"sentence_splitter": {"enabled": "yes"}}},
            'transcription.sentence_splitter.enabled: must be true or false, not "yes"',
        ),
        (
            {"translations": {"vn": {}}},
            'translations.vn: "vn" is not a known language, did you mean "vi"? '
            "`palabra-agent schema` lists the codes",
        ),
        (
            {"translations": {"es_MX": {}, "es-mx": {}}},
            'translations: "es-mx" is given twice, in two spellings',
        ),
        (
            {"translations": {"es": {"target_language": "es"}}},
            "translations.es.target_language: the key of this entry is the target language; "
            "leave this out",
        ),
        ({"translations": []}, "translations: must be an object, not a list"),
        ({"translations": {"es": None}}, "translations.es: must be an object, not null"),
        (
            {"translations": {"es": {"speech_generation": {"voice_id": ""}}}},
            "translations.es.speech_generation.voice_id: must not be empty",
        ),
        (
            {
                "translations": {
                    "es": {
                        "speech_generation": {
                            "voice_timbre_detection": {"high_timbre_voices": ["a", "b"]}
                        }
                    }
                }
            },
            "translations.es.speech_generation.voice_timbre_detection.high_timbre_voices: "
            "must hold exactly one voice id, not 2",
        ),
        (
            {
                "translations": {
                    "es": {
                        "speech_generation": {"voice_timbre_detection": {"low_timbre_voices": []}}
                    }
                }
            },
            "translations.es.speech_generation.voice_timbre_detection.low_timbre_voices: "
            "must hold exactly one voice id, not 0",
        ),
        (
            {
                "translations": {
                    "es": {"speech_generation": {"voice_cloning": True, "voice_id": "default_low"}}
                }
            },
            "translations.es.speech_generation: voice_cloning: true excludes voice_id; "
            "set voice_cloning to false or voice_id to null",
        ),
        (
            {
                "translations": {
                    "default": {
                        "speech_generation": {
                            "voice_cloning": True,
                            "voice_timbre_detection": {"enabled": True},
                        }
                    },
                    "es": {},
                }
            },
            "translations.default.speech_generation: voice_cloning: true excludes "
            "voice_timbre_detection.enabled: true; set one of the two to false",
        ),
        (
            {
                "translations": {
                    "default": {"speech_generation": {"voice_cloning": True}},
                    "es": {"speech_generation": {"voice_id": "anna"}},
                }
            },
            "translations.es.speech_generation: voice_cloning: true excludes voice_id; "
            "set voice_cloning to false or voice_id to null",
        ),
        (
            {
                "translation_queue_configs": {
                    "global": {"desired_queue_level_ms": 5000, "max_queue_level_ms": 5000}
                }
            },
            "translation_queue_configs.global.max_queue_level_ms: "
            "must be greater than desired_queue_level_ms (5000), not 5000",
        ),
        (
            {"translation_queue_configs": {"es": {"desired_queue_level_ms": 20000}}},
            "translation_queue_configs.es.max_queue_level_ms: "
            "must be greater than desired_queue_level_ms (20000), not 20000",
        ),
        (
            {"translation_queue_configs": {"global": {"min_tempo": 1.5}}},
            "translation_queue_configs.global.max_tempo: must be at least min_tempo (1.5), not 1.3",
        ),
        (
            {"translation_queue_configs": {"global": {"desired_queue_level_ms": -1}}},
            "translation_queue_configs.global.desired_queue_level_ms: "
            "must be between 1 and 600000, not -1",
        ),
        (
            {"translation_queue_configs": {"default": {}}},
            'translation_queue_configs.default: "default" is not a known language; '
            "`palabra-agent schema` lists the codes",
        ),
        (
            {"allowed_message_types": ["tts_text", "tts_text"]},
            'allowed_message_types: "tts_text" is given twice',
        ),
        (
            {"websocket": {"format": "mp3"}},
            'websocket.format: must be "pcm_s16le", "wav" or "opus", not "mp3"',
        ),
        (
            {"websocket": {"sample_rate": 8000}},
            "websocket.sample_rate: must be between 16000 and 48000, not 8000",
        ),
        ({"websocket": {"channels": 3}}, "websocket.channels: must be between 1 and 2, not 3"),
        (
            {"websocket": {"channels": True}},
            "websocket.channels: must be a whole number, not true",
        ),
        (
            {"websocket": {"output_format": "wav"}},
            'websocket.output_format: must be "pcm_s16le" or "zlib_pcm_s16le", not "wav"',
        ),
        (
            {"websocket": {"chunk_ms": 5}},
            "websocket.chunk_ms: must be between 40 and 2000, not 5",
        ),
        (
            {"pipeline": {}},
            "pipeline: leave this level out: its sections are keys of `palabra` themselves",
        ),
        (
            {"input_stream": {}},
            "input_stream: is not said here but by `palabra.transport` and `palabra.websocket`",
        ),
    ],
)
def test_each_mistake_is_told_in_words(said: dict[str, Any], words: str) -> None:
    """A refused field is named with its value and with what is allowed, once."""
    assert mistakes(said) == [words]


def test_detection_beside_a_voice_is_allowed() -> None:
    """Palabra takes timbre detection together with a voice id; the detected voice wins there."""
    speech = {"voice_id": "default_low", "voice_timbre_detection": {"enabled": True}}
    assert translation({"es": {"speech_generation": speech}})["speech_generation"]["voice_id"]


def test_settings_cross_processes() -> None:
    """What is given to a job's process arrives as it was."""
    said = settings({"translations": {"es": {"speech_generation": {"voice_id": "anna"}}}})
    assert pickle.loads(pickle.dumps(said)) == said  # noqa: S301 - our own bytes
