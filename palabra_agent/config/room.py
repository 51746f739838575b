"""The room config: its keys, its defaults, and how dispatch metadata becomes one.

The metadata of a dispatch is merged over the worker's layers and checked as a whole, so that every
mistake is told at once and a room is either understood completely or not opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from palabra_agent.config.ceilings import RoomCeilings
from palabra_agent.config.documents import lay_over, read_object
from palabra_agent.config.fields import (
    Between,
    ConfigModel,
    Name,
    Names,
    Number,
    Refusal,
    SourceCode,
    SpokenCodes,
    Switch,
    TargetCode,
    TargetCodes,
    Whole,
    check_target,
    distinct,
    refusal,
    refuse_all,
)
from palabra_agent.config.plugins import (
    PluginKnowledge,
    PluginSchema,
    PluginUses,
    Schema,
    context_of,
    definitions_with,
    problems_with,
)
from palabra_agent.config.wording import Path
from palabra_agent.errors import Problem, RoomConfigError
from palabra_agent.languages import AUTO, EVERY_TARGET, LanguageCode, spell_target
from palabra_agent.palabra.task.settings import TaskSettings

SCHEMA_KEY: Final = "$schema"
"""The key for the JSON Schema by which an editor checks a file."""


class SpeakerOverride(ConfigModel):
    """Facts about a speaker that are known beforehand."""

    source_language: SourceCode | None = None
    """The language that the speaker speaks, or `auto`; left out: the room's."""
    interpret: Switch = True
    """Interpret this speaker."""


class CaptionSettings(ConfigModel):
    """Captions on `lk.transcription`."""

    enabled: Switch = True
    """Write captions."""
    partials: Switch = True
    """Show sentences while they are spoken, translated ones too."""
    also_to: Names = ()
    """Identities, or patterns such as `EG_*`, of recorders, agents and hidden observers who read
    along as people do who say nothing: `default_listen`, else the original. Others of them get no
    captions."""


class ChatSettings(ConfigModel):
    """Finished sentences as chat messages, and what people write in the chat themselves."""

    enabled: Switch = True
    """Send what is spoken as chat messages."""
    audience: Literal["language", "everyone", "original", "none"] = "language"
    """The messages of what is spoken that a person gets: in their own language; in every language;
    the original; none, where an app that shows captions as well would show each sentence twice."""
    commands: Switch = True
    """Follow and answer what people write in the chat: `/lang es`, `/lang original`, `/speak en`,
    `/languages`, `/help`."""
    translate: Switch = False
    """Translate what people type, for those who listen to another language."""
    speak: Switch = False
    """Speak what people type, on the channels of those who listen to another language."""


DisclosureText = Annotated[str, Field(min_length=1, max_length=500)]


class DisclosureSettings(ConfigModel):
    """The sentence that a machine interprets here, told to each person once, in their language."""

    enabled: Switch = True
    """Tell it."""
    text: dict[TargetCode, DisclosureText] = Field(default={})
    """Sentences in place of ours, by language."""


class Limits(ConfigModel):
    """Limits of what a room may use."""

    max_speakers: Annotated[Whole, Between(1)] = 20
    """The most speakers interpreted at a time: those who speak, then first come, first served."""
    max_languages: Annotated[Whole, Between(1)] = 8
    """The most languages interpreted into at a time: those always on, then first come, first
    served."""
    idle_pause_seconds: Annotated[Number, Between(0, 3_600)] | None = 20.0
    """Silence after which a speaker's Palabra session is paused, and its bill; null: never."""
    silent_output_seconds: Annotated[Number, Between(3, 3_600)] | None = 12.0
    """Speech without a word or a sound in answer after which a new session takes over; null:
    never."""
    linger_seconds: Annotated[Number, Between(0, 300)] = 5.0
    """Seconds for which a speaker who disappeared keeps session, voice and channel, and a channel
    stays after its last listener."""
    max_minutes: Annotated[Number, Between(0.001, 44_640)] | None = None
    """Minutes after which the interpreter leaves; null: never."""


DEFAULT_LIMITS: Final[Mapping[str, Any]] = Limits().model_dump()
NO_CEILINGS: Final = RoomCeilings()


MicrophoneSource: TypeAlias = Literal["microphone", "unknown", "screen_share_audio"]
MicrophoneSources = Annotated[
    tuple[MicrophoneSource, ...],
    AfterValidator(distinct),
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
]


