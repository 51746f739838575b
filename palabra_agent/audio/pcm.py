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
"""A frame whose samples all stay below this (-60 dBFS) is a pause: nobody hears it missing."""


def is_silent(pcm: Pcm) -> bool:
    """Whether a frame is a pause."""
    return bool(pcm.size == 0 or max(int(pcm.max()), -int(pcm.min())) < SILENCE_PEAK)


def duration_ms(pcm: Pcm) -> float:
    """How long a frame sounds, in milliseconds."""
    return pcm.size * 1000 / SAMPLE_RATE
