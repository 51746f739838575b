"""Palabra's task: what a room may choose of it, and the `data` of `set_task` that it makes.

Pure; nothing is opened here. The languages come from beside the settings, and overrides by target
are resolved before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue

from palabra_agent.config.codes import check_target
from palabra_agent.config.fields import (
    ConfigModel,
    Mistake,
    distinct,
    not_available,
    refusal,
    refuse_all,
    repeated,
)
from palabra_agent.config.layers import overlay
from palabra_agent.config.wording import shown
from palabra_agent.languages import AUTO, LanguageCode, base, normalise
from palabra_agent.palabra.task_sections import (
    QueueConfig,
    Transcription,
    Translation,
    WebSocketFormat,
)

DEFAULT: Final = "default"
"""Key of `translations` that holds for every target."""

GLOBAL: Final = "global"
"""Key of `translation_queue_configs` that holds for every target; Palabra's own word."""

MessageType: TypeAlias = Literal[
    "partial_transcription",
    "validated_transcription",
    "translated_transcription",
    "partial_translated_transcription",
    "pipeline_timings",
    "tts_buffer_stats",
    "tts_text",
]

TRANSCRIPTION_TYPES: Final[tuple[MessageType, ...]] = (
    "partial_transcription",
    "validated_transcription",
    "translated_transcription",
    "partial_translated_transcription",
)
"""What `allowed_message_types: null` asks for."""


_Entry = TypeVar("_Entry", bound=ConfigModel)


def _webrtc_only(value: str) -> str:
    if value != "webrtc":
        raise not_available(value)
    return value


def _distinct_keys(value: object) -> object:
    """Refuse two spellings of one code, of which only the last would count."""
    if isinstance(value, Mapping):
        twice = repeated(normalise(key) for key in value if isinstance(key, str))
        reasons = (f"{shown(code)} is given twice, in two spellings" for code in twice)
        refuse_all([((), refusal(reason)) for reason in reasons])
    return value


def _target_or(word: str) -> BeforeValidator:
    def check(key: object) -> str:
        return word if key == word else check_target(key)

    return BeforeValidator(check)


def _effective(model: type[_Entry], entries: Mapping[str, _Entry], common: str, key: str) -> _Entry:
    """The entry of `key` as it holds: what it says itself laid over what is said for all."""
    layers = [
        entries[name].model_dump(exclude_unset=True) if name in entries else {}
        for name in (common, key)
    ]
    return model.model_validate(overlay(*layers))


def _voice_mistake(entry: Translation) -> Mistake | None:
    speech = entry.speech_generation
    if not speech.voice_cloning:
        return None
    if speech.voice_timbre_detection.enabled:
        reason = "voice_timbre_detection.enabled: true; set one of the two to false"
    elif "voice_id" in speech.model_fields_set and speech.voice_id is not None:
        reason = "voice_id; set voice_cloning to false or voice_id to null"
    else:
        return None
    return ("speech_generation",), refusal(f"voice_cloning: true excludes {reason}")


def _queue_mistake(entry: QueueConfig) -> Mistake | None:
    desired, most = entry.desired_queue_level_ms, entry.max_queue_level_ms
    if most <= desired:
        reason = f"must be greater than desired_queue_level_ms ({desired}), not {most}"
        return ("max_queue_level_ms",), refusal(reason)
    if entry.max_tempo < entry.min_tempo:
        reason = f"must be at least min_tempo ({entry.min_tempo}), not {entry.max_tempo}"
        return ("max_tempo",), refusal(reason)
    return None


def _consistent(
    model: type[_Entry], common: str, mistake_of: Callable[[_Entry], Mistake | None]
) -> AfterValidator:
    """Check entries as they hold, not as they are written; a common mistake is reported once."""

    def check(entries: dict[str, _Entry]) -> dict[str, _Entry]:
        keys = [common, *(key for key in entries if key != common)]
        mistakes: list[Mistake] = []
        for key in keys:
            mistake = mistake_of(_effective(model, entries, common, key))
            if mistake and (key == common or not mistakes or mistakes[0][0][0] != common):
                mistakes.append(((key, *mistake[0]), mistake[1]))
        refuse_all(mistakes)
        return entries

    return AfterValidator(check)


