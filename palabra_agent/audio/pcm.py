"""The one audio format inside the agent, and the few facts about a frame that everybody asks."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Pcm: TypeAlias = npt.NDArray[np.int16]
"""Mono samples, signed 16 bit, at `SAMPLE_RATE`; shape `(samples,)`."""

SAMPLE_RATE: Final = 48_000
"""Samples per second: what LiveKit's Opus decodes to, so nothing is resampled twice."""

FRAME_MS: Final = 20
"""Length of one frame in milliseconds; shorter ones cost CPU, longer ones delay."""

FRAME_SAMPLES: Final = SAMPLE_RATE * FRAME_MS // 1000

SILENCE_PEAK: Final = 33
"""A frame whose samples all stay below this (-60 dBFS) is silence: nobody hears it missing."""

PAUSE_PEAK: Final = 328
"""Below this (-40 dBFS) nobody is speaking: what comes late may be left out."""


def is_silent(pcm: Pcm) -> bool:
    """Whether a frame is as good as nothing: it need not be played at all."""
    return peak(pcm) < SILENCE_PEAK


def is_pause(pcm: Pcm) -> bool:
    """Whether a frame holds no speech, though perhaps the noise of a room."""
    return peak(pcm) < PAUSE_PEAK


def peak(pcm: Pcm) -> int:
    """The largest amplitude of a frame."""
    return max(int(pcm.max()), -int(pcm.min())) if pcm.size else 0


def duration_ms(pcm: Pcm) -> float:
    """How long a frame sounds, in milliseconds."""
    return pcm.size * 1000 / SAMPLE_RATE
