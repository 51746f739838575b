"""Commands answered by a fault."""

from __future__ import annotations

from typing import Final

import pytest

from palabra_emulator.faults.catalogue import MistakenTask
from palabra_emulator.transports.ports import TransportKind
from tests.palabra_emulator.client import task
from tests.palabra_emulator.talk import (
    LENIENT,
    SETTINGS,
    Talk,
    codes,
    hush,
    kinds,
    running,
)

pytestmark = pytest.mark.unit

MISTAKES: Final = {
    "threshold": "ensure this value is greater than or equal to 0.3",
    "levels": "`max_queue_level_ms` must be greater than `desired_queue_level_ms`",
    "source": "'transcription', 'source_language'",
    "target": "'translations', 0, 'target_language'",
    "missing_source": "'source_language'), 'msg': 'field required'",
    "missing_target": "'target_language'), 'msg': 'field required'",
    "missing_translations": "'translations'), 'msg': 'field required'",
    "content_type": "permitted: 'audio'",
    "stream_type": "'loc': ('input_stream', 'source', 'type')",
    "type_mismatch": "'loc': ('output_stream', 'target', 'type')",
    "cloning_timbre": "voice_cloning",
}


def test_readiness_may_wait_for_polls() -> None:
    """F9: NOT_FOUND so many times and no acknowledgement, then the task runs."""
    talk = Talk(LENIENT, faults=[{"fault": "F9", "polls": 3}])
    talk.session.client_joined()
    assert talk.say("set_task", **SETTINGS) == []
    assert talk.wait(30) == []
    for _ in range(3):
        assert codes(talk.say("get_task")) == ["NOT_FOUND"]
    assert kinds(talk.wait(0.1)) == ["task_status"]
    assert kinds(talk.say("get_task")) == ["current_task"]


def test_readiness_may_be_late_or_never_come() -> None:
    """F9: after `delay_ms`, or not at all."""
    late = Talk(LENIENT, faults=[{"fault": "F9", "variant": "late", "delay_ms": 4000}])
    late.session.client_joined()
    late.say("set_task", **SETTINGS)
    assert late.wait(3.9) == []
    assert kinds(late.wait(0.2)) == ["task_status"]

    never = Talk(LENIENT, faults=[{"fault": "F9", "variant": "never"}])
    never.session.client_joined()
    never.say("set_task", **SETTINGS)
    assert [codes(never.say("get_task")) for _ in range(50)] == [["NOT_FOUND"]] * 50
    assert never.wait(60) == []


@pytest.mark.parametrize("variant", ["target", "silence"])
def test_a_task_may_be_kept_otherwise_than_it_was_accepted(variant: str) -> None:
    """F27: it is acknowledged; what is shown is another one, until it is sent again."""
    talk = running({"fault": "F27", "at_seconds": 0.1, "variant": variant})
    (message,) = talk.say("set_task", **task("en", "es", "de"))
    assert (message["message_type"], message["data"]["event"]) == ("task_status", "updated")

    (shown,) = talk.say("get_task")
    pipeline = shown["data"]["pipeline"]
    targets = [it["target_language"] for it in pipeline["translations"]]
    silence = pipeline["transcription"]["segment_confirmation_silence_threshold"]
    expected = (["es"], 0.7) if variant == "target" else (["es", "de"], 2.0)
    assert (targets, silence) == expected

    talk.say("set_task", **task("en", "es", "de"))
    assert talk.session.task is not None
    assert list(talk.session.task.targets) == ["es", "de"]


def test_rejection_has_either_form() -> None:
    """F10: the text of the validator's exception, or its list; the task stays as it was."""
    talk = running(
        {"fault": "F10", "at_seconds": 0.1},
        {"fault": "F10", "at_seconds": 0.1, "variant": "list", "loc": ["a", 0], "msg": "is bad"},
    )
    before = talk.session.task

    (message,) = talk.say("set_task", **task("en", "fr"))
    assert message["data"]["code"] == "VALIDATION_ERROR"
    assert message["data"]["desc"].startswith("ValidationError(model='SetTaskRequestMessage', ")
    assert "'segment_confirmation_silence_threshold'" in message["data"]["desc"]
    (message,) = talk.say("set_task", **task("en", "fr"))
    assert message["data"]["desc"] == [
        {"loc": ["a", 0], "msg": "is bad", "type": "value_error.number.not_ge"}
    ]
    assert talk.session.task is before


@pytest.mark.parametrize("transport", ["webrtc", "ws"])
@pytest.mark.parametrize("mistake", MistakenTask.variants)
def test_certain_mistakes_have_the_validators_words(mistake: str, transport: TransportKind) -> None:
    """F11: what the validator itself says, about that mistake alone."""
    talk = Talk(LENIENT, faults=[{"fault": "F11", "variant": mistake}])
    talk.session.client_joined()
    talk.conversation.begin(transport)
    (message,) = talk.say("set_task", **SETTINGS)

    assert message["data"]["code"] == "VALIDATION_ERROR"
    assert MISTAKES[mistake] in message["data"]["desc"]
    assert message["data"]["desc"].count("'loc'") == 1
    assert talk.session.task is None


def test_commands_may_be_called_too_frequent() -> None:
    """F12: the code and text that were wished for; the command is not executed."""
    talk = running({"fault": "F12", "command": "tts_task", "code": "429", "detail": "slow down"})

    assert kinds(talk.say("get_task")) == ["current_task"]
    (message,) = talk.say("tts_task", text="Hello", language="es")
    assert message["data"] == {"code": "429", "desc": "slow down", "param": None}
    assert kinds(talk.say("tts_task", text="Hello", language="es")) == ["task_status"]


def test_end_may_be_ignored() -> None:
    """F23: nothing comes, and the session runs on."""
    talk = running({"fault": "F23"})

    assert talk.say("end_task") == []
    talk.hear(hush(5.0))
    assert talk.session.state == "running"
    talk.say("end_task")
    assert kinds(talk.wait(1.0)) == ["end_of_stream"]


@pytest.mark.parametrize(
    ("variant", "refused"), [("pause", [1]), ("resume", [2]), ("either", [1, 2])]
)
def test_pause_and_resume_may_race(variant: str, refused: list[int]) -> None:
    """F24: an error, and the session stays as it was."""
    talk = running({"fault": "F24", "variant": variant, "times": 0})
    if 1 in refused:
        assert codes(talk.say("pause_task")) == ["RATE_LIMIT_EXCEEDED"]
        assert talk.session.state == "running"
        talk.session.pause()
    else:
        assert kinds(talk.say("pause_task")) == ["task_status"]
    talk.posted()

    answer = talk.say("set_task", **SETTINGS)
    if 2 in refused:
        assert codes(answer) == ["RATE_LIMIT_EXCEEDED"]
        assert talk.session.state == "paused"
    else:
        assert talk.session.state == "running"
