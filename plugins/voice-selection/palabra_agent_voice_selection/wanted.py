"""Forms of `voice` in a rule, and the sentences for all that is none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainValidator,
    TypeAdapter,
    WithJsonSchema,
)

from palabra_agent.plugin import (
    ClonedVoice,
    FixedVoice,
    LanguageCode,
    PluginConfig,
    base,
    check_target,
    normalise,
)
from palabra_agent_voice_selection.fields import Patterns, distinct, not_empty

CLONE: Final = "clone"
DEFAULT: Final = "default"
"""In a voice per language: the one for all others."""

_WORDS: Final = (CLONE, "default_high", "default_low")
_ALSO_CLONE: Final = frozenset({"cloned", "cloning", "voice_cloning"})
_FORMS: Final = (
    'a voice id, "clone", {"pool": […]}, {"attribute": […]}, or one of these per language, '
    'as in {"es": …, "default": …}'
)
_OTHER_KEYS: Final = 'other keys are "pool", "attribute" and "default"'


def check_id(value: object) -> str:
    """Let a voice id through.

    Raises:
        ValueError: With the sentence that says what one is, or what was meant.
    """
    try:
        voice_id = FixedVoice(value).voice_id if isinstance(value, str) else ""
    except ValueError:
        voice_id = ""

    if not voice_id.strip():
        raise ValueError("must be a voice id of 1 to 256 characters")

    meant = voice_id.strip().lower().replace("-", "_")
    meant = CLONE if meant in _ALSO_CLONE else meant
    if meant in _WORDS and meant != voice_id:
        raise ValueError(f'"{voice_id}" is no voice, did you mean "{meant}"?')

    return voice_id


def _pooled(voice_id: str) -> str:
    if voice_id == CLONE:
        raise ValueError('"clone" cannot be dealt from a pool: it needs a rule of its own')

    return voice_id


class Pool(PluginConfig):
    """Voices that are dealt, each to another speaker while they last."""

    pool: Annotated[
        tuple[Annotated[str, BeforeValidator(check_id), AfterValidator(_pooled)], ...],
        AfterValidator(not_empty),
        AfterValidator(distinct),
    ]
    """Ids, in the order of dealing."""


class AskedFor(PluginConfig):
    """The voice that a participant's own attribute `palabra.voice` asks for."""

    attribute: Patterns
    """Voices that may be asked for: ids, patterns of ids, and `clone`, which no pattern covers."""


SimpleVoice: TypeAlias = FixedVoice | ClonedVoice | Pool | AskedFor


@dataclass(frozen=True, slots=True)
class PerLanguage:
    """A voice for each of some languages."""

    voices: Mapping[str, SimpleVoice]

    def voice_in(self, target: LanguageCode) -> SimpleVoice | None:
        """Give the voice of a language, else of it without its region, else of all others."""
        for key in (target, base(target), DEFAULT):
            if key in self.voices:
                return self.voices[key]

        return None


WantedVoice: TypeAlias = SimpleVoice | PerLanguage


def _parse_simple(value: object) -> SimpleVoice:
    match value:
        case "clone":
            return ClonedVoice()
        case "attribute":
            raise ValueError(
                'say what may be asked for: {"attribute": ["default_high", "default_low"]}'
            )
        case "pool":
            raise ValueError('say which voices are dealt: {"pool": ["default_low", …]}')
        case str():
            return FixedVoice(check_id(value))
        case {"pool": _}:
            return Pool.model_validate(value)
        case {"attribute": _}:
            return AskedFor.model_validate(value)
        case _:
            raise ValueError(f"must be {_FORMS}")


def _parse(value: object) -> WantedVoice:
    match value:
        case {"pool": _} | {"attribute": _}:
            return _parse_simple(value)
        case {}:
            return PerLanguage(_BY_LANGUAGE.validate_python(value))
        case _:
            return _parse_simple(value)


def _check_key(key: str) -> str:
    if normalise(key) == DEFAULT:
        return DEFAULT

    try:
        return check_target(key)
    except ValueError as mistake:
        raise ValueError(f"{mistake}; {_OTHER_KEYS}") from None


def _with_right_keys(voices: object) -> object:
    if not isinstance(voices, Mapping) or not voices:
        raise ValueError(f"must be {_FORMS}, not empty")

    distinct(tuple(_check_key(str(key)) for key in voices))
    return voices


_BY_LANGUAGE: Final[TypeAdapter[dict[str, SimpleVoice]]] = TypeAdapter(
    Annotated[
        dict[
            Annotated[str, AfterValidator(_check_key)],
            Annotated[SimpleVoice, PlainValidator(_parse_simple)],
        ],
        BeforeValidator(_with_right_keys),
    ]
)

_ID_SCHEMA: Final[dict[str, Any]] = {"type": "string", "minLength": 1, "maxLength": 256}
_IDS_SCHEMA: Final[dict[str, Any]] = {"type": "array", "items": _ID_SCHEMA, "minItems": 1}


def _object_schema(key: str, description: str, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {key: {**value, "description": description}},
        "required": [key],
        "additionalProperties": False,
    }


_SIMPLE_SCHEMA: Final[list[dict[str, Any]]] = [
    {**_ID_SCHEMA, "description": "A voice id, or `clone`: the speaker's own voice, imitated."},
    _object_schema(
        "pool",
        "Ids of voices that are dealt, in this order: to each speaker another while they last.",
        _IDS_SCHEMA,
    ),
    _object_schema(
        "attribute",
        "What the participant's attribute `palabra.voice` may ask for: ids, patterns of ids, and "
        "`clone`, which no pattern covers.",
        {"anyOf": [_ID_SCHEMA, _IDS_SCHEMA]},
    ),
]

Voice = Annotated[
    FixedVoice | ClonedVoice | Pool | AskedFor | PerLanguage,
    PlainValidator(_parse),
    WithJsonSchema(
        {
            "anyOf": [
                *_SIMPLE_SCHEMA,
                {
                    "type": "object",
                    "description": "One of these per language; `default` for all others.",
                    "minProperties": 1,
                    "propertyNames": {"not": {"enum": ["pool", "attribute"]}},
                    "additionalProperties": {"anyOf": _SIMPLE_SCHEMA},
                },
            ]
        }
    ),
]
"""All that a rule may give."""
