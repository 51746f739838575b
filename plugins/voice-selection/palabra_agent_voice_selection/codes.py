"""Languages as conditions of a rule, and what a rule's code means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator

from palabra_agent.plugin import LanguageCode, SpokenCode, TargetCode, base
from palabra_agent_voice_selection.lists import OneOrSeveral, distinct, listed, not_empty

Spoken: TypeAlias = Annotated[
    tuple[SpokenCode, ...],
    BeforeValidator(listed),
    AfterValidator(not_empty),
    AfterValidator(distinct),
    OneOrSeveral(),
]
"""One or several languages that people speak."""

Targets: TypeAlias = Annotated[
    tuple[TargetCode, ...],
    BeforeValidator(listed),
    AfterValidator(not_empty),
    AfterValidator(distinct),
    OneOrSeveral(),
]
"""One or several languages in which voices are heard."""


def covers(codes: Iterable[LanguageCode], target: LanguageCode) -> bool:
    """Whether a target is meant: `es` means every Spanish, `es-mx` only that of Mexico."""
    return any(code in {target, base(target)} for code in codes)
