"""One speaker's booth: their sessions at work, their words on their way, and the fence around both.

What goes wrong in it ends this speaker's interpretation and nobody else's.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from palabra_agent.concurrency import Watched
from palabra_agent.errors import PalabraError
from palabra_agent.interpretation.channels import Channels
from palabra_agent.interpretation.condition import Troubles
from palabra_agent.interpretation.ledger import Ledger
from palabra_agent.interpretation.ports import Meeting, MeetingView, Notice
from palabra_agent.interpretation.scribe import Scribe
from palabra_agent.interpretation.shift import Assignment, Outlets
from palabra_agent.interpretation.speaker import interpret_speaker
from palabra_agent.interpretation.terms import Terms
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.interpretation.voice_change import VoiceChange
from palabra_agent.languages import AUTO, LanguageCode, base
from palabra_agent.session import SessionOpener, Transcript, UpdateRefused

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Surroundings:
    """What all booths of a room share."""

    meeting: Meeting
    terms: Watched[Terms]
    open_session: SessionOpener
    voices: VoiceAssigner
    channels: Channels
    changed: asyncio.Event
    """Set where something may be wanted that was not before."""
    ledger: Ledger = field(default_factory=Ledger)
    troubles: Troubles = field(default_factory=Troubles)
    view: MeetingView = field(default_factory=MeetingView)
    """The meeting as last seen."""
    detected: dict[str, LanguageCode] = field(default_factory=dict[str, LanguageCode])
    """What Palabra last heard people speak, by identity."""

    def channel_sid(self, language: LanguageCode) -> str:
        """The track of a language's channel; empty where there is none."""
        channel = self.channels.open.get(language)
        return channel.sid if channel is not None else ""


class Booth:
    """Where one speaker is interpreted, for as long as they are."""

    def __init__(self, identity: str, assignment: Assignment, around: Surroundings) -> None:
        self.wanted = Watched(assignment)
        """What its sessions are to do."""
        self.voices = VoiceChange()
        """The voices that the speaker has."""
        self._identity = identity
        self._around = around
        self._scribe = Scribe(identity, around.meeting.texts, around.terms, around.channel_sid)

    async def work(self, on_broken: Callable[[], None]) -> None:
        """Interpret the speaker until cancelled.

        Args:
            on_broken: Called when it ended on a fault of ours.
        """
        logger.info("speaker interpretation opened")
        try:
            await interpret_speaker(self.wanted, self._around.open_session, self._outlets())
        except Exception:  # the one fence around a speaker
            logger.exception("speaker interpretation failed")
            on_broken()
        finally:
            billed = round(self._around.ledger.seconds_of(self._identity), 3)
            logger.info("speaker interpretation closed", extra={"billed_seconds": billed})

    def _outlets(self) -> Outlets:
        around = self._around
        return Outlets(
            channels=around.channels.open,
            on_transcript=self._write,
            on_trouble=self._report,
            on_ready=self._resolve,
            on_billed=partial(around.ledger.bill, self._identity),
            on_relieved=around.ledger.relieve,
            on_voice=partial(around.voices.hear, self._identity),
            on_voice_missing=around.voices.mark_unavailable,
        )

    def _write(self, transcript: Transcript) -> None:
        around, brief = self._around, self.wanted.value.brief
        self._scribe.write(transcript, around.view, brief)
        around.voices.tell(self._identity, transcript)
        self.voices.hear(transcript, asyncio.get_running_loop().time())
        if not math.isinf(self.voices.due):
            around.changed.set()

        if brief.source_language == AUTO:
            self._detect(transcript)

    def _detect(self, transcript: Transcript) -> None:
        heard, detected = base(transcript.language), self._around.detected
        is_original = transcript.is_final and not transcript.is_translation and bool(heard)
        if is_original and detected.get(self._identity) != heard:
            detected[self._identity] = heard
            self._around.changed.set()

    def _report(self, trouble: PalabraError | UpdateRefused) -> None:
        around = self._around
        sentence = trouble.sentence if isinstance(trouble, UpdateRefused) else str(trouble)
        is_lasting = isinstance(trouble, UpdateRefused) or not trouble.retryable
        logger.warning("interpretation of a speaker interrupted", extra={"reason": sentence})
        around.troubles.report(self._identity, sentence)
        if is_lasting and around.troubles.is_first_time(sentence):
            around.meeting.texts.put(Notice(sentence))

        around.changed.set()

    def _resolve(self) -> None:
        self._around.troubles.resolve(self._identity)
        self._around.changed.set()
