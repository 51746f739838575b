"""Chosen voices in a task: each way to a voice excludes the others, and wins over the settings."""

from __future__ import annotations

from typing import Any, Final

import pytest

from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.task.building import build_task
from palabra_agent.palabra.task.settings import TaskSettings
from palabra_agent.voices import ClonedVoice, FixedVoice, TimbreMatchedVoice, VoiceChoice

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")

SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "nothing": {},
    "a voice": {"voice_id": "theirs"},
    "cloning": {"voice_cloning": True},
    "timbre": {"voice_timbre_detection": {"enabled": True, "high_timbre_voices": ["theirs"]}},
}
DEFAULT_DETECTION: Final = {
    "enabled": False,
    "high_timbre_voices": ["default_high"],
    "low_timbre_voices": ["default_low"],
}


def speeches(speech: dict[str, Any], **voices: VoiceChoice) -> dict[str, Any]:
    """Build a task, and take out what it says of speech, by target."""
    said = {"translations": {"default": {"speech_generation": speech}}}
    return entries(said, **voices)


def entries(said: dict[str, Any], **voices: VoiceChoice) -> dict[str, Any]:
    """Build a task into Spanish and German, and take out what it says of speech, by target."""
    task: Any = build_task(
        TaskSettings.model_validate(said),
        source_language=EN,
        detectable_languages=(),
        targets=(ES, DE),
        partial_translations=True,
        voices={LanguageCode(code): choice for code, choice in voices.items()},
    )
    translations = task["pipeline"]["translations"]
    return {entry["target_language"]: entry["speech_generation"] for entry in translations}


@pytest.mark.parametrize("said", SETTINGS.values(), ids=SETTINGS)
def test_a_fixed_voice_excludes_cloning_and_detection(said: dict[str, Any]) -> None:
    """Whatever the settings choose, the voice is sent by its id alone."""
    speech = speeches(said, es=FixedVoice("anna"))["es"]

    assert speech["voice_id"] == "anna"
    assert speech["voice_cloning"] is False
    assert speech["voice_timbre_detection"]["enabled"] is False


@pytest.mark.parametrize("said", SETTINGS.values(), ids=SETTINGS)
def test_a_cloned_voice_has_no_id(said: dict[str, Any]) -> None:
    """Whatever the settings choose, a clone goes without an id and without detection."""
    speech = speeches(said, es=ClonedVoice())["es"]

    assert speech["voice_cloning"] is True
    assert speech["voice_id"] is None
    assert speech["voice_timbre_detection"]["enabled"] is False


@pytest.mark.parametrize("said", SETTINGS.values(), ids=SETTINGS)
def test_a_voice_by_timbre_names_one_high_and_one_low(said: dict[str, Any]) -> None:
    """Whatever the settings choose, detection is on with exactly one voice each."""
    speech = speeches(said, es=TimbreMatchedVoice("up", "down"))["es"]

    assert speech["voice_cloning"] is False
    assert speech["voice_timbre_detection"] == {
        "enabled": True,
        "high_timbre_voices": ["up"],
        "low_timbre_voices": ["down"],
    }


def test_who_has_no_chosen_voice_sounds_as_the_settings_say() -> None:
    """A choice for one target leaves the others alone; one for a target not asked for is unused."""
    chosen = speeches({"voice_id": "theirs"}, es=FixedVoice("anna"), fr=ClonedVoice())

    assert chosen["de"] == speeches({"voice_id": "theirs"})["de"]
    assert chosen.keys() == {"es", "de"}


def test_the_other_fields_of_speech_stay() -> None:
    """A chosen voice takes nothing away that has nothing to do with it."""
    speech = speeches({"tts_model": "auto"}, es=FixedVoice("anna"))["es"]

    assert speech == {
        "voice_cloning": False,
        "voice_id": "anna",
        "voice_timbre_detection": DEFAULT_DETECTION,
        "tts_model": "auto",
    }


def test_a_chosen_voice_wins_over_what_is_laid_over_the_task() -> None:
    """What nobody checks cannot make two ways to a voice out of one."""
    laid = {"speech_generation": {"voice_cloning": True, "unheard_of": 1}}
    said = {"undocumented": {"pipeline": {"translations": {"default": laid}}}}
    speech = entries(said, es=FixedVoice("anna"))

    assert speech["es"]["voice_cloning"] is False
    assert speech["es"]["unheard_of"] == 1
    assert speech["de"]["voice_cloning"] is True


def test_what_is_no_object_any_more_is_left_as_it_is() -> None:
    """An operator who took a target's speech away by hand gets none, chosen or not."""
    laid = {"es": {"speech_generation": None}}
    said = {"undocumented": {"pipeline": {"translations": laid}}}

    assert entries(said, es=FixedVoice("anna"))["es"] is None
