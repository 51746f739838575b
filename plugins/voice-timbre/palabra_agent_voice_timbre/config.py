"""Config of a room: the detection, and the voices of each class of speakers.

A sentence that begins with `must` need not name the value: the host does, where it may be shown.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    Strict,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from palabra_agent.plugin import (
    LanguageCode,
    PluginConfig,
    base,
    check_target,
    normalise,
    spell_target,
)

DEFAULT: Final = "default"
"""In voices by language: the ones for every other language."""

DEFAULT_HIGH: Final = "default_high"
DEFAULT_LOW: Final = "default_low"

Mistake: TypeAlias = tuple[tuple[str | int, ...], str]
"""A place below the field that is being checked, and the sentence."""

_LONGEST_ID: Final = 256

_ID_SCHEMA: Final = {"type": "string", "minLength": 1, "maxLength": _LONGEST_ID}

LIBRARIES: Final = ("av", "numpy", "swift_f0")
"""Modules that local detection imports, and Palabra's own does without."""

_PALABRA: Final = "palabra"
_LOCAL_ALONE: Final = 'it holds with `"detection": "local"` alone: Palabra decides this by itself'
_ONE_VOICE: Final = (
    "has {} voices, but Palabra's own detection takes exactly one; "
    '`"detection": "local"` takes more'
)
_NOT_WITH_CLASSES: Final = "it cannot stand beside `classes`, which say it all"

Pitch = Annotated[float, Strict(), Field(ge=60, le=500)]
"""In hertz, as far as voices are listened for."""


def refuse(mistakes: Sequence[Mistake]) -> None:
    """Raise all mistakes at once, each at its place, if there are any.

    Raises:
        ValidationError: With one error for each.
    """
    if not mistakes:
        return

    raise ValidationError.from_exception_data(
        "voices",
        [
            InitErrorDetails(
                type=PydanticCustomError("value_error", "{it}", {"it": why}), loc=loc, input=None
            )
            for loc, why in mistakes
        ],
    )


def _check_key(value: object) -> str:
    is_default = isinstance(value, str) and normalise(value) == DEFAULT
    return DEFAULT if is_default else check_target(value)


