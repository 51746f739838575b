"""Packets read as commands, hostile ones included."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.palabra_emulator.client import task
from tests.palabra_emulator.talk import QUIET, Talk

pytestmark = pytest.mark.unit

HUGE = 10**400

LONE = "\ud800"


@pytest.mark.parametrize(
    "payload",
    [
        b"hello",
        b"[]",
        b"{}",
        b'{"message_type": ""}',
        b'{"message_type": "flush_task", "data": {}}',
        b'{"message_type": "input_audio_data", "data": {"data": ""}}',
        b"\xff\xfe",
        b"[" * 50_000,
    ],
)
def test_unknown_packets_are_answered_alike(payload: bytes) -> None:
    """The live server has one answer to everything that it does not know."""
    talk = Talk()
    talk.conversation.receive(payload)
    answer = talk.posted()[0]["data"]

    assert answer["code"] == "VALIDATION_ERROR"
    assert answer["desc"] == "Message should contain non-empty message_type field"


def test_older_name_of_interrupt_is_a_switch() -> None:
    """`flush_task` interrupts where it is accepted."""
    talk = Talk(replace(QUIET, flush_task=True))
    talk.start(task("en", "es"))

    assert talk.say("flush_task")[0]["data"]["event"] == "interrupted"


def test_half_a_character_is_no_command() -> None:
    """A lone surrogate is refused as what is no message, and the journal stays readable."""
    talk = Talk()
    talk.start(task("en", "es"))

    sent = [talk.say(LONE), talk.say("tts_task", text=LONE, language="es")]

    assert [it[0]["message_type"] for it in sent] == ["error", "error"]
    for line in talk.journal.lines():
        json.loads(line.encode())


def test_half_a_character_within_doubly_encoded_data_is_no_command() -> None:
    """What `data` holds as JSON within JSON is looked at as well."""
    talk = Talk()
    talk.start(task("en", "es"))
    inner = json.dumps({"text": LONE, "language": "es"})

    talk.conversation.receive(json.dumps({"message_type": "tts_task", "data": inner}).encode())

    assert talk.posted()[0]["message_type"] == "error"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("end_task", {"eos_timeout": HUGE}),
        ("end_task", {"eos_timeout": -HUGE}),
        (
            "set_task",
            {
                "pipeline": {
                    **task("en", "es")["pipeline"],
                    "translation_queue_configs": {"es": {"max_queue_level_ms": HUGE}},
                }
            },
        ),
    ],
)
def test_number_of_any_size_is_refused_in_words(name: str, data: dict[str, Any]) -> None:
    """A whole number that is no float has the validator speak, and the session goes on."""
    talk = Talk()
    talk.start(task("en", "es"))

    talk.wait(2.0)
    answer = talk.say(name, **{**task("en", "es"), **data} if name == "set_task" else data)

    assert answer[0]["data"]["code"] == "VALIDATION_ERROR"
    assert not talk.session.is_over
