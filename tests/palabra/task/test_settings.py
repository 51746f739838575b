"""Palabra's task settings and the `set_task` that they make."""

from __future__ import annotations

import json
import pickle
from typing import Any, TypeAlias

import pytest
from pydantic import ValidationError

from palabra_agent.config.fields import ConfigModel
from palabra_agent.config.problems import problems_of
from palabra_agent.errors import ConfigError
from palabra_agent.languages import AUTO, LanguageCode
from palabra_agent.palabra.task.advanced import (
    FillerPhrases,
    Preprocessing,
    SpeechAdvanced,
    SplitterAdvanced,
    TranscriptionAdvanced,
)
from palabra_agent.palabra.task.building import build_task
from palabra_agent.palabra.task.sections import (
    QueueConfig,
    SentenceSplitter,
    SpeechGeneration,
    Transcription,
    Translation,
    Verification,
)
from palabra_agent.palabra.task.settings import TRANSCRIPTION_TYPES, TaskSettings
from palabra_agent.palabra.vocabulary import StreamType

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")


Json: TypeAlias = dict[str, Any]

TASK_SECTIONS: tuple[type[ConfigModel], ...] = (
    FillerPhrases,
    Preprocessing,
    QueueConfig,
    SentenceSplitter,
    SpeechAdvanced,
    SpeechGeneration,
    SplitterAdvanced,
    Transcription,
    TranscriptionAdvanced,
    Translation,
    Verification,
)


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
        ({"undocumented": []}, "undocumented: must be an object, not a list"),
        (
            {"undocumented": {"pipeline": {"transcription": {"source_language": "en"}}}},
            "undocumented.pipeline.transcription.source_language: languages are not said here "
            "but by the room config",
        ),
        (
            {"undocumented": {"input_stream": {"source": {"type": "ws"}}}},
            "undocumented.input_stream.source.type: is not said here but by `palabra.transport` "
            "and `palabra.websocket`",
        ),
        (
            {"undocumented": {"output_stream": {"target": {"format": "opus"}}}},
            "undocumented.output_stream.target.format: is not said here but by "
            "`palabra.transport` and `palabra.websocket`",
        ),
        (
            {"undocumented": {"pipeline": 5}},
            "undocumented.pipeline: must be an object, not 5",
        ),
        (
            {"undocumented": {"output_stream": None}},
            "undocumented.output_stream: must be an object, not null",
        ),
        (
            {"speech": False, "undocumented": {"output_stream": {"x": 1}}},
            "undocumented.output_stream: `palabra.speech: false` leaves nothing that this could "
            "be laid over",
        ),
        (
            {"undocumented": {"pipeline": {"translations": [{"style": "x"}]}}},
            "undocumented.pipeline.translations: must be an object whose keys are targets, or "
            '"default", not a list',
        ),
        (
            {"undocumented": {"pipeline": {"translations": {"es": {"target_language": "de"}}}}},
            "undocumented.pipeline.translations.es.target_language: languages are not said here "
            "but by the room config",
        ),
        (
            {"undocumented": {"pipeline": {"translations": {"es": 5}}}},
            "undocumented.pipeline.translations.es: must be an object, not 5",
        ),
        (
            {"undocumented": {"pipeline": {"translations": {"vn": {}}}}},
            'undocumented.pipeline.translations.vn: "vn" is not a known language, did you mean '
            '"vi"? `palabra-agent schema` lists the codes',
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


HIDDEN: Json = {
    "preprocessing": {
        "enable_vad": True,
        "vad_threshold": 0.5,
        "vad_left_padding": 1,
        "vad_right_padding": 1,
        "pre_vad_denoise": False,
        "pre_vad_dsp": True,
        "record_tracks": [],
        "auto_tempo": False,
        "normalize_audio": False,
    },
    "transcription": {
        "asr_model": "alpha",
        "denoise": "none",
        "priority": "normal",
        "supress_numeral_tokens": False,
        "suppress_numeral_tokens": True,
        "diarize_speakers": False,
        "speakers_total": 2,
        "min_alignment_score": 0.2,
        "max_alignment_cer": 0.8,
        "only_confirm_by_silence": True,
        "batched_inference": False,
        "force_detect_language": False,
        "calculate_voice_loudness": False,
        "sentence_splitter": {
            "splitter_model": "auto",
            "advanced": {
                "force_split_min_characters": 100,
                "force_split_min_seconds": 6,
                "min_sentence_characters": 80,
                "min_sentence_seconds": 4,
                "min_split_interval": 0.6,
                "context_size": 30,
                "segments_after_restart": 15,
                "step_size": 5,
                "max_steps_without_eos": 3,
                "force_end_of_segment": 0.5,
            },
        },
        "verification": {"verification_model": "auto"},
        "advanced": {
            "filler_phrases": {
                "enabled": False,
                "min_transcription_len": 40,
                "min_transcription_time": 3,
                "phrase_chance": 0.5,
            },
            "ignore_languages": ["ru"],
        },
    },
    "translations": {
        "default": {
            "allowed_source_languages": ["en", "de"],
            "translation_model": "alpha",
            "style": "church_catholic",
            "advanced": {"anything": {"goes": None}},
            "speech_generation": {
                "tts_model": "auto",
                "voice_cloning_mode": "static_10",
                "denoise_voice_samples": True,
                "speech_tempo_auto": False,
                "speech_tempo_timings_factor": 0,
                "speech_tempo_adjustment_factor": 0.75,
                "advanced": {
                    "f0_variance_factor": 1.2,
                    "energy_variance_factor": 1.5,
                    "with_custom_stress": True,
                },
            },
        }
    },
    "translation_queue_configs": {
        "global": {"auto_tempo_max_delay_ms": 250, "tempo_decay": 0.35, "tempo_smoothing": 0.005}
    },
}


def holds(whole: Any, part: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether all of a JSON stands in another one."""
    if isinstance(part, dict):
        return all(key in whole and holds(whole[key], value) for key, value in part.items())
    return bool(whole == part)


def test_undocumented_fields_are_sent_where_they_are_set() -> None:
    """Every field that an SDK was seen to send can be said by its name, and is sent as it is."""
    pipeline = build(HIDDEN)
    [entry] = pipeline["translations"]

    assert pipeline["preprocessing"] == HIDDEN["preprocessing"]
    assert holds(pipeline["transcription"], HIDDEN["transcription"])
    assert holds(entry, HIDDEN["translations"]["default"])
    assert holds(
        pipeline["translation_queue_configs"]["global"],
        HIDDEN["translation_queue_configs"]["global"],
    )


def test_the_sample_of_undocumented_fields_is_complete() -> None:
    """A field that says that it is undocumented stands in the test above."""
    said = json.dumps(HIDDEN)
    undocumented = {
        name
        for model in TASK_SECTIONS
        for name, field in model.model_fields.items()
        if (field.description or "").startswith("Undocumented")
    }

    assert [name for name in sorted(undocumented) if f'"{name}"' not in said] == []


def names_in(value: Any) -> set[str]:  # noqa: ANN401 - any JSON
    """All keys of a JSON, however deep."""
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


def test_nothing_undocumented_is_sent_unasked() -> None:
    """The usual task holds the documented fields alone."""
    usual = names_in(build({}))

    assert "voice_id" in usual
    assert usual & {"style", "advanced", "preprocessing", "asr_model", "tts_model"} == set()


def task_of(said: Json, transport: StreamType = "webrtc") -> Json:
    """Build the whole task of an English speaker."""
    data: Json = build_task(
        settings(said),
        source_language=EN,
        detectable_languages=(),
        targets=(ES, DE),
        partial_translations=False,
        transport=transport,
    )
    return data


def test_the_streams_are_those_of_the_transport() -> None:
    """Over a WebSocket both formats are said; source and target always have the same type."""
    formats = {"format": "opus", "sample_rate": 16000, "channels": 2, "output_format": "pcm_s16le"}
    data = task_of({"websocket": formats, "transport": "auto"}, "ws")

    assert data["input_stream"] == {
        "content_type": "audio",
        "source": {"type": "ws", "format": "opus", "sample_rate": 16000, "channels": 2},
    }
    assert data["output_stream"] == {
        "content_type": "audio",
        "target": {"type": "ws", "format": "pcm_s16le"},
    }
    assert task_of({"websocket": formats})["input_stream"]["source"] == {"type": "webrtc"}


@pytest.mark.parametrize("transport", ["webrtc", "ws"])
def test_text_alone_may_be_wanted(transport: StreamType) -> None:
    """Without speech there is no output stream; all the rest is as ever."""
    data = task_of({"speech": False}, transport)

    assert data["output_stream"] is None
    assert data["input_stream"]["source"]["type"] == transport
    assert len(data["pipeline"]["translations"]) == 2


def test_what_nobody_knows_is_laid_over_the_task() -> None:
    """It is merged where objects meet, by target where translations are meant, and comes last."""
    data = task_of(
        {
            "translations": {"es": {"style": "dry"}},
            "undocumented": {
                "tomorrow": [1],
                "output_stream": {"target": {"gain": 2}},
                "pipeline": {
                    "brand_new": None,
                    "transcription": {"sentence_splitter": {"sharp": True}},
                    "translations": {"default": {"style": "wet", "x": 1}, "DE": {"x": 2}},
                    "translation_queue_configs": {"global": {"tempo_curve": "flat"}},
                },
            },
        }
    )
    spanish, german = data["pipeline"]["translations"]

    assert data["tomorrow"] == [1]
    assert data["output_stream"]["target"] == {"type": "webrtc", "gain": 2}
    assert data["pipeline"]["brand_new"] is None
    assert data["pipeline"]["transcription"]["sentence_splitter"] == {
        "enabled": True,
        "sharp": True,
    }
    assert (spanish["target_language"], spanish["style"], spanish["x"]) == ("es", "wet", 1)
    assert (german["target_language"], german["style"], german["x"]) == ("de", "wet", 2)
    assert german["speech_generation"]["voice_id"] == "default_low"
    assert data["pipeline"]["translation_queue_configs"]["global"]["tempo_curve"] == "flat"
    assert data["pipeline"]["translation_queue_configs"]["global"]["auto_tempo"] is True


def test_what_may_not_do_what_is_wanted_is_told() -> None:
    """What Palabra is only reported to refuse, overrules or does not know is allowed, and said."""
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


def test_entries_that_nobody_uses_are_told() -> None:
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


def test_languages_are_checked_before_a_task_is_made() -> None:
    """Whoever uses the client alone is told every language that Palabra does not know, at once."""
    with pytest.raises(ConfigError) as caught:
        build_task(
            TaskSettings(),
            source_language=LanguageCode("yy"),
            detectable_languages=[AUTO],
            targets=(ES, ES, LanguageCode("eu")),
            partial_translations=False,
        )

    assert [problem.path for problem in caught.value.problems] == [
        "targets",
        "source_language",
        "detectable_languages",
        "targets",
    ]
    assert '"eu" is understood by Palabra but not spoken' in str(caught.value)


def test_a_task_has_a_target() -> None:
    """A task that translates into nothing is not offered."""
    with pytest.raises(ConfigError, match="targets: must not be empty"):
        build_task(
            TaskSettings(),
            source_language=EN,
            detectable_languages=(),
            targets=(),
            partial_translations=False,
        )
