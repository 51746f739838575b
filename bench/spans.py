"""Ear–voice spans of a talk, sentence by sentence, and how they change while it goes on. Pure.

A sentence is heard four times: where it is said, where Palabra hears it, where Palabra speaks its
interpretation, and where a listener hears that. From the first to the last is the span; between the
two in the middle passes Palabra's own time.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.sounds import Sound, paired

_WAY_SECONDS: Final = 2.0
"""The longest that a sentence is on one of the two ways; sentences begin further apart."""
_HANDED_OUT_SECONDS: Final = 1.0
"""The emulator is done with a sentence so long, or less, before its sound ends."""


@dataclass(frozen=True, slots=True)
class Interpreted:
    """A sentence and its interpretation, each where it was made and where it arrived."""

    said: Sound
    reached: Sound
    answered: Sound
    heard: Sound

    @property
    def start_span(self) -> float:
        """From the start of the sentence to that of its interpretation."""
        return self.heard.began - self.said.began

    @property
    def end_span(self) -> float:
        """From the end of the sentence to that of its interpretation."""
        return self.heard.ended - self.said.ended

    @property
    def palabra(self) -> float:
        """The part of the span at the end that is Palabra's own."""
        return self.answered.ended - self.reached.ended

    @property
    def ours(self) -> float:
        """What is left: the interpreter and the network, both ways."""
        return self.end_span - self.palabra


@dataclass(frozen=True, slots=True)
class Noted:
    """What the emulator's journal says of a sentence."""

    heard_by: float
    """The time at which it knew that the sentence had ended."""
    spoken_by: float
    """The time at which it had handed out all of the interpretation."""


def interpreted(
    said: Sequence[Sound],
    reached: Sequence[Sound],
    answered: Sequence[Sound],
    heard: Sequence[Sound],
    notes: Mapping[str, Noted],
) -> list[Interpreted]:
    """Follow sentences from mouth to ear; those that were not heard to the end are left out.

    Args:
        said: By the speaker.
        reached: Palabra, from the speaker.
        answered: By Palabra.
        heard: By the listener.
        notes: The emulator's, by the ids of the sentences; they tell which answer is to which.
    """
    saying = {there: here for here, there in paired(said, reached, _WAY_SECONDS)}
    hearing = dict(paired(answered, heard, _WAY_SECONDS))
    found: list[Interpreted] = []
    for note in notes.values():
        sentence = _last_before(note.heard_by, reached)
        answer = _nearest(note.spoken_by, answered)
        if sentence in saying and answer in hearing:
            found.append(Interpreted(saying[sentence], sentence, answer, hearing[answer]))

    return sorted(found, key=lambda it: it.said.began)


def offset(sentences: Sequence[Interpreted], until: float, count: int) -> float:
    """How far the interpretation is behind at a moment of the talk, in seconds.

    The median span at the end of the last `count` sentences that were said by then, the kinds of
    sentences that the talk has over and over.
    """
    ended = [it.end_span for it in sentences if it.said.ended <= until]
    return statistics.median(ended[-count:]) if ended else float("nan")


def slope(sentences: Sequence[Interpreted], spans: Sequence[float]) -> float:
    """How much a span grows in a minute, in seconds: the line that fits best."""
    if len(sentences) < 2:
        return float("nan")

    minutes = np.array([it.said.ended for it in sentences]) / 60
    return float(np.polyfit(minutes - minutes[0], spans, 1)[0])


def _last_before(at: float, sounds: Sequence[Sound]) -> Sound | None:
    return next((it for it in reversed(sounds) if it.ended < at), None)


def _nearest(at: float, sounds: Sequence[Sound]) -> Sound | None:
    near = [it for it in sounds if abs(it.ended - at) < _HANDED_OUT_SECONDS]
    return min(near, key=lambda it: abs(it.ended - at), default=None)