class TaskSettings(ConfigModel):
    """The room config's `palabra`: every documented field of the task, by Palabra's names."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "pipeline": "leave this level out: its sections are keys of `palabra` themselves",
        "input_stream": "is not said here but by `palabra.transport` and `palabra.websocket`",
        "output_stream": "is not said here but by `palabra.transport` and `palabra.websocket`",
    }

    transport: Annotated[Literal["webrtc", "websocket", "auto"], AfterValidator(_webrtc_only)] = (
        "webrtc"
    )
    """How Palabra is reached."""
    websocket: WebSocketFormat = WebSocketFormat()
    """Formats of that transport."""
    transcription: Transcription = Transcription()
    translations: Annotated[
        dict[Annotated[str, _target_or(DEFAULT)], Translation],
        BeforeValidator(_distinct_keys),
        _consistent(Translation, DEFAULT, _voice_mistake),
    ] = Field(default={})
    """By target, or `default` for all of them."""
    translation_queue_configs: Annotated[
        dict[Annotated[str, _target_or(GLOBAL)], QueueConfig],
        BeforeValidator(_distinct_keys),
        _consistent(QueueConfig, GLOBAL, _queue_mistake),
    ] = Field(default={})
    """By target, or `global` for all of them."""
    allowed_message_types: Annotated[tuple[MessageType, ...], AfterValidator(distinct)] | None = (
        None
    )
    """What Palabra reports; null for the four transcription types."""

    def translation_of(self, target: LanguageCode) -> Translation:
        """The settings that hold for one target."""
        return _effective(Translation, self.translations, DEFAULT, target)

    def queue_config_of(self, target: str) -> QueueConfig:
        """The queue settings that hold for one target, or for `global`."""
        return _effective(QueueConfig, self.translation_queue_configs, GLOBAL, target)


def build_task(
    settings: TaskSettings,
    *,
    source_language: LanguageCode,
    detectable_languages: Iterable[LanguageCode],
    targets: Sequence[LanguageCode],
    partial_translations: bool,
) -> dict[str, JsonValue]:
    """Make the `data` of `set_task` for the WebRTC transport: always whole, nothing implied."""
    types = settings.allowed_message_types
    return {
        "input_stream": {"content_type": "audio", "source": {"type": "webrtc"}},
        "output_stream": {"content_type": "audio", "target": {"type": "webrtc"}},
        "pipeline": {
            "transcription": _transcription(settings, source_language, detectable_languages),
            "translations": [
                _translation(settings.translation_of(target), target, partial_translations)
                for target in targets
            ],
            "translation_queue_configs": {
                key: settings.queue_config_of(key).model_dump(mode="json")
                for key in (GLOBAL, *targets)
                if key == GLOBAL or key in settings.translation_queue_configs
            },
            "allowed_message_types": list(TRANSCRIPTION_TYPES if types is None else types),
        },
    }


def _transcription(
    settings: TaskSettings, source: LanguageCode, detectable: Iterable[LanguageCode]
) -> dict[str, JsonValue]:
    """Regions are left out, since Palabra hears languages, and what only `auto` reads with it."""
    may_detect = dict.fromkeys(base(code) for code in detectable) if source == AUTO else ()
    return {
        "source_language": base(source),
        "detectable_languages": list(may_detect),
        **_spoken_out(settings.transcription),
    }


def _translation(
    entry: Translation, target: LanguageCode, partial_translations: bool
) -> dict[str, JsonValue]:
    said = entry.translate_partial_transcriptions
    fields = _spoken_out(entry)
    speech = fields["speech_generation"]
    if entry.speech_generation.voice_cloning and isinstance(speech, dict):
        speech["voice_id"] = None
    return {
        "target_language": target,
        **fields,
        "translate_partial_transcriptions": partial_translations if said is None else said,
    }


def _spoken_out(section: ConfigModel) -> dict[str, JsonValue]:
    """Every field with its value, but the glossary switches only where somebody set them."""
    fields: dict[str, JsonValue] = section.model_dump(mode="json")
    return _without_unset_glossaries(fields)


def _without_unset_glossaries(fields: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {
        key: _without_unset_glossaries(value) if isinstance(value, dict) else value
        for key, value in fields.items()
        if not (value is None and "glossar" in key)
    }
