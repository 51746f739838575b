"""Language codes as config fields, in any spelling, and what a rule's code means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from palabra_agent.plugin import LanguageCode, base, normalise
from palabra_agent_voice_selection.wording import distinct, listed, not_empty, shown

_SHAPE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_CODE_SCHEMA: Final = {"type": "string", "examples": ["es", "pt-br"]}


def check_code(value: object) -> LanguageCode:
    """Spell a code as Palabra does.

    Raises:
        ValueError: With a sentence, where it cannot be one.
    """
    code = normalise(value) if isinstance(value, str) else LanguageCode("")
    if not _SHAPE.fullmatch(code):
        raise ValueError(f'must be a language code such as "es" or "pt-br", not {shown(value)}')

    return code


Codes = Annotated[
    tuple[Annotated[LanguageCode, BeforeValidator(check_code)], ...],
    BeforeValidator(listed),
    AfterValidator(not_empty),
    AfterValidator(distinct),
    WithJsonSchema(
        {"anyOf": [_CODE_SCHEMA, {"type": "array", "items": _CODE_SCHEMA, "minItems": 1}]}
    ),
]
"""One or several languages."""


def covers(codes: Iterable[LanguageCode], target: LanguageCode) -> bool:
    """Whether a target is meant: `es` means every Spanish, `es-mx` only that of Mexico."""
    return any(code in {target, base(target)} for code in codes)
