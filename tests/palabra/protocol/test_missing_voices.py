"""Which voice a warning means, in its known wording and in any other."""

from __future__ import annotations

from typing import Any

import pytest

from palabra_agent.palabra.protocol.commands import Task
from palabra_agent.palabra.protocol.conversation import TaskConversation
from palabra_agent.palabra.protocol.events import OperatorNotice
from palabra_agent.palabra.protocol.messages import TaskReport, WarningReport
from palabra_agent.palabra.protocol.missing_voices import MissingVoices
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
    meanings = [meaning for text in texts for meaning in voices.miss(text)]
    assert meanings.count(NOTED) == bool(texts)
    return [it.voice_id for it in meanings if isinstance(it, VoiceMissing)]


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

    assert voices.miss(LIVE.format("before")) == [NOTED, VoiceMissing("before")]
    assert voices.miss("no such voice") == [VoiceMissing("now")]


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
