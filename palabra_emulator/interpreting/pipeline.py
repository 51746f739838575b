"""The way from sound to transcriptions, translations and speech, each at its time.

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
from palabra_emulator.interpreting.speech import SpeechRequest, WantedSpeech
from palabra_emulator.interpreting.spoken_text import SplitRules, spoken_seconds
from palabra_emulator.interpreting.transcripts import (
    ScriptedSpeaker,
    ScriptedUtterance,
    TimeSpan,
    TranscriptSender,
    UtteranceUnderWay,
)
from palabra_emulator.interpreting.utterances import (
    HEARING_RATE,
    UtteranceBegan,
    UtteranceDetector,
    UtteranceEnded,
    UtteranceEvent,
)
from palabra_emulator.interpreting.voice_choice import VoiceChoice
from palabra_emulator.journal import JournalWriter
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import Script
from palabra_emulator.session.messages import Message
from palabra_emulator.session.task import TargetSettings, Task
from palabra_emulator.transports.audio_formats import in_chunks, outgoing
from palabra_emulator.transports.ports import TransportKind

_FLOOD_CLIP_SECONDS: Final = 5.0
_BREATH_SECONDS: Final = 0.5
"""Between two sentences of speech that takes its own time."""


@dataclass(slots=True)
class PendingTranslation:
    """One translation: what is told, when, and its speech once that is made."""

    utterance: ScriptedUtterance
    language: str
    text: str
    span: TimeSpan
    due: float
    """The time to tell and to speak it, on the session's clock."""
    speech: WantedSpeech | None
    """None if the task wants text only."""
    is_sent: bool = False

    @property
    def is_unspoken(self) -> bool:
        """True if its speech is still awaited."""
        return self.speech is not None and self.speech.pcm is None


