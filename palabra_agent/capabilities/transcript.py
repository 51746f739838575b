"""Transcript listeners are told what is said; all of them, and final words before partial ones."""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, runtime_checkable

from palabra_agent.capabilities.capability import TellAll
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Transcript
from palabra_agent.voices import Speaker

_UTTERANCES_KEPT: Final = 1000
"""Utterances whose beginning is remembered: many more than are spoken at a time."""
_LONGEST_SECONDS: Final = 60.0
"""No first words are longer: a transcript that says so is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptEvent:
    """Words of a speaker, or their translation."""

    room: str
    """Name of the room."""
    speaker: Speaker
    """The speaker of these words."""
    utterance: str
    """The same for an utterance's partials, its final text and all its translations."""
    part: str
    """The part of a split utterance, `0` being the first; empty where it is whole."""
    language: LanguageCode
    """Language of the text."""
    text: str
    """The whole text so far, not an addition."""
    is_final: bool
    is_translation: bool
    original: str
    """The words that a translation translates; empty where they are not known."""
    began_at: datetime
    """The moment when the utterance began to be heard, in UTC."""
    told_at: datetime
    """The moment when these words came, in UTC."""


@runtime_checkable
class TranscriptListener(Protocol):
    """Is told what is said."""

    @abstractmethod
    async def on_transcript(self, event: TranscriptEvent) -> None:
        """Take note of words; called in order, one at a time."""
        ...


class TranscriptEvents:
    """Makes events of one room's transcripts.

    An utterance began when its first words came, less their length where Palabra says it: that it
    took time to recognise them is not known, so the true moment is a little earlier.
    """

    def __init__(self, room: str, utc_now: Callable[[], datetime]) -> None:
        self._room = room
        self._utc_now = utc_now
        self._began: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    def event(self, speaker: Speaker, transcript: Transcript) -> TranscriptEvent:
        """Tell a transcript in the words of the plugin API."""
        now, language = self._utc_now(), transcript.language
        if not language and not transcript.is_translation:
            language = speaker.source_language or language

        return TranscriptEvent(
            room=self._room,
            speaker=speaker,
            # Palabra's ids are unique, whichever session they come from
            utterance=transcript.transcription_id,
            part=transcript.part,
            language=language,
            text=transcript.text,
            is_final=transcript.is_final,
            is_translation=transcript.is_translation,
            original=transcript.original,
            began_at=self._beginning(speaker, transcript, now),
            told_at=now,
        )

    def _beginning(self, speaker: Speaker, transcript: Transcript, now: datetime) -> datetime:
        utterance = (speaker.identity, transcript.transcription_id)
        if utterance not in self._began:
            self._began[utterance] = now - timedelta(seconds=_length(transcript))
            if len(self._began) > _UTTERANCES_KEPT:
                self._began.popitem(last=False)

        return self._began[utterance]


def _length(transcript: Transcript) -> float:
    start, end = transcript.start_seconds, transcript.end_seconds
    if start is None or end is None:
        return 0.0

    return min(max(end - start, 0.0), _LONGEST_SECONDS)


TRANSCRIPT_LISTENER: Final[TellAll[TranscriptEvent]] = TellAll(
    TranscriptListener, "on_transcript", is_expendable=lambda event: not event.is_final
)
