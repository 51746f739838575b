"""What the demo knows of its meeting at each moment: who speaks, what is read, how late. Pure.

Captions carry no number that joins an original with its translations, so they are joined by order:
the third caption of a speaker in any language belongs to the third thing that they said.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from palabra_agent.languages import base
from palabra_agent.local.meeting import CAST, LANGUAGES, Member, interpretations
from palabra_agent.local.texts import Caption

_KEPT_ROWS: Final = 100
_KEPT_DELAYS: Final = 100


@dataclass(frozen=True, slots=True)
class Text:
    """What a caption says now."""

    words: str
    is_final: bool


@dataclass(slots=True)
class Row:
    """One thing that was said, in every language in which it was read."""

    speaker: Member
    texts: dict[str, Text] = field(default_factory=dict[str, Text])
    """By language; the speaker's own is the original."""


@dataclass(slots=True)
class Channel:
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
    """What a listener must have got of a speaker for the interpretation to count."""

    speaker: Member
    listener: Member
    heard_after: float | None = None
    """Seconds from the end of the utterance to its translation's first sound."""
    read: str = ""
    """A final translation, as read."""

    @property
    def is_complete(self) -> bool:
        """Whether a translation was both heard and read."""
        return self.heard_after is not None and self.read != ""


class Board:
    """Everything there is to show."""

    def __init__(self) -> None:
        self.rows: deque[Row] = deque(maxlen=_KEPT_ROWS)
        self.channels = {str(language): Channel(str(language)) for language in LANGUAGES}
        self.speaking: set[str] = set()
        """Identities of those who speak now."""
        self.interpreter = ""
        """The interpreter's state, and its error if there is one."""
        self.proofs = [Proof(speaker, listener) for speaker, listener in interpretations()]
        self._members = {member.identity: member for member in CAST}
        self._segments: dict[tuple[str, str], dict[str, int]] = {}
        self._said: dict[str, list[Row]] = {}

    @property
    def is_proven(self) -> bool:
        """Whether every listener has heard and read every speaker they need interpreted."""
        return all(proof.is_complete for proof in self.proofs)

    def read(self, captions: Iterable[Caption], reader: Member) -> list[tuple[Row, str]]:
        """Take in captions that somebody read; returns the rows and languages that got final."""
        settled = [self._place(caption) for caption in captions if self._proves(caption, reader)]
        return [place for place in settled if place is not None]

    def heard(self, speaker: Member, listener: Member, delay: float) -> None:
        """Take in that somebody's translation was heard."""
        proof = self._proof(speaker.identity, listener)
        if proof is not None and proof.heard_after is None:
            proof.heard_after = delay

        self.channels[str(listener.listens)].delays.append(delay)

    def missing(self) -> list[str]:
        """What is not proven, one sentence each."""
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

    def _proves(self, caption: Caption, reader: Member) -> bool:
        """Note what a final translation proves; False for captions of nobody in the cast."""
        if caption.speaker not in self._members:
            return False

        proof = self._proof(caption.speaker, reader)
        is_theirs = caption.is_translated and base(caption.language) == base(reader.listens)
        if proof is not None and caption.is_final and is_theirs and not proof.read:
            proof.read = caption.text

        return True

    def _place(self, caption: Caption) -> tuple[Row, str] | None:
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