class Pipeline:
    """Interprets one session's sound, whatever its tasks are."""

    def __init__(
        self,
        options: EmulatorOptions,
        script: Script,
        *,
        post: Callable[[Message], None],
        note: JournalWriter,
        want_speech: Callable[[WantedSpeech], None],
        session_hz: int,
        seed: int,
    ) -> None:
        self._options = options
        self._speaker = ScriptedSpeaker(script, options.auto_language)
        self._note = note
        self._want_speech = want_speech
        self._session_hz = session_hz
        self.transport: TransportKind = "webrtc"
        """The client's connection: by WebSocket, its sound comes and goes in messages."""
        self._sender = TranscriptSender(options, post, seed)
        self._detector = UtteranceDetector(HEARING_RATE)
        self._voices = VoiceChoice(options.voices, options.clone_after_s)
        self._task: Task | None = None
        self._under_way: UtteranceUnderWay | None = None
        self._pending: list[PendingTranslation] = []
        self._playouts: dict[str, Playout] = {}

    @property
    def utterances(self) -> int:
        """The number of utterances begun so far."""
        return self._speaker.count

    def configure(self, task: Task) -> None:
        """Follow a task from now on; what is queued for targets that stay is kept."""
        self._task = task
        self._sender.allowed = task.allowed_messages
        self._sender.correction = task.transcription.correction
        self._detector.silence_seconds = task.transcription.silence_seconds
        self._pending = [r for r in self._pending if r.language in task.targets]
        kept = self._playouts
        self._playouts = {
            target: kept.get(target) or Playout(task.queue_of(target), self._want_speech)
            for target in task.targets
        }
        for target, playout in self._playouts.items():
            playout.queue.settings = task.queue_of(target)

    def hear(self, pcm: Pcm, now: float) -> None:
        """Listen to some sound."""
        if self._task is not None:
            self._voices.hear(pcm, self._task)
        for event in self._detector.feed(pcm):
            self._follow(event, now)

    def stop_hearing(self, now: float, *, confirm: bool) -> None:
        """Hear no more of the utterance under way: confirm it as it is, or forget it."""
        if confirm:
            for event in self._detector.finish():
                self._follow(event, now)

        self._detector.reset()
        self._under_way = None

    def say(self, text: str, language: str, now: float, *, translate: bool) -> str:
        """Speak a text as if it had been interpreted; says its id."""
        utterance = self._speaker.aside(text, language)
        heard = self._detector.seconds
        wanted = [it.target for it in self._translations_of(utterance)]
        for target in wanted if translate else [language]:
            translated = utterance.sentence.text(target) if translate else text
            span = TimeSpan(heard, heard + spoken_seconds(translated))
            self._plan(utterance, target, translated, span, now + self._latency)

        return utterance.transcription_id

    def flood(self, seconds: float, now: float) -> None:
        """Have so much to say at once, in every language, as if the speaker were far too fast."""
        heard = self._detector.seconds
        span = TimeSpan(heard, heard + _FLOOD_CLIP_SECONDS)
        for _ in range(math.ceil(seconds / _FLOOD_CLIP_SECONDS)):
            utterance = self._speaker.begin(self._task)
            self._sender.send_validated(utterance, span, heard, may_repeat=False)
            for target in [it.target for it in self._translations_of(utterance)]:
                self._plan(utterance, target, utterance.translated(target), span, now)

    def interrupt(self, languages: Iterable[str], now: float) -> None:
        """Drop the phrase under way and all that is queued, in some languages or `global`ly."""
        names = set(languages)
        if "global" in names:
            self.stop_hearing(now, confirm=False)
            names |= self._playouts.keys()
        if self._under_way is not None:
            self._under_way.dropped.update(names)

        self._pending = [r for r in self._pending if r.language not in names]
        for name in names & self._playouts.keys():
            self._playouts[name].interrupt(now)

    def clear(self) -> None:
        """Forget all that is to be said, and what it was about."""
        self._pending, self._playouts, self._under_way = [], {}, None

    def tick(self, now: float) -> None:
        """Tell what is due, and queue its speech in order as soon as that is made."""
        blocked: set[str] = set()
        for pending in list(self._pending):
            if now < pending.due:
                continue
            if not pending.is_sent:
                self._announce(pending)
            if pending.is_unspoken or pending.language in blocked:
                blocked.add(pending.language)
            else:
                self._pending.remove(pending)
                self._queue_speech(pending)

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
                for clip in block.finished:
                    spoken = {"transcription_id": clip.transcription_id, "tempo": clip.tempo}
                    self._note("spoke", **spoken, language=language)

        return due

    def levels(self, now: float) -> dict[str, tuple[int, int]]:
        """Queue level and its maximum per target in ms; nothing when nothing is queued."""
        levels = {
            language: (playout.highest_ms(now), playout.queue.settings.max_ms)
            for language, playout in self._playouts.items()
        }
        return levels if any(level for level, _ in levels.values()) else {}

    def is_drained(self, now: float) -> bool:
        """True if everything that was heard has been told and spoken."""
        is_busy = self._under_way is not None or bool(self._pending)
        return not is_busy and all(playout.is_idle(now) for playout in self._playouts.values())

    def _hand_over(self, clip: SpeechClip, language: str) -> None:
        """Send the whole of a translation's speech when its first sound is due."""
        encoding = outgoing(self._task) if self._task and self.transport == "ws" else None
        if encoding is not None:
            chunks = in_chunks(clip.pcm, encoding)
            self._sender.send_speech(clip, language, chunks)

    @property
    def _latency(self) -> float:
        return self._options.latency_ms / 1000

    def _follow(self, event: UtteranceEvent, now: float) -> None:
        if isinstance(event, UtteranceBegan):
            rules = self._task.transcription.splitting if self._task else SplitRules()
            self._under_way = UtteranceUnderWay(self._speaker.begin(self._task), rules)
        elif self._under_way is not None:
            span = TimeSpan(event.start, event.end)
            if isinstance(event, UtteranceEnded):
                rest, rest_span = self._under_way.rest(span)
                self._under_way = None
                self._confirm(rest, rest_span, now)
                self._note_utterance(rest, span)
            else:
                for part, part_span in self._under_way.take_parts(span):
                    self._confirm(part, part_span, now)
                self._reveal(*self._under_way.rest(span))

    def _reveal(self, utterance: ScriptedUtterance, span: TimeSpan) -> None:
        heard = self._detector.seconds
        self._sender.send_partial(utterance, span, heard)
        for translation in self._translations_of(utterance):
            if translation.wants_partials:
                target, text = translation.target, utterance.translated(translation.target)
                self._sender.send_partial_translation(utterance, target, text, span, heard)

    def _confirm(self, utterance: ScriptedUtterance, span: TimeSpan, now: float) -> None:
        heard = self._detector.seconds
        self._voices.count_speech(span.seconds)
        is_by_webrtc = self.transport == "webrtc"
        self._sender.send_validated(utterance, span, heard, may_repeat=is_by_webrtc)
        due = now - (heard - span.end) + self._latency
        for translation in self._translations_of(utterance):
            text = utterance.translated(translation.target)
            self._plan(utterance, translation.target, text, span, due)

    def _note_utterance(self, last: ScriptedUtterance, span: TimeSpan) -> None:
        self._note(
            "utterance",
            transcription_id=last.transcription_id,
            number=last.number,
            language=last.language,
            seconds=round(span.seconds, 2),
            parts=1 if last.part is None else last.part + 1,
        )

    def _translations_of(self, utterance: ScriptedUtterance) -> list[TargetSettings]:
        wanted = self._task.translations if self._task else ()
        wanted = tuple(t for t in wanted if t.target not in utterance.dropped)
        return [
            t for t in wanted if not t.allowed_sources or utterance.language in t.allowed_sources
        ]

    def _plan(
        self, utterance: ScriptedUtterance, language: str, text: str, span: TimeSpan, due: float
    ) -> None:
        if not text:  # a translation that is shorter than the parts of its original
            return

        speech = self._speech_of(text, language, span.seconds)
        self._pending.append(PendingTranslation(utterance, language, text, span, due, speech))
        if speech is not None:
            self._want_speech(speech)

    def _speech_of(self, text: str, language: str, seconds: float) -> WantedSpeech | None:
        """Speech by the task's voice, at the tempo that it has unless too much is waiting.

        Args:
            text: To be spoken.
            language: Of the text.
            seconds: The length of the original.
        """
        if self._task is None or not self._task.has_speech:
            return None

        pause = 0.0
        if self._options.speech_length == "text":
            seconds, pause = spoken_seconds(text), _BREATH_SECONDS
        voice = self._voices.voice_for(self._task.target_of(language))
        tempo = self._task.queue_of(language).tempo(0)
        return WantedSpeech(
            SpeechRequest(text, language, seconds, self._session_hz, voice, tempo, pause)
        )

    def _announce(self, pending: PendingTranslation) -> None:
        pending.is_sent = True
        utterance, language, text = pending.utterance, pending.language, pending.text
        heard = self._detector.seconds
        self._sender.send_translation(utterance, language, text, pending.span, heard)
        self._note(
            "translated", transcription_id=self._sender.final_id(utterance), language=language
        )
        if pending.speech is not None:
            self._sender.send_speech_text(utterance, language, text, pending.span)

    def _queue_speech(self, pending: PendingTranslation) -> None:
        playout, speech = self._playouts.get(pending.language), pending.speech
        if playout is None or speech is None or speech.pcm is None:
            return

        transcription_id = self._sender.final_id(pending.utterance)
        part_id = self._sender.part_id(pending.utterance)
        dropped_ms = playout.queue.push(SpeechClip(transcription_id, speech, speech.pcm, part_id))
        speaking = {"transcription_id": transcription_id, "voice": speech.request.voice}
        self._note("speaking", **speaking, language=pending.language)
        if dropped_ms:
            self._note("dropped", language=pending.language, ms=round(dropped_ms))
