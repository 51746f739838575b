"""Every field of a task that Palabra documents or that its clients send, with its default.

The defaults fill a task up, so that two tasks can be compared and `get_task` can show the whole;
the hidden fields are those that `exclude_hidden` leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias, cast

from palabra_emulator.session.validator import Location, as_flag, as_number

Json: TypeAlias = dict[str, object]

_SPLITTER: Final[Json] = {
    "enabled": True,
    "splitter_model": "auto",
    "advanced": {},
}
_TRANSCRIPTION: Final[Json] = {
    "source_language": None,
    "detectable_languages": [],
    "segment_confirmation_silence_threshold": 0.7,
    "sentence_splitter": _SPLITTER,
    "verification": {
        "auto_transcription_correction": False,
        "transcription_correction_style": None,
        "verification_model": "auto",
        "allow_verification_glossaries": True,
        "allowed_verification_glossary_ids": [],
    },
    "allow_hotwords_glossaries": True,
    "allowed_hotwords_glossary_ids": [],
    "asr_model": "auto",
    "denoise": "none",
    "supress_numeral_tokens": False,
    "suppress_numeral_tokens": False,
    "diarize_speakers": False,
    "priority": "normal",
    "min_alignment_score": 0.2,
    "max_alignment_cer": 0.8,
    "only_confirm_by_silence": False,
    "batched_inference": False,
    "force_detect_language": False,
    "calculate_voice_loudness": False,
    "speakers_total": None,
    "advanced": {},
}
_TRANSLATION: Final[Json] = {
    "target_language": None,
    "translate_partial_transcriptions": False,
    "allow_translation_glossaries": True,
    "allowed_translation_glossary_ids": [],
    "allowed_source_languages": [],
    "translation_model": "auto",
    "style": None,
    "advanced": {},
    "speech_generation": {
        "voice_cloning": False,
        "voice_id": "default_low",
        "voice_timbre_detection": {
            "enabled": False,
            "high_timbre_voices": ["default_high"],
            "low_timbre_voices": ["default_low"],
        },
        "tts_model": "auto",
        "voice_cloning_mode": "static_10",
        "denoise_voice_samples": True,
        "speech_tempo_auto": False,
        "speech_tempo_timings_factor": 0,
        "speech_tempo_adjustment_factor": 0.75,
        "advanced": {},
    },
}
_QUEUE: Final[Json] = {
    "desired_queue_level_ms": 5000,
    "max_queue_level_ms": 20000,
    "auto_tempo": True,
    "min_tempo": 1.0,
    "max_tempo": 1.45,
    "auto_tempo_max_delay_ms": 250,
    "tempo_decay": 0.35,
    "tempo_smoothing": 0.005,
}
_PREPROCESSING: Final[Json] = {
    "enable_vad": True,
    "vad_threshold": 0.5,
    "vad_left_padding": 1,
    "vad_right_padding": 1,
    "pre_vad_denoise": False,
    "pre_vad_dsp": True,
    "record_tracks": [],
    "auto_tempo": False,
    "normalize_audio": False,
}
_STREAM_END: Final[Json] = {
    "type": None,
    "format": None,
    "sample_rate": None,
    "channels": None,
}
_PIPELINE: Final[Json] = {
    "preprocessing": _PREPROCESSING,
    "transcription": _TRANSCRIPTION,
    "translations": [_TRANSLATION],
    "translation_queue_configs": {"*": _QUEUE},
    "allowed_message_types": [
        "translated_transcription",
        "partial_transcription",
        "validated_transcription",
    ],
}
_TASK: Final[Json] = {
    "input_stream": {"content_type": "audio", "source": _STREAM_END},
    "output_stream": {"content_type": "audio", "target": _STREAM_END},
    "pipeline": _PIPELINE,
}
_NUMBERS: Final = frozenset({"sample_rate", "channels"})
"""Fields without a default that are numbers, although the documentation calls them texts."""

_BESIDE_PIPELINE: Final = ("translation_queue_configs", "allowed_message_types")
"""Sections that older documentation puts beside the pipeline instead of into it."""

_HIDDEN: Final = frozenset(
    "preprocessing splitter_model verification_model asr_model denoise supress_numeral_tokens "
    "suppress_numeral_tokens diarize_speakers priority min_alignment_score max_alignment_cer "
    "only_confirm_by_silence batched_inference force_detect_language calculate_voice_loudness "
    "speakers_total advanced allowed_source_languages translation_model style tts_model "
    "voice_cloning_mode denoise_voice_samples speech_tempo_auto speech_tempo_timings_factor "
    "speech_tempo_adjustment_factor auto_tempo_max_delay_ms tempo_decay tempo_smoothing".split()
)


def moved_into_pipeline(data: Mapping[str, object]) -> Json:
    """A task with the sections that stand beside the pipeline moved into it."""
    moved = dict(data)
    pipeline = moved.get("pipeline")
    if not isinstance(pipeline, dict):
        return moved

    inside = dict(cast("Json", pipeline))
    for name in _BESIDE_PIPELINE:
        if name in moved and name not in inside:
            inside[name] = moved.pop(name)

    return moved | {"pipeline": inside}


def filled_up(data: Mapping[str, object]) -> Json:
    """A valid task with every default in its place, unknown fields left out."""
    return cast("Json", _filled(_TASK, data))


def unknown_fields(data: Mapping[str, object]) -> Iterator[Location]:
    """The places of a task's unknown fields."""
    return _unknown(_TASK, data, ())


