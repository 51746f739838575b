"""Transcripts: what the scripted speaker says, and how a client is told."""

from __future__ import annotations

import random
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from palabra_agent.languages import AUTO, base
from palabra_emulator.interpreting.playout import SpeechClip
from palabra_emulator.interpreting.spoken_text import (
    SplitPlace,
    SplitRules,
    beginning,
    split_places,
)
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import Script, Sentence
from palabra_emulator.session import messages
from palabra_emulator.session.messages import Message, SoundChunk, TranscriptionKind, TranscriptText
from palabra_emulator.session.task import Task


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A part of the stream in which something was said, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class ScriptedUtterance:
    """Something that the speaker says."""

    transcription_id: str
    number: int
    """Counted from 0 in its session."""
    language: str
    sentence: Sentence
    """What is said, with its translations."""
    text: str
    """The words as they are said."""
    part: int | None = None
    """The number of this part, from 0, if the sentence was split."""
    share: tuple[float, float] = (0.0, 1.0)
    """Where this part begins and ends in the sentence, from 0 to 1."""
    dropped: set[str] = field(default_factory=set[str], compare=False)
    """Targets into which it is not translated, because it was interrupted there."""

    def translated(self, target: str) -> str:
        """The words in another language; as they are said where both are one."""
        is_same = base(target) == self.language
        return self.text if is_same else self.sentence.text(target, *self.share)


class UtteranceUnderWay:
    """An utterance while it is said: its parts as they become whole, and the rest of it."""

    def __init__(self, whole: ScriptedUtterance, rules: SplitRules) -> None:
        self._whole = whole
        self._places = deque(split_places(whole.text, rules))
        self._begin = SplitPlace(0, 0.0)
        self._part = 0

    @property
    def dropped(self) -> set[str]:
        """Targets into which it is not translated any more."""
        return self._whole.dropped

    def take_parts(self, span: TimeSpan) -> Iterator[tuple[ScriptedUtterance, TimeSpan]]:
        """Take the parts that are whole by now, each with the time in which it was said."""
        while self._places and self._places[0].seconds <= span.seconds:
            place = self._places.popleft()
            part = self._until(place.position)
            yield part, TimeSpan(span.start + self._begin.seconds, span.start + place.seconds)
            self._begin, self._part = place, self._part + 1

    def rest(self, span: TimeSpan) -> tuple[ScriptedUtterance, TimeSpan]:
        """What has not been taken, with the time in which it was said: all where none was."""
        utterance = self._until(len(self._whole.text)) if self._part else self._whole
        return utterance, TimeSpan(span.start + self._begin.seconds, span.end)

    def _until(self, position: int) -> ScriptedUtterance:
        text, begin = self._whole.text, self._begin.position
        share = (begin / len(text), position / len(text))
        return replace(self._whole, text=text[begin:position].strip(), part=self._part, share=share)


class ScriptedSpeaker:
    """The script as one speaker speaks it, in the language that the task says or detects."""

    def __init__(self, script: Script, auto_language: str) -> None:
        self._script = script
        self._auto_language = auto_language
        self.count = 0
        """The number of utterances begun."""

    def begin(self, task: Task | None) -> ScriptedUtterance:
        """The next thing that is said."""
        source = task.transcription.source if task is not None else AUTO
        sentence = self._script.said(self.count, source)
        language = source if source != AUTO else self._detected(sentence, task)
        utterance = self._utterance(language, sentence, sentence.text(language))
        self.count += 1
        return utterance

    def aside(self, text: str, language: str) -> ScriptedUtterance:
        """Something that is said beside the script, and not counted."""
        return self._utterance(language, self._script.find(text, language), text)

    def _utterance(self, language: str, sentence: Sentence, text: str) -> ScriptedUtterance:
        return ScriptedUtterance(secrets.token_hex(8), self.count, language, sentence, text)

    def _detected(self, sentence: Sentence, task: Task | None) -> str:
        """What a sentence's language is taken for: its own, unless the task lists only others."""
        detectable = task.transcription.detectable if task is not None else ()
        listed = [base(code) for code in detectable if code != AUTO]
        own = base(sentence.said_in) if sentence.said_in is not None else None
        if own is not None and (not listed or own in listed):
            return own

        return listed[0] if listed else base(self._auto_language)


