"""No voice is cloned without consent, whatever asks for it: the gate of the finished task."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.task.building import cloned_targets, is_recorded
from palabra_agent.palabra.task.consent import asks_to_clone, without_cloning
from palabra_agent.voices import ClonedVoice, FixedVoice, VoiceChoice
from tests.palabra.task.tasks import DE, ES, Json, settings, task_of

pytestmark = pytest.mark.unit

_ON: Final = {"speech_generation": {"voice_cloning": True}}
_NULL_ID: Final = {"speech_generation": {"voice_cloning": True, "voice_id": None}}


def overlay(**pipeline: Any) -> Json:  # noqa: ANN401 - any JSON
    """Lay something over the pipeline, unchecked."""
    return {"undocumented": {"pipeline": pipeline}}


def laid_over_all(speech: Json) -> Json:
    """Lay something over the speech of every target."""
    return overlay(translations={"default": {"speech_generation": speech}})


SOURCES: Final[dict[str, Json]] = {
    "every target": {"translations": {"default": _ON}},
    "one target": {"translations": {"es": _ON, "de": _ON}},
    "without an id": {"translations": {"default": _NULL_ID}},
    "laid over every target": laid_over_all({"voice_cloning": True}),
    "laid over one": overlay(translations={"es": _ON, "DE": _ON}),
    "as a number": laid_over_all({"voice_cloning": 1}),
    "as a text": laid_over_all({"voice_cloning": "true"}),
    "as an object": laid_over_all({"voice_cloning": {"enabled": True}}),
    "another spelling": laid_over_all({"voiceCloning": True}),
    "capitals and hyphens": laid_over_all({"Voice-Cloning": True}),
    "wide letters": laid_over_all({"\uff56oice_cloning": True}),
    "another name": laid_over_all({"enable_voice_cloning": True}),
    "a path as a key": laid_over_all({"speech_generation.voice_cloning": True}),
    "deeper": laid_over_all({"advanced": {"more": [{"voice_cloning": True}]}}),
    "a list for an object": overlay(translations={"default": {"speech_generation": [_ON]}}),
    "json in a text": overlay(translations={"default": {"speech_generation": json.dumps(_ON)}}),
    "json in a list": overlay(translations={"default": {"speech_generation": [json.dumps(_ON)]}}),
    "beside the targets": overlay(voice_cloning=True),
    "beside the pipeline": {"undocumented": {"speech_generation": {"voice_cloning": True}}},
    "a mode that is none": laid_over_all({"voice_cloning_mode": {"enabled": True}}),
    "in what is not documented": {"translations": {"es": {"advanced": _ON}, "de": _ON}},
}
"""Ways to ask for the speaker's own voice in both targets of the tests."""


@pytest.mark.parametrize("said", SOURCES.values(), ids=SOURCES)
def test_nothing_in_a_task_clones_without_consent(said: Json) -> None:
    """However a room says it, in a dispatch, a worker's file or a change by an organiser."""
    assert asks_to_clone(task_of(said))
    assert not asks_to_clone(task_of(said, may_clone=False))
    assert cloned_targets(settings(said), (ES, DE)) == {ES, DE}


@pytest.mark.parametrize("said", SOURCES.values(), ids=SOURCES)
def test_the_rest_of_the_task_stays(said: Json) -> None:
    """Palabra's own switch is sent as off, and a voice is left to speak with."""
    task = task_of(said, may_clone=False)
    usual = task_of({}, may_clone=False)

    assert task["pipeline"]["transcription"] == usual["pipeline"]["transcription"]
    for entry in task["pipeline"]["translations"]:
        speech = entry.get("speech_generation")
        if isinstance(speech, dict):
            assert speech["voice_cloning"] is False
            assert speech["voice_id"] == "default_low"


@pytest.mark.parametrize("said", SOURCES.values(), ids=SOURCES)
def test_a_plugin_s_clone_passes_the_same_gate(said: Json) -> None:
    """The voice that the settings say is heard in its place."""
    voices: dict[LanguageCode, VoiceChoice] = {ES: ClonedVoice(), DE: FixedVoice("anna")}
    task = task_of(said, voices=voices, may_clone=False)

    assert not asks_to_clone(task)


def test_without_a_clone_the_settings_voice_is_heard() -> None:
    """A plugin's choice that is not to be had leaves what the room says."""
    said = {"translations": {"default": {"speech_generation": {"voice_id": "theirs"}}}}
    spanish, _ = task_of(said, voices={ES: ClonedVoice()}, may_clone=False)["pipeline"][
        "translations"
    ]

    assert spanish["speech_generation"]["voice_cloning"] is False
    assert spanish["speech_generation"]["voice_id"] == "theirs"


def test_a_voice_by_timbre_needs_no_consent() -> None:
    """It imitates no person."""
    detection = {"enabled": True, "high_timbre_voices": ["up"], "low_timbre_voices": ["down"]}
    said = {
        "translations": {"default": {"speech_generation": {"voice_timbre_detection": detection}}}
    }

    assert task_of(said, may_clone=False) == task_of(said)


@pytest.mark.parametrize("off", [False, None, 0, "", "false", " False ", "0", "off", {}, []])
def test_what_is_off_asks_for_nothing(off: Any) -> None:  # noqa: ANN401 - any JSON
    """However that is written."""
    assert not asks_to_clone({"voice_cloning": off})
    assert without_cloning({"voice_cloning": off}) == {"voice_cloning": False}


def test_how_to_clone_is_no_wish_to() -> None:
    """Palabra's SDK sends the mode always; it means nothing while cloning is off."""
    said = laid_over_all({"voice_cloning_mode": "static_10", "denoise_voice_samples": True})

    assert cloned_targets(settings(said), (ES, DE)) == frozenset()
    assert task_of(said, may_clone=False) == task_of(said)


def test_each_target_is_judged_by_itself() -> None:
    """What one language asks for is no wish of another."""
    said = {"translations": {"es": _ON}}

    assert cloned_targets(settings(said), (ES, DE)) == {ES}
    assert cloned_targets(settings({}), (ES, DE)) == frozenset()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, False),
        ({"preprocessing": {"enable_vad": True}}, False),
        ({"preprocessing": {"record_tracks": []}}, False),
        ({"preprocessing": {"record_tracks": ["in"]}}, True),
        (overlay(preprocessing={"record_tracks": ["in"]}), True),
        ({"undocumented": {"recording": {"enabled": True}}}, True),
    ],
)
def test_a_recording_by_palabra_is_seen(said: Json, *, expected: bool) -> None:
    """Wherever a room asks for it: people are told."""
    assert is_recorded(settings(said), (ES,)) is expected
