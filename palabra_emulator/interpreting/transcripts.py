"""Transcripts: what the scripted speaker says, and how a client is told."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from palabra_agent.languages import AUTO, base
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import Script, Sentence
from palabra_emulator.session import messages
from palabra_emulator.session.messages import Message, SoundChunk, TranscriptionKind, TranscriptText
from palabra_emulator.session.task import Task

_WORDS_PER_SECOND: Final = 2.5
_SIGNS_PER_SECOND: Final = 6.0
"""For writing without spaces."""


@dataclass(frozen=True, slots=True)
class ScriptedUtterance:
    """Something that the speaker says."""

    transcription_id: str
    number: int
    """Counted from 0 in its session."""
    language: str
    sentence: Sentence
    """What is said, with its translations."""
    dropped: set[str] = field(default_factory=set[str], compare=False)
    """Targets into which it is not translated, because it was interrupted there."""

    @property
    def text(self) -> str:
        """The words as they are said."""
        return self.sentence.text(self.language)

    def translated(self, target: str) -> str:
        """The words in another language; as they are said where both are one."""
        return self.text if base(target) == self.language else self.sentence.text(target)


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
        utterance = ScriptedUtterance(secrets.token_hex(8), self.count, language, sentence)
        self.count += 1
        return utterance

    def aside(self, text: str, language: str) -> ScriptedUtterance:
        """Something that is said beside the script, and not counted."""
        sentence = self._script.find(text, language)
        return ScriptedUtterance(secrets.token_hex(8), self.count, language, sentence)

    def _detected(self, sentence: Sentence, task: Task | None) -> str:
        """What a sentence's language is taken for: its own, unless the task lists only others."""
        detectable = task.transcription.detectable if task is not None else ()
        listed = [base(code) for code in detectable if code != AUTO]
        own = base(sentence.said_in) if sentence.said_in is not None else None
        if own is not None and (not listed or own in listed):
            return own

        return listed[0] if listed else base(self._auto_language)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A part of the stream in which something was said, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


def spoken_seconds(text: str) -> float:
    """The time that it takes to speak a text."""
    return max(1, len(text.split())) / _WORDS_PER_SECOND


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
        text = _beginning(utterance.text, span.seconds)
        body = _body(utterance.transcription_id, utterance.language, text, span, heard)
        self._announce(messages.PARTIAL, body)

    def send_validated(
        self, utterance: ScriptedUtterance, span: TimeSpan, heard: float, *, may_repeat: bool
    ) -> None:
        """Tell an utterance in full, now and then twice."""
        text = _corrected(utterance.text, self.correction)
        body = _body(self._final_id(utterance), utterance.language, text, span, heard)
        is_repeated = may_repeat and self._random.random() < self._options.duplicate_validated
        for _ in range(2 if is_repeated else 1):
            self._announce(messages.VALIDATED, body)

    def send_partial_translation(
        self, utterance: ScriptedUtterance, language: str, text: str, span: TimeSpan, heard: float
    ) -> None:
        """Tell how a translation begins."""
        partial = _beginning(text, span.seconds)
        body = _body(utterance.transcription_id, language, partial, span, heard, self._part)
        self._announce(messages.PARTIAL_TRANSLATED, body)

    def send_translation(
        self, utterance: ScriptedUtterance, language: str, text: str, span: TimeSpan, heard: float
    ) -> None:
        """Tell a translation in full."""
        body = _body(self._final_id(utterance), language, text, span, heard, self._part)
        self._announce(messages.TRANSLATED, body)

    def send_speech_text(
        self, utterance: ScriptedUtterance, language: str, text: str, span: TimeSpan
    ) -> None:
        """Tell what is going to be spoken, and how long it took, to those who ask for it."""
        if "tts_text" in self.allowed:
            self._post(messages.tts_text(self._final_id(utterance), language, text))
        if "pipeline_timings" in self.allowed:
            latency = self._options.latency_ms / 1000
            timings = {"validated_transcription": span.seconds, "total": span.seconds + latency}
            self._post(messages.pipeline_timings(self._final_id(utterance), timings))

    def send_speech(self, transcription_id: str, language: str, chunks: Sequence[bytes]) -> None:
        """Hand a translation's speech over in messages."""
        final_id = transcription_id + self._suffix
        for place, content in enumerate(chunks, start=1):
            is_last = place == len(chunks)
            chunk = SoundChunk(final_id, language, content, is_last, self._part)
            self._post(messages.output_audio_data(chunk))

    @property
    def _part(self) -> int | None:
        return 0 if self._options.id_style == "hex16" else None

    @property
    def _suffix(self) -> str:
        return "" if self._options.id_style == "hex16" else "_part_0"

    def _final_id(self, utterance: ScriptedUtterance) -> str:
        return utterance.transcription_id + self._suffix

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


def _beginning(text: str, seconds: float) -> str:
    """As much of a text as is spoken in some time, at least its first word."""
    words = text.split()
    if len(words) > 1:
        return " ".join(words[: max(1, round(seconds * _WORDS_PER_SECOND))])

    return text[: max(1, round(seconds * _SIGNS_PER_SECOND))]