class RoomConfig(ConfigModel):
    """The config of one room."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "target_languages": 'unknown key, did you mean "languages"?',
        "detectable_languages": 'unknown key, did you mean "spoken_languages"?',
        SCHEMA_KEY: "must be a string, the address of a JSON Schema for editors",
        "match": "belongs to `[[rooms]]` in the worker's file of settings",
        "ceilings": "belongs in the worker's file of settings, in `[ceilings]` or `[[rooms]]`",
        "e2ee_key": "is a secret, and others can read a room config; it belongs in `[worker]` or "
        "`[[rooms]]` in the worker's file of settings, or in PALABRA_E2EE_KEY",
    }

    # the order matters: each of the first four is checked against those before it
    always_on: TargetCodes = ()
    """Languages interpreted even while no listener asks; among `languages`."""
    languages: TargetCodes = Field(
        default=EVERY_TARGET,
        min_length=1,
        json_schema_extra={"minItems": 1},  # what is said of the codes would hide it
    )
    """Languages that listeners may ask for, interpreted while one does; left out: all that Palabra
    speaks."""
    default_listen: TargetCode | None = Field(default=None, validate_default=True)
    """The language for listeners who choose none; null: the original."""
    limits: Limits = Field(default=Limits(), validate_default=True)
    source_language: SourceCode = AUTO
    """The language of speakers who name none."""
    spoken_languages: SpokenCodes = ()
    """Languages that `auto` may detect; empty: all."""
    speakers: dict[Name, SpeakerOverride] = Field(default={})
    """Overrides by identity, or pattern such as `guest-*`."""
    microphone_sources: MicrophoneSources = ("microphone", "unknown")
    """LiveKit's sources of the sound that counts as a microphone; `unknown`: none is named, as by
    server-side SDKs. Of several microphones of one person the one that is spoken into is heard."""
    channels: Literal["per_language", "per_speaker"] = "per_language"
    """The tracks that are published: one for each language, or one for each language and speaker,
    whom listeners then choose one by one."""
    captions: CaptionSettings = CaptionSettings()
    chat: ChatSettings = ChatSettings()
    disclosure: DisclosureSettings = DisclosureSettings()
    plugins: PluginUses = ()
    """Plugins, in the order in which they are asked."""
    organisers: Names = ()
    """Identities that may change the config in the meeting, beside those of the worker."""
    palabra: TaskSettings = TaskSettings()

    @field_validator("default_listen", mode="before")
    @classmethod
    def _among_languages(cls, value: object, info: ValidationInfo) -> object:
        """Check this and `always_on`, which is read before the languages that it belongs to."""
        if "languages" not in info.data:
            return value
        languages: tuple[LanguageCode, ...] = info.data["languages"]
        mistakes: list[Refusal] = [
            ((), _not_offered(code, languages, at="always_on"))
            for code in info.data.get("always_on", ())
            if code not in languages
        ]
        try:
            if value is not None and (code := check_target(value)) not in languages:
                mistakes.append(((), _not_offered(code, languages)))
        except PydanticCustomError as mistake:
            mistakes.append(((), mistake))
        refuse_all(mistakes)
        return value

    @field_validator("limits")
    @classmethod
    def _enough_for_always_on(cls, limits: Limits, info: ValidationInfo) -> Limits:
        always_on = info.data.get("always_on", ())
        if len(always_on) > limits.max_languages:
            raise refusal(
                f"{len(always_on)} languages ({_listed(always_on)}) are more than "
                f"`limits.max_languages` allows, which is {limits.max_languages}",
                at="always_on",
            )
        return limits

    @field_validator("palabra")
    @classmethod
    def _serves_chat(cls, palabra: TaskSettings, info: ValidationInfo) -> TaskSettings:
        """Check that what is typed can be read and heard, where the chat wants it."""
        chat = info.data.get("chat", ChatSettings())
        mistakes = list[Refusal]()
        if chat.translate and not palabra.are_translations_told:
            reason = 'must hold "translated_transcription", as `chat.translate` is true'
            mistakes.append((("allowed_message_types",), refusal(reason)))
        if chat.speak and not palabra.speech:
            mistakes.append((("speech",), refusal("must be true, as `chat.speak` is")))
        refuse_all(mistakes)
        return palabra

    def speaker_override(self, identity: str) -> SpeakerOverride:
        """The override for this speaker: by identity, else by the first pattern that fits."""
        if identity in self.speakers:
            return self.speakers[identity]
        fitting = (
            override
            for pattern, override in self.speakers.items()
            if fnmatchcase(identity, pattern)
        )
        return next(fitting, SpeakerOverride())


def _not_offered(
    code: LanguageCode, languages: Sequence[LanguageCode], *, at: str | None = None
) -> PydanticCustomError:
    reason = f'"{code}" is not among the languages, which are {_listed(languages)}'
    return refusal(reason, at=at)


def _listed(languages: Sequence[LanguageCode]) -> str:
    return ", ".join(languages)


def parse_room_config(
    metadata: str,
    *,
    layers: Sequence[Mapping[str, object]] = (),
    plugins: PluginKnowledge | None = None,
    ceilings: RoomCeilings = NO_CEILINGS,
) -> RoomConfig:
    """Merge dispatch metadata over the worker's layers, lowest first, and check the whole.

    Args:
        metadata: JSON.
        layers: What the worker says of the room.
        plugins: Who knows the installed plugins; None to check only the shape of their entries.
        ceilings: What the metadata may not exceed, which is cut, nor touch, which is a mistake.

    Raises:
        RoomConfigError: with every mistake and its path.
    """
    said, problems = read_object(metadata)
    below = _merged(layers)
    merged = _merged((below, said))
    problems += ceilings.touched(below, merged)
    try:
        config = _validated(ceilings.cut(merged, DEFAULT_LIMITS), plugins)
    except ValidationError as error:
        found = problems_with(error, RoomConfig, plugins)
        raise RoomConfigError([*problems, *ceilings.cuts(said), *found]) from None
    if problems:
        raise RoomConfigError(problems)
    return config


def layer_problems(
    layer: Mapping[str, object],
    *,
    below: Sequence[Mapping[str, object]] = (),
    prefix: Path = (),
    plugins: PluginKnowledge | None = None,
) -> list[Problem]:
    """The mistakes of one layer laid over others, with paths that say where it stands."""
    try:
        _validated(_merged((*below, layer)), plugins)
    except ValidationError as error:
        return problems_with(error, RoomConfig, plugins, prefix)
    return []


def _merged(layers: Iterable[Mapping[str, object]]) -> dict[str, object]:
    merged: dict[str, object] = {}
    for layer in layers:
        merged = lay_over(merged, _with_codes_spelt(layer))
    return merged


def _validated(merged: Mapping[str, object], plugins: PluginKnowledge | None) -> RoomConfig:
    return RoomConfig.model_validate(_without_schema(merged), context=context_of(plugins))


_KEYED_BY_LANGUAGE: Final = ("translations", "translation_queue_configs")


def _without_schema(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is there for editors; what is no address stays, to be refused."""
    return {
        key: value
        for key, value in config.items()
        if key != SCHEMA_KEY or not isinstance(value, str)
    }


