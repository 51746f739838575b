"""What sessions are opened by, and what of it reaches those that are open already."""

from __future__ import annotations

from typing import Any, cast

import pytest

from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.client import make_sessions
from palabra_agent.palabra.rest.api import PalabraApi
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.palabra.session_settings import SessionSettings, make_task, queue_limits
from palabra_agent.palabra.task.settings import TaskSettings
from palabra_agent.palabra.transports.translated_speech import QueueLimits
from palabra_agent.palabra.vocabulary import TransportKind
from palabra_agent.session import Brief
from palabra_agent.voices import ClonedVoice, FixedVoice

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")
NO_API = cast("PalabraApi", None)


def settings(said: dict[str, Any] | None = None, **others: Any) -> SessionSettings:  # noqa: ANN401 - its fields
    """Make settings of what a room says under `palabra`."""
    return SessionSettings(TaskSettings.model_validate(said or {}), **others)


def test_a_brief_s_voices_are_in_its_task() -> None:
    """A voice that was chosen for the speaker goes with the task, for its target alone."""
    brief = Brief(EN, (ES, DE), voices={ES: FixedVoice("anna")})
    task: Any = make_task(settings(), brief, "webrtc")
    speeches = [it["speech_generation"]["voice_id"] for it in task["pipeline"]["translations"]]

    assert speeches == ["anna", "default_low"]


@pytest.mark.parametrize("may_clone", [False, True])
def test_a_brief_s_consent_is_in_its_task(*, may_clone: bool) -> None:
    """One that says nothing of it gives none."""
    brief = Brief(EN, (ES, DE), {ES: ClonedVoice()}, may_clone=may_clone)
    cloning = {"translations": {"de": {"speech_generation": {"voice_cloning": True}}}}
    task: Any = make_task(settings(cloning), brief, "webrtc")
    speeches = [it["speech_generation"]["voice_cloning"] for it in task["pipeline"]["translations"]]

    assert speeches == [may_clone, may_clone]
    assert Brief(EN, (ES,)).may_clone is False


@pytest.mark.parametrize(
    "said",
    [
        {"transport": "websocket"},
        {"websocket": {"sample_rate": 48000, "chunk_ms": 100}},
        {"speech": False},
    ],
)
def test_how_a_session_was_joined_stays(said: dict[str, Any]) -> None:
    """An open session's streams are those that it began with, whatever holds for later ones."""
    before, now = settings(), settings({**said, "allowed_message_types": []})
    brief, kept = Brief(EN, (ES,)), now.for_session_of(before)

    task: Any = make_task(kept, brief, "websocket")
    began: Any = make_task(before, brief, "websocket")
    assert task["input_stream"] == began["input_stream"]
    assert task["output_stream"] == began["output_stream"]
    assert task["pipeline"]["allowed_message_types"] == []


def test_a_session_without_speech_gets_none_by_an_overlay() -> None:
    """What is laid over a stream that a session does not have would make one."""
    overlay = {"output_stream": {"target": {"x": 1}}, "y": 2}
    now = settings({"undocumented": overlay})
    task = make_task(now.for_session_of(settings({"speech": False})), Brief(EN, (ES,)), "webrtc")

    assert task["output_stream"] is None
    assert task["y"] == 2


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (settings(), True),
        (settings({"transport": "auto", "speech": False, "websocket": {"channels": 2}}), True),
        (settings(silence_limits=SilenceLimits(1, 5)), True),
        (settings(detectable_languages=(DE,)), False),
        (settings(partial_translations=True), False),
        (settings({"transcription": {"priority": "speed"}}), False),
        (settings({"translations": {"de": {"style": "plain"}}}), False),
    ],
)
def test_what_concerns_open_sessions_is_known(changed: SessionSettings, expected: bool) -> None:
    """Only what makes another task of the same brief is a reason to tell open sessions."""
    assert changed.makes_tasks_of(settings()) is expected


def test_sessions_follow_their_settings() -> None:
    """Later sessions are made by what holds then; a transport that is not changed keeps its choice.

    What `auto` has learned about the network is not forgotten when something else changes.
    """
    sessions = make_sessions(NO_API, TaskSettings(transport="auto"))
    sessions.note_useless("webrtc")
    kinds: list[TransportKind] = []
    for transport in ("auto", "webrtc", "auto"):
        sessions.follow(settings({"transport": transport}, partial_translations=True))
        kinds.append(sessions.choice.kind)

    assert kinds == ["websocket", "webrtc", "webrtc"]
    assert sessions.settings.partial_translations


def test_what_waits_here_is_bounded_like_what_waits_there() -> None:
    """Queue limits are the task's own, for all and for each target that says some."""
    said = {"global": {"max_queue_level_ms": 9000}, "es": {"desired_queue_level_ms": 3000}}
    task = TaskSettings.model_validate({"translation_queue_configs": said})

    assert queue_limits(task) == {"global": QueueLimits(9000, 6000), "es": QueueLimits(9000, 3000)}
