"""Turns one speaker's transcripts into captions and chat lines, addressed to the right people."""

from __future__ import annotations

from collections.abc import Callable

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.audience import Audience, chat_recipients
from palabra_agent.interpretation.ports import Caption, ChatLine, MeetingView, Person, TextQueue
from palabra_agent.interpretation.terms import Terms
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Brief, Transcript


class Scribe:
    """Writes for one speaker, across all Palabra sessions that they have."""

    def __init__(
        self,
        speaker: str,
        texts: TextQueue,
        terms: Watched[Terms],
        channel_sid: Callable[[LanguageCode], str],
    ) -> None:
        """Make a scribe.

        Args:
            speaker: The speaker's identity.
            texts: Where captions and chat lines go.
            terms: The room's languages, and what is written, at any time.
            channel_sid: Tells the track of a language's channel, or an empty string.
        """
        self._speaker = speaker
        self._texts = texts
        self._terms = terms
        self._channel_sid = channel_sid
        self._last_seen = Person(speaker, speaker)
        self._audience = Audience(speaker)

    def write(self, transcript: Transcript, view: MeetingView, brief: Brief | None) -> None:
        """Deliver a transcript to whom it concerns."""
        # their words may come when they are gone
        self._last_seen = view.person(self._speaker) or self._last_seen
        rules = self._terms.value.rules
        told = brief if rules.translations else None
        regime = self._terms.value.regime
        recipients = self._audience.recipients(transcript, view, told, regime)
        if rules.captions and recipients and (transcript.is_final or rules.partials):
            track_sid = self._track_sid(transcript)
            self._texts.put(Caption(transcript, self._speaker, recipients, track_sid))

        if rules.chat and transcript.is_final:
            readers = chat_recipients(rules.audience, transcript, recipients, view)
            if readers:
                name = self._last_seen.name
                self._texts.put(ChatLine(transcript, self._speaker, readers, name))

    def _track_sid(self, transcript: Transcript) -> str:
        if transcript.is_translation:
            return self._channel_sid(transcript.language)

        microphone = self._last_seen.microphone
        return microphone.track_sid if microphone is not None else ""
