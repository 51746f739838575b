"""Faults that are triggered by themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from palabra_emulator.faults.catalogue import WrongPace
from tests.palabra_emulator.client import task
from tests.palabra_emulator.talk import (
    LENIENT,
    SETTINGS,
    Talk,
    codes,
    kinds,
    running,
)

pytestmark = pytest.mark.unit


async def test_service_timeout_ends_the_session() -> None:
    """F13: the error, 0.26 s, and the client is put out."""
    talk = running()
    (message,) = await talk.strike(fault="F13")

    assert message["data"]["code"] == "SERVICE_TIMEOUT"
    assert message["data"]["desc"].startswith("No input audio received for 10s.")
    assert talk.session.end_reason == "service timeout"
    assert talk.session.farewell_seconds == pytest.approx(0.26)


async def test_warnings_end_nothing() -> None:
    """F14 and F15: a warning each, and the session runs on."""
    talk = running()

    (voice_warning,) = await talk.strike(fault="F14", voice_id="x")
    assert voice_warning == {
        "message_type": "warning",
        "data": {
            "code": "VOICE_NOT_FOUND",
            "message": "Voice ID 'x' is not available, using default voice",
        },
    }
    for variant in WrongPace.variants:
        (warning,) = await talk.strike(fault="F15", variant=variant)
        assert warning["data"]["code"] == variant
        assert warning["data"]["message"].startswith("Audio stream")
    assert talk.session.state == "running"


async def test_lost_task_is_not_found_until_it_is_set_again() -> None:
    """F16: no tracks, nothing said, NOT_FOUND; the next `set_task` starts anew."""
    talk = running()
    assert await talk.strike(fault="F16") == []

    assert not talk.session.wanted_tracks
    assert talk.utterance() == []
    assert codes(talk.say("get_task")) == ["NOT_FOUND"]
    talk.say("set_task", **SETTINGS)
    (status,) = talk.wait(0.6)
    assert status["data"]["event"] == "started"
    assert talk.session.wanted_tracks == ("es", "de")


async def test_closed_room_ends_the_session_without_a_word() -> None:
    """F17: the session is over, for the reason that the journal gets."""
    talk = running()

    assert await talk.strike(fault="F17", variant="room_deleted") == []
    assert talk.session.end_reason == "closed by F17"
    assert talk.session.faults.spares_client
    assert talk.session.farewell_seconds == 0


async def test_socket_has_nothing_to_resume() -> None:
    """F18: passed over for a WebSocket; the journal says so."""
    talk = running()
    talk.conversation.begin("ws")
    await talk.strike(fault="F18")

    assert not talk.session.faults.is_cut
    assert talk.journal.entries()[-1].data == {"fault": "F18", "action": "passed over"}


async def test_overflow_shows_in_the_queue_map() -> None:
    """F22: the level is reported above its maximum, then trimmed; the oldest is dropped."""
    talk = running(options=replace(LENIENT, queue_map_hz=1.0))
    await talk.strike(fault="F22", seconds=30)
    maps = [it for it in talk.wait(3.0) if "es" in it]
    levels = [it["es"]["current_queue_level_ms"] for it in maps]

    assert max(levels) > 20_000
    assert levels[-1] <= 10_000
    assert any(entry.event == "dropped" for entry in talk.journal.entries())


async def test_deaf_session_answers_and_says_nothing() -> None:
    """F26: commands are answered, speech is not heard."""
    talk = running()
    await talk.strike(fault="F26", variant="deaf")

    assert talk.utterance() == []
    assert kinds(talk.say("get_task")) == ["current_task"]
    assert talk.session.state == "running"


async def test_of_two_strokes_at_once_the_second_finds_the_session_over() -> None:
    """F17 and F16 due together: the session ends, and what would follow is passed over."""
    talk = Talk()
    talk.start(task("en", "es"))
    for fault in ("F17", "F16"):
        talk.arm(fault=fault)

    await talk.striking.look()

    assert talk.session.state == "ended"
    assert talk.journal.entries()[-1].data == {"fault": "F16", "action": "passed over"}
