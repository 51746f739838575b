"""Answers to commands: dialects, limits, refusals, speech on request."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal

import pytest

from tests.palabra_emulator.client import task
from tests.palabra_emulator.talk import LENIENT, QUIET, Talk, codes, kinds

pytestmark = pytest.mark.unit


def test_task_is_found_only_once_it_runs() -> None:
    """Polling says NOT_FOUND before and while the task starts, then the task, running."""
    talk = Talk(replace(QUIET, rate_limits="off"))
    before = talk.say("get_task")
    accepted = talk.say("set_task", **task("en", "es"))
    starting = talk.say("get_task")
    started = talk.wait(0.6)
    shown = talk.say("get_task", exclude_hidden=True)

    assert before[0]["data"] == {
        "code": "NOT_FOUND",
        "desc": "No active task found",
        "param": None,
    }
    assert accepted == []
    assert codes(starting) == ["NOT_FOUND"]
    assert started[0]["data"] == {
        "command": "set_task",
        "event": "started",
        "task_status": "running",
    }
    assert shown[0]["message_type"] == "current_task"
    assert shown[0]["data"]["task_status"] == "running"
    assert set(shown[0]["data"]) >= {"input_stream", "output_stream", "pipeline"}


def test_events_of_later_tasks() -> None:
    """The same again is unchanged, another is an update, any after a pause resumes."""
    talk = Talk(replace(QUIET, rate_limits="off"))
    talk.start(task("en", "es"))
    events = [
        talk.say(*command)[0]["data"]["event"]
        if isinstance(command, tuple)
        else talk.say("set_task", **command)[0]["data"]["event"]
        for command in (
            task("en", "es"),
            task("en", "de"),
            ("pause_task",),
            task("en", "de"),
            ("interrupt_task",),
        )
    ]

    assert events == ["unchanged", "updated", "paused", "resumed", "interrupted"]
    assert talk.session.wanted_tracks == ("de",)


def test_rejected_task_changes_nothing() -> None:
    """A refused update leaves the running task as it was."""
    talk = Talk(replace(QUIET, rate_limits="off"))
    talk.start(task("en", "es"))
    refused = talk.say("set_task", **task("en", "vn"))

    assert codes(refused) == ["VALIDATION_ERROR"]
    assert talk.session.wanted_tracks == ("es",)
    assert talk.session.state == "running"


@pytest.mark.parametrize(
    ("dialect", "acknowledges", "polls"),
    [("legacy", False, True), ("legacy+ack", True, True), ("ack-only", True, False)],
)
def test_dialects(
    dialect: Literal["legacy", "legacy+ack", "ack-only"], acknowledges: bool, polls: bool
) -> None:
    """Each dialect tells readiness in its own ways and in no other."""
    talk = Talk(replace(QUIET, dialect=dialect, rate_limits="off"))
    talk.say("set_task", **task("en", "es"))

    assert ("task_status" in kinds(talk.wait(0.6))) is acknowledges
    assert ("current_task" in kinds(talk.say("get_task"))) is polls


def test_rate_limits_refuse_without_executing() -> None:
    """A second `set_task` within two seconds is refused; `get_task` has a bucket of its own."""
    talk = Talk()
    talk.start(task("en", "es"))
    refused = talk.say("set_task", **task("en", "de"))
    polled = talk.say("get_task")
    talk.wait(1.5)
    accepted = talk.say("set_task", **task("en", "de"))

    assert codes(refused) == ["RATE_LIMIT_EXCEEDED"]
    assert kinds(polled) == ["current_task"]
    assert accepted[0]["data"]["event"] == "updated"
    outcomes = [e.data["outcome"] for e in talk.journal.entries() if e.event == "command"]
    assert outcomes == ["ok", "rate_limited", "ok", "ok"]


def test_shared_buckets_count_together() -> None:
    """As a switch, set and get share one bucket."""
    talk = Talk(replace(QUIET, rate_limits="shared"))
    talk.start(task("en", "es"))

    assert codes(talk.say("get_task")) == ["RATE_LIMIT_EXCEEDED"]


def test_tts_task_speaks_a_text() -> None:
    """A text is acknowledged with an id that its translations carry; wrong targets are refused."""
    talk = Talk()
    talk.start(task("en", "es", "de"))
    queued = talk.say("tts_task", text="Hola", language="es", translate_text=False)
    refused = talk.say("tts_task", text="Ciao", language="it", translate_text=False)
    too_long = talk.say("tts_task", text="a" * 2049, language="es")
    told = talk.wait(1.0)

    transcription_id = queued[0]["data"]["transcription_id"]
    assert queued[0]["data"]["event"] == "queued"
    assert codes(refused) == codes(too_long) == ["VALIDATION_ERROR"]
    assert [m["data"]["transcription"]["transcription_id"] for m in told] == [transcription_id]
    assert told[0]["data"]["transcription"]["text"] == "Hola"


def test_tts_task_translates_for_all() -> None:
    """With `translate_text`, every target gets its own words."""
    talk = Talk()
    talk.start(task("en", "es", "it"))
    sentence = "Our next meeting is on Thursday at ten o'clock."
    talk.say("tts_task", text=sentence, language="en", translate_text=True)
    told = {
        m["data"]["transcription"]["language"]: m["data"]["transcription"]["text"]
        for m in talk.wait(1.0)
    }

    assert told == {
        "es": "Nuestra próxima reunión es el jueves a las diez.",
        "it": f"[it] {sentence}",
    }


def test_a_text_s_own_language_is_a_source() -> None:
    """In any region; not one that nobody speaks, nor `auto`, nor none."""
    talk = Talk(LENIENT)
    talk.start(task("en", "es"))
    answers = {
        language: kinds(talk.say("tts_task", text="x", language=language, translate_text=True))
        for language in ("pl", "en-US", "xx", "auto", "", None)
    }

    refused = [language for language, answer in answers.items() if answer == ["error"]]
    assert refused == ["xx", "auto", "", None]


def test_a_text_is_translated_into_targets_that_allow_its_language() -> None:
    """As speech is."""
    settings = task("en", "es", "it")
    settings["pipeline"]["translations"][0]["allowed_source_languages"] = ["fr"]
    talk = Talk(LENIENT)
    talk.start(settings)
    talk.say("tts_task", text="Hello", language="en", translate_text=True)
    told = [it["data"]["transcription"]["language"] for it in talk.wait(1.0)]

    assert told == ["it"]


def test_sixty_texts_a_minute_are_spoken() -> None:
    """One more is refused, until the first is a minute old; each text has an id of its own."""
    talk = Talk(replace(QUIET, watchdog_s=0))
    talk.start(task("en", "es"))
    said = [talk.say("tts_task", text="Hola", language="es") for _ in range(61)]
    assert [codes(it) for it in said if kinds(it) == ["error"]] == [["RATE_LIMIT_EXCEEDED"]]
    assert len({it[0]["data"]["transcription_id"] for it in said[:60]}) == 60

    talk.wait(60.0)
    assert kinds(talk.say("tts_task", text="Hola", language="es")) == ["task_status"]


def test_unknown_voices_are_warned_about() -> None:
    """A voice that does not exist brings a warning; the task starts all the same."""
    settings = task("en", "es", "bn")
    settings["pipeline"]["translations"][0]["speech_generation"] = {"voice_id": "nobody"}
    talk = Talk()
    warnings = talk.say("set_task", **settings)

    assert codes(warnings) == ["VOICE_NOT_FOUND"] * 2
    assert warnings[0]["data"]["message"] == (
        "Voice ID 'nobody' is not available, using default voice"
    )
    assert kinds(talk.wait(0.6)) == ["task_status"]


def test_commands_that_need_a_task() -> None:
    """Without a task they answer NOT_FOUND."""
    talk = Talk()
    for command in ("pause_task", "interrupt_task"):
        assert codes(talk.say(command)) == ["NOT_FOUND"]
    assert codes(talk.say("tts_task", text="x", language="es")) == ["NOT_FOUND"]


def test_journal_keeps_no_megabytes() -> None:
    """Of a large command its size is noted, of an unknown one its name."""
    talk = Talk()
    talk.say("get_task", filler="x" * 100_000)
    talk.say("nonsense", filler="x" * 100_000)
    talk.say("y" * 100_000)

    entries = [entry for entry in talk.journal.entries() if entry.event == "command"]
    assert entries[0].data["data"] == {"size": pytest.approx(100_000, abs=100)}
    assert entries[1].data["data"] == {}
    assert all(len(json.dumps(entry.data)) < 500 for entry in entries)