class TranscriptSender:
    """Posts the transcription messages of one session."""

    def __init__(
        self, options: EmulatorOptions, post: Callable[[Message], None], seed: int
    ) -> None:
        self.allowed: frozenset[str] = frozenset()
        """The informational message types that the task lets through."""
        self.correction: str | None = None
        """The style in which validated texts are corrected, which is shown by a mark; or none."""
        self._options = options
        self._post = post
        self._random = random.Random(seed)

    def send_partial(self, utterance: ScriptedUtterance, span: TimeSpan, heard: float) -> None:
        """Tell how an utterance begins; `heard` is how much of the stream was heard so far."""
        text = beginning(utterance.text, span.seconds)
        body = _body(utterance.transcription_id, utterance.language, text, span, heard)
        self._announce(messages.PARTIAL, body)

    def send_validated(
        self, utterance: ScriptedUtterance, span: TimeSpan, heard: float, *, may_repeat: bool
    ) -> None:
        """Tell an utterance in full, now and then twice."""
        text = _corrected(utterance.text, self.correction)
        body = _body(self.final_id(utterance), utterance.language, text, span, heard)
        is_repeated = may_repeat and self._random.random() < self._options.duplicate_validated
        for _ in range(2 if is_repeated else 1):
            self._announce(messages.VALIDATED, body)

    def send_partial_translation(
        self, utterance: ScriptedUtterance, language: str, text: str, span: TimeSpan, heard: float
    ) -> None:
        """Tell how a translation begins."""
        partial = beginning(text, span.seconds)
        part = self.part_id(utterance)
        body = _body(utterance.transcription_id, language, partial, span, heard, part)
        self._announce(messages.PARTIAL_TRANSLATED, body)

    def send_translation(
        self, utterance: ScriptedUtterance, language: str, text: str, span: TimeSpan, heard: float
    ) -> None:
        """Tell a translation in full."""
        part = self.part_id(utterance)
        body = _body(self.final_id(utterance), language, text, span, heard, part)
        self._announce(messages.TRANSLATED, body)

    def send_speech_text(
        self, utterance: ScriptedUtterance, language: str, text: str, span: TimeSpan
    ) -> None:
        """Tell what is going to be spoken, and how long it took, to those who ask for it."""
        if "tts_text" in self.allowed:
            self._post(messages.tts_text(self.final_id(utterance), language, text))
        if "pipeline_timings" in self.allowed:
            latency = self._options.latency_ms / 1000
            timings = {"validated_transcription": span.seconds, "total": span.seconds + latency}
            self._post(messages.pipeline_timings(self.final_id(utterance), timings))

    def send_speech(self, clip: SpeechClip, language: str, chunks: Sequence[bytes]) -> None:
        """Hand a translation's speech over in messages."""
        for place, content in enumerate(chunks, start=1):
            is_last = place == len(chunks)
            chunk = SoundChunk(clip.transcription_id, language, content, is_last, clip.part_id)
            self._post(messages.output_audio_data(chunk))

    def final_id(self, utterance: ScriptedUtterance) -> str:
        """The id of its final texts: of a part, always with its number."""
        is_numbered = utterance.part is not None or self._options.id_style == "hex16_part"
        suffix = f"_part_{utterance.part or 0}" if is_numbered else ""
        return utterance.transcription_id + suffix

    def part_id(self, utterance: ScriptedUtterance) -> int | None:
        """The `translation_part_id` of its translations, where they have one."""
        return utterance.part or 0 if self._options.id_style == "hex16" else None

    def _announce(self, kind: TranscriptionKind, body: TranscriptText) -> None:
        if kind in self.allowed:
            self._post(messages.transcription(kind, body))


def _body(
    transcription_id: str,
    language: str,
    text: str,
    span: TimeSpan,
    heard: float,
    part: int | None = None,
) -> TranscriptText:
    return TranscriptText(
        transcription_id=transcription_id,
        language=language,
        text=text,
        start=span.start,
        end=span.end,
        stream_began=time.time() - heard,
        part=part,
    )


def _corrected(text: str, style: str | None) -> str:
    if style is None:
        return text

    return f"[corrected: {style}] {text}" if style else f"[corrected] {text}"
