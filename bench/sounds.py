"""Sounds that were heard at different places, and which of them are the same one. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sound:
    """The time in which something was heard, on the monotonic clock."""

    began: float
    ended: float


def whole(sounds: Iterable[Sound], gap: float) -> list[Sound]:
    """Put pieces together that are less than a gap apart: a busy machine makes holes in sounds."""
    joined: list[Sound] = []
    for sound in sounds:
        if joined and sound.began - joined[-1].ended < gap:
            joined[-1] = Sound(joined[-1].began, sound.ended)
        else:
            joined.append(sound)

    return joined


def paired(
    earlier: Iterable[Sound], later: Iterable[Sound], seconds: float
) -> list[tuple[Sound, Sound]]:
    """Find each sound again where it was heard later: the first that begins within some seconds.

    Both are in order, and no sound is in two pairs; one that is not found is left out. Sounds must
    be further apart than `seconds`, or a long delay of one would pass for a short one of the next.
    """
    pairs: list[tuple[Sound, Sound]] = []
    heard = deque(later)
    for sound in earlier:
        while heard and heard[0].began < sound.began:
            heard.popleft()
        if heard and heard[0].began - sound.began < seconds:
            pairs.append((sound, heard.popleft()))

    return pairs
