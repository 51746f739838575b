"""One speaker's interpretation: their voice goes up, words and translated sound come back.

A session is always at work, except that none is opened while the speaker is muted. A lost one is
rebuilt with growing pauses; a silent one is replaced as soon as the next is ready. One reader
listens to the microphone all the time, so what is said while there is no session is heard by the
next. An error of ours ends this speaker's interpretation and no other's.
"""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass
from functools import partial
from typing import Final

from palabra_agent.audio.frame import FrameSource
from palabra_agent.concurrency import Watched, errors_in, heed_cancellation
from palabra_agent.errors import PalabraError, SessionLost
from palabra_agent.failures import log_failure
from palabra_agent.interpretation.context import RoomContext
from palabra_agent.interpretation.detection import LanguageDetection
from palabra_agent.interpretation.ports import LONGEST_ERROR, Microphone, Notice
from palabra_agent.interpretation.retries import Backoff, ReplacementDelay, decisive
from palabra_agent.interpretation.speaker_voice import SpeakerVoice
from palabra_agent.interpretation.transcript_writer import TranscriptWriter
from palabra_agent.interpretation.voice_change import VoiceChange
from palabra_agent.languages import AUTO, LanguageCode
from palabra_agent.session import (
    Brief,
    BriefFollowed,
    FellSilent,
    InterpretationEnded,
    InterpretationStarted,
    Session,
    SpokeAgain,
    Transcript,
    UpdateRefused,
    VoiceMissing,
)
from palabra_agent.texts import one_line

_PAUSE_SECONDS: Final = 30.0
"""A speaker who pauses for longer gives their session up to another who speaks, where the room has
no place for both."""

_MUTED_SECONDS: Final = 10.0
"""Likewise for one who is muted: until what they said last is interpreted."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WantedInterpretation:
    """The interpretation that is wanted for a speaker right now."""

    brief: Brief
    microphone: Microphone | None
    """None while the speaker is away for a moment."""
    is_muted: bool = False
    """True while the speaker has muted themselves."""
    has_voices: bool = True
    """False while the first voices are being chosen."""
    has_place: bool = True
    """False while the speaker is listened to alone, in case they begin to speak."""
    task_revision: int = 0
    """Another number where the session's task is to be made anew, whatever the brief."""

    @property
    def may_open(self) -> bool:
        """True where a session may be opened; for a muted speaker it would only cost."""
        return self.has_place and self.has_voices and not self.is_muted

    def asks_the_same(self, other: WantedInterpretation) -> bool:
        """Tell whether a session that could not do the one could not do the other."""
        return (self.brief, self.task_revision) == (other.brief, other.task_revision)


