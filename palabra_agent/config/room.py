"""The room config: its keys, its defaults, and how dispatch metadata becomes one.

What is written for a room is merged over the worker's layers and checked as a whole, so that every
mistake is told at once and a room is either understood completely or not opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from palabra_agent.config.documents import overlay, read_object
from palabra_agent.config.fields import (
    Between,
    ConfigModel,
    Mistake,
    Name,
    Names,
    Number,
    SourceCode,
    SpokenCodes,
    Switch,
    TargetCode,
    TargetCodes,
    Whole,
    check_target,
    not_available,
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
from palabra_agent.languages import AUTO, LanguageCode, normalise
from palabra_agent.palabra.task.settings import TaskSettings

SCHEMA_KEY: Final = "$schema"
"""Where JSON names the JSON Schema that an editor checks it by."""

DEFAULT_LANGUAGES: Final = (LanguageCode("en"), LanguageCode("es"))
"""What is offered where nobody says it."""


class SpeakerOverride(ConfigModel):
    """What is known of a speaker beforehand."""

    source_language: SourceCode | None = None
    """The language that they speak, or `auto`; left out: as for everybody."""
    interpret: Switch = True
    """Whether they are interpreted at all."""


class CaptionSettings(ConfigModel):
    """Captions on `lk.transcription`."""

    enabled: Switch = True
    """Whether there are any."""
    partials: Switch = True
    """Show sentences while they are spoken, translated ones too."""


class ChatSettings(ConfigModel):
    """Finished sentences as chat messages."""

    enabled: Switch = True
    """Whether there are any."""
    audience: Literal["language", "everyone", "original"] = "language"
    """Who gets which: each their language; everybody all; everybody the original."""
    commands: Switch = True
    """Whether chat commands are answered; there are none in this version."""


class Limits(ConfigModel):
    """What a room may use."""

    max_speakers: Annotated[Whole, Between(1)] = 20
    """How many are interpreted at a time: first come, first served."""
    max_languages: Annotated[Whole, Between(1)] = 8
    """How many `languages` may be offered."""
    idle_pause_seconds: Annotated[Number, Between(0, 3_600)] | None = 20.0
    """Silence after which a speaker's Palabra session is paused, and its bill; null: never."""
    silent_output_seconds: Annotated[Number, Between(3, 3_600)] | None = 12.0
    """So much speech without a word or a sound in answer, and a new session takes over; null:
    never."""
    linger_seconds: Annotated[Number, Between(0, 300)] = 5.0
    """How long a speaker who disappeared keeps session, voice and channel."""
    max_minutes: Annotated[Number, Between(0.001, 44_640)] | None = None
    """When the interpreter leaves; null: never."""


def _per_language_only(value: str) -> str:
    if value != "per_language":
        raise not_available(value)
    return value


def _left_out_languages(known: dict[str, Any]) -> tuple[LanguageCode, ...]:
    return known.get("always_on") or DEFAULT_LANGUAGES


class RoomConfig(ConfigModel):
    """How one room is interpreted."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "target_languages": 'unknown key, did you mean "languages"?',
        "detectable_languages": 'unknown key, did you mean "spoken_languages"?',
        SCHEMA_KEY: "must be a string, the address of a JSON Schema for editors",
        "match": "belongs to `[[rooms]]` in the worker's file of settings",
    }

    # the order matters: each of the first four is checked against those before it
    always_on: TargetCodes = ()
    """Interpreted even while nobody asks; among `languages`."""
    languages: TargetCodes = Field(
        default_factory=_left_out_languages,
        min_length=1,
        json_schema_extra={"minItems": 1},  # what is said of the codes would hide it
    )
    """What listeners may ask for; left out: `always_on`, else English and Spanish."""
    default_listen: TargetCode | None = Field(default=None, validate_default=True)
    """What people hear who say nothing; null: the original."""
    limits: Limits = Field(default=Limits(), validate_default=True)
    source_language: SourceCode = AUTO
    """What people speak who say nothing."""
    spoken_languages: SpokenCodes = ()
    """What `auto` may detect; empty: everything."""
    speakers: dict[Name, SpeakerOverride] = Field(default={})
    """Overrides by identity, or pattern such as `guest-*`."""
    channels: Annotated[
        Literal["per_language", "per_speaker"], AfterValidator(_per_language_only)
    ] = "per_language"
    """Which tracks there are."""
    captions: CaptionSettings = CaptionSettings()
    chat: ChatSettings = ChatSettings()
    plugins: PluginUses = ()
    """In the order of asking."""
    organisers: Names = ()
    """Identities that may change the config in the meeting, beside those of the worker."""
    palabra: TaskSettings = TaskSettings()

    @field_validator("default_listen", mode="before")
    @classmethod
    def _among_languages(cls, value: object, info: ValidationInfo) -> object:
        """Here `always_on` is checked too: it is known before the languages that it belongs to."""
        if "languages" not in info.data:
            return value
        languages: tuple[LanguageCode, ...] = info.data["languages"]
        mistakes: list[Mistake] = [
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
    def _enough_for_languages(cls, limits: Limits, info: ValidationInfo) -> Limits:
        languages = info.data.get("languages", ())
        if len(languages) > limits.max_languages:
            raise refusal(
                f"{len(languages)} languages ({_listed(languages)}) are more than "
                f"`limits.max_languages` allows, which is {limits.max_languages}",
                at="languages",
            )
        return limits

    @property
    def always_interpreted(self) -> tuple[LanguageCode, ...]:
        """The languages that are interpreted whether or not anybody asks: here, every one."""
        return self.languages

    def speaker_override(self, identity: str) -> SpeakerOverride:
        """What is said of this speaker: by name, else by the first pattern that fits."""
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
) -> RoomConfig:
    """Merge dispatch metadata over the worker's layers, lowest first, and check the whole.

    Args:
        metadata: JSON.
        layers: What the worker says of the room.
        plugins: Who knows the installed plugins; None to check only the shape of their entries.

    Raises:
        RoomConfigError: with every mistake and its path.
    """
    said, problems = read_object(metadata)
    try:
        config = _validated((*layers, said), plugins)
    except ValidationError as error:
        raise RoomConfigError(problems + problems_with(error, RoomConfig, plugins)) from None
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
        _validated((*below, layer), plugins)
    except ValidationError as error:
        return problems_with(error, RoomConfig, plugins, prefix)
    return []


def _validated(
    layers: Iterable[Mapping[str, object]], plugins: PluginKnowledge | None
) -> RoomConfig:
    merged: dict[str, object] = {}
    for layer in layers:
        merged = overlay(merged, _with_codes_spelt(layer))
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
                normalise(key): value for key, value in entries.items() if isinstance(key, str)
            }
            spelt[name] = codes if len(codes) == len(entries) else entries
    return {**layer, "palabra": spelt}


def known_keys(problems: Sequence[Problem]) -> list[str]:
    """The config's keys that are wrong; what follows them in a path may be somebody's identity."""
    first = {re.split(r"[.\[]", problem.path, maxsplit=1)[0] for problem in problems}
    return sorted(first & RoomConfig.model_fields.keys())


_FOR_EDITORS: Final[Mapping[str, Any]] = {
    "type": "string",
    "description": "By what an editor checks this; ignored.",
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
"""A whole config as somebody might write it."""


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
