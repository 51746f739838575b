"""Faults that answer a command: refusals, limits, a slow start, a lost task, no good-bye."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from palabra_agent.errors import SessionLost
from palabra_agent.palabra.client import make_sessions
from palabra_agent.palabra.rest.api import AppCredentials, open_api
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.session import Brief
from tests.clock import eventually, in_jumping_time, passing

from .faulty_room import (
    CALM,
    DE,
    EN,
    ES,
    OVER_WEBSOCKET,
    FaultyRoom,
    Outcome,
    faulty_room,
    people_come,
)

pytestmark = pytest.mark.unit

_GRACEFUL_END_SECONDS = 10.0
"""The time in which a graceful end may come; leaving must not wait for one."""
_INTERRUPTED = "interpretation of a speaker interrupted"
_THRESHOLD = (
    "Palabra refused the settings: "
    "pipeline.transcription.segment_confirmation_silence_threshold: "
    "ensure this value is greater than or equal to 0.3 (VALIDATION_ERROR)"
)


def times_of(room: FaultyRoom, command: str) -> list[float]:
    """When a command was sent."""
    return [it.time for it in room.commands(command)]


@pytest.mark.parametrize(
    "wish", [{"variant": "polls", "polls": 1}, {"variant": "late", "delay_ms": 400}]
)
async def test_a_slow_start_is_waited_for(
    caplog: pytest.LogCaptureFixture, wish: dict[str, Any]
) -> None:
    """F9: it is asked for at Palabra's pace; the room shows nothing of it."""
    async with faulty_room(caplog) as room:
        await room.arm("F9", **wish)
        people_come(room)
        await room.reads()
        assert room.outcome() == CALM


@in_jumping_time
async def test_a_task_that_never_starts_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """F9: sent again every eight seconds, and given up after thirty, as any lost session."""
    async with (
        faulty_room(caplog, talks=False, rate_limits="off") as room,
        open_api(room.emulator.url, AppCredentials("local", "local")) as api,
    ):
        await room.arm("F9", variant="never")
        with pytest.raises(SessionLost, match=r"lost: Palabra was not ready within 30 s$"):
            async with make_sessions(api, OVER_WEBSOCKET).open(Brief(EN, (ES,))):
                pytest.fail("it is not there")

        asked = {"create": 1, "set_task": 4, "end_task": 1, "delete": 1}
        assert room.outcome() == replace(CALM, asked=asked)


@pytest.mark.parametrize("variant", ["repr", "list"])
@in_jumping_time
async def test_refused_settings_are_said_once_and_not_sent_again(
    caplog: pytest.LogCaptureFixture, variant: str
) -> None:
    """F10: the field and what it wants, in words, in the room; the log quotes none."""
    async with faulty_room(caplog, talks=False, ready_delay_ms=0) as room:
        await room.arm("F10", variant=variant)
        people_come(room)
        await room.shows("degraded")
        await passing(2.0)
        assert room.outcome() == Outcome(
            room=["live", f"degraded: {_THRESHOLD}"],
            said=[_THRESHOLD],
            log=[f"{_INTERRUPTED}: Palabra refused the settings"],
            asked={"create": 1, "set_task": 1, "delete": 1},
        )


async def test_a_refused_change_leaves_what_runs(caplog: pytest.LogCaptureFixture) -> None:
    """F10: the room says that something is not as wished, and what ran before goes on."""
    async with faulty_room(caplog) as room:
        people_come(room)
        await room.runs()
        await room.arm("F10")
        room.meeting.person_changes("alice", speak="de")
        await room.shows("degraded")
        await room.reads(more=2)
        assert room.outcome() == Outcome(
            room=["live", f"degraded: {_THRESHOLD}"],
            said=[_THRESHOLD],
            log=[f"{_INTERRUPTED}: Palabra refused a change of the settings"],
            asked={"create": 1, "set_task": 2},
        )


@pytest.mark.parametrize(
    ("variant", "field"),
    [
        ("threshold", "pipeline.transcription.segment_confirmation_silence_threshold: ensure "),
        ("levels", "pipeline.translation_queue_configs.global"),
        ("source", "pipeline.transcription.source_language: value is not a valid "),
        ("target", "pipeline.translations.0.target_language: value is not a valid "),
        ("missing_source", "pipeline.transcription.source_language: field required"),
        ("missing_target", "pipeline.translations.0.target_language: field required"),
        ("missing_translations", "pipeline.translations: field required"),
        ("content_type", "input_stream.content_type: "),
        ("stream_type", "input_stream.source"),
        ("type_mismatch", "output_stream"),
        ("cloning_timbre", "pipeline.translations.0.speech_generation"),
    ],
)
async def test_every_mistake_in_the_settings_is_told_by_its_field(
    caplog: pytest.LogCaptureFixture, variant: str, field: str
) -> None:
    """F11: whatever the validator complains of, people read where and what."""
    async with faulty_room(caplog) as room:
        await room.arm("F11", variant=variant)
        people_come(room)
        await room.shows("degraded")
        [sentence] = room.meeting.announced
        assert sentence.startswith(f"Palabra refused the settings: {field}")
        assert sentence.endswith("(VALIDATION_ERROR)")
        assert room.outcome() == Outcome(
            room=["live", f"degraded: {sentence}"],
            said=[sentence],
            log=[f"{_INTERRUPTED}: Palabra refused the settings"],
            asked={"create": 1, "set_task": 1, "delete": 1},
        )


