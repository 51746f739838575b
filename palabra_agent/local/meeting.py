"""The demo's meeting: who takes part, what is said in which order. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from palabra_agent.languages import LanguageCode
from palabra_agent.local.speech import Voice

SCRIPT: Final = Path(__file__).parent / "data" / "meeting.json"
"""A conversation: each speaker says the lines of their language, in order, which is what the
emulator recognises."""

LANGUAGES: Final = tuple(LanguageCode(code) for code in ("en", "es", "de"))

LANGUAGE_NAMES: Final = {"en": "English", "es": "Spanish", "de": "German"}

_TOGETHER_EVERY: Final = 3


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in the meeting."""

    identity: str
    name: str
    listens: LanguageCode
    speaks: LanguageCode | None = None
    """None for somebody who only listens."""
    voice: Voice = field(default_factory=Voice, compare=False)

    @property
    def attributes(self) -> dict[str, str]:
        """What they say of themselves in the room."""
        attributes = {"palabra.listen": str(self.listens)}
        if self.speaks is not None:
            attributes["palabra.speak"] = str(self.speaks)

        return attributes


ALICE: Final = Member("alice", "Alice", LanguageCode("en"), LanguageCode("en"), Voice("f3", 190))
BRUNO: Final = Member("bruno", "Bruno", LanguageCode("es"), LanguageCode("es"), Voice("m3", 110))
CLARA: Final = Member("clara", "Clara", LanguageCode("de"))
CAST: Final = (ALICE, BRUNO, CLARA)


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence in somebody's mouth."""

    speaker: Member
    number: int
    """Of the line among those of the speaker's language, from 0."""


Turn: TypeAlias = tuple[Line, ...]
"""What is said at the same time."""


def turns(lines: int) -> Iterator[Turn]:
    """The whole conversation once: in turns, and every third line both at the same time."""
    for number in range(lines):
        both = (Line(ALICE, number), Line(BRUNO, number))
        if number % _TOGETHER_EVERY == _TOGETHER_EVERY - 1:
            yield both
        else:
            yield from ((line,) for line in both)


def interpretations() -> list[tuple[Member, Member]]:
    """Every (speaker, listener) where the listener needs an interpreter."""
    return [
        (speaker, listener)
        for speaker in CAST
        for listener in CAST
        if speaker.speaks is not None and speaker.speaks != listener.listens
    ]
