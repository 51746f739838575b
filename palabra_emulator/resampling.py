"""Sound at any rate, brought to the one at which the emulator hears, without drift."""

from __future__ import annotations

import av
import numpy as np

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.pipeline import HEARING_RATE


class Resampler:
    """Resamples one stream of mono sound; at the hearing rate it changes nothing."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._resampler = (
            None
            if rate == HEARING_RATE
            else av.AudioResampler(format="s16", layout="mono", rate=HEARING_RATE)
        )

    def take(self, pcm: Pcm) -> Pcm:
        """Take the next sound of the stream; a few milliseconds of it come out with the one after.

        How much comes out depends on how much went in alone, never on the length of the pieces.
        """
        if self._resampler is None or pcm.size == 0:
            return pcm

        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = self._rate
        parts = [it.to_ndarray().reshape(-1) for it in self._resampler.resample(frame)]
        return np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)