def without_hidden(task: Json) -> Json:
    """A task without its hidden fields."""
    return cast("Json", _without_hidden(task))


def _filled(schema: object, value: object) -> object:
    if isinstance(schema, dict) and schema and isinstance(value, dict):
        known, given = cast("Json", schema), cast("Json", value)
        if "*" in known:
            return {name: _filled(known["*"], part) for name, part in given.items()}
        return {name: _field(default, given, name) for name, default in known.items()}
    if _is_list_of_objects(schema) and isinstance(value, list):
        inner = cast("list[object]", schema)[0]
        return [_filled(inner, entry) for entry in cast("list[object]", value)]

    if isinstance(schema, bool):
        return as_flag(value)

    return as_number(value) if isinstance(schema, int | float) else value


def _field(default: object, given: Json, name: str) -> object:
    if name in _NUMBERS:
        return as_number(given.get(name))
    if given.get(name) is not None:
        return _filled(default, given[name])
    if isinstance(default, dict) and "*" in default:
        return {"global": dict(_QUEUE)}
    if _is_list_of_objects(default):
        return []
    if name in given and isinstance(default, dict):
        return None

    return default


def _unknown(schema: object, value: object, loc: Location) -> Iterator[Location]:
    if isinstance(schema, dict) and schema and isinstance(value, dict):
        known, given = cast("Json", schema), cast("Json", value)
        for name, part in given.items():
            inner = known.get(name, known.get("*"))
            if inner is None and name not in known:
                yield (*loc, name)
            else:
                yield from _unknown(inner, part, (*loc, name))
    elif _is_list_of_objects(schema) and isinstance(value, list):
        inner = cast("list[object]", schema)[0]
        for place, entry in enumerate(cast("list[object]", value)):
            yield from _unknown(inner, entry, (*loc, place))


def _is_list_of_objects(schema: object) -> bool:
    if not isinstance(schema, list):
        return False

    entries = cast("list[object]", schema)
    return len(entries) == 1 and isinstance(entries[0], dict)


def _without_hidden(value: object) -> object:
    if isinstance(value, dict):
        fields = cast("Json", value)
        return {name: _without_hidden(part) for name, part in fields.items() if name not in _HIDDEN}
    if isinstance(value, list):
        return [_without_hidden(entry) for entry in cast("list[object]", value)]

    return value
