"""The live one of a person's microphones, chosen by its sound. Pure.

People leave a headset connected and speak into the laptop, or join with two devices. The microphone
that they speak into is the live one. It stays so until it has been quiet for a second and another
one is spoken into; what was said there meanwhile is passed on late, so no word is lost and the
choice does not flicker. Times are in seconds of any steady clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from palabra_agent.audio.frame import PRE_ROLL_MS, Frame

_ENOUGH_MS: Final = 200.0
"""So much speech makes a microphone the live one; a knock on a table is shorter."""

_QUIET_SECONDS: Final = 1.0
"""The live one is left for another after so long without speech."""

_GAP_MS: Final = 300.0
"""Speech goes on over a pause that is no longer, as between words."""

_KEPT_SECONDS: Final = 2.0
"""Longer than it takes to see that another microphone is the live one."""


class MicrophoneChoice:
    """Passes on the sound of the live one of some tracks."""

    def __init__(self) -> None:
        self.live = ""
        """Id of the live track; empty where there is none."""
        self._tracks: dict[str, _HeardTrack] = {}

    def follow(self, track_sids: Sequence[str]) -> list[Frame]:
        """Choose among these tracks from now on; return the sound that is to be passed on.

        The first one is live until another is spoken into, and so is the first of those that stay
        when the live one goes.
        """
        left = self._tracks.get(self.live)
        self._tracks = {sid: self._tracks.get(sid) or _HeardTrack() for sid in track_sids}
        if self.live in self._tracks:
            return []

        # max gives the first of several that say nothing
        self.live = max(track_sids, key=lambda sid: self._tracks[sid].speech_ms, default="")
        return self._sound_since(left.spoke_at) if left is not None and self.live else []

    def hear(self, track_sid: str, frame: Frame, now: float) -> list[Frame]:
        """Take in a frame of a track; return the sound that is to be passed on."""
        track, live = self._tracks[track_sid], self._tracks[self.live]
        track.hear(frame, now)
        if track is live:
            track.frames.clear()
            return [frame]

        if track.speech_ms < _ENOUGH_MS or now - live.spoke_at < _QUIET_SECONDS:
            return []

        self.live = track_sid
        return self._sound_since(live.spoke_at)

    def _sound_since(self, other_spoke_at: float) -> list[Frame]:
        """The speech under way on the live track, from its beginning, but not what both heard."""
        live = self._tracks[self.live]
        since = max(live.began_at - PRE_ROLL_MS / 1000, other_spoke_at)
        return [replace(frame, is_late=True) for at, frame in live.frames if at > since]


@dataclass(slots=True)
class _HeardTrack:
    """The speech under way on one track, and its last sound while it is not the live one."""

    frames: deque[tuple[float, Frame]] = field(default_factory=deque[tuple[float, Frame]])
    """Each with the time at which it was heard; none of what was passed on."""
    began_at: float = math.inf
    """The time at which the speech under way began; infinity for none."""
    speech_ms: float = 0.0
    """The length of the speech under way, its pauses left out."""
    spoke_at: float = -math.inf
    """The time at which speech was last heard."""
    _pause_ms: float = 0.0

    def hear(self, frame: Frame, now: float) -> None:
        """Take in a frame."""
        self.frames.append((now, frame))
        while self.frames[0][0] < now - _KEPT_SECONDS:
            self.frames.popleft()

        if not frame.is_pause:
            self.began_at = min(self.began_at, now)
            self.speech_ms += frame.duration_ms
            self.spoke_at, self._pause_ms = now, 0.0
            return

        self._pause_ms += frame.duration_ms
        if self._pause_ms > _GAP_MS:
            self.began_at, self.speech_ms = math.inf, 0.0
