"""Recent sound with its times: bounded, and searchable for sound and for tones."""

from __future__ import annotations

import numpy as np
import pytest

from palabra_agent.audio.pcm import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import mix, tone
from palabra_agent.local.recording import Recording

pytestmark = pytest.mark.unit

_FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE


def _recording(sound: Pcm, *, start: float = 100.0, kept: float = 30.0) -> Recording:
    """A recording that heard a sound from `start` on, frame by frame."""
    recording = Recording(kept)
    for number in range(sound.size // FRAME_SAMPLES):
        frame = sound[number * FRAME_SAMPLES : (number + 1) * FRAME_SAMPLES]
        recording.add(frame, start + (number + 1) * _FRAME_SECONDS)
    return recording


def _silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.int16)


def test_the_oldest_sound_is_forgotten() -> None:
    """A recording never holds more than it may, and holds the newest."""
    sound = np.concatenate([tone(400, 2.0), tone(500, 1.0)])
    recording = _recording(sound, kept=1.0)

    assert recording.seconds == pytest.approx(1.0)
    np.testing.assert_array_equal(recording.last(60), sound[-SAMPLE_RATE:])


def test_the_newest_sound_is_given_to_the_sample() -> None:
    """`last` takes part of a frame when that is what was asked for."""
    sound = tone(400, 1.0)

    np.testing.assert_array_equal(_recording(sound).last(0.05), sound[-2400:])
    assert Recording().last(1).size == 0


def test_a_stretch_of_time_is_given_by_whole_frames() -> None:
    """`between` gives what ended within the stretch."""
    sound = tone(400, 1.0)
    recording = _recording(sound)

    np.testing.assert_array_equal(recording.between(100.5, 100.7), sound[24_000 : 24_000 + 9600])
    assert recording.between(200).size == 0


def test_the_first_sound_is_found_after_silence() -> None:
    """The time is that of the first audible frame; what is softer than audible does not count."""
    sound = np.concatenate([_silence(0.4), tone(300, 0.4, amplitude=0.002), tone(300, 0.4)])
    recording = _recording(sound)

    first = recording.first_sound(100.0)
    assert first == pytest.approx(100.8 + _FRAME_SECONDS, abs=0.001)
    assert recording.first_sound(101.5) is None


def test_a_tone_is_found_under_another() -> None:
    """A session's marker 50 Hz beside another and 10 dB under the language's is told apart."""
    quiet = np.concatenate([_silence(0.5), mix(tone(500, 1.0), tone(2050, 1.0, amplitude=0.1))])
    recording = _recording(quiet)

    first = recording.first_tone(2050, 100.0)
    assert first is not None
    assert 100.5 < first <= 100.62
    assert recording.first_tone(2000, 100.0) is None
    assert recording.first_tone(2100, 100.0) is None
    assert recording.first_tone(600, 100.0) is None
    assert recording.level_db(500) == pytest.approx(-10.5, abs=0.5)


def test_the_longest_silence_counts_what_never_came() -> None:
    """Silent sound, no sound at all and the wait at either end are silence alike."""
    recording = _recording(np.concatenate([tone(300, 1.0), _silence(0.4), tone(300, 1.0)]))
    for frame in range(25):
        recording.add(tone(300, 0.02), 103.0 + frame * _FRAME_SECONDS)

    assert recording.longest_silence(100.1, 102.3) == pytest.approx(0.42, abs=0.03)
    assert recording.longest_silence(100.1, 103.4) == pytest.approx(0.6, abs=0.03)
    assert recording.longest_silence(98.0, 101.0) == pytest.approx(2.0, abs=0.03)
    assert recording.longest_silence(103.1, 105.0) == pytest.approx(1.52, abs=0.03)
    assert Recording().longest_silence(1.0, 4.0) == 3.0


def test_inaudible_sound_is_silence() -> None:
    """The noise of a codec does not count."""
    recording = _recording(tone(300, 1.0, amplitude=0.002))

    assert recording.longest_silence(100.0, 101.0) == 1.0
