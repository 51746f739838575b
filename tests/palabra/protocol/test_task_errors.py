"""Errors and warnings: the kind of each, its words, and the voices that a warning means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.palabra.protocol.commands import Task
from palabra_agent.palabra.protocol.conversation import TaskConversation
from palabra_agent.palabra.protocol.events import OperatorNotice
from palabra_agent.palabra.protocol.messages import TaskReport, WarningReport
from palabra_agent.palabra.protocol.task_errors import MissingVoices, readable
from palabra_agent.session import VoiceMissing

pytestmark = pytest.mark.unit

NOTED = OperatorNotice("warning", "VOICE_NOT_FOUND")
LIVE = "Voice ID '{}' is not available, using default voice"


def task(*speeches: object) -> Task:
    """Make a task that speaks in certain ways."""
    return {"pipeline": {"translations": [{"speech_generation": speech} for speech in speeches]}}


def fixed(voice_id: object) -> dict[str, Any]:
    """Speak with one voice."""
    return {"voice_id": voice_id, "voice_timbre_detection": {"enabled": False}}


def by_timbre(high: object, low: object) -> dict[str, Any]:
    """Speak with one of two voices."""
    detection = {"enabled": True, "high_timbre_voices": high, "low_timbre_voices": low}
    return {"voice_id": "unused", "voice_timbre_detection": detection}


CLONED = {"voice_cloning": True, "voice_id": "unused"}


def missed(task: Task, *texts: str) -> list[str]:
    """Tell which voices are found to be missing, given a task and warnings."""
    voices = MissingVoices()
    voices.ask(task)
    return [found for text in texts if (found := voices.find(text)) is not None]


def test_the_voice_that_the_warning_names_is_missing() -> None:
    """Palabra's own sentence tells which of several voices it means, whatever the id looks like."""
    asked = task(fixed("a.b"), fixed("it's [one]"), by_timbre(["up"], ["down"]))

    assert missed(asked, LIVE.format("it's [one]")) == ["it's [one]"]
    assert missed(asked, LIVE.format("down")) == ["down"]
    assert missed(asked, 'No voice "up" here') == ["up"]


def test_each_voice_is_told_once() -> None:
    """The warning comes with every sentence; a second voice is news."""
    texts = [LIVE.format(it) for it in ("a", "a", "b", "a", "b")]

    assert missed(task(fixed("a"), fixed("b")), *texts) == ["a", "b"]


@pytest.mark.parametrize("text", ["", "voice missing", "a is missing", LIVE.format("other")])
def test_the_only_voice_is_meant_where_none_is_named(text: str) -> None:
    """Other words, or the name that Palabra has for a voice, can mean only the one asked for."""
    assert missed(task(fixed("a"), fixed("a"), CLONED), text) == ["a"]
    assert missed(task(fixed("a"), fixed("b")), text) == []
    assert missed(task(by_timbre(["a"], ["b"])), text) == []
    assert missed(task(CLONED), text) == []


def test_a_voice_of_an_earlier_task_may_still_be_named() -> None:
    """The warning may come after another task was sent."""
    voices = MissingVoices()
    voices.ask(task(fixed("before")))
    voices.ask(task(fixed("now")))

    assert voices.find(LIVE.format("before")) == "before"
    assert voices.find("no such voice") == "now"


@pytest.mark.parametrize(
    "strange",
    [
        {},
        {"pipeline": None},
        {"pipeline": {"translations": {"es": {}}}},
        {"pipeline": {"translations": [None, 1, {"speech_generation": []}]}},
        task(fixed(None), fixed(7), fixed("")),
        task(by_timbre("abc", [None, 3, ""])),
        task({"voice_timbre_detection": "yes"}),
    ],
)
def test_a_strange_task_has_no_voices(strange: Task) -> None:
    """An operator may lay anything over a task; nothing of it breaks here."""
    assert missed(strange, LIVE.format("a")) == []


def test_the_conversation_remembers_what_it_sent() -> None:
    """What counts are the tasks that went out, not those that were skipped."""
    conversation = TaskConversation()
    conversation.wish(dict(task(fixed("skipped"))))
    conversation.wish(dict(task(fixed("sent"))))
    assert conversation.next_command(100.0) is not None
    conversation.receive(TaskReport("", "running"), 101.0)
    text = "no such voice"

    assert conversation.receive(WarningReport("VOICE_NOT_FOUND", text), 102.0) == [
        NOTED,
        VoiceMissing("sent"),
    ]
    assert conversation.receive(WarningReport("VOICE_NOT_FOUND", text), 103.0) == []


@pytest.mark.parametrize(
    ("desc", "expected"),
    [
        (
            "ValidationError(model='SetTaskRequestMessage', errors=[{'loc': ('pipeline', "
            "'transcription', 'segment_confirmation_silence_threshold'), 'msg': 'ensure this value "
            "is greater than or equal to 0.3', 'type': 'value_error.number.not_ge', 'ctx': "
            "{'limit_value': 0.3}}])",
            "pipeline.transcription.segment_confirmation_silence_threshold: ensure this value is "
            "greater than or equal to 0.3",
        ),
        (
            "[{'loc': ('a', 0), 'msg': \"it's wrong\"}, {'loc': ('b',), 'msg': 'no'}]",
            "a.0: it's wrong; b: no",
        ),
        ("[{'loc': ['a', 'b'], 'msg': 'no', 'type': 'x'}]", "a.b: no"),
        ("no such voice", "no such voice"),
        ("", ""),
    ],
)
def test_refusals_are_put_into_words(desc: str, expected: str) -> None:
    """The validator's notation becomes field and reason; anything else stays as it is."""
    assert readable(desc) == expected


@given(st.text())
def test_any_refusal_can_be_read(desc: str) -> None:
    """No description breaks the reading."""
    assert isinstance(readable(desc), str)
