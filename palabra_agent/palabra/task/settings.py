"""The settings of Palabra's task that a room may choose, checked before anything is opened. Pure.

The languages come from beside the settings; what is set for one target is checked once it is laid
over what holds for all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from typing import Annotated, ClassVar, Final, Literal, TypeAlias, TypeVar, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
)

from palabra_agent.config.documents import lay_over
from palabra_agent.config.fields import (
    ConfigModel,
    Refusal,
    Switch,
    check_target,
    distinct,
    refusal,
    refuse_all,
    repeated,
)
from palabra_agent.config.wording import shown
from palabra_agent.languages import (
    SOURCE_LANGUAGES,
    TARGET_LANGUAGES,
    LanguageCode,
    spell_target,
)
from palabra_agent.palabra.task.overlay import overlay_mistakes
from palabra_agent.palabra.task.sections import (
    Preprocessing,
    Transcription,
    Translation,
    TranslationQueueConfig,
    WebSocketFormat,
)
from palabra_agent.palabra.vocabulary import GLOBAL

DEFAULT: Final = "default"
"""Key of `translations` that holds for every target."""

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
"""The types that `allowed_message_types: null` asks for."""


_LEAST_LEVELS: Final = {"desired_queue_level_ms": 2_000, "max_queue_level_ms": 4_000}
"""From one source, which has no text of the refusal: reason to warn, not to refuse."""

_Entry = TypeVar("_Entry", bound=ConfigModel)


def _distinct_keys(value: object) -> object:
    """Refuse two spellings of one code, of which only the last would count."""
    if isinstance(value, Mapping):
        twice = repeated(spell_target(key) for key in value if isinstance(key, str))
        reasons = (f"{shown(code)} is given twice, in two spellings" for code in twice)
        refuse_all([((), refusal(reason)) for reason in reasons])
    return value


def _target_or(word: str) -> BeforeValidator:
    def check(key: object) -> str:
        if key in {DEFAULT, GLOBAL} - {word}:
            raise refusal(f'the key of what holds for every target is "{word}" here')

        return word if key == word else check_target(key)

    return BeforeValidator(check)


def _effective(model: type[_Entry], entries: Mapping[str, _Entry], common: str, key: str) -> _Entry:
    """Find the entry of `key` as it holds: its own fields laid over those for all."""
    layers = [
        entries[name].model_dump(exclude_unset=True) if name in entries else {}
        for name in (common, key)
    ]
    return model.model_validate(lay_over(*layers))


def _voice_mistakes(entry: Translation) -> Iterator[Refusal]:
    speech = entry.speech_generation
    if not speech.voice_cloning:
        return
    at = ("speech_generation",)
    if speech.voice_timbre_detection.enabled:
        reason = "voice_timbre_detection.enabled: true; set one of the two to false"
        yield at, refusal(f"voice_cloning: true excludes {reason}")
    if "voice_id" in speech.model_fields_set and speech.voice_id is not None:
        reason = "voice_id; set voice_cloning to false or voice_id to null"
        yield at, refusal(f"voice_cloning: true excludes {reason}")


def _queue_mistakes(entry: TranslationQueueConfig) -> Iterator[Refusal]:
    desired, most = entry.desired_queue_level_ms, entry.max_queue_level_ms
    if most <= desired:
        reason = f"must be greater than desired_queue_level_ms ({desired}), not {most}"
        yield ("max_queue_level_ms",), refusal(reason)
    if entry.max_tempo < entry.min_tempo:
        reason = f"must be at least min_tempo ({entry.min_tempo}), not {entry.max_tempo}"
        yield ("max_tempo",), refusal(reason)


def _consistent(
    model: type[_Entry], common: str, mistakes_of: Callable[[_Entry], Iterator[Refusal]]
) -> AfterValidator:
    """Check entries as they hold, not as they are written; a common mistake is reported once."""

    def check(entries: dict[str, _Entry]) -> dict[str, _Entry]:
        inherited = list(mistakes_of(_effective(model, entries, common, common)))
        known = {(at, why.message()) for at, why in inherited}
        mistakes = [((common, *at), why) for at, why in inherited]
        for key in entries:
            own = mistakes_of(_effective(model, entries, common, key))
            mistakes += [((key, *at), why) for at, why in own if (at, why.message()) not in known]
        refuse_all(mistakes)
        return entries

    return AfterValidator(check)


class TaskSettings(ConfigModel):
    """The room config's `palabra`: every documented field of the task, by Palabra's names."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "pipeline": "leave this level out: its sections are keys of `palabra` themselves",
        "input_stream": "is not said here but by `palabra.transport` and `palabra.websocket`",
        "output_stream": (
            "is not said here but by `palabra.speech`, `palabra.transport` and `palabra.websocket`"
        ),
    }

    transport: Literal["webrtc", "websocket", "auto"] = "webrtc"
    """The way to Palabra; `auto` begins with WebRTC."""
    websocket: WebSocketFormat = WebSocketFormat()
    """Formats of that transport."""
    speech: Switch = True
    """Speak what is translated; false: text alone, which is sent as `output_stream: null`."""
    preprocessing: Preprocessing | None = None
    """Undocumented."""
    transcription: Transcription = Transcription()
    translations: Annotated[
        dict[Annotated[str, _target_or(DEFAULT)], Translation],
        BeforeValidator(_distinct_keys),
        _consistent(Translation, DEFAULT, _voice_mistakes),
    ] = Field(default={})
    """By target, or `default` for all of them."""
    translation_queue_configs: Annotated[
        dict[Annotated[str, _target_or(GLOBAL)], TranslationQueueConfig],
        BeforeValidator(_distinct_keys),
        _consistent(TranslationQueueConfig, GLOBAL, _queue_mistakes),
    ] = Field(default={})
    """By target, or `global` for all of them."""
    allowed_message_types: Annotated[tuple[MessageType, ...], AfterValidator(distinct)] | None = (
        None
    )
    """The messages that Palabra sends; null for the transcription types."""
    undocumented: dict[str, JsonValue] = Field(default={})
    """Laid over the finished `data` of `set_task`, unchecked: for fields that are not known yet."""

    @field_validator("undocumented")
    @classmethod
    def _leaves_ours(cls, said: dict[str, JsonValue], info: ValidationInfo) -> dict[str, JsonValue]:
        refuse_all(overlay_mistakes(said, has_speech=info.data.get("speech", True)))
        return said

    @property
    def are_translations_told(self) -> bool:
        """True where Palabra sends the final translations as text."""
        types = self.allowed_message_types
        return types is None or "translated_transcription" in types

    def translation_of(self, target: LanguageCode) -> Translation:
        """Find the settings that hold for one target."""
        return _effective(Translation, self.translations, DEFAULT, target)

    def queue_config_of(self, target: str) -> TranslationQueueConfig:
        """Find the queue settings that hold for one target, or for `global`."""
        return _effective(TranslationQueueConfig, self.translation_queue_configs, GLOBAL, target)

    def makes_same_task_as(self, other: TaskSettings) -> bool:
        """Tell whether both make the same task, whatever the languages are.

        Compared is what holds, not what is written: a default may be written out, and an entry for
        one target may repeat what another config has for all.
        """
        by_target: dict[str, object] = {"translations": {}, "translation_queue_configs": {}}
        targets = {DEFAULT, *self.translations, *other.translations}
        queues = {GLOBAL, *self.translation_queue_configs}
        # a queue that is named is sent, even where it repeats what holds for all
        return (
            self.model_copy(update=by_target) == other.model_copy(update=by_target)
            and queues == {GLOBAL, *other.translation_queue_configs}
            and all(self.queue_config_of(it) == other.queue_config_of(it) for it in queues)
            and all(
                self.translation_of(target) == other.translation_of(target)
                for target in map(LanguageCode, targets)
            )
        )

    def cautions(self, offered: Collection[LanguageCode] | None = None) -> tuple[str, ...]:
        """List what is allowed and may yet not have the wished effect; for the log.

        Args:
            offered: All targets that there may be, where that is known.
        """
        return (
            *self._low_queues(),
            *self._overruled_voices(),
            *(self._unused_entries(offered) if offered is not None else ()),
            *self._unchecked(),
        )

    def _unused_entries(self, offered: Collection[LanguageCode]) -> Iterator[str]:
        sections: dict[str, Collection[str]] = {
            "translations": self.translations,
            "translation_queue_configs": self.translation_queue_configs,
        }
        for name, entries in sections.items():
            for key in sorted(set(entries) - {DEFAULT, GLOBAL, *offered}):
                yield (
                    f'palabra.{name}.{key} is not used: "{key}" is not among the languages, '
                    f"which are {', '.join(offered)}"
                )

    def _low_queues(self) -> Iterator[str]:
        for key, entry in self.translation_queue_configs.items():
            for name in sorted(entry.model_fields_set & _LEAST_LEVELS.keys()):
                level, least = getattr(entry, name), _LEAST_LEVELS[name]
                if level < least:
                    yield (
                        f"palabra.translation_queue_configs.{key}.{name} is {level}; "
                        f"Palabra's server is reported to refuse less than {least}"
                    )

    def _overruled_voices(self) -> Iterator[str]:
        for key, entry in self.translations.items():
            speech = entry.speech_generation
            if speech.voice_timbre_detection.enabled and "voice_id" in speech.model_fields_set:
                yield (
                    f"palabra.translations.{key}.speech_generation: the voice that "
                    "voice_timbre_detection finds is used instead of voice_id"
                )

    def _unchecked(self) -> Iterator[str]:
        if self.undocumented:
            yield "palabra.undocumented is sent to Palabra as it is, unchecked"


_FRAME: Final = (
    *("input_stream output_stream source target type content_type format pipeline".split()),
    *("target_language source_language detectable_languages".split()),
    GLOBAL,
)
"""The words of a task that no setting is called."""


@cache
def task_words() -> frozenset[str]:
    """All words of which the path of a documented field in a task may be made."""
    named = _properties_in(TaskSettings.model_json_schema())
    return frozenset({*_FRAME, *named, *TARGET_LANGUAGES, *SOURCE_LANGUAGES})


def _properties_in(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in cast("dict[str, object]", schema).items():
            if key == "properties":
                yield from cast("dict[str, object]", value)
            yield from _properties_in(value)
    elif isinstance(schema, list):
        for each in cast("list[object]", schema):
            yield from _properties_in(each)
