"""Turns one speaker's transcripts into captions and chat lines, addressed to the right people."""

from __future__ import annotations

from collections.abc import Callable

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.audience import Audience, chat_recipients
from palabra_agent.interpretation.ports import Caption, ChatLine, Floor, FloorView, Person
from palabra_agent.interpretation.terms import Terms
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Brief, Transcript


class Scribe:
    """Writes for one speaker, across all Palabra sessions that they have."""

    def __init__(
        self,
        speaker: str,
        floor: Floor,
        terms: Watched[Terms],
        channel_sid: Callable[[LanguageCode], str],
    ) -> None:
        """Make a scribe.

        Args:
            speaker: The speaker's identity.
            floor: Where captions and chat lines go.
            terms: The room's languages, and what is written, at any time.
            channel_sid: Tells the track of a language's channel, or an empty string.
        """
        self._speaker = speaker
        self._floor = floor
        self._terms = terms
        self._channel_sid = channel_sid
        self._last_seen = Person(speaker, speaker)
        self._audience = Audience(speaker)

    def write(self, transcript: Transcript, view: FloorView, brief: Brief | None) -> None:
        """Deliver a transcript to whom it concerns."""
        # their words may come when they are gone
        self._last_seen = view.person(self._speaker) or self._last_seen
        rules = self._terms.value.rules
        told = brief if rules.translations else None
        regime = self._terms.value.regime
        recipients = self._audience.recipients(transcript, view, told, regime)
        if rules.captions and recipients and (transcript.is_final or rules.partials):
            self._floor.deliver(self._caption(transcript, recipients))

        if rules.chat and transcript.is_final:
            readers = chat_recipients(rules.audience, transcript, recipients, view)
            if readers:
                self._floor.deliver(self._chat_line(transcript, readers))

    def _caption(self, transcript: Transcript, recipients: tuple[str, ...]) -> Caption:
        return Caption(
            speaker=self._speaker,
            segment_id=_segment_id(transcript),
            language=transcript.language,
            text=transcript.text,
            is_final=transcript.is_final,
            is_translation=transcript.is_translation,
            track_sid=self._track_sid(transcript),
            recipients=recipients,
        )

    def _chat_line(self, transcript: Transcript, recipients: tuple[str, ...]) -> ChatLine:
        return ChatLine(
            speaker=self._speaker,
            speaker_name=self._last_seen.name,
            transcription_id=transcript.transcription_id,
            language=transcript.language,
            text=transcript.text,
            is_translation=transcript.is_translation,
            recipients=recipients,
        )

    def _track_sid(self, transcript: Transcript) -> str:
        if transcript.is_translation:
            return self._channel_sid(transcript.language)

        microphone = self._last_seen.microphone
        return microphone.track_sid if microphone is not None else ""


def _segment_id(transcript: Transcript) -> str:
    """Name the caption that a text belongs to.

    The first part of a split utterance takes the place of its partials, which name no part.
    """
    version = transcript.language if transcript.is_translation else "original"
    part = f".{transcript.part}" if transcript.part not in {"", "0"} else ""
    return f"{transcript.transcription_id}{part}-{version}"
