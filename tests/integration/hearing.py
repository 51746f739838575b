"""The marker tones that a person heard, by track."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Iterable, Mapping
from typing import Final

import numpy as np

from palabra_agent.audio.pcm import SAMPLE_RATE
from palabra_agent.audio.tones import tone
from palabra_agent.local.people import SimulatedPerson
from palabra_agent.local.recording import Recording
from palabra_emulator.interpreting.markers import language_marker_hz, voice_markers
from tests.clock import eventually

from .emulator_client import VOICES

SPEECH_HZ: Final = 330
"""What people's voices sound like here: no marker has this pitch."""

WORDS: Final = tone(SPEECH_HZ, 0.8)
"""Something said."""

HEARD_DB: Final = -32.0
"""The softest marker has -20 dB; what its ends splash over its neighbours is below -40."""

_WINDOW: Final = SAMPLE_RATE // 5
"""Long enough to tell pitches 20 Hz apart."""

_LASTING: Final = 7
"""In so many windows, a quarter of one apart, a tone is heard: half a second of it. A click is in
four at most, and holds every pitch."""

ES: Final = language_marker_hz("es")
EN: Final = language_marker_hz("en")
DE: Final = language_marker_hz("de")

VOICE_HZ: Final = voice_markers(VOICES)
"""The pitch of each voice."""


def tones_in(recording: Recording, candidates: Iterable[int], since: float) -> frozenset[int]:
    """Those of the candidate pitches (multiples of 5 Hz) that were heard after a moment."""
    sound = recording.between(since)
    if sound.size < _WINDOW:
        return frozenset()

    windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[:: _WINDOW // 4]
    shape = np.hanning(_WINDOW)
    spectrum = np.abs(np.fft.rfft(windows * shape, axis=1)) * 2 / shape.sum() / 32767
    counts = (spectrum > 10 ** (HEARD_DB / 20)).sum(axis=0)
    bin_hz = SAMPLE_RATE / _WINDOW
    return frozenset(hz for hz in candidates if counts[round(hz / bin_hz)] >= _LASTING)


async def until_subscribed(person: SimulatedPerson, *tracks: str) -> None:
    """Wait until a person receives these tracks."""
    await person.wait_for(lambda: set(tracks) <= person.tracks, 20, f"the tracks {tracks}")


async def until_heard(
    person: SimulatedPerson, track: str, hz: float, seconds: float = 40.0
) -> None:
    """Wait until a tone is on a track."""

    async def is_heard() -> bool:
        return person.level_db(track, hz, seconds=0.3) > HEARD_DB

    await eventually(is_heard, f"{person.identity} hears {hz:g} Hz on {track}", seconds)


async def until_silent(
    person: SimulatedPerson, tracks: Iterable[str], seconds: float = 40.0
) -> None:
    """Wait until nothing is heard on these tracks."""

    async def is_silent() -> bool:
        newest = [person.recording(track).last(0.2) for track in tracks]
        return all(sound.size and int(np.abs(sound).max()) < 100 for sound in newest)

    await eventually(is_silent, f"{person.identity} hears nothing", seconds)


def heard(
    person: SimulatedPerson, tracks: Iterable[str], candidates: Iterable[int], since: float
) -> Mapping[str, frozenset[int]]:
    """The whole table: every track with the tones that were heard on it."""
    pitches = frozenset(candidates)
    return {track: tones_in(person.recording(track), pitches, since) for track in tracks}


async def until_spoken_by(
    person: SimulatedPerson, track: str, voice: str, speaks: Awaitable[object]
) -> None:
    """Have something said, and wait until its translation was heard, in this voice alone."""
    since = time.monotonic()
    await speaks
    await until_heard(person, track, VOICE_HZ[voice])
    await until_silent(person, [track])
    assert heard(person, [track], VOICE_HZ.values(), since) == {track: {VOICE_HZ[voice]}}
