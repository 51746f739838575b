"""A sound beneath another: lowered while the other is heard, as the original is for a caller."""

from __future__ import annotations

from typing import Final

import numpy as np

from palabra_agent.audio.mixer import Mixer
from palabra_agent.audio.pcm import FRAME_MS, Pcm

LOWERED: Final = 0.15
"""As loud as this share of its amplitude: heard, and not understood by mistake."""

_HOLD_FRAMES: Final = 1000 // FRAME_MS
"""It stays lowered so long after the last frame of the other: pauses between words are no end."""
_DOWN_PER_FRAME: Final = (1 - LOWERED) * FRAME_MS / 100
_UP_PER_FRAME: Final = (1 - LOWERED) * FRAME_MS / 500


class Underlay:
    """Sounds that are mixed beneath another one."""

    def __init__(self) -> None:
        self.mixer = Mixer()
        """Takes the sounds to put beneath."""
        self._gain = 1.0
        self._lowered_frames = 0

    def beneath(self, over: Pcm | None, behind_ms: float = 0.0) -> Pcm | None:
        """Put the next frame beneath a frame of the other sound, or beneath none.

        Args:
            over: The other sound's; None where it is silent.
            behind_ms: So much of the sum is not heard yet.
        """
        under, before = self.mixer.take(behind_ms), self._gain
        self._lowered_frames = max(self._lowered_frames - 1, 0) if over is None else _HOLD_FRAMES
        if self._lowered_frames:
            self._gain = max(before - _DOWN_PER_FRAME, LOWERED)
        else:
            self._gain = min(before + _UP_PER_FRAME, 1.0)

        if under is None or before == self._gain == 1.0:
            return over if under is None else under

        total = under * np.linspace(before, self._gain, under.size)
        if over is not None:
            size = max(under.size, over.size)
            total = np.pad(total, (0, size - under.size)) + np.pad(over, (0, size - over.size))

        return np.clip(total, -32768, 32767).astype(np.int16)
