"""The pitch of a voice, by the library swift-f0; imported where voices are listened to, only."""

from __future__ import annotations

from typing import Final

import numpy as np
from av import AudioFrame, AudioResampler
from numpy.typing import NDArray
from swift_f0 import SAMPLE_RATE, SwiftF0

_LOWEST_HZ: Final = 60.0
_HIGHEST_HZ: Final = 500.0

_VOICED: Final = 0.5
"""The confidence from which the library calls a frame of 16 ms voiced; of noise it calls none."""


class PitchTracker:
    """Follows the pitch of sounds; to be used by one thread at a time."""

    def __init__(self) -> None:
        # one thread that sleeps between calls: a meeting's sound must not wait for this
        self._detector = SwiftF0(threads=1, spin=False)

    def pitches(self, samples: NDArray[np.int16], sample_rate: int) -> list[float]:
        """The pitch of every voiced 16 ms of a sound, in hertz."""
        found = self._detector.detect(
            _resampled(samples, sample_rate), SAMPLE_RATE, _LOWEST_HZ, _HIGHEST_HZ
        )
        voiced: list[float] = found.pitch_hz[found.confidence >= _VOICED].tolist()
        return voiced


def _resampled(samples: NDArray[np.int16], sample_rate: int) -> NDArray[np.int16]:
    frame = AudioFrame.from_ndarray(samples[np.newaxis, :], format="s16", layout="mono")
    frame.sample_rate = sample_rate
    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([np.empty(0, np.int16), *(it.to_ndarray()[0] for it in pieces)])
