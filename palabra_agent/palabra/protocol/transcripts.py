"""Transcripts of a session in order: each once, final after partials, nothing after a final. Pure.

Translations come with the words that they translate. Which messages are transcripts: `messages.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Final

from palabra_agent.session import Transcript

_REMEMBERED: Final = 500
"""Versions of utterances remembered: more than any session has under way."""
_MOST_PARTS: Final = 200
"""Of one version, the latest."""
_LONGEST_ORIGINAL: Final = 20_000
"""Characters of the words that one translation is of."""
_MOST_CHARACTERS: Final = 2_000_000
"""Of all that is remembered: hours of speech."""

_WHOLE: Final = ""
_ORIGINAL: Final = "original"


@dataclass(slots=True)
class _Version:
    partial: str = ""
    finals: dict[str, str] = field(default_factory=dict[str, str])
    """Text by part."""
    size: int = 0
    """Characters of all of it."""

    def conclude(self, part: str, text: str) -> None:
        """Note the final text of a part; of very many the oldest is forgotten."""
        self.finals[part] = text
        self.size += len(text)
        if len(self.finals) > _MOST_PARTS:
            self.size -= len(self.finals.pop(next(iter(self.finals))))

    def replace_partial(self, text: str) -> None:
        """Note the text of what is not final."""
        self.size += len(text) - len(self.partial)
        self.partial = text


class TranscriptOrder:
    """Recognises transcripts that Palabra sends twice, late or without news.

    Palabra repeats validated texts on WebRTC, partials may come after the text that they led to,
    and the partials of a sentence that is split later carry no part.
    """

    def __init__(self) -> None:
        self._versions: OrderedDict[tuple[str, str], _Version] = OrderedDict()
        self._size = 0
        """Characters of all versions."""

    def is_news(self, transcript: Transcript) -> bool:
        """Tell whether a transcript says something new; it is remembered.

        A second final with other words is a repetition too: what was said stays said.
        """
        if not transcript.text.strip():
            return False

        # an utterance has one original, also where its partials were taken for other languages
        version = transcript.language if transcript.is_translation else _ORIGINAL
        known = self._versions.setdefault((transcript.transcription_id, version), _Version())
        before = known.size
        is_news = _is_news_of(known, transcript)
        self._size += known.size - before
        self._forget_oldest()
        return is_news

    def paired(self, transcript: Transcript) -> Transcript:
        """Add to a translation the words that it translates, as far as they are known.

        They are those of the same part, or of the whole sentence where only one side is split.
        """
        known = self._versions.get((transcript.transcription_id, _ORIGINAL))
        if known is None or not transcript.is_translation:
            return transcript

        in_order = sorted(known.finals.items(), key=lambda it: (len(it[0]), it[0]))
        whole = " ".join(text for _, text in in_order)[:_LONGEST_ORIGINAL] or known.partial
        return replace(transcript, original=known.finals.get(transcript.part, whole))

    def _forget_oldest(self) -> None:
        while len(self._versions) > _REMEMBERED or self._size > _MOST_CHARACTERS:
            _, forgotten = self._versions.popitem(last=False)
            self._size -= forgotten.size


def _is_news_of(known: _Version, transcript: Transcript) -> bool:
    """Tell whether a transcript says something new of its version; it is noted there."""
    if known.finals.keys() & {transcript.part, _WHOLE}:
        return False

    if transcript.is_final:
        known.conclude(transcript.part, transcript.text)
        return True

    is_late = transcript.part == _WHOLE and bool(known.finals)
    if is_late or known.partial == transcript.text:
        return False

    known.replace_partial(transcript.text)
    return True
