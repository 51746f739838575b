"""Adds what several interpretations say at the same moment into one sound."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import numpy as np
import numpy.typing as npt

from palabra_agent.audio.buffer import BufferStatistics, FrameBuffer
from palabra_agent.audio.frame import Frame
from palabra_agent.audio.pcm import FRAME_SAMPLES, Pcm

_LOUDEST: Final = 32767

INPUT_CAPACITY_MS: Final = 120
"""The most that an input adds to the delay while its speaker speaks."""
INPUT_TARGET_MS: Final = 50
"""So much may stay over a pause, in an input and in what plays the mix: a frame to play, one for
the jitter between the sender's clock and the mixer's, and a cushion for the mixer's own."""

_RECOVERY_PER_FRAME: Final = 0.05
"""The volume comes back after a loud moment within about half a second."""


class Mixer:
    """Inputs that fill at their own pace, and a mix that is taken at the taker's.

    An input that has nothing ready is silent for that moment; it never holds the others. One voice
    passes untouched. Where the sum of several would clip, all of it is lowered at once and comes
    back slowly.
    """

    def __init__(self) -> None:
        self._inputs: list[FrameBuffer] = []
        self._sounding: set[FrameBuffer] = set()
        """Inputs whose last frame could be heard."""
        self._gain = 1.0

    @contextmanager
    def open_input(self) -> Generator[FrameBuffer]:
        """Have one more input for the length of a block."""
        backlog = self.add_input()
        try:
            yield backlog
        finally:
            self.remove_input(backlog)

    def add_input(self) -> FrameBuffer:
        """Have one more input from now on."""
        backlog = FrameBuffer(capacity_ms=INPUT_CAPACITY_MS, target_ms=INPUT_TARGET_MS)
        self._inputs.append(backlog)
        return backlog

    def remove_input(self, backlog: FrameBuffer) -> None:
        """Have an input no more; what it holds is not heard."""
        self._inputs.remove(backlog)
        self._sounding.discard(backlog)

    def take(self, behind_ms: float = 0.0) -> Pcm | None:
        """Mix one frame from all inputs, or None where all are silent.

        Args:
            behind_ms: So much of the mix is not heard yet.
        """
        heard = [
            frame.samples
            for backlog in self._inputs
            if (frame := self._next_of(backlog, behind_ms)) is not None
        ]
        if not heard:
            self._gain = 1.0
            return None

        if len(heard) == 1 and self._gain == 1.0:
            return heard[0]

        return self._limit(_add(heard))

    def statistics(self) -> tuple[BufferStatistics, ...]:
        """Tell where the sound of each input went so far."""
        return tuple(backlog.statistics() for backlog in self._inputs)

    def _next_of(self, backlog: FrameBuffer, behind_ms: float) -> Frame | None:
        """The next frame of an input; None where nothing of it is heard at this moment.

        A sound after silence waits for no silence before it, which would delay all that follows.
        """
        if backlog not in self._sounding:
            backlog.skip_silence()
        frame = backlog.take(behind_ms)
        if frame is None or frame.is_silent:
            self._sounding.discard(backlog)
            return None

        self._sounding.add(backlog)
        return frame

    def _limit(self, total: npt.NDArray[np.int32]) -> Pcm:
        """Lower what is too loud; the gain moves along a ramp, as a step would click."""
        peak = int(np.abs(total).max())
        gain = min(1.0, self._gain + _RECOVERY_PER_FRAME, _LOUDEST / max(peak, 1))
        ramp = np.linspace(min(self._gain, _LOUDEST / max(peak, 1)), gain, total.size)
        self._gain = gain
        return (total * ramp).astype(np.int16)


def _add(frames: list[Pcm]) -> npt.NDArray[np.int32]:
    total = np.zeros(max(FRAME_SAMPLES, *(frame.size for frame in frames)), dtype=np.int32)
    for frame in frames:
        total[: frame.size] += frame

    return total