async def test_a_limit_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """F12: what came too often comes again, two seconds later, and the room does not show it."""
    async with faulty_room(caplog) as room:
        await room.arm("F12", command="set_task")
        people_come(room)
        await room.reads()
        assert room.outcome() == replace(CALM, asked={"create": 1, "set_task": 2})
        refused, obeyed = times_of(room, "set_task")
        assert 2.0 <= obeyed - refused < 3.0
        notice = {"kind": "error", "code": "RATE_LIMIT_EXCEEDED"}
        assert room.logged("palabra sent a notice") == [notice]


async def test_a_pause_may_be_refused_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    """F24: it is tried again no sooner than Palabra allows."""
    async with faulty_room(
        caplog, limits=SilenceLimits(idle_pause_seconds=0.2), talks=False
    ) as room:
        await room.arm("F24", variant="pause")
        people_come(room)
        await eventually(lambda: room.events("paused"), seconds=10)
        assert room.outcome() == replace(CALM, asked={"create": 1, "set_task": 1, "pause_task": 2})
        refused, obeyed = times_of(room, "pause_task")
        assert obeyed - refused >= 3.0


async def test_a_lost_task_is_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    """F16: where speech is answered with nothing it is asked for, not found, and sent once more."""
    async with faulty_room(caplog) as room:
        people_come(room)
        await room.runs()
        await room.strikes("F16")
        await room.reads()
        assert room.outcome() == replace(CALM, asked={"create": 1, "set_task": 2})


@pytest.mark.parametrize(
    ("variant", "field"),
    [
        ("target", "pipeline.translations.de"),
        ("silence", "pipeline.transcription.segment_confirmation_silence_threshold"),
    ],
)
@in_jumping_time
async def test_a_task_that_palabra_changed_is_sent_once_more(
    caplog: pytest.LogCaptureFixture, variant: str, field: str
) -> None:
    """F27: what it shows is compared with what was sent; the field is logged, no value of it."""
    async with faulty_room(
        caplog, offered=(ES, DE), talks=False, dialect="legacy", rate_limits="off"
    ) as room:
        await room.arm("F27", variant=variant)
        people_come(room)
        room.meeting.person_joins("dora", microphone=None, listen="de")
        await passing(20.0)
        warned = "palabra shows another task than was sent"
        assert room.logged(warned) == [{"fields": field}]
        asked = {"create": 1, "set_task": 2}
        assert room.outcome() == replace(CALM, asked=asked, log=[warned])
        shown = room.commands("set_task")
        assert shown[0].data["data"] == shown[1].data["data"]


@in_jumping_time
async def test_a_task_that_palabra_always_changes_is_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """F27: it is sent once more and logged once, however often Palabra is asked."""
    async with faulty_room(caplog, talks=False, dialect="legacy", rate_limits="off") as room:
        await room.arm("F27", variant="silence", times=0)
        people_come(room)
        await passing(30.0)
        assert len(room.logged("palabra shows another task than was sent")) == 1
        assert room.asked() == {"create": 1, "set_task": 2}


@in_jumping_time
async def test_a_server_that_shows_what_it_was_sent_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Defaults that it adds, and fields that it hides, are no difference."""
    async with faulty_room(caplog, talks=False, dialect="legacy", rate_limits="off") as room:
        people_come(room)
        await passing(20.0)
        assert room.outcome() == CALM


async def test_a_good_bye_that_is_ignored_does_not_hold_us(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """F23: leaving takes no longer than ever, for the session is deleted as well."""
    async with faulty_room(caplog) as room:
        people_come(room)
        await room.runs()
        await room.arm("F23")
        began = time.monotonic()
        room.meeting.person_leaves("alice")
        await eventually(lambda: room.logged("speaker interpretation closed"))
        asked = {"create": 1, "set_task": 1, "end_task": 1, "delete": 1}
        assert room.outcome() == replace(CALM, asked=asked)
        assert time.monotonic() - began < _GRACEFUL_END_SECONDS


@in_jumping_time
async def test_an_end_that_does_not_come_is_not_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """F23: who asked for a graceful end has one within ten seconds after the last word."""
    async with (
        faulty_room(caplog, talks=False, ready_delay_ms=0) as room,
        open_api(room.emulator.url, AppCredentials("local", "local")) as api,
        make_sessions(api, OVER_WEBSOCKET).open(Brief(EN, (ES,))) as session,
    ):
        await room.arm("F23", times=0)
        session.finish()
        async with asyncio.timeout(10.5):
            assert [event async for event in session.events()] == []
        assert [it.data["outcome"] for it in room.commands("end_task")] == ["ignored"]
