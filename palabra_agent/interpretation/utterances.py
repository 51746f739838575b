"""Puts a speaker's transcripts in order: once each, final after partials, nothing after a final."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from palabra_agent.interpretation.ports import Transcript

_REMEMBERED: Final = 500
"""Versions of utterances remembered per speaker: more than any session has under way."""

_WHOLE: Final = ""


@dataclass(slots=True)
class _Version:
    partial: str = ""
    final_parts: set[str] = field(default_factory=set[str])


class TranscriptOrder:
    """Recognises what Palabra says twice, late or without news.

    Palabra repeats validated texts on WebRTC, partials may come after the text that they led to,
    and the partials of a sentence that is split later carry no part.
    """

    def __init__(self) -> None:
        self._versions: OrderedDict[tuple[str, str], _Version] = OrderedDict()

    def is_news(self, transcript: Transcript) -> bool:
        """Whether a transcript says something new; it is remembered.

        A second final with other words is a repetition too: what was said stays said.
        """
        if not transcript.text.strip():
            return False

        # an utterance has one original, whatever language its partials were taken for
        version = transcript.language if transcript.is_translation else "original"
        known = self._recall((transcript.transcription_id, version))
        if known.final_parts & {transcript.part, _WHOLE}:
            return False

        if transcript.is_final:
            known.final_parts.add(transcript.part)
            return True

        is_late = transcript.part == _WHOLE and bool(known.final_parts)
        if is_late or known.partial == transcript.text:
            return False

        known.partial = transcript.text
        return True

    def _recall(self, key: tuple[str, str]) -> _Version:
        known = self._versions.setdefault(key, _Version())
        if len(self._versions) > _REMEMBERED:
            self._versions.popitem(last=False)

        return known
