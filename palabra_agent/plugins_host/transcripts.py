"""What listeners are told: transcripts as events, and the queue in which each one's events wait."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from palabra_agent.languages import LanguageCode
from palabra_agent.plugin import TranscriptEvent
from palabra_agent.session import Transcript
from palabra_agent.voices import Speaker

QUEUE_LIMIT: Final = 500
"""Events that wait for one listener: some minutes of a lively meeting."""
_UTTERANCES_LIMIT: Final = 1000
"""Utterances whose beginning is remembered: many more than are spoken at a time."""
_LONGEST_SECONDS: Final = 60.0
"""No first words are longer: what says so is wrong."""


class Narrator:
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
        now = self._utc_now()
        return TranscriptEvent(
            room=self._room,
            speaker=speaker,
            # Palabra's ids are unique, whichever session they come from
            utterance=transcript.transcription_id,
            part=transcript.part,
            language=_language(speaker, transcript),
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
            if len(self._began) > _UTTERANCES_LIMIT:
                self._began.popitem(last=False)

        return self._began[utterance]


def _language(speaker: Speaker, transcript: Transcript) -> LanguageCode:
    if transcript.language or transcript.is_translation:
        return transcript.language

    return speaker.source_language or transcript.language


def _length(transcript: Transcript) -> float:
    start, end = transcript.start_seconds, transcript.end_seconds
    if start is None or end is None:
        return 0.0

    return min(max(end - start, 0.0), _LONGEST_SECONDS)


class EventQueue:
    """Events on their way to one listener: in order, and never more than it can hold."""

    def __init__(self) -> None:
        self.dropped = 0
        """How many were left out because too many waited."""
        self._events: deque[TranscriptEvent] = deque()
        self._is_closed = False
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: TranscriptEvent) -> None:
        """Let an event wait; where too many do, the oldest partial goes, else the oldest."""
        if self._is_closed:
            return

        self._events.append(event)
        if len(self._events) > QUEUE_LIMIT:
            partial = (at for at, one in enumerate(self._events) if not one.is_final)
            del self._events[next(partial, 0)]
            self.dropped += 1

        self._changed.set()

    def close(self) -> None:
        """Take no more; what waits can still be read."""
        self._is_closed = True
        self._changed.set()

    async def has_more(self) -> bool:
        """Wait for the next event; false where none will come."""
        while not self._events and not self._is_closed:
            self._changed.clear()
            await self._changed.wait()

        return bool(self._events)

    def pop(self) -> TranscriptEvent:
        """Take the oldest event."""
        return self._events.popleft()
