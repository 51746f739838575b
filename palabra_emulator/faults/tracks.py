"""Translation tracks that are not as expected: none, or under another name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from palabra_agent.languages import base
from palabra_emulator.faults.subject import SessionFaults

_RENAMING: Final = frozenset({"wrong_case", "base_code"})
"""What can strike where there are no tracks: the names of the sound."""


def offered_as(
    faults: SessionFaults, language: str, beside: Sequence[str] = (), *, has_tracks: bool = True
) -> str | None:
    """The code under which a language is offered; None where it is not.

    Args:
        faults: The session's.
        language: The code as the task has it.
        beside: All codes that are offered; two of them are never called alike.
        has_tracks: Whether there are tracks, or sound in messages.
    """
    stroke = faults.strike_once(
        "tracks", {"F21", "F26"}, fits=lambda it: has_tracks or it.variant in _RENAMING
    )
    match stroke.variant if stroke is not None else "":
        case "never" | "no_track":
            return None
        case "wrong_case":
            return language.upper()
        case "base_code":
            short = str(base(language))
            is_alone = sum(base(other) == short for other in beside) <= 1
            return short if is_alone else language
        case _:
            return language
