"""Which voice speaks to a target, told back from the journal of a session."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from palabra_agent.audio.tones import tone
from palabra_emulator.interpreting.utterances import HEARING_RATE
from tests.palabra_emulator.client import task
from tests.palabra_emulator.talk import QUIET, Talk, hush, voice

pytestmark = pytest.mark.unit

_OPTIONS: Final = replace(
    QUIET,
    voices=frozenset({"default_low", "default_high", "nova", "orion"}),
    rate_limits="off",
    clone_after_s=2.5,
)
_BY_TIMBRE: Final[dict[str, Any]] = {
    "voice_id": "nova",
    "voice_timbre_detection": {
        "enabled": True,
        "high_timbre_voices": ["nova"],
        "low_timbre_voices": ["orion"],
    },
}


def speaking(*targets: dict[str, Any]) -> dict[str, Any]:
    """A task whose targets, es and de, have these `speech_generation`s."""
    settings = task("en", "es", "de")
    for place, speech in enumerate(targets):
        settings["pipeline"]["translations"][place]["speech_generation"] = speech
    return settings


def voices(talk: Talk) -> list[tuple[str, str]]:
    """The languages and voices of all that was spoken so far."""
    spoken = [entry.data for entry in talk.journal.entries() if entry.event == "speaking"]
    return [(str(entry["language"]), str(entry["voice"])) for entry in spoken]


def test_each_target_has_its_voice() -> None:
    """The one that it asks for by its id; the default one where it asks for none."""
    talk = Talk(_OPTIONS)
    talk.start(speaking({"voice_id": "nova"}))
    talk.hear(voice(0.6), hush(1.2))

    assert voices(talk) == [("es", "nova"), ("de", "default_low")]


def test_a_voice_that_is_missing_is_replaced() -> None:
    """By the default one, with a warning."""
    talk = Talk(_OPTIONS)
    talk.session.client_joined()
    (warning,) = talk.say("set_task", **speaking({"voice_id": "ghost"}, {"voice_id": "orion"}))
    talk.wait(0.6)
    talk.hear(voice(0.6), hush(1.2))

    assert warning["data"]["code"] == "VOICE_NOT_FOUND"
    assert voices(talk) == [("es", "default_low"), ("de", "orion")]


def test_another_task_changes_the_voice() -> None:
    """From the next sentence on."""
    talk = Talk(_OPTIONS)
    talk.start(speaking({"voice_id": "nova"}, {"voice_id": "nova"}))
    talk.hear(voice(0.6), hush(1.2))
    talk.say("set_task", **speaking({"voice_id": "orion"}, {"voice_id": "nova"}))
    talk.hear(voice(0.6), hush(1.2))

    assert voices(talk)[2:] == [("es", "orion"), ("de", "nova")]


def test_a_voice_is_cloned_after_some_speech() -> None:
    """Until the speaker was heard for long enough, the default voice speaks."""
    talk = Talk(_OPTIONS)
    talk.start(speaking({"voice_cloning": True, "voice_id": None}))
    for _ in range(3):
        talk.hear(voice(1.0), hush(1.2))

    assert [it for language, it in voices(talk) if language == "es"] == [
        "default_low",
        "default_low",
        "(cloned)",
    ]
    assert {it for language, it in voices(talk) if language == "de"} == {"default_low"}


@pytest.mark.parametrize(("pitch_hz", "expected"), [(110, "orion"), (220, "nova")])
def test_the_timbre_decides(pitch_hz: float, expected: str) -> None:
    """A low voice and a high one get the voices that the task has for them, whatever its id."""
    talk = Talk(_OPTIONS)
    talk.start(speaking(_BY_TIMBRE))
    talk.hear(tone(pitch_hz, 1.0, rate=HEARING_RATE), hush(1.2))

    assert voices(talk) == [("es", expected), ("de", "default_low")]
