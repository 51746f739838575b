"""Timbre estimators hear how a speaker's own voice sounds; the first estimate wins."""

from __future__ import annotations

import math
import numbers
from abc import abstractmethod
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.capabilities.capability import FirstAnswer, Passed, WrongAnswer, a_kind_of
from palabra_agent.voices import Speaker, Timbre

_LOWEST_PITCH_HZ: Final = 20.0
_HIGHEST_PITCH_HZ: Final = 2000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """A few seconds of one speaker's voice, pauses left out."""

    speaker: Speaker
    samples: NDArray[np.int16]
    """Mono; read-only."""
    sample_rate: int
    """Samples per second: 48000."""

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return len(self.samples) / self.sample_rate


@runtime_checkable
class TimbreEstimator(Protocol):
    """Hears how a speaker's own voice sounds."""

    @abstractmethod
    async def estimate_timbre(self, speech: Speech) -> Timbre | None:
        """Estimate the timbre, or None where this speech does not tell: more will follow.

        What takes the processor more than a millisecond belongs into a thread. An estimate becomes
        a fact in every later `VoiceRequest` on that speaker.
        """
        ...


def speech_of(speaker: Speaker, samples: Pcm) -> Speech:
    """Copy samples for plugins, which may keep them in a thread and beyond their deadline."""
    copied = np.array(samples, np.int16)
    copied.setflags(write=False)
    return Speech(speaker=speaker, samples=copied, sample_rate=SAMPLE_RATE)


def _accept_timbre(answer: object, _request: Speech) -> Timbre | Passed:
    if answer is None:
        return Passed("passed")
    if not isinstance(answer, Timbre):
        raise WrongAnswer(f"returned {a_kind_of(answer)}, not a timbre")

    pitch: object = answer.pitch_hz
    if not isinstance(pitch, numbers.Real):
        raise WrongAnswer(f"returned a pitch that is {a_kind_of(pitch)}, not a float")

    hz = float(pitch)
    # written so that it refuses what is no number at all
    if not _LOWEST_PITCH_HZ <= hz <= _HIGHEST_PITCH_HZ:
        number = f"{hz:g} Hz" if math.isfinite(hz) else str(hz)
        raise WrongAnswer(
            f"returned a pitch of {number}, and voices have"
            f" {_LOWEST_PITCH_HZ:g} to {_HIGHEST_PITCH_HZ:g}"
        )

    return Timbre(hz)


TIMBRE_ESTIMATOR: Final[FirstAnswer[Speech, Timbre]] = FirstAnswer(
    TimbreEstimator, "estimate_timbre", _accept_timbre
)
