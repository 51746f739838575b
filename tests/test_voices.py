"""Voices that may be chosen."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from palabra_agent.voices import (
    LONGEST_VOICE_ID,
    ClonedVoice,
    FixedVoice,
    TimbreMatchedVoice,
    VoiceChoice,
    voice_ids,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("wrong", ["", "v" * (LONGEST_VOICE_ID + 1), None, 7])
def test_what_is_no_voice_id_is_refused(wrong: Any) -> None:  # noqa: ANN401 - plugins say anything
    """A plugin that chooses it learns what is allowed."""
    for choose in (FixedVoice, TimbreMatchedVoice, partial(TimbreMatchedVoice, "high")):
        with pytest.raises(ValueError, match="a string of 1 to 256 characters"):
            choose(wrong)

    assert FixedVoice("v" * LONGEST_VOICE_ID).voice_id


@pytest.mark.parametrize(
    ("choice", "ids"),
    [
        (FixedVoice("a"), {"a"}),
        (TimbreMatchedVoice("high", "low"), {"high", "low"}),
        (ClonedVoice(), set()),
        (None, set()),
    ],
)
def test_a_choice_may_bring_its_voices_to_be_heard(
    choice: VoiceChoice | None, ids: set[str]
) -> None:
    """Of two that are matched by timbre, either; of a cloned one, none that has an id."""
    assert voice_ids(choice) == ids
