"""What a task makes of what it hears: transcriptions, translations and speech, each at its time.

There is no clock and no I/O here: the session says what was heard and what time it is, messages
leave through a callable, and sound is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.interpreting.playout import Playout, SpeechClip
from palabra_emulator.interpreting.transcripts import (
    ScriptedSpeaker,
    ScriptedUtterance,
    TimeSpan,
    TranscriptSender,
    spoken_seconds,
)
from palabra_emulator.interpreting.utterances import (
    HEARING_RATE,
    UtteranceBegan,
    UtteranceDetector,
    UtteranceEnded,
    UtteranceEvent,
)
from palabra_emulator.journal import JournalWriter
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import Script
from palabra_emulator.session.messages import Message
from palabra_emulator.session.task import TargetSettings, Task
from palabra_emulator.transports.audio_formats import in_chunks, outgoing
from palabra_emulator.transports.ports import TransportKind


@dataclass(slots=True)
class PendingTranslation:
    """One translation: what is told, when, and its speech once that is made."""

    said: ScriptedUtterance
    language: str
    text: str
    where: TimeSpan
    due: float
    """When it is to be told and spoken, on the session's clock."""
    is_silent: bool = False
    """Whether the task wants text only."""
    pcm: Pcm | None = None
    """Its speech, filled in by whoever has the voice."""
    is_told: bool = False

    @property
    def is_unspoken(self) -> bool:
        """Whether its speech is still awaited."""
        return not self.is_silent and self.pcm is None


_FLOOD_CLIP_SECONDS: Final = 5.0