def _with_codes_spelt(layer: Mapping[str, object]) -> dict[str, object]:
    """Spell language keys alike, so that layers meet; two spellings in one stay, to be refused."""
    palabra = layer.get("palabra")
    if not isinstance(palabra, Mapping):
        return dict(layer)

    spelt: dict[str, object] = dict(palabra)
    for name in _KEYED_BY_LANGUAGE:
        entries = palabra.get(name)
        if isinstance(entries, Mapping):
            codes = {
                spell_target(key): value for key, value in entries.items() if isinstance(key, str)
            }
            spelt[name] = codes if len(codes) == len(entries) else entries
    return {**layer, "palabra": spelt}


def known_keys(problems: Sequence[Problem]) -> list[str]:
    """The config's keys that are wrong; the rest of a path may hold a person's identity."""
    first = {re.split(r"[.\[]", problem.path, maxsplit=1)[0] for problem in problems}
    return sorted(first & RoomConfig.model_fields.keys())


_FOR_EDITORS: Final[Mapping[str, Any]] = {
    "type": "string",
    "description": "Address of the schema by which an editor checks this; ignored.",
}

_EXAMPLE: Final[Mapping[str, Any]] = {
    "languages": ["es", "de"],
    "default_listen": "es",
    "speakers": {"alice": {"source_language": "en"}, "recorder-*": {"interpret": False}},
    "captions": {"partials": True},
    "chat": {"audience": "language"},
    "organisers": ["olga"],
    "palabra": {
        "transcription": {"segment_confirmation_silence_threshold": 0.6},
        "translations": {"default": {"translate_partial_transcriptions": True}},
    },
    "limits": {"max_minutes": 90},
}
"""A whole config, as an example."""


def room_config_schema(plugins: Sequence[PluginSchema] = ()) -> Schema:
    """The JSON Schema of the room config, with what the given plugins may be told."""
    room = RoomConfig.model_json_schema()
    uses = [plugin.use for plugin in plugins if plugin.example]
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **room,
        "properties": {SCHEMA_KEY: _FOR_EDITORS, **room["properties"]},
        "examples": [{**_EXAMPLE, "plugins": uses} if uses else dict(_EXAMPLE)],
    }
    if plugins:
        whole["$defs"] = definitions_with(room["$defs"], plugins)
    return whole
