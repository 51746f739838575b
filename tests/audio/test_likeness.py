"""A sound that was played by a loudspeaker is known again, and other speech is not taken for it."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from palabra_agent.audio.likeness import (
    LONGEST_DELAY,
    SLOTS_PER_SECOND,
    Likeness,
    SoundHistory,
)
from palabra_agent.audio.pcm import FRAME_SAMPLES, PAUSE_PEAK, SAMPLE_RATE, Pcm, peak
from palabra_agent.audio.tones import mix, tone
from tests.babble import babble, played_back
from tests.clock import HANG_SECONDS

pytestmark = pytest.mark.unit

LEAK = 0.5
"""From here on a microphone counts as one that carries a channel."""


def silence(seconds: float) -> Pcm:
    """Make silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.int16)


def history(sound: Pcm, began: float = 100.0) -> SoundHistory:
    """Have a sound heard that began at a time."""
    heard = SoundHistory()
    for place in range(0, sound.size - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        samples = sound[place : place + FRAME_SAMPLES]
        is_sounding = peak(samples) >= PAUSE_PEAK
        heard.hear(samples, began + place / SAMPLE_RATE, is_sounding=is_sounding)

    return heard


def likeness(microphone: Pcm, channel: Pcm) -> Likeness:
    """Compare two sounds that begin together, where that tells something."""
    found = history(microphone).likeness_to(history(channel))
    assert found is not None
    return found


@pytest.mark.parametrize("delay", [0.05, 0.2, 0.413, 0.8, 1.4])
@pytest.mark.parametrize("level_db", [0, -20])
def test_what_a_loudspeaker_plays_is_known_again(delay: float, level_db: float) -> None:
    """Whatever the delay and the volume, out of a room that echoes."""
    channel = babble(1, 3)
    found = likeness(played_back(channel, delay=delay, level_db=level_db), channel)

    assert found.degree > LEAK
    assert abs(found.delay - delay * SLOTS_PER_SECOND) <= 2


@pytest.mark.parametrize("seed", range(20))
def test_other_speech_is_not_taken_for_it(seed: int) -> None:
    """Two people may speak at the same time."""
    assert likeness(babble(seed, 3), babble(100 + seed, 3)).degree < LEAK


@pytest.mark.parametrize("seed", range(5))
def test_a_louder_voice_over_it_is_not_taken_for_it(seed: int) -> None:
    """A speaker is nearer to their microphone than their loudspeaker is."""
    channel = babble(100 + seed, 3)
    leaked = played_back(channel, delay=0.2, level_db=-20)

    assert likeness(mix(babble(seed, 3), leaked), channel).degree < LEAK


def test_what_is_said_first_is_not_taken_for_it() -> None:
    """A channel that repeats a microphone's sound does not come back through it."""
    said = babble(1, 3)
    repeated = np.concatenate((silence(0.5), said))

    assert likeness(said, repeated).degree < LEAK


def test_too_little_sound_tells_nothing() -> None:
    """By chance half a second of speech is like another."""
    channel = np.concatenate((babble(1, 0.7), silence(5)))

    assert history(channel).likeness_to(history(channel)) is None


def test_many_short_sounds_tell_as_much_as_a_long_one() -> None:
    """A loop may be made of single words."""
    words = [np.concatenate((babble(seed, 0.4), silence(2))) for seed in range(4)]
    channel = np.concatenate(words)

    assert likeness(played_back(channel, delay=0.3, level_db=-10), channel).degree > LEAK


@pytest.mark.parametrize("hz", [330, 500])
def test_a_steady_sound_tells_nothing(hz: int) -> None:
    """A hum is like every hum."""
    channel = tone(500, 3)

    assert history(tone(hz, 3)).likeness_to(history(channel)) is None


def test_a_silent_channel_is_like_nothing() -> None:
    """Where nothing was played nothing can come back."""
    assert history(babble(1, 3)).likeness_to(history(silence(3))) is None
    assert history(babble(1, 3)).likeness_to(SoundHistory()) is None


def test_a_stall_costs_no_more_than_what_came_in_it() -> None:
    """Frames that come late and all at once are not taken for later sound."""
    channel = babble(1, 4)
    microphone = played_back(channel, delay=0.2, level_db=-10)
    heard = SoundHistory()
    for place in range(microphone.size // FRAME_SAMPLES):
        now = place / SLOTS_PER_SECOND
        late = 1.4 if 1.0 <= now < 1.4 else now
        heard.hear(microphone[place * FRAME_SAMPLES : (place + 1) * FRAME_SAMPLES], 100 + late)

    found = heard.likeness_to(history(channel))

    assert found is not None
    assert found.degree > LEAK
    assert abs(found.delay - 10) <= 3


def test_a_pause_is_as_long_as_it_is() -> None:
    """Nothing is written in the pauses of a channel."""
    first, second = babble(1, 0.5), babble(2, 1.5)
    channel = np.concatenate((first, silence(3), second))
    microphone = played_back(channel, delay=0.2, level_db=-10)
    played = history(first)
    for place in range(0, second.size - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        played.hear(second[place : place + FRAME_SAMPLES], 103.5 + place / SAMPLE_RATE)

    found = history(microphone).likeness_to(played)

    assert found is not None
    assert found.degree > LEAK


def test_it_is_known_when_there_was_sound() -> None:
    """For as long as it can come back."""
    heard = history(np.concatenate((babble(1, 1), silence(2))))
    now = heard.newest

    assert heard.sounded(now - 3 * SLOTS_PER_SECOND, now)
    assert not heard.sounded(now - SLOTS_PER_SECOND, now)
    heard.hear(silence(0.02), 1000, is_sounding=False)
    assert not heard.sounded(heard.newest - 20 * SLOTS_PER_SECOND, heard.newest)


def test_a_long_way_back_is_too_long() -> None:
    """Beyond a second and a half it is not looked for."""
    channel = babble(1, 3)
    microphone = played_back(channel, delay=LONGEST_DELAY / SLOTS_PER_SECOND + 0.5, level_db=0)
    found = history(microphone).likeness_to(history(channel))

    assert found is None or found.degree < LEAK


def test_frames_of_any_length_are_taken_in() -> None:
    """The last one of a sound may be short."""
    heard = SoundHistory()
    for place, size in enumerate((0, 100, FRAME_SAMPLES, 2 * FRAME_SAMPLES)):
        heard.hear(tone(500, 1)[:size], 100 + place / SLOTS_PER_SECOND)

    assert heard.likeness_to(heard) is None


def test_sound_is_computed_on_one_core() -> None:
    """Else each comparison has all other cores wait for the next one at full speed."""
    code = """
import palabra_agent.audio.likeness, numpy, psutil
many = numpy.ones((1000, 1000))
many @ many
print(psutil.Process().num_threads())
"""
    # this process has set the variable, which another one would inherit
    env = {name: it for name, it in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, timeout=HANG_SECONDS, env=env
    )

    assert done.stdout.split() == [b"1"]
