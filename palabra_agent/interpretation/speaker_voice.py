"""A speaker's voice on its way to the session that interprets it, held while there is none. Pure.

People speak while their first session is opened, and while a lost one is rebuilt. So the last
seconds are kept until Palabra has told what was said in them, and go to each session that becomes
ready. Times are in seconds of any steady clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from palabra_agent.audio.frame import ONSET_MS, PRE_ROLL_MS, Frame
from palabra_agent.session import Session, Transcript

_HELD_SECONDS: Final = 8.0
"""Longer than a session usually takes to open; what is older is not worth the delay."""

_LATE_SECONDS: Final = 2.0
"""Where the next sentence follows without a pause, its beginning is taken to be so long ago."""

_PAUSE_MS: Final = 200.0
"""So much of a pause is between sentences, and not within a word."""


class SpeakerVoice:
    """One speaker's voice, with one writer; each session hears what the last one left untold."""

    def __init__(self) -> None:
        self.spoke_at = -math.inf
        """The time at which speech was heard last."""
        self._onset_ms = 0.0
        self._sessions: list[Session] = []
        """Those that hear it now: two while one replaces the other."""
        self._untold: deque[tuple[float, Frame]] = deque()
        """The last frames, each with the time at which it was heard."""
        self._tells_originals = False
        """True once Palabra has told what was said, and not translations alone."""

    def write(self, frame: Frame, now: float) -> None:
        """Give a frame to the sessions that there are, and keep it."""
        for session in self._sessions:
            session.write(frame)

        self._onset_ms = 0.0 if frame.is_pause else self._onset_ms + frame.duration_ms
        if self._onset_ms >= ONSET_MS:
            self.spoke_at = now

        self._untold.append((now, frame))
        while self._untold[0][0] < now - _HELD_SECONDS:
            self._untold.popleft()

    def tell(self, transcript: Transcript, now: float) -> None:
        """Learn of words from Palabra: of a sentence that is final nothing need be kept.

        What is being said at that moment is of the next one, and stays. A translation comes later,
        and tells nothing new but where Palabra was asked for translations alone.
        """
        self._tells_originals = self._tells_originals or not transcript.is_translation
        if transcript.is_final and transcript.is_translation != self._tells_originals:
            self._untold = self._being_said(now)

    @contextmanager
    def heard_by(self, session: Session, now: float) -> Generator[None]:
        """Let a session hear the voice for the length of a block, with what is not told yet."""
        for frame in self._speech_since(now - _HELD_SECONDS):
            session.write(replace(frame, is_late=True))

        self._sessions.append(session)
        try:
            yield
        finally:
            self._sessions.remove(session)

    def _being_said(self, now: float) -> deque[tuple[float, Frame]]:
        """What was heard since the last pause; nothing in a pause, nor where none is heard."""
        said, pause_ms, next_at = deque[tuple[float, Frame]](), 0.0, now
        for at, frame in reversed(self._untold):
            pause_ms = pause_ms + frame.duration_ms if frame.is_pause else 0.0
            is_gap = (next_at - at) * 1000 >= _PAUSE_MS
            if pause_ms >= _PAUSE_MS or is_gap or at < now - _LATE_SECONDS:
                break
            said.appendleft((at, frame))
            next_at = at

        return said

    def _speech_since(self, earliest: float) -> list[Frame]:
        """What is kept and was heard since then, from shortly before the first word."""
        frames = [frame for at, frame in self._untold if at >= earliest]
        first = next((place for place, it in enumerate(frames) if not it.is_pause), len(frames))
        kept_ms = 0.0
        while first and kept_ms < PRE_ROLL_MS:
            first -= 1
            kept_ms += frames[first].duration_ms

        return frames[first:]