class SpeakerInterpretation:
    """Interprets one speaker, for as long as it runs."""

    def __init__(self, identity: str, wanted: WantedInterpretation, context: RoomContext) -> None:
        self.wanted = Watched(wanted)
        """Followed by its sessions."""
        self.voice_change = VoiceChange()
        """The voices that the speaker has."""
        self.voice = SpeakerVoice()
        """Their own, on its way to sessions."""
        self.has_failed = False
        """True once it has ended on an error of ours."""
        self.context = context
        self.identity = identity
        """The speaker's."""
        self._is_over = False
        self._is_without_replacement = False
        """True while a refused replacement is the error that is shown."""
        self._detection = LanguageDetection()
        self._writer = TranscriptWriter(
            identity,
            context.meeting.texts,
            context.settings,
            partial(context.channels.sid_of, identity),
            context.captions,
        )

    async def run(self) -> None:
        """Interpret the speaker until cancelled, or until an error of ours."""
        logger.info("speaker interpretation opened")
        try:
            await self._keep_interpreting()
        except Exception as error:  # noqa: BLE001 - the one fence around a speaker
            log_failure(logger, "speaker interpretation failed", error)
            self.has_failed = True
            self.context.changed.set()
        finally:
            billed = round(self.context.billing.seconds_of(self.identity), 3)
            logger.info("speaker interpretation closed", extra={"billed_seconds": billed})
            self.context.progress.spans.forget(self.identity)
            self._is_over = True

    async def _keep_interpreting(self) -> None:
        """Have sessions at work; when there is none any more, try again.

        An error that cannot get better by itself, such as refused settings or credentials, is
        waited out until something else is wanted.
        """
        backoff, now = Backoff(), asyncio.get_running_loop().time
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="microphone")
            while True:
                await self._until_wanted()
                asked, began = self.wanted.value, now()
                error = await _SessionSuccession(self).run()
                self.on_error(error)
                if error.retryable:
                    pause = backoff.pause_after(now() - began)
                    await asyncio.sleep(max(pause, error.retry_after_seconds or 0.0))
                else:
                    await self._until_other_than(asked)

    async def _until_wanted(self) -> None:
        """Wait until a session may be opened; nothing is wrong while none may."""
        if not self.wanted.value.may_open:
            self._resolve_errors()
            await self.wanted.wait_until(lambda now: now.may_open)

    async def _listen(self) -> None:
        """Listen to the microphone that the speaker has at the time, until cancelled."""
        while True:
            microphone = self.wanted.value.microphone
            if microphone is None:
                await _until_other_microphone(self.wanted, None)
                continue

            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read(microphone), name="read microphone")
                await _until_other_microphone(self.wanted, microphone)
                reading.cancel()

    async def _read(self, microphone: Microphone) -> None:
        now = asyncio.get_running_loop().time
        async with microphone.open_frames() as frames:
            async for heard in frames:
                was_heard = self.is_heard(now())
                for frame in self.context.leakage.hear(self.identity, heard, now()):
                    self.voice.write(frame, at := now())
                    self.context.voices.hear(self.identity, frame)
                    if self.voice.spoke_at == at:
                        targets = self.wanted.value.brief.targets
                        self.context.progress.spans.speak(self.identity, targets, at)
                if not was_heard and self.is_heard(now()):
                    self.context.changed.set()

    def is_heard(self, now: float) -> bool:
        """Tell whether the speaker speaks now, or did a moment ago."""
        moment = _MUTED_SECONDS if self.wanted.value.is_muted else _PAUSE_SECONDS
        return now - self.voice.spoke_at <= moment

    async def _until_other_than(self, asked: WantedInterpretation) -> None:
        await self.wanted.wait_until(lambda now: not now.asks_the_same(asked))

    def on_transcript(self, transcript: Transcript) -> None:
        """Write words into the room, tell plugins, and learn from them."""
        self.voice.tell(transcript, asyncio.get_running_loop().time())
        self.context.progress.spans.tell(self.identity)
        context, brief = self.context, self.wanted.value.brief
        self._writer.write(transcript, context.view, brief)
        context.plugins.tell(context.voices.speaker(self.identity), transcript)
        self.voice_change.hear(transcript, asyncio.get_running_loop().time())
        if not math.isinf(self.voice_change.due):
            context.changed.set()

        if brief.source_language == AUTO:
            self._detect(transcript)

    def _detect(self, transcript: Transcript) -> None:
        detected, heard = self.context.detected, self._detection.hear(transcript)
        if heard is not None and detected.get(self.identity) != heard:
            detected[self.identity] = heard
            self.context.changed.set()

    def on_interpreted(self, speaker: str, language: LanguageCode, now: float) -> None:
        """Measure how far the interpretation is behind; what is heard afterwards tells nothing."""
        if not self._is_over:
            self.context.progress.spans.interpret(speaker, language, now)

    def on_brief_followed(self) -> None:
        """Note that a session does what is wanted: nothing is wrong any more."""
        self._resolve_errors()

    def _resolve_errors(self) -> None:
        self._is_without_replacement = False
        self.context.errors.resolve(self.identity)
        self.context.changed.set()

    def on_error(self, error: PalabraError | UpdateRefused) -> None:
        """Show an error to the room; one that lasts, or is new to all, is told in chat once."""
        context = self.context
        self._is_without_replacement = False
        words = error.sentence if isinstance(error, UpdateRefused) else str(error)
        sentence = one_line(words, LONGEST_ERROR)
        is_for_chat = isinstance(error, UpdateRefused) or not error.retryable or error.is_for_people
        logger.warning(
            "interpretation of a speaker interrupted", extra={"reason": error.in_our_words}
        )
        logger.debug("the reason in Palabra's words: %s", sentence)
        context.errors.report(self.identity, sentence)
        if is_for_chat and context.errors.is_first_time(sentence):
            context.meeting.texts.put(Notice(sentence))

        context.changed.set()

    def on_replacement_refused(self, error: PalabraError) -> None:
        """Show why a silent session cannot be replaced, for as long as it is silent."""
        self.on_error(error)
        self._is_without_replacement = True

    def on_spoke_again(self) -> None:
        """Note that a session that was silent is no more, and needs no replacement."""
        if self._is_without_replacement:
            self._resolve_errors()

    def on_session_ended(self, billed_seconds: float) -> None:
        """Add a session to the bill."""
        self.context.billing.add_session(self.identity, billed_seconds)

    def on_session_replaced(self) -> None:
        """Count a session that was replaced because it had fallen silent."""
        logger.warning("a silent session was replaced")
        self.context.billing.replacements += 1