class Pipeline:
    """Interprets one session's sound; lives as long as the session, whatever the task is."""

    def __init__(
        self,
        options: EmulatorOptions,
        script: Script,
        *,
        post: Callable[[Message], None],
        note: JournalWriter,
        order_speech: Callable[[PendingTranslation], None],
        seed: int,
    ) -> None:
        self._options = options
        self._lines = ScriptedSpeaker(script, options.auto_language)
        self._note = note
        self._order_speech = order_speech
        self.transport: TransportKind = "webrtc"
        """How the client is connected: by WebSocket, its sound comes and goes in messages."""
        self._narrator = TranscriptSender(options, post, seed)
        self._hearing = UtteranceDetector(HEARING_RATE)
        self._task: Task | None = None
        self._utterance: ScriptedUtterance | None = None
        self._renderings: list[PendingTranslation] = []
        self._playouts: dict[str, Playout] = {}

    @property
    def utterances(self) -> int:
        """How many utterances began so far."""
        return self._lines.count

    def configure(self, task: Task) -> None:
        """Follow a task from now on; what is queued for targets that stay is kept."""
        self._task = task
        self._narrator.allowed = task.allowed_messages
        self._hearing.silence_seconds = task.silence_seconds
        self._renderings = [r for r in self._renderings if r.language in task.targets]
        kept = self._playouts
        self._playouts = {
            target: kept.get(target) or Playout(task.limits_of(target)) for target in task.targets
        }
        for target, playout in self._playouts.items():
            playout.queue.limits = task.limits_of(target)

    def hear(self, pcm: Pcm, now: float) -> None:
        """Listen to some sound."""
        for event in self._hearing.feed(pcm):
            self._follow(event, now)

    def stop_hearing(self, now: float, *, confirm: bool) -> None:
        """Hear no more of the utterance under way: confirm it as it is, or forget it."""
        if confirm:
            for event in self._hearing.finish():
                self._follow(event, now)

        self._hearing.reset()
        self._utterance = None

    def say(self, text: str, language: str, now: float, *, translate: bool) -> str:
        """Speak a text as if it had been interpreted; says its id."""
        said = self._lines.aside(text, language)
        heard = self._hearing.seconds
        targets = self._task.targets if self._task and translate else (language,)
        for target in targets:
            translated = self._lines.translation(text, target) if translate else text
            where = TimeSpan(heard, heard + spoken_seconds(translated))
            self._order(said, target, translated, where, now + self._latency)

        return said.transcription_id

    def flood(self, seconds: float, now: float) -> None:
        """Have so much to say at once, in every language, as if somebody spoke far too fast."""
        heard = self._hearing.seconds
        where = TimeSpan(heard, heard + _FLOOD_CLIP_SECONDS)
        for _ in range(math.ceil(seconds / _FLOOD_CLIP_SECONDS)):
            said = self._lines.begin(self._task)
            self._narrator.tell_validated(said, where, heard, may_repeat=False)
            for target in [it.target for it in self._translations_of(said)]:
                self._order(said, target, self._lines.translated(said, target), where, now)

    def interrupt(self, languages: Iterable[str], now: float) -> None:
        """Drop the phrase under way and all that is queued, in some languages or `global`ly."""
        names = set(languages)
        if "global" in names:
            self.stop_hearing(now, confirm=False)
            names |= self._playouts.keys()
        if self._utterance is not None:
            self._utterance.dropped.update(names)

        self._renderings = [r for r in self._renderings if r.language not in names]
        for name in names & self._playouts.keys():
            self._playouts[name].interrupt(now)

    def clear(self) -> None:
        """Forget all that is to be said, and what it was about."""
        self._renderings, self._playouts, self._utterance = [], {}, None

    def tick(self, now: float) -> None:
        """Tell what is due, and queue its speech in order as soon as that is made."""
        blocked: set[str] = set()
        for rendering in list(self._renderings):
            if now < rendering.due:
                continue
            if not rendering.is_told:
                self._tell(rendering)
            if rendering.is_unspoken or rendering.language in blocked:
                blocked.add(rendering.language)
            else:
                self._renderings.remove(rendering)
                self._queue_speech(rendering)

    def sound_due(self, now: float) -> list[tuple[str, Pcm | None]]:
        """Speech to be handed on now, per language; `None` withdraws what was handed on."""
        due: list[tuple[str, Pcm | None]] = []
        for language, playout in self._playouts.items():
            if playout.take_hush():
                due.append((language, None))
            while (block := playout.next_block(now)) is not None:
                due.append((language, block.pcm))
                for clip in block.begun:
                    self._hand_over(clip, language)
                for transcription_id in block.finished:
                    self._note("spoke", transcription_id=transcription_id, language=language)

        return due

    def levels(self, now: float) -> dict[str, tuple[int, int]]:
        """Queue level and its maximum per target in ms; nothing when nothing is queued."""
        levels = {
            language: (playout.highest_ms(now), playout.queue.limits.max_ms)
            for language, playout in self._playouts.items()
        }
        return levels if any(level for level, _ in levels.values()) else {}

    def is_drained(self, now: float) -> bool:
        """Whether everything that was heard has been told and spoken."""
        is_busy = self._utterance is not None or bool(self._renderings)
        return not is_busy and all(playout.is_idle(now) for playout in self._playouts.values())

    def _hand_over(self, clip: SpeechClip, language: str) -> None:
        """Send the whole of a translation's speech when its first sound is due."""
        encoding = outgoing(self._task) if self._task and self.transport == "ws" else None
        if encoding is not None:
            chunks = in_chunks(clip.pcm, encoding)
            self._narrator.tell_sound(clip.transcription_id, language, chunks)

    @property
    def _latency(self) -> float:
        return self._options.latency_ms / 1000

    def _follow(self, event: UtteranceEvent, now: float) -> None:
        if isinstance(event, UtteranceBegan):
            self._utterance = self._lines.begin(self._task)
        elif self._utterance is not None:
            where = TimeSpan(event.start, event.end)
            if isinstance(event, UtteranceEnded):
                said, self._utterance = self._utterance, None
                self._confirm(said, where, now)
            else:
                self._reveal(self._utterance, where)

    def _reveal(self, said: ScriptedUtterance, where: TimeSpan) -> None:
        heard = self._hearing.seconds
        self._narrator.tell_partial(said, where, heard)
        for translation in self._translations_of(said):
            if translation.wants_partials:
                text = self._lines.translated(said, translation.target)
                self._narrator.tell_partial_translation(
                    said, translation.target, text, where, heard
                )

    def _confirm(self, said: ScriptedUtterance, where: TimeSpan, now: float) -> None:
        heard = self._hearing.seconds
        is_by_webrtc = self.transport == "webrtc"
        self._narrator.tell_validated(said, where, heard, may_repeat=is_by_webrtc)
        self._note(
            "utterance",
            transcription_id=said.transcription_id,
            number=said.number,
            language=said.language,
            seconds=round(where.seconds, 2),
        )
        due = now - (heard - where.end) + self._latency
        for translation in self._translations_of(said):
            text = self._lines.translated(said, translation.target)
            self._order(said, translation.target, text, where, due)

    def _translations_of(self, said: ScriptedUtterance) -> list[TargetSettings]:
        wanted = self._task.translations if self._task else ()
        wanted = tuple(t for t in wanted if t.target not in said.dropped)
        return [t for t in wanted if not t.allowed_sources or said.language in t.allowed_sources]

    def _order(
        self, said: ScriptedUtterance, language: str, text: str, where: TimeSpan, due: float
    ) -> None:
        is_silent = self._task is not None and not self._task.has_speech
        rendering = PendingTranslation(said, language, text, where, due, is_silent)
        self._renderings.append(rendering)
        if not is_silent:
            self._order_speech(rendering)

    def _tell(self, rendering: PendingTranslation) -> None:
        rendering.is_told = True
        said, language, text = rendering.said, rendering.language, rendering.text
        heard = self._hearing.seconds
        self._narrator.tell_translation(said, language, text, rendering.where, heard)
        self._note("translated", transcription_id=said.transcription_id, language=language)
        if not rendering.is_silent:
            self._narrator.tell_speech(said, language, text, rendering.where)

    def _queue_speech(self, rendering: PendingTranslation) -> None:
        playout = self._playouts.get(rendering.language)
        if playout is None or rendering.pcm is None:
            return

        transcription_id = rendering.said.transcription_id
        dropped_ms = playout.queue.push(SpeechClip(transcription_id, rendering.pcm))
        self._note("speaking", transcription_id=transcription_id, language=rendering.language)
        if dropped_ms:
            self._note("dropped", language=rendering.language, ms=round(dropped_ms))
