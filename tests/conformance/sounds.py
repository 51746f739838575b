"""Sound as the SDKs take it, in messages, and the length of tones in what they give."""

from __future__ import annotations

from typing import Final

import numpy as np

from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import tone, tone_level_db
from palabra_emulator.interpreting.markers import language_marker_hz
from tests.palabra_emulator.sounds import ogg_opus, pieces, wav

SPEECH_HZ: Final = 330
"""What people's voices sound like here: no marker has this pitch."""

SPOKEN_SECONDS: Final = 1.6
"""How long they speak."""

HEARD_DB: Final = -32.0
"""The softest marker has -20 dB; what its ends splash over its neighbours is below -40."""

_STEPS_PER_SECOND: Final = 10

CHUNK_MS: Final = 320
"""What Palabra recommends for a message."""

_OGG_PAGE: Final = b"OggS"


def sentence(rate: int, *, before: float = 0.3, after: float = 1.2) -> Pcm:
    """Something said, between silences; the one behind it confirms it."""
    spoken = tone(SPEECH_HZ, SPOKEN_SECONDS, rate=rate)
    return np.concatenate((silence(before, rate), spoken, silence(after, rate)))


def seconds_of(hz: float, pcm: Pcm, rate: int) -> float:
    """How long a tone is in a sound, to a fifth of a second."""
    step = rate // _STEPS_PER_SECOND
    windows = [pcm[at : at + 2 * step] for at in range(0, max(pcm.size - step, 1), step)]
    return sum(tone_level_db(it, hz, rate=rate) > HEARD_DB for it in windows) / _STEPS_PER_SECOND


def languages_in(pcm: Pcm, rate: int, *candidates: str) -> set[str]:
    """Those of the languages whose markers are heard for half a second at least."""
    return {it for it in candidates if seconds_of(language_marker_hz(it), pcm, rate) >= 0.5}


def silence(seconds: float, rate: int) -> Pcm:
    """Nothing said."""
    return np.zeros(round(seconds * rate), dtype=np.int16)


def wav_pieces(pcm: Pcm, rate: int) -> list[bytes]:
    """A WAV file cut into messages: the header comes with the first one only."""
    return list(pieces(wav(pcm, rate), rate * CHUNK_MS // 1000 * 2))


def opus_pages(pcm: Pcm, rate: int) -> list[bytes]:
    """An Ogg Opus file cut at its pages."""
    pages = ogg_opus(pcm, rate, page_ms=CHUNK_MS).split(_OGG_PAGE)
    return [_OGG_PAGE + page for page in pages[1:]]
