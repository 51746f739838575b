"""The room's interpretation as it goes on, for those who ask: numbers of people, no identities."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from palabra_agent.interpretation.ear_voice_span import EarVoiceSpans, Quantiles
from palabra_agent.interpretation.plan import Plan
from palabra_agent.interpretation.ports import MeetingView, SpeakerStatus
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Session

_LATE_SECONDS: Final = 2.0
"""An interpretation that ends sooner after its speaker is not worth a word."""


@dataclass(frozen=True, slots=True)
class LanguageProgress:
    """One language's interpretation, on whichever channels it is heard."""

    language: LanguageCode
    speakers: int
    """Interpreted into it, or about to be when they speak."""
    listeners: int
    """People who may hear it now."""
    start_spans: Quantiles | None
    """Ear–voice spans, as in `ear_voice_span.py`; None where none was measured."""
    end_spans: Quantiles | None
    lag_seconds: float
    """The time since a speaker's last word while its interpretation goes on; else 0."""
    seconds_left: float | None = None
    """The speech that waits at Palabra for the speaker who is furthest behind; None where it does
    not tell."""


class Progress:
    """What is wanted in a room, and how far behind its speakers the interpretations are."""

    def __init__(self) -> None:
        self.plan = Plan({}, {})
        """The one that is followed now."""
        self.spans = EarVoiceSpans()
        self._sessions: list[tuple[str, Session]] = []
        """Each with the identity of its speaker."""

    @contextmanager
    def watching(self, speaker: str, session: Session) -> Generator[None]:
        """Count what waits at a speaker's session, for the length of a block."""
        self._sessions.append((speaker, session))
        try:
            yield
        finally:
            self._sessions.remove((speaker, session))

    def languages(self, now: float) -> list[LanguageProgress]:
        """Sum up the languages that have channels, in the order of the offer."""
        codes = {key.language for key in self.plan.channels}
        return [self._of(it, now) for it in self.plan.languages if it in codes]

    def listeners_of(self, speaker: str) -> int | None:
        """Count those who hear a speaker interpreted; None where the speaker is not."""
        if speaker not in self.plan.briefs:
            return None

        return len(frozenset[str]().union(*self._listeners_to(speaker).values()))

    def status_of(self, speaker: str, now: float) -> SpeakerStatus:
        """Sum up what a speaker is told; it is zeros where they are not interpreted."""
        heard = self._listeners_to(speaker)
        listeners = len(frozenset[str]().union(*heard.values()))
        lag = max((self.spans.lag(code, now, speaker) for code in heard), default=0.0)
        if lag < _LATE_SECONDS:
            return SpeakerStatus(speaker, listeners)

        mine = [session for who, session in self._sessions if who == speaker]
        left = _most_queued(mine, heard)
        return SpeakerStatus(
            speaker, listeners, math.floor(lag), None if left is None else math.ceil(left)
        )

    def _listeners_to(self, speaker: str) -> dict[LanguageCode, frozenset[str]]:
        """The others who hear a speaker interpreted, by the language that they do so in."""
        brief = self.plan.briefs.get(speaker)
        found: dict[LanguageCode, frozenset[str]] = {}
        if brief is None:
            # of three thousand people most only listen
            return found

        for key, listeners in self.plan.channels.items():
            if key.language not in brief.targets or not key.carries(speaker, key.language):
                continue

            others = listeners - {speaker}
            if others:
                found[key.language] = found.get(key.language, frozenset()) | others

        return found

    def _of(self, language: LanguageCode, now: float) -> LanguageProgress:
        plan, spans = self.plan, self.spans
        hearing = (it for key, it in plan.channels.items() if key.language == language)
        return LanguageProgress(
            language,
            speakers=sum(language in brief.targets for brief in plan.briefs.values()),
            listeners=len(frozenset[str]().union(*hearing)),
            start_spans=spans.starts(language),
            end_spans=spans.ends(language, now),
            lag_seconds=spans.lag(language, now),
            seconds_left=_most_queued((session for _, session in self._sessions), [language]),
        )


class SpeakerStatuses:
    """What each speaker was told last; who joins, or joins again, was told nothing."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], SpeakerStatus] = {}
        """By identity and connection."""

    def news(self, view: MeetingView, progress: Progress, now: float) -> list[SpeakerStatus]:
        """Make what is to be told: where it differs from what was, at first from zeros."""
        told, self._told = self._told, {}
        news: list[SpeakerStatus] = []
        for person in view.people:
            if person.is_reachable:
                key = person.identity, person.connection
                status = self._told[key] = progress.status_of(person.identity, now)
                if status != told.get(key, SpeakerStatus(person.identity)):
                    news.append(status)

        return news


def _most_queued(sessions: Iterable[Session], languages: Iterable[LanguageCode]) -> float | None:
    """The most speech that waits anywhere in these languages; None where no session tells."""
    wanted = frozenset(languages)
    levels = (
        seconds
        for session in sessions
        for language, seconds in session.queued_seconds.items()
        if language in wanted
    )
    return max(levels, default=None)
