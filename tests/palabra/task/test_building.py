"""The task that settings make: languages, streams, undocumented fields, chosen voices."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from palabra_agent.config.fields import ConfigModel
from palabra_agent.errors import ConfigError
from palabra_agent.languages import AUTO, LanguageCode
from palabra_agent.palabra.task.building import build_task
from palabra_agent.palabra.task.sections import (
    FillerPhrases,
    Preprocessing,
    SentenceSplitter,
    SpeechAdvanced,
    SpeechGeneration,
    SplitterAdvanced,
    Transcription,
    TranscriptionAdvanced,
    Translation,
    TranslationQueueConfig,
    Verification,
)
from palabra_agent.palabra.task.settings import TRANSCRIPTION_TYPES, TaskSettings
from palabra_agent.palabra.vocabulary import StreamType
from palabra_agent.voices import ClonedVoice, FixedVoice, TimbreMatchedVoice, VoiceChoice

from .tasks import DE, EN, ES, Json, build, task_of, translation

pytestmark = pytest.mark.unit


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
    """It can be sent: plain JSON values, one translation for each target in order."""
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
    """`translate_partial_transcriptions` holds where it is set, else the captions decide."""
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


def test_a_voice_that_the_settings_clone_has_no_id() -> None:
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
    """Fields that are documented in passing stay out of the task until they are set."""
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
    """Where the message types are named, these are sent and no others."""
    assert build({"allowed_message_types": types})["allowed_message_types"] == types


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


def test_languages_are_checked_before_a_task_is_made() -> None:
    """The caller of the client alone is told every language that Palabra does not know, at once."""
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


TASK_SECTIONS: tuple[type[ConfigModel], ...] = (
    FillerPhrases,
    Preprocessing,
    TranslationQueueConfig,
    SentenceSplitter,
    SpeechAdvanced,
    SpeechGeneration,
    SplitterAdvanced,
    Transcription,
    TranscriptionAdvanced,
    Translation,
    Verification,
)


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
    """Tell whether all of a JSON stands in another one."""
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


SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "nothing": {},
    "a voice": {"voice_id": "theirs"},
    "cloning": {"voice_cloning": True},
    "timbre": {"voice_timbre_detection": {"enabled": True, "high_timbre_voices": ["theirs"]}},
}


DEFAULT_DETECTION: Final = {
    "enabled": False,
    "high_timbre_voices": ["default_high"],
    "low_timbre_voices": ["default_low"],
}


def speeches(speech: dict[str, Any], **voices: VoiceChoice) -> dict[str, Any]:
    """Build a task, and take out what it says of speech, by target."""
    said = {"translations": {"default": {"speech_generation": speech}}}
    return entries(said, **voices)


def entries(said: dict[str, Any], **voices: VoiceChoice) -> dict[str, Any]:
    """Build a task into Spanish and German, and take out what it says of speech, by target."""
    task = task_of(said, voices={LanguageCode(code): it for code, it in voices.items()})
    translations = task["pipeline"]["translations"]
    return {entry["target_language"]: entry["speech_generation"] for entry in translations}


@pytest.mark.parametrize("said", SETTINGS.values(), ids=SETTINGS)
def test_a_fixed_voice_excludes_cloning_and_detection(said: dict[str, Any]) -> None:
    """The voice is sent by its id alone."""
    speech = speeches(said, es=FixedVoice("anna"))["es"]

    assert speech["voice_id"] == "anna"
    assert speech["voice_cloning"] is False
    assert speech["voice_timbre_detection"]["enabled"] is False


@pytest.mark.parametrize("said", SETTINGS.values(), ids=SETTINGS)
def test_a_cloned_voice_has_no_id(said: dict[str, Any]) -> None:
    """Whatever the settings choose, a clone goes without an id and without detection."""
    speech = speeches(said, es=ClonedVoice())["es"]

    assert speech["voice_cloning"] is True
    assert speech["voice_id"] is None
    assert speech["voice_timbre_detection"]["enabled"] is False


@pytest.mark.parametrize("said", SETTINGS.values(), ids=SETTINGS)
def test_a_voice_by_timbre_names_one_high_and_one_low(said: dict[str, Any]) -> None:
    """Whatever the settings choose, detection is on with exactly one voice each."""
    speech = speeches(said, es=TimbreMatchedVoice("up", "down"))["es"]

    assert speech["voice_cloning"] is False
    assert speech["voice_timbre_detection"] == {
        "enabled": True,
        "high_timbre_voices": ["up"],
        "low_timbre_voices": ["down"],
    }


def test_who_has_no_chosen_voice_sounds_as_the_settings_say() -> None:
    """A choice for one target leaves the others alone; one for a target not asked for is unused."""
    chosen = speeches({"voice_id": "theirs"}, es=FixedVoice("anna"), fr=ClonedVoice())

    assert chosen["de"] == speeches({"voice_id": "theirs"})["de"]
    assert chosen.keys() == {"es", "de"}


def test_the_other_fields_of_speech_stay() -> None:
    """A chosen voice takes nothing away that has nothing to do with it."""
    speech = speeches({"tts_model": "auto"}, es=FixedVoice("anna"))["es"]

    assert speech == {
        "voice_cloning": False,
        "voice_id": "anna",
        "voice_timbre_detection": DEFAULT_DETECTION,
        "tts_model": "auto",
    }


def test_a_chosen_voice_wins_over_what_is_laid_over_the_task() -> None:
    """An unchecked field cannot make two ways to a voice out of one."""
    laid = {"speech_generation": {"voice_cloning": True, "unheard_of": 1}}
    said = {"undocumented": {"pipeline": {"translations": {"default": laid}}}}
    speech = entries(said, es=FixedVoice("anna"))

    assert speech["es"]["voice_cloning"] is False
    assert speech["es"]["unheard_of"] == 1
    assert speech["de"]["voice_cloning"] is True


def test_what_is_no_object_any_more_is_left_as_it_is() -> None:
    """An operator who took a target's speech away by hand gets none, chosen or not."""
    laid = {"es": {"speech_generation": None}}
    said = {"undocumented": {"pipeline": {"translations": laid}}}

    assert entries(said, es=FixedVoice("anna"))["es"] is None
