"""What people type in the chat: which of it is translated, and who reads it. Pure.

From which language and into which is decided in `plan.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from palabra_agent.interpretation.ports import MeetingView
from palabra_agent.interpretation.settings import Regime
from palabra_agent.interpretation.utterance_versions import version_for
from palabra_agent.languages import LanguageCode
from palabra_agent.session import LONGEST_SPOKEN_TEXT, Transcript
from palabra_agent.texts import one_line


@dataclass(frozen=True, slots=True)
class TypedText:
    """A text that may be translated."""

    words: str
    """On one line."""
    is_cut: bool
    """True where the message was longer than Palabra takes."""


def is_command(message: str) -> bool:
    """Tell whether a message is meant for a program, ours or another."""
    return message.lstrip().startswith("/")


def read_typed(message: str) -> TypedText | None:
    """Read a message; None where it holds no words, but a number or an emoji."""
    line = one_line(message)
    if not any(map(str.isalpha, line)):
        return None

    return TypedText(one_line(line, LONGEST_SPOKEN_TEXT), is_cut=len(line) > LONGEST_SPOKEN_TEXT)


def readers_of(
    translation: Transcript, author: str, written: LanguageCode, view: MeetingView, regime: Regime
) -> tuple[str, ...]:
    """Identities of those who read a translation of what a person typed.

    Args:
        translation: Into one language.
        author: Identity of the person, who does not.
        written: The language of the text.
        view: The meeting.
        regime: The room's languages.
    """
    targets = (translation.language,)
    return tuple(
        person.identity
        for person in view.people
        if version_for(person, speaker=author, spoken=written, targets=targets, regime=regime)
        is not None
    )
