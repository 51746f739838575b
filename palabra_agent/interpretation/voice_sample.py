"""A few seconds of one speaker's speech, pauses left out, and when they are worth hearing. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from palabra_agent.audio.frame import Frame
from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm

_FIRST_SECONDS: Final = 2.0
"""So much speech may tell how a voice sounds."""

_FURTHER_SECONDS: Final = 1.0
"""So much more is worth another try."""

_KEPT_SECONDS: Final = 5.0
"""Nothing older is kept."""


class VoiceSample:
    """What was heard of a voice last, as much of it as anybody may need."""

    def __init__(self) -> None:
        self._pieces: deque[Pcm] = deque()
        self._kept = 0
        """Samples in these pieces."""
        self._heard = 0
        """Samples of speech so far."""
        self._enough = round(_FIRST_SECONDS * SAMPLE_RATE)
        """Samples of speech that are worth the next try."""

    @property
    def is_enough(self) -> bool:
        """Whether enough was heard since it was last taken."""
        return self._heard >= self._enough

    def hear(self, frame: Frame) -> None:
        """Listen to a frame, whose samples are kept as they are unless it holds no speech."""
        if frame.is_pause:
            return

        longest = round(_KEPT_SECONDS * SAMPLE_RATE)
        self._heard += frame.samples.size
        piece = frame.samples[-longest:]
        self._pieces.append(piece)
        self._kept += piece.size
        while self._kept > longest:
            self._kept -= self._pieces.popleft().size

    def take(self) -> Pcm:
        """Get what there is, read-only; not enough any more until more was heard."""
        self._enough = self._heard + round(_FURTHER_SECONDS * SAMPLE_RATE)
        speech = np.concatenate([np.empty(0, np.int16), *self._pieces])
        speech.flags.writeable = False
        return speech