def _check_id(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= len(value) <= _LONGEST_ID:
        raise ValueError(f"must be a voice id of 1 to {_LONGEST_ID} characters")

    meant = value.strip().lower().replace("-", "_")
    if meant in {DEFAULT_HIGH, DEFAULT_LOW} and meant != value:
        raise ValueError(f'"{value}" is no voice, did you mean "{meant}"?')

    return value


def not_empty(value: object) -> object:
    """Refuse an empty object or list before its contents are looked at.

    Afterwards one whose every entry was refused would be called empty, too.

    Raises:
        ValueError: With the sentence that says so.
    """
    if isinstance(value, dict | list | tuple) and not value:
        raise ValueError("must not be empty")

    return value


def _listed(value: object) -> object:
    """Take one id for a list of one."""
    if isinstance(value, str):
        return (value,)

    if not isinstance(value, list | tuple):
        raise ValueError("must be a voice id or a list of them")  # noqa: TRY004 - pydantic's door

    return value


def _distinct(voices: tuple[str, ...]) -> tuple[str, ...]:
    again = [position for position, voice in enumerate(voices) if voice in voices[:position]]
    refuse([((position,), f'"{voices[position]}" is given twice') for position in again])
    return voices


def _each_once(value: object) -> object:
    """Refuse a language that is there in two spellings, while both can still be seen."""
    if not isinstance(value, Mapping):
        return value

    keys = [key for key in value if isinstance(key, str)]
    codes = Counter(map(spell_target, keys))
    refuse(
        [
            ((key,), f'"{spell_target(key)}" is given twice, in two spellings')
            for key in keys
            if codes[spell_target(key)] > 1
        ]
    )
    return value


VoiceIds = Annotated[
    tuple[Annotated[str, BeforeValidator(_check_id)], ...],
    BeforeValidator(_listed),
    BeforeValidator(not_empty),
    AfterValidator(_distinct),
    WithJsonSchema(
        {
            "anyOf": [
                _ID_SCHEMA,
                {"type": "array", "items": _ID_SCHEMA, "minItems": 1, "uniqueItems": True},
            ]
        }
    ),
]
"""One voice or several, in the order of dealing."""

Voices = Annotated[
    dict[Annotated[str, BeforeValidator(_check_key)], VoiceIds],
    BeforeValidator(_each_once),
    BeforeValidator(not_empty),
    Field(json_schema_extra={"minProperties": 1}),
]
"""Voices by target language; `default` for every other."""


@dataclass(frozen=True, slots=True)
class VoiceClass:
    """The voices for speakers whose own voice is alike."""

    voices: Mapping[str, tuple[str, ...]]
    """By target language, or `default`."""
    up_to_hz: float = math.inf
    """The highest pitch of those who belong here, and not to a class below."""
    reserve: str | None = None
    """The voice for a language that another class has voices for, but this one has none left."""

    def names(self, target: LanguageCode) -> bool:
        """Tell if it has voices for a language."""
        return any(key in self.voices for key in _keys(target))

    def voices_for(self, target: LanguageCode, unavailable: Collection[str]) -> tuple[str, ...]:
        """The voices to choose from: the nearest said of the language that are not unavailable.

        The language itself is nearest, then the language without its region, then `default`.
        """
        said = [self.voices.get(key, ()) for key in _keys(target)]
        if self.reserve is not None:
            said.append((self.reserve,))

        left = (tuple(it for it in ids if it not in unavailable) for ids in said)
        return next(filter(None, left), ())


def class_of(pitch_hz: float, classes: Sequence[VoiceClass]) -> int:
    """The position of the class that a pitch belongs to; the classes ascend."""
    fitting = (place for place, it in enumerate(classes) if pitch_hz <= it.up_to_hz)
    return next(fitting, len(classes) - 1)


def _keys(target: LanguageCode) -> tuple[str, ...]:
    return target, base(target), DEFAULT


class TimbreClass(PluginConfig):
    """The voices for speakers whose own voice is alike."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "threshold_hz": 'unknown key, did you mean "up_to_hz"?',
        "high": 'unknown key, did you mean "voices"?',
        "low": 'unknown key, did you mean "voices"?',
    }

    up_to_hz: Pitch | None = None
    """The highest pitch of those who belong to this class; none in the last."""
    voices: Voices
    """Voices by target language, or `default`: `{"es": ["id", "another-id"], "default": "id"}`."""


class TimbreConfig(PluginConfig):
    """Voices like the speakers' own."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "voices": "belongs into the `classes`: here are `high` and `low`",
        "up_to_hz": 'unknown key, did you mean "threshold_hz"?',
        "threshold": 'unknown key, did you mean "threshold_hz"?',
        "default": 'belongs into `high` and `low`: {"default": …}',
    }

    # the order matters: each is checked against those before it
    detection: Literal["palabra", "local"] = "palabra"
    """The way to tell high voices from low ones. `palabra`: Palabra does it, for one high and one
    low voice per language. `local`: the worker estimates the pitch and deals several voices."""
    classes: (
        Annotated[
            tuple[TimbreClass, ...],
            BeforeValidator(not_empty),
            Field(json_schema_extra={"minItems": 1}),
        ]
        | None
    ) = None
    """Any number of classes instead of `high` and `low`, in ascending order, with local
    detection."""
    high: Voices = Field(default={DEFAULT: (DEFAULT_HIGH,)})
    """Voices for high voices: by target language, or `default`, an id or a list of ids. `es` is for
    every Spanish that is not named itself."""
    low: Voices = Field(default={DEFAULT: (DEFAULT_LOW,)})
    """Voices for low voices."""
    threshold_hz: Pitch = 165
    """A pitch above this is a high voice, with local detection."""
    until_known: Literal["palabra", "pass"] = "palabra"
    """The voice until local detection knows the pitch. `palabra`: Palabra's own detection chooses
    between one high and one low voice. `pass`: the next plugin is asked."""

    @field_validator("detection")
    @classmethod
    def _can_be_done(cls, detection: str) -> str:
        if detection != _PALABRA and (lacking := not_installed(LIBRARIES)):
            raise ValueError(
                f'"{detection}" takes what is not installed on the worker, {", ".join(lacking)}: '
                'pip install "palabra-agent-voice-timbre[local]"'
            )

        return detection

    @field_validator("classes")
    @classmethod
    def _ascending(
        cls, classes: tuple[TimbreClass, ...] | None, info: ValidationInfo
    ) -> tuple[TimbreClass, ...] | None:
        if classes is None:
            return None

        if info.data.get("detection") == _PALABRA:
            raise ValueError(_LOCAL_ALONE)

        refuse(list(_disorder([it.up_to_hz for it in classes])))
        return classes

    @field_validator("high", "low")
    @classmethod
    def _as_many_as_can_be(cls, voices: Voices, info: ValidationInfo) -> Voices:
        if info.data.get("classes"):
            raise ValueError(_NOT_WITH_CLASSES)

        if info.data.get("detection") == _PALABRA:
            too_many = {code: len(ids) for code, ids in voices.items() if len(ids) > 1}
            refuse([((code,), _ONE_VOICE.format(count)) for code, count in too_many.items()])

        return voices

    @field_validator("threshold_hz")
    @classmethod
    def _between_two(cls, threshold: float, info: ValidationInfo) -> float:
        if info.data.get("classes"):
            raise ValueError(_NOT_WITH_CLASSES)

        _refuse_for_palabra(info)
        return threshold

    @field_validator("until_known")
    @classmethod
    def _until_then(cls, until_known: str, info: ValidationInfo) -> str:
        _refuse_for_palabra(info)
        return until_known

    @property
    def voice_classes(self) -> tuple[VoiceClass, ...]:
        """The classes in ascending order: those that are given, or low and high."""
        if self.classes is not None:
            return tuple(VoiceClass(it.voices, it.up_to_hz or math.inf) for it in self.classes)

        return (
            VoiceClass(self.low, self.threshold_hz, DEFAULT_LOW),
            VoiceClass(self.high, math.inf, DEFAULT_HIGH),
        )


def not_installed(libraries: Iterable[str]) -> list[str]:
    """Those of some libraries that cannot be imported; imports none of them."""
    return [name for name in libraries if find_spec(name) is None]


def _refuse_for_palabra(info: ValidationInfo) -> None:
    if info.data.get("detection") == _PALABRA:
        raise ValueError(_LOCAL_ALONE)


def _disorder(bounds: list[float | None]) -> Iterable[Mistake]:
    """List what keeps bounds from ascending to a last class without one."""
    *lower, last = bounds
    if last is not None:
        yield (
            (len(lower), "up_to_hz"),
            "must be left out of the last class, which is for every higher voice",
        )

    before = 0.0
    for place, bound in enumerate(lower):
        if bound is None:
            yield (place, "up_to_hz"), "is missing; only the last class is without"
        elif bound <= before:
            yield (place, "up_to_hz"), f"must be higher than {before:g}, that of the class before"
        before = bound or before