class _SessionSuccession:
    """Sessions that follow each other without a gap: the next is ready before the last one goes."""

    def __init__(self, speaker: SpeakerInterpretation) -> None:
        self._speaker = speaker
        self._changed = asyncio.Event()
        self._tasks: dict[SessionAttempt, asyncio.Task[None]] = {}
        self._replacement: SessionAttempt | None = None
        self._delay = ReplacementDelay()
        self._now = asyncio.get_running_loop().time

    async def run(self) -> PalabraError:
        """Have a session at work until there is none; return the error that ended the last."""
        async with asyncio.TaskGroup() as group:
            current = self._begin(group, is_relief=False)
            while True:
                await self._changed.wait()
                self._changed.clear()
                self._drop_replacement(current)
                if self._replacement is not None and (self._replacement.is_ready or current.error):
                    current = self._replace(current, self._replacement)

                if current.error is not None:
                    return current.error

                if current.was_answered:
                    self._delay.reset()

                if current.is_silent and self._replacement is None:
                    if self._delay.is_over(self._now()):
                        self._replacement = self._begin(group, is_relief=True)
                    else:
                        current.bear_silence()

    def _begin(self, group: asyncio.TaskGroup, *, is_relief: bool) -> SessionAttempt:
        attempt = SessionAttempt(self._speaker, self._changed, is_relief=is_relief)
        self._tasks[attempt] = group.create_task(attempt.run(), name="session attempt")
        return attempt

    def _drop_replacement(self, current: SessionAttempt) -> None:
        """Drop a replacement that is not needed any more, or that could not be opened."""
        replacement = self._replacement
        if replacement is None:
            return

        if replacement.error is not None:
            current.bear_silence()
            if not replacement.error.retryable:
                self._speaker.on_replacement_refused(replacement.error)
        elif current.is_silent or current.error is not None:
            return

        self._cancel(replacement)
        self._replacement = None

    def _replace(self, current: SessionAttempt, replacement: SessionAttempt) -> SessionAttempt:
        if current.error is None:
            self._speaker.on_session_replaced()

        self._cancel(current)
        self._replacement = None
        return replacement

    def _cancel(self, attempt: SessionAttempt) -> None:
        self._tasks.pop(attempt).cancel()


class SessionAttempt:
    """One session's time with a speaker, from before it is opened until it has ended."""

    def __init__(
        self,
        speaker: SpeakerInterpretation,
        changed: asyncio.Event,
        *,
        is_relief: bool,
    ) -> None:
        """Prepare an attempt; `run` makes it.

        Args:
            speaker: Is told what comes of it.
            changed: Set when one of the attributes has changed.
            is_relief: It is to take over from one that is there.
        """
        self.is_ready = False
        """True once it interprets."""
        self.is_silent = False
        """True while nothing at all comes from its session."""
        self.was_answered = False
        """True once words came out of it."""
        self.error: PalabraError | None = None
        """The error that ended it, once it has ended."""
        self._speaker = speaker
        self._sources: set[FrameSource] = set()
        self._changed = changed
        self._is_relief = is_relief

    async def run(self) -> None:
        """Hold a session for as long as it lives, or until cancelled."""
        error: PalabraError = SessionLost("Palabra ended it")
        speaker = self._speaker
        try:
            async with (
                speaker.context.places.place(is_relief=self._is_relief),
                speaker.context.open_session(speaker.wanted.value.brief) as session,
            ):
                try:
                    await self._interpret(session)
                    raise error
                finally:
                    speaker.on_session_ended(session.billed_seconds)
                    for source in self._sources:
                        speaker.context.downlinks.end(source)
        except* PalabraError as ended:
            error = decisive(errors_in(ended))

        heed_cancellation()
        self.error = error
        self._changed.set()

    def bear_silence(self) -> None:
        """Count as not silent until the session falls silent once more."""
        self.is_silent = False

    async def _interpret(self, session: Session) -> None:
        self.is_ready = True
        self._changed.set()
        speaker, now = self._speaker, asyncio.get_running_loop().time()
        speaker.on_brief_followed()
        progress = speaker.context.progress
        with progress.watching(speaker.identity, session), speaker.voice.heard_by(session, now):
            async with asyncio.TaskGroup() as group:
                briefing = group.create_task(_keep_briefed(session, speaker.wanted), name="brief")
                await self._follow_events(session)
                briefing.cancel()

    async def _follow_events(self, session: Session) -> None:
        """Heed what the session tells; each translated track has a downlink from then on."""
        speaker, context = self._speaker, self._speaker.context
        async for event in session.events():
            match event:
                case Transcript():
                    self.was_answered = True
                    speaker.on_transcript(event)
                case BriefFollowed():
                    speaker.on_brief_followed()
                case UpdateRefused():
                    speaker.on_error(event)
                case VoiceMissing(voice_id):
                    context.voices.mark_unavailable(voice_id)
                case FellSilent():
                    self.is_silent = True
                    self._changed.set()
                case SpokeAgain():
                    self.is_silent = False
                    self._changed.set()
                    speaker.on_spoke_again()
                case InterpretationStarted(language, source):
                    self._sources.add(source)
                    context.downlinks.begin(
                        speaker.identity, language, source, speaker.on_interpreted
                    )
                case InterpretationEnded(source):
                    context.downlinks.end(source)


async def _keep_briefed(session: Session, wanted: Watched[WantedInterpretation]) -> None:
    async for now in wanted.changes():
        session.rebrief(now.brief)
        session.mute(is_muted=now.is_muted)


async def _until_other_microphone(
    wanted: Watched[WantedInterpretation], held: Microphone | None
) -> None:
    await wanted.wait_until(lambda now: now.microphone is not held)
