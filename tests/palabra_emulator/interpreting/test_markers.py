"""The tones that mark languages, sessions and voices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.languages import TARGET_LANGUAGES, base
from palabra_emulator.interpreting.markers import (
    CLONED_VOICE,
    all_markers,
    language_marker_hz,
    session_marker_hz,
    voice_heard,
    voice_markers,
)

pytestmark = pytest.mark.unit


def test_markers_are_as_promised() -> None:
    """The eight named pitches, variants as their base, sessions in steps of 50 Hz."""
    named = [language_marker_hz(code) for code in ("en", "es", "de", "fr", "it", "pt", "ja", "zh")]

    assert named == [400, 500, 600, 700, 800, 900, 1000, 1100]
    assert language_marker_hz("en-us") == 400
    assert language_marker_hz("zh-hant") == 1100
    assert [session_marker_hz(n) for n in (0, 1, 39, 40)] == [2000, 2050, 3950, 2000]


def test_markers_tell_every_language_apart() -> None:
    """Every target has a pitch below the sessions', and no two languages share one."""
    markers = all_markers()

    assert markers.keys() == TARGET_LANGUAGES
    assert len(set(markers.values())) == len({base(code) for code in TARGET_LANGUAGES})
    assert max(markers.values()) < 2000
    with pytest.raises(ValueError, match='"xx" is no target language'):
        language_marker_hz("xx")


@given(voices=st.sets(st.text(min_size=1, max_size=12), max_size=60))
def test_markers_tell_every_voice_apart(voices: set[str]) -> None:
    """No two of the emulator's voices share a pitch, and none comes near the sessions'."""
    markers = voice_markers(voices)

    assert markers.keys() == voices | {"default_low", "default_high", CLONED_VOICE}
    assert len(set(markers.values())) == len(markers)
    assert min(markers.values()) >= 4000
    assert max(markers.values()) < 8000


def test_a_voices_marker_follows_from_its_id() -> None:
    """In every run, whatever other voices there are."""
    alone, among = voice_markers({"nova"}), voice_markers({"nova", "orion", "lyra"})

    assert alone["nova"] == among["nova"] == 7500
    assert alone["default_low"] == among["default_low"] == 5360
    assert len(voice_markers(map(str, range(1000)))) == 1003


def test_no_voice_is_heard_in_silence() -> None:
    """Nor in a sound without marks."""
    assert voice_heard(np.zeros(4800, np.int16), {"nova"}, rate=24_000) is None
