"""The demo's meeting: who takes part, what is said, and what of it was heard and read so far. Pure.

Captions carry no number that joins an original with its translations, so they are joined by order:
the third caption of a speaker in any language belongs to the third thing that they said.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

from palabra_agent.languages import LanguageCode, base
from palabra_agent.local.reception import ReceivedCaption
from palabra_agent.local.speech import SyntheticVoice
from palabra_agent.texts import LONGEST_TEXT, one_line

SCRIPT: Final = Path(__file__).parent / "data" / "meeting.json"
"""A conversation: each speaker says the lines of their language, in order, which is what the
emulator recognises."""

LANGUAGES: Final = tuple(LanguageCode(code) for code in ("en", "es", "de"))

LANGUAGE_NAMES: Final = {"en": "English", "es": "Spanish", "de": "German"}

_TOGETHER_EVERY: Final = 3
_KEPT_ROWS: Final = 100
_KEPT_DELAYS: Final = 100


@dataclass(frozen=True, slots=True)
class Member:
    """A participant of the meeting."""

    identity: str
    name: str
    listens: LanguageCode
    speaks: LanguageCode | None = None
    """None for a participant who only listens."""
    voice: SyntheticVoice = field(default_factory=SyntheticVoice, compare=False)

    @property
    def attributes(self) -> dict[str, str]:
        """Their attributes in the room: the languages that they speak and want to hear."""
        attributes = {"palabra.listen": str(self.listens)}
        if self.speaks is not None:
            attributes["palabra.speak"] = str(self.speaks)

        return attributes


ALICE: Final = Member(
    "alice", "Alice", LanguageCode("en"), LanguageCode("en"), SyntheticVoice("f3", 190)
)
BRUNO: Final = Member(
    "bruno", "Bruno", LanguageCode("es"), LanguageCode("es"), SyntheticVoice("m3", 110)
)
CLARA: Final = Member("clara", "Clara", LanguageCode("de"))
MEMBERS: Final = (ALICE, BRUNO, CLARA)


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of the script, and its speaker."""

    speaker: Member
    number: int
    """Of the line among those of the speaker's language, from 0."""


Turn: TypeAlias = tuple[Line, ...]
"""Lines that are said at the same time."""


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
        for speaker in MEMBERS
        for listener in MEMBERS
        if speaker.speaks is not None and speaker.speaks != listener.listens
    ]


@dataclass(frozen=True, slots=True)
class Text:
    """The words of a caption as they are now."""

    words: str
    is_final: bool


@dataclass(slots=True)
class Row:
    """One thing that was said, in every language in which it was read."""

    speaker: Member
    texts: dict[str, Text] = field(default_factory=dict[str, Text])
    """By language; the speaker's own is the original."""


@dataclass(slots=True)
class ChannelDisplay:
    """One language's channel as its listeners have it."""

    language: str
    is_sounding: bool = False
    delays: deque[float] = field(default_factory=lambda: deque[float](maxlen=_KEPT_DELAYS))
    """Seconds from the end of an utterance to the first translated sound, newest last."""

    @property
    def last_delay(self) -> float | None:
        """The newest delay."""
        return self.delays[-1] if self.delays else None

    @property
    def median_delay(self) -> float | None:
        """The usual delay."""
        return statistics.median(self.delays) if self.delays else None


@dataclass(slots=True)
class Proof:
    """A listener's share of a speaker's interpretation: it is proven when heard and read."""

    speaker: Member
    listener: Member
    heard_after: float | None = None
    """Seconds from the end of the utterance to its translation's first sound."""
    read: str = ""
    """A final translation, as read."""

    @property
    def is_complete(self) -> bool:
        """True once a translation was both heard and read."""
        return self.heard_after is not None and self.read != ""


class MeetingProgress:
    """All that was heard and read of the meeting, as it is shown and proven."""

    def __init__(self) -> None:
        self.rows: deque[Row] = deque(maxlen=_KEPT_ROWS)
        self.channels = {str(language): ChannelDisplay(str(language)) for language in LANGUAGES}
        self.speaking: set[str] = set()
        """Identities of those who speak now."""
        self.interpreter = ""
        """The interpreter's state, and its error if there is one."""
        self.page = ""
        """The address at which a browser joins."""
        self.proofs = [Proof(speaker, listener) for speaker, listener in interpretations()]
        self._members = {member.identity: member for member in MEMBERS}
        self._segments: dict[tuple[str, str], dict[str, int]] = {}
        self._said: dict[str, list[Row]] = {}

    @property
    def is_proven(self) -> bool:
        """True once every listener has heard and read every speaker they need interpreted."""
        return all(proof.is_complete for proof in self.proofs)

    def read(self, captions: Iterable[ReceivedCaption], reader: Member) -> list[tuple[Row, str]]:
        """Take in captions that a member read; returns the rows and languages that got final."""
        # they are shown in a terminal, and every participant may send captions
        shown = (replace(it, text=one_line(it.text, LONGEST_TEXT)) for it in captions)
        settled = [self._place(caption) for caption in shown if self._proves(caption, reader)]
        return [place for place in settled if place is not None]

    def heard(self, speaker: Member, listener: Member, delay: float) -> None:
        """Take in that a speaker's translation was heard."""
        proof = self._proof(speaker.identity, listener)
        if proof is not None and proof.heard_after is None:
            proof.heard_after = delay

        self.channels[str(listener.listens)].delays.append(delay)

    def missing(self) -> list[str]:
        """Sentences about what is not proven."""
        return [
            f"{proof.listener.name} has not {what} {proof.listener.listens} from"
            f" {proof.speaker.name}"
            for proof in self.proofs
            for what, is_there in (("heard", proof.heard_after is not None), ("read", proof.read))
            if not is_there
        ]

    def _proof(self, speaker: str, listener: Member) -> Proof | None:
        found = (p for p in self.proofs if p.speaker.identity == speaker and p.listener == listener)
        return next(found, None)

    def _proves(self, caption: ReceivedCaption, reader: Member) -> bool:
        """Note what a final translation proves; False if its speaker is not a member."""
        if caption.speaker not in self._members:
            return False

        proof = self._proof(caption.speaker, reader)
        is_theirs = caption.is_translated and base(caption.language) == base(reader.listens)
        if proof is not None and caption.is_final and is_theirs and not proof.read:
            proof.read = caption.text

        return True

    def _place(self, caption: ReceivedCaption) -> tuple[Row, str] | None:
        """Put a caption into its row; returns where, if it became final there now."""
        language = str(base(caption.language))
        row = self._row(caption.speaker, language, caption.segment_id)
        before = row.texts.get(language)
        if before is not None and before.is_final:
            return None

        row.texts[language] = Text(caption.text, caption.is_final)
        return (row, language) if caption.is_final else None

    def _row(self, speaker: str, language: str, segment_id: str) -> Row:
        segments = self._segments.setdefault((speaker, language), {})
        number = segments.setdefault(segment_id, len(segments))
        said = self._said.setdefault(speaker, [])
        while len(said) <= number:
            said.append(Row(self._members[speaker]))
            self.rows.append(said[-1])

        return said[number]
