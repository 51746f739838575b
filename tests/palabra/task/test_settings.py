"""The settings of a task: each mistake in words, cautions, and which mean the same task."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from palabra_agent.languages import LanguageCode

from .tasks import build, mistakes, settings, translation

pytestmark = pytest.mark.unit


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
            {"translations": {"global": {}}},
            'translations.global: the key of what holds for every target is "default" here',
        ),
        (
            {"translation_queue_configs": {"default": {}}},
            "translation_queue_configs.default: the key of what holds for every target is "
            '"global" here',
        ),
        (
            {"websocket": {"format": "opus", "sample_rate": 44100}},
            "websocket.sample_rate: must be one of 16000, 24000, 48000 with opus, not 44100",
        ),
        (
            {"undocumented": {"pipeline": {"translations": {"ES": {}, "es": {}}}}},
            'undocumented.pipeline.translations: "es" is given twice, in two spellings',
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
            {"output_stream": None},
            "output_stream: is not said here but by `palabra.speech`, `palabra.transport` and "
            "`palabra.websocket`",
        ),
        ({"speech": None}, "speech: must be true or false, not null"),
        (
            {"transcription": {"denoise": "much"}},
            'transcription.denoise: must be "none", "alpha" or "beta", not "much"',
        ),
        (
            {"transcription": {"priority": "fast"}},
            'transcription.priority: must be "speed", "normal" or "quality", not "fast"',
        ),
        (
            {"translations": {"es": {"allowed_source_languages": ["vn"]}}},
            'translations.es.allowed_source_languages[0]: "vn" is not a known language, '
            'did you mean "vi"? `palabra-agent schema` lists the codes',
        ),
        (
            {"preprocessing": {"vad_threshold": 2}},
            "preprocessing.vad_threshold: must be between 0 and 1, not 2",
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
    """Settings that are given to a job's process arrive as they were."""
    said = settings({"translations": {"es": {"speech_generation": {"voice_id": "anna"}}}})
    assert pickle.loads(pickle.dumps(said)) == said  # noqa: S301 - our own bytes


def test_mistakes_of_one_entry_are_told_together() -> None:
    """Of a target and of all, everything that is wrong is told at once, and nothing twice."""
    queues = {
        "global": {"desired_queue_level_ms": 9000, "max_queue_level_ms": 9000, "max_tempo": 0.5},
        "es": {},
        "de": {"max_queue_level_ms": 8000},
    }
    speech = {"voice_cloning": True, "voice_id": "anna"}
    voices = {"es": {"speech_generation": {**speech, "voice_timbre_detection": {"enabled": True}}}}
    told = mistakes({"translation_queue_configs": queues, "translations": voices})

    assert [line.partition(": ")[0] for line in told] == [
        "translations.es.speech_generation",
        "translations.es.speech_generation",
        "translation_queue_configs.global.max_queue_level_ms",
        "translation_queue_configs.global.max_tempo",
        "translation_queue_configs.de.max_queue_level_ms",
    ]


def test_what_may_not_do_what_is_wanted_is_told() -> None:
    """Settings that Palabra may refuse, overrules or does not know are allowed, and told."""
    assert settings({}).cautions() == ()
    speech = {"voice_id": "anna", "voice_timbre_detection": {"enabled": True}}
    told = settings(
        {
            "translation_queue_configs": {
                "global": {"desired_queue_level_ms": 1500},
                "es": {"max_queue_level_ms": 3999},
                "de": {"max_queue_level_ms": 4000},
            },
            "translations": {"es": {"speech_generation": speech}},
            "undocumented": {"x": 1},
        }
    ).cautions()

    assert told == (
        "palabra.translation_queue_configs.global.desired_queue_level_ms is 1500; "
        "Palabra's server is reported to refuse less than 2000",
        "palabra.translation_queue_configs.es.max_queue_level_ms is 3999; "
        "Palabra's server is reported to refuse less than 4000",
        "palabra.translations.es.speech_generation: the voice that voice_timbre_detection finds "
        "is used instead of voice_id",
        "palabra.undocumented is sent to Palabra as it is, unchecked",
    )


def test_unused_entries_are_told() -> None:
    """A language that is not offered is perhaps another one, spelt wrong."""
    said = settings(
        {
            "translations": {"default": {}, "pt": {}, "es": {}},
            "translation_queue_configs": {"global": {}, "pt-br": {}, "fr": {}},
        }
    )

    assert said.cautions((LanguageCode("es"), LanguageCode("pt-br"))) == (
        'palabra.translations.pt is not used: "pt" is not among the languages, which are es, pt-br',
        'palabra.translation_queue_configs.fr is not used: "fr" is not among the languages, '
        "which are es, pt-br",
    )


CLONING = {"speech_generation": {"voice_cloning": True}}

LOW = {"speech_generation": {"voice_id": "default_low"}}

HIGH = {"speech_generation": {"voice_id": "default_high"}}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({}, {}, True),
        ({}, {"speech": True}, True),
        ({}, {"speech": False}, False),
        ({}, {"translations": {"es": {}}}, True),
        ({}, {"translations": {"es": LOW}}, True),
        ({}, {"translations": {"default": CLONING}}, False),
        (
            {"translations": {"default": HIGH, "es": HIGH}},
            {"translations": {"default": HIGH}},
            True,
        ),
        (
            {"translations": {"default": HIGH, "es": {"speech_generation": {}}}},
            {"translations": {"default": HIGH, "es": LOW}},
            False,
        ),
        ({}, {"translation_queue_configs": {"global": {}}}, True),
        ({}, {"translation_queue_configs": {"es": {}}}, False),
        ({}, {"translation_queue_configs": {"global": {"auto_tempo": False}}}, False),
        ({}, {"allowed_message_types": ["tts_text"]}, False),
        ({}, {"undocumented": {"x": 1}}, False),
    ],
)
def test_what_holds_is_compared(one: dict[str, Any], other: dict[str, Any], expected: bool) -> None:
    """A default that is written out changes nothing; what a target inherits counts."""
    first, second = settings(one), settings(other)

    assert first.makes_same_task_as(second) is expected
    assert second.makes_same_task_as(first) is expected
