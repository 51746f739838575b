"""Speech waiting to be spoken: a queue per language, its overflow rule, and its real-time pace."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.interpreting.speech import WantedSpeech

SPEECH_RATE: Final = 24_000
"""Samples per second of emulated speech, as Palabra's."""

_BLOCK_MS: Final = 100
_LEAD_SECONDS: Final = 0.45
"""The lead over real time with which sound is handed out, so that a late tick is not heard."""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """One language's part of `translation_queue_configs`."""

    desired_ms: int = 5_000
    max_ms: int = 20_000
    auto_tempo: bool = True
    min_tempo: float = 1.0
    """Clients send 1.0 or 1.15; what Palabra does for those that send none is unknown."""
    max_tempo: float = 1.45

    def tempo(self, level_ms: float) -> float:
        """The tempo of what is spoken next while so much is waiting, itself included.

        So many times the usual as the level is the desired one, within the bounds: the level stays
        near the desired one, as Palabra promises, while the fastest is fast enough for the speaker.
        """
        if not self.auto_tempo:
            return 1.0

        wanted = level_ms / max(1, self.desired_ms)
        return round(min(max(wanted, self.min_tempo), self.max_tempo), 2)


@dataclass(slots=True)
class SpeechClip:
    """The speech of one translation."""

    transcription_id: str
    speech: WantedSpeech
    pcm: Pcm
    part_id: int | None = None
    """Its `translation_part_id`, if it has one."""
    position: int = 0
    """Samples spoken already."""
    tempo: float | None = None
    """Chosen when it is about to begin."""
    has_begun: bool = False
    """True if any of it was spoken."""


@dataclass(frozen=True, slots=True)
class PlayoutBlock:
    """Sound to be played now."""

    pcm: Pcm
    begun: tuple[SpeechClip, ...] = ()
    """The translations whose speech begins with it, as whole as they are spoken."""
    finished: tuple[SpeechClip, ...] = ()
    """The translations whose speech ends with it."""


class PlayoutQueue:
    """Unspoken speech of one language; overflow drops the oldest down to the desired level."""

    def __init__(
        self, settings: QueueSettings, want_speech: Callable[[WantedSpeech], None]
    ) -> None:
        self.settings = settings
        """May change at any time; counts from the next clip on."""
        self._want_speech = want_speech
        self._overflow_ms = 0.0
        self._clips: deque[SpeechClip] = deque()
        self._samples = 0

    @property
    def level_ms(self) -> float:
        """The length of the speech that is waiting."""
        return self._samples * 1000 / SPEECH_RATE

    def push(self, clip: SpeechClip) -> float:
        """Add speech at the end; says how many milliseconds were dropped for it."""
        self._clips.append(clip)
        self._samples += clip.pcm.size
        if self.level_ms <= self.settings.max_ms:
            return 0.0

        self._overflow_ms = max(self._overflow_ms, self.level_ms)
        excess = self._samples - self.settings.desired_ms * SPEECH_RATE // 1000
        self._skip(excess)
        return excess * 1000 / SPEECH_RATE

    def take(self, ms: int) -> PlayoutBlock:
        """Take the oldest speech, at most so much; empty when none is ready."""
        wanted = ms * SPEECH_RATE // 1000
        parts: list[Pcm] = []
        begun: list[SpeechClip] = []
        finished: list[SpeechClip] = []
        while wanted and (clip := self._clip_at_its_tempo()) is not None:
            if not clip.has_begun:
                clip.has_begun = True
                begun.append(replace(clip, pcm=clip.pcm[clip.position :], position=0))
            part = clip.pcm[clip.position : clip.position + wanted]
            parts.append(part)
            wanted -= part.size
            if self._advance(clip, part.size):
                finished.append(clip)

        pcm = np.concatenate(parts) if parts else np.zeros(0, np.int16)
        return PlayoutBlock(pcm, tuple(begun), tuple(finished))

    def take_overflow_ms(self) -> float:
        """The highest level before an overflow since the last question; 0 for no overflow."""
        overflow_ms, self._overflow_ms = self._overflow_ms, 0.0
        return overflow_ms

    def clear(self) -> None:
        """Drop all that is waiting."""
        self._clips.clear()
        self._samples = 0

    def _clip_at_its_tempo(self) -> SpeechClip | None:
        """The oldest clip, unless it must be spoken anew, at the tempo that is right by now."""
        if not self._clips:
            return None

        clip = self._clips[0]
        if clip.tempo is None:
            clip.tempo = self.settings.tempo(self.level_ms)
            if clip.tempo != clip.speech.request.tempo:
                clip.speech = WantedSpeech(replace(clip.speech.request, tempo=clip.tempo))
                self._want_speech(clip.speech)
        if clip.speech.pcm is None:
            return None

        self._exchange(clip, clip.speech.pcm)
        return clip

    def _exchange(self, clip: SpeechClip, pcm: Pcm) -> None:
        """Have a clip's sound replaced; of what was dropped before it began, as much stays so."""
        if pcm is clip.pcm:
            return

        position = clip.position * pcm.size // max(1, clip.pcm.size)
        self._samples += (pcm.size - position) - (clip.pcm.size - clip.position)
        clip.pcm, clip.position = pcm, position

    def _skip(self, samples: int) -> None:
        while samples and self._clips:
            clip = self._clips[0]
            dropped = min(samples, clip.pcm.size - clip.position)
            samples -= dropped
            self._advance(clip, dropped)

    def _advance(self, clip: SpeechClip, samples: int) -> bool:
        clip.position += samples
        self._samples -= samples
        if clip.position < clip.pcm.size:
            return False

        self._clips.popleft()
        return True


class Playout:
    """A queue played in real time: knows how much of it was handed out and is not heard yet."""

    def __init__(
        self, settings: QueueSettings, want_speech: Callable[[WantedSpeech], None]
    ) -> None:
        self.queue = PlayoutQueue(settings, want_speech)
        self._until = 0.0
        """The time at which the sound handed out so far will have been played."""
        self._is_hushed = False

    def next_block(self, now: float) -> PlayoutBlock | None:
        """Sound that must be handed on now, if any; ask until there is none."""
        if not self.queue.level_ms or self._until - now >= _LEAD_SECONDS:
            return None

        block = self.queue.take(_BLOCK_MS)
        if not block.pcm.size:  # the next sentence is still being spoken anew
            return None

        self._until = max(self._until, now) + block.pcm.size / SPEECH_RATE
        return block

    def level_ms(self, now: float) -> int:
        """The length of the speech that is still to be heard."""
        return round(self.queue.level_ms + max(0.0, self._until - now) * 1000)

    def highest_ms(self, now: float) -> int:
        """The length still to be heard, or the level before an overflow since the last question."""
        return max(round(self.queue.take_overflow_ms()), self.level_ms(now))

    def is_idle(self, now: float) -> bool:
        """True if everything has been heard."""
        return self.level_ms(now) == 0

    def interrupt(self, now: float) -> None:
        """Drop all that is not heard yet, what was handed out included."""
        self.queue.clear()
        self._until = now
        self._is_hushed = True

    def take_hush(self) -> bool:
        """True if what was handed out must be withdrawn; true once per interruption."""
        was_hushed, self._is_hushed = self._is_hushed, False
        return was_hushed
