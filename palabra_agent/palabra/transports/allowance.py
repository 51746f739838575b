"""The bound on what Palabra may send in one session, far above what interpreting takes. Pure.

A session in 8 languages brings some 45 messages a second with words, and over a WebSocket 40 with
sound of 13 kB each: 125 portions. What is spoken comes in bursts, a phrase of half a minute in all
languages at once. A session that goes on with more than this interprets nothing any more, and what
it sends would be read at the cost of all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TOO_MUCH: Final = "Palabra sent far more messages than an interpretation takes"
"""The reason for which such a session is left."""

_PORTION_BYTES: Final = 8_192


@dataclass(frozen=True, slots=True)
class MessageRate:
    """The most that may come, in portions: a message is one, a large one as many as its size."""

    per_second: int
    at_once: int


WORDS_ONLY: Final = MessageRate(200, 2_000)
"""Of a transport on which sound comes as tracks; the SDK reads all that has come in one go."""

WORDS_AND_SOUND: Final = MessageRate(500, 10_000)


class MessageAllowance:
    """A session's allowance of messages, which grows with time. Times are in seconds."""

    def __init__(self, rate: MessageRate) -> None:
        self._rate = rate
        self._left = float(rate.at_once)
        self._at: float | None = None

    def admits(self, size: int, now: float) -> bool:
        """Count a message of so many bytes; tell whether it may still come."""
        passed = now - self._at if self._at is not None else 0.0
        grown = self._left + passed * self._rate.per_second
        self._at, self._left = now, min(grown, float(self._rate.at_once))
        self._left -= 1 + size // _PORTION_BYTES
        return self._left >= 0
