"""What was heard of voices whose pitch is not known yet, and how much more to listen to. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Final

ENOUGH: Final = 30
"""Pitches that tell a voice: half a second of it. Of two seconds of speech some 90 are voiced."""

_FIRST_SECONDS: Final = 2.0
"""The most speech that is listened to at first."""
_FURTHER_SECONDS: Final = 1.0
"""The most of it that is listened to again: as much as is new when the host asks again."""

_EAGER_TIMES: Final = 4
"""After these, 5 seconds of speech, it is likely music, or somebody who whispers."""
_ONE_IN: Final = 4
"""From then on so few of the times are listened to."""

_KEPT: Final = 320
"""Pitches per speaker, the latest: those of 5 seconds of voice."""
_SPEAKERS: Final = 100
"""Of whom anything is kept, the latest."""


@dataclass(slots=True)
class _Voice:
    times: int = 0
    """How often it was there to be listened to."""
    pitches: deque[float] = field(default_factory=lambda: deque[float](maxlen=_KEPT))


class Evidence:
    """The pitches of speakers who were not heard for long enough."""

    def __init__(self) -> None:
        self._voices: OrderedDict[str, _Voice] = OrderedDict()

    def seconds_wanted(self, identity: str) -> float:
        """How much of somebody's latest speech to listen to this time; 0 where it can wait."""
        voice = self._voices.pop(identity, None) or _Voice()
        self._voices[identity] = voice
        if len(self._voices) > _SPEAKERS:
            self._voices.popitem(last=False)

        voice.times += 1
        if voice.times == 1:
            return _FIRST_SECONDS

        return _FURTHER_SECONDS if voice.times <= _EAGER_TIMES or not voice.times % _ONE_IN else 0.0

    def add(self, identity: str, pitches: Iterable[float]) -> float | None:
        """Take in what was heard; tells the median once it is enough, and keeps nothing more."""
        voice = self._voices.setdefault(identity, _Voice(times=1))
        voice.pitches.extend(pitches)
        if len(voice.pitches) < ENOUGH:
            return None

        del self._voices[identity]
        return median(voice.pitches)
