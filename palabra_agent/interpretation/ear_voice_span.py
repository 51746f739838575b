"""The time by which interpretations lag behind their speakers: the ear–voice span. Pure.

Both ends are taken where sound passes the interpreter: a speaker's voice when a frame of it is read
from their microphone, its interpretation when a frame of it comes into a channel, which plays it
within some 0.1 s. The ways to and from people are not in it. Translated sound names no sentence, so
it is paired by time: a *passage* is what a speaker says, with the sound that follows, until both
have been quiet for two seconds and the speaker speaks anew. Of each passage there are two spans:

- `start`: from the first speech to the first sound of its interpretation;
- `end`: from the last speech to the last sound. A speaker who goes on before the interpretation has
  caught up has made no end yet, so long speeches have few.

Sound in which Palabra heard no words begins no passage; where it follows on words it may shorten an
`end`. What Palabra never interpreted has no spans. Times are in seconds of any steady clock.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from palabra_agent.audio.frame import ONSET_MS
from palabra_agent.languages import LanguageCode

_REMEMBERED: Final = 50
"""Spans of each kind, for each language."""

_BREAK_SECONDS: Final = 2.0
"""Quiet for so long, the two have finished; sentences of one interpretation are closer together."""

_LONGEST_SECONDS: Final = 20.0
"""Palabra lets so much wait by default: later sound is of something else."""

_AUDIBLE_SECONDS: Final = 1.0
"""A sound goes on through pauses as short as those between words."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Some spans, in seconds."""

    count: int
    p50: float
    p90: float


@dataclass(slots=True)
class _Passage:
    """What a speaker said, and its interpretation into one language as far as it was heard."""

    said_from: float
    said_until: float
    has_words: bool = False
    heard_until: float | None = None

    def is_over(self, now: float) -> bool:
        """Tell whether what is said now begins another passage."""
        is_awaited = self.has_words and self.heard_until is None
        return now - self.latest >= (_LONGEST_SECONDS if is_awaited else _BREAK_SECONDS)

    @property
    def latest(self) -> float:
        """The time of the last sound, said or interpreted."""
        return max(self.said_until, self.heard_until or self.said_until)

    @property
    def end_span(self) -> float | None:
        """None where it cannot be known: the speaker was the last to be heard."""
        heard = self.heard_until
        return heard - self.said_until if heard is not None and heard >= self.said_until else None

    def lag(self, now: float) -> float:
        """The time since the speaker's last word while its interpretation goes on, else 0."""
        silent = now - self.said_until
        if self.heard_until is None:
            goes_on = self.has_words and silent < _LONGEST_SECONDS
        else:
            goes_on = now - self.heard_until < _AUDIBLE_SECONDS

        return silent if goes_on and silent >= _AUDIBLE_SECONDS else 0.0


class EarVoiceSpans:
    """The spans of one room, by language; speakers are known by their identities."""

    def __init__(self) -> None:
        self._passages: dict[tuple[str, LanguageCode], _Passage] = {}
        """The last of each speaker in each language."""
        self._starts = _by_language()
        self._ends = _by_language()

    def speak(self, speaker: str, targets: Iterable[LanguageCode], now: float) -> None:
        """Hear speech, of which the first 60 ms have passed unnoticed.

        Args:
            speaker: Says it.
            targets: The languages that it is interpreted into.
            now: When.
        """
        for language in targets:
            passage = self._passages.get((speaker, language))
            if passage is None or passage.is_over(now):
                self._finish(speaker, language)
                self._passages[speaker, language] = _Passage(now - ONSET_MS / 1000, now)
            else:
                passage.said_until = now

    def tell(self, speaker: str) -> None:
        """Learn that Palabra heard words in what a speaker says."""
        for (who, _), passage in self._passages.items():
            passage.has_words |= who == speaker

    def interpret(self, speaker: str, language: LanguageCode, now: float) -> None:
        """Hear sound of a speaker's interpretation."""
        passage = self._passages.get((speaker, language))
        if passage is None or now - passage.latest > _LONGEST_SECONDS:
            return

        if passage.heard_until is None:
            self._starts[language].append(now - passage.said_from)

        passage.heard_until = now

    def forget(self, speaker: str) -> None:
        """Expect nothing more of a speaker; the spans stay."""
        for who, language in list(self._passages):
            if who == speaker:
                self._finish(speaker, language)

    def starts(self, language: LanguageCode) -> Quantiles | None:
        """The spans at the start of the last 50 passages into a language; None without any."""
        return _quantiles(self._starts.get(language, ()))

    def ends(self, language: LanguageCode, now: float) -> Quantiles | None:
        """The spans at their ends, of those that have ended by now."""
        over = (
            passage.end_span
            for (_, code), passage in self._passages.items()
            if code == language and passage.is_over(now)
        )
        ended = [*self._ends.get(language, ()), *(it for it in over if it is not None)]
        return _quantiles(ended[-_REMEMBERED:])

    def lag(self, language: LanguageCode, now: float, speaker: str | None = None) -> float:
        """The longest time since a speaker's last word whose interpretation goes on; else 0.

        Args:
            language: That of the interpretation.
            now: When it is asked.
            speaker: The only one who counts; None for all.
        """
        lags = (
            passage.lag(now)
            for (who, code), passage in self._passages.items()
            if code == language and speaker in {None, who}
        )
        return max(lags, default=0.0)

    def _finish(self, speaker: str, language: LanguageCode) -> None:
        passage = self._passages.pop((speaker, language), None)
        span = passage.end_span if passage is not None else None
        if span is not None:
            self._ends[language].append(span)


def _by_language() -> defaultdict[LanguageCode, deque[float]]:
    return defaultdict(lambda: deque(maxlen=_REMEMBERED))


def _quantiles(spans: Sequence[float]) -> Quantiles | None:
    """Those at or below which half and nine tenths of the spans lie: each was measured."""
    if not spans:
        return None

    ranked, count = sorted(spans), len(spans)
    return Quantiles(count, ranked[(count - 1) // 2], ranked[(9 * count - 1) // 10])
