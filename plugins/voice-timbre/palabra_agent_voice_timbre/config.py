"""What a room config says: who listens, and the voices of each class."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field, Strict, ValidationInfo, field_validator

from palabra_agent.plugin import PluginConfig
from palabra_agent_voice_timbre.classes import VoiceClass
from palabra_agent_voice_timbre.fields import (
    DEFAULT,
    DEFAULT_HIGH,
    DEFAULT_LOW,
    Mistake,
    Voices,
    not_empty,
    refuse,
)

LIBRARIES: Final = ("av", "numpy", "swift_f0")
"""What local detection imports, and Palabra's own does without."""

_PALABRA: Final = "palabra"
_LOCAL_ALONE: Final = 'it holds with `"detection": "local"` alone: Palabra decides this by itself'
_ONE_VOICE: Final = (
    "has {} voices, but Palabra's own detection takes exactly one; "
    '`"detection": "local"` takes more'
)
_NOT_WITH_CLASSES: Final = "it cannot stand beside `classes`, which say it all"

Pitch = Annotated[float, Strict(), Field(ge=60, le=500)]
"""In hertz, as far as voices are listened for."""


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
    """Who hears whether a voice is high or low. `palabra`: Palabra does, for one high and one low
    voice per language. `local`: the worker estimates the pitch, and several voices are dealt."""
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
    """What there is until local detection knows a voice. `palabra`: Palabra's own detection chooses
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
    """What keeps bounds from ascending to a last class without one."""
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
