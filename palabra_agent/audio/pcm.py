"""The one audio format inside the agent, and a few facts about sound in it."""

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
"""Sound whose samples all stay below this (-60 dBFS) is silence: it is not missed."""

PAUSE_PEAK: Final = 328
"""Below this (-40 dBFS) there is no speech: what comes late may be left out."""


_maximum: Final = np.maximum.reduce
_minimum: Final = np.minimum.reduce
"""What the methods of an array end up with; each frame is measured."""


def peak(pcm: Pcm) -> int:
    """Measure the largest amplitude."""
    return max(int(_maximum(pcm)), -int(_minimum(pcm))) if pcm.size else 0


def duration_ms(pcm: Pcm) -> float:
    """Measure how long some sound lasts, in milliseconds."""
    return pcm.size * 1000 / SAMPLE_RATE
