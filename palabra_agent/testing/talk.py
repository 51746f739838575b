"""What is said in the room of a test, in words and in sound, and the time that passes meanwhile."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import count
from typing import Final

import numpy as np
from numpy.typing import NDArray

from palabra_agent.audio.pcm import Pcm
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Transcript
from palabra_agent.testing.facts import NOON

_SECONDS_PER_WORD: Final = 0.5


class RoomClock:
    """The time in a room: the loop's, and what it takes to speak, for which nobody waits."""

    def __init__(self) -> None:
        self._loop_time = asyncio.get_running_loop().time
        self._began = self._loop_time()
        self._spoken = 0.0

    @property
    def seconds(self) -> float:
        """How long there has been a room."""
        return self._loop_time() - self._began + self._spoken

    def pass_by(self, seconds: float) -> None:
        """Let time pass that nobody waits for."""
        self._spoken += max(seconds, 0.0)

    def now(self) -> datetime:
        """The time of day."""
        return NOON + timedelta(seconds=self.seconds)


class Talk:
    """The utterances of a room."""

    def __init__(self, clock: RoomClock) -> None:
        self._clock = clock
        self._numbers = count(1)
        self._under_way: dict[str, tuple[str, float]] = {}
        """What each is saying and has not finished: its name, and when it began."""

    def words(
        self,
        identity: str,
        text: str,
        language: LanguageCode,
        *,
        is_final: bool,
        utterance: str | None,
        part: str,
    ) -> Transcript:
        """Somebody's words, as Palabra tells them; the clock goes on to their end."""
        name, began = self._under_way.get(identity, (None, self._clock.seconds))
        name = utterance or name or f"utterance-{next(self._numbers)}"
        self._under_way[identity] = (name, began)
        if is_final:
            del self._under_way[identity]

        end = began + _SECONDS_PER_WORD * len(text.split())
        self._clock.pass_by(end - self._clock.seconds)
        return Transcript(
            transcription_id=name,
            part=part,
            language=language,
            text=text,
            is_final=is_final,
            is_translation=False,
            start_seconds=began,
            end_seconds=end,
        )


def checked(samples: NDArray[np.int16]) -> Pcm:
    """Let samples through that could come from a microphone.

    Raises:
        ValueError: They could not.
    """
    if samples.dtype != np.int16 or samples.ndim != 1:
        found = f"{samples.dtype} in {samples.ndim} dimensions"
        raise ValueError(f"samples must be int16 in one dimension, not {found}")

    return samples
