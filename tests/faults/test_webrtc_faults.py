"""Faults whose surface is LiveKit's: joining, the bot, the room, the network, the tracks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.palabra.task.sections import Transcription
from palabra_agent.palabra.task.settings import TaskSettings
from palabra_emulator.server import run_emulator
from tests.clock import eventually

from .faulty_room import (
    CALM,
    DE,
    ES,
    OVER_WEBSOCKET,
    FaultyRoom,
    faulty_room,
    lost_and_found,
    options,
    palabra,
    people_come,
)

pytestmark = [pytest.mark.livekit, pytest.mark.asyncio(loop_scope="session")]

OVER_WEBRTC = TaskSettings(transcription=Transcription(segment_confirmation_silence_threshold=0.3))
_AUTO = OVER_WEBSOCKET.model_copy(update={"transport": "auto"})
_FELL_BACK = "webrtc was of no use, sessions use websocket from now on"


def transports(room: FaultyRoom) -> list[str]:
    """Over what the sessions were opened, in order."""
    return [it["transport"] for it in room.logged("palabra session opened")]


@pytest.mark.parametrize(
    ("fault", "wish"), [("F6", {}), ("F7", {"status": 404}), ("F7", {"status": 401})]
)
async def test_a_room_that_lets_no_one_in_costs_one_session(
    caplog: pytest.LogCaptureFixture,
    livekit_server: RunningLiveKit,
    fault: str,
    wish: dict[str, Any],
) -> None:
    """F6 and F7: another session follows after a pause; the room shows why meanwhile."""
    async with faulty_room(caplog, palabra(livekit_server), settings=OVER_WEBRTC) as room:
        await room.arm(fault, **wish)
        people_come(room)
        await room.reads()
        host = room.emulator.url.removeprefix("http://")
        reason = "the session's room refused the connection"
        why = f"Palabra cannot be reached at {host}: {reason}"
        told = lost_and_found("")
        assert room.outcome() == replace(
            told,
            room=["live", f"degraded: {why}", "live"],
            log=[f"interpretation of a speaker interrupted: Palabra cannot be reached: {reason}"],
            asked={"create": 2, "delete": 1, "set_task": 1},
        )


async def test_a_late_bot_is_waited_for(
    caplog: pytest.LogCaptureFixture, livekit_server: RunningLiveKit
) -> None:
    """F8: what it did not hear is said when it is there, and the room shows nothing."""
    async with faulty_room(caplog, palabra(livekit_server), settings=OVER_WEBRTC) as room:
        await room.arm("F8", variant="late", delay_ms=1_500)
        people_come(room)
        await room.reads()
        assert room.outcome() == CALM


@pytest.mark.parametrize(
    ("fault", "wish", "why"),
    [
        ("F8", {"variant": "leaves"}, "Palabra's bot left"),
        (
            "F13",
            {},
            "Palabra heard no audio for too long; it said: No input audio received for 10s. "
            "Use the pause_task command for intentional pauses.",
        ),
        ("F17", {"variant": "removed"}, "disconnected (PARTICIPANT_REMOVED)"),
        ("F17", {"variant": "room_deleted"}, "disconnected (ROOM_DELETED)"),
        ("F17", {"variant": "server_shutdown"}, "disconnected (SERVER_SHUTDOWN)"),
    ],
)
async def test_a_lost_session_is_followed_by_another(
    caplog: pytest.LogCaptureFixture,
    livekit_server: RunningLiveKit,
    fault: str,
    wish: dict[str, Any],
    why: str,
) -> None:
    """F8, F13, F17: the track stays, the room says why it is silent, and is interpreted again."""
    async with faulty_room(caplog, palabra(livekit_server), settings=OVER_WEBRTC) as room:
        people_come(room)
        await room.reads()
        await room.strikes(fault, **wish)
        await eventually(lambda: room.asked()["create"] == 2, seconds=10)
        await room.reads()
        # what was under way in the lost one holds nothing up
        await room.hears(seconds=3)
        assert room.outcome() == lost_and_found(why)


async def test_a_connection_that_breaks_for_good_is_given_up(
    caplog: pytest.LogCaptureFixture, livekit_server: RunningLiveKit
) -> None:
    """F17: while LiveKit still looks for a way back, another session takes over."""
    async with faulty_room(caplog, palabra(livekit_server), settings=OVER_WEBRTC) as room:
        people_come(room)
        await room.reads()
        await room.strikes("F17", variant="signal_drop")
        await eventually(lambda: room.asked()["create"] == 2, seconds=30)
        await room.reads()
        expected = replace(lost_and_found(""), room=["live"])
        assert room.outcome() == replace(expected, log=["a silent session was replaced"])


async def test_a_short_loss_of_the_network_is_survived(
    caplog: pytest.LogCaptureFixture, livekit_server: RunningLiveKit
) -> None:
    """F18: the session is the same afterwards, and is asked whether its task is there."""
    async with faulty_room(caplog, palabra(livekit_server), settings=OVER_WEBRTC) as room:
        people_come(room)
        await room.reads()
        asked_before = len(room.commands("get_task"))
        await room.strikes("F18", delay_ms=1_000)
        await eventually(lambda: len(room.commands("get_task")) > asked_before, seconds=20)
        await room.reads()
        assert room.outcome() == CALM


@pytest.mark.parametrize("variant", ["wrong_case", "republished"])
async def test_tracks_are_heard_by_whatever_name(
    caplog: pytest.LogCaptureFixture, livekit_server: RunningLiveKit, variant: str
) -> None:
    """F21: speech comes into the channel before and after, and the room shows nothing."""
    async with faulty_room(caplog, palabra(livekit_server), settings=OVER_WEBRTC) as room:
        if variant == "wrong_case":
            await room.arm("F21", variant=variant)
        people_come(room)
        await room.hears()
        if variant == "republished":
            await room.strikes("F21", variant=variant)
        await room.hears()
        assert room.outcome() == CALM


async def test_a_lost_task_is_noticed_by_its_tracks(
    caplog: pytest.LogCaptureFixture, livekit_server: RunningLiveKit
) -> None:
    """F16: where they go the task is asked for, not found, and sent once more."""
    async with faulty_room(caplog, palabra(livekit_server), settings=OVER_WEBRTC) as room:
        people_come(room)
        await room.hears()
        await room.strikes("F16")
        await eventually(lambda: len(room.events("running")) == 2, seconds=8)
        await room.hears()
        assert room.outcome() == replace(CALM, asked={"create": 1, "set_task": 2})


@pytest.mark.parametrize("keeps_tracks", [True, False])
async def test_a_target_is_taken_out_where_palabra_cannot_be_asked(
    caplog: pytest.LogCaptureFixture, livekit_server: RunningLiveKit, *, keeps_tracks: bool
) -> None:
    """Its track is not asked about; where all tracks change, the task is told again and goes on."""
    acknowledging = replace(options(livekit_server), dialect="ack-only", keep_sids=keeps_tracks)
    async with faulty_room(
        caplog, run_emulator(acknowledging), offered=(ES, DE), settings=OVER_WEBRTC
    ) as room:
        people_come(room)
        await room.reads()
        room.meeting.person_changes("alice", speak="de")
        await eventually(lambda: told_tracks(room) == [("es", "de"), ("es",)], seconds=10)
        # long enough for a question, its answer, and what follows from that
        await room.reads(more=8)
        assert len(room.commands("get_task")) == (0 if keeps_tracks else 1)
        asked = {"create": 1, "set_task": 2 if keeps_tracks else 3}
        assert room.outcome() == replace(CALM, asked=asked)


def told_tracks(room: FaultyRoom) -> list[object]:
    """The languages that were offered as tracks, each time that they changed."""
    return [it.data["languages"] for it in room.events("tracks")]


async def test_no_track_is_a_lost_session(
    caplog: pytest.LogCaptureFixture, livekit_server: RunningLiveKit
) -> None:
    """F21: eight seconds without one, and another session is tried."""
    async with faulty_room(caplog, palabra(livekit_server), settings=OVER_WEBRTC) as room:
        await room.arm("F21", variant="never")
        people_come(room)
        await room.hears()
        assert room.outcome() == lost_and_found("no translated track came")
        assert transports(room) == ["webrtc", "webrtc"]


@pytest.mark.parametrize(
    ("wish", "why", "opened"),
    [
        ({"variant": "no_bot"}, "Palabra's bot did not come", ["websocket"]),
        ({"variant": "no_track"}, "no translated track came", ["webrtc", "websocket"]),
    ],
)
async def test_auto_changes_to_websocket_where_webrtc_is_of_no_use(
    caplog: pytest.LogCaptureFixture,
    livekit_server: RunningLiveKit,
    wish: dict[str, Any],
    why: str,
    opened: list[str],
) -> None:
    """F26: the next session uses the other transport, and the room is live again."""
    async with faulty_room(caplog, palabra(livekit_server), settings=_AUTO) as room:
        await room.arm("F26", **wish)
        people_come(room)
        await room.hears()
        told = lost_and_found(why)
        asked = {"create": 2, "delete": 1, "set_task": len(opened)}
        assert room.outcome() == replace(told, log=[_FELL_BACK, *told.log], asked=asked)
        assert transports(room) == opened
        assert room.events("replaced")[-1].session == room.events("created")[-1].session


async def test_auto_changes_to_websocket_without_a_gap_where_webrtc_falls_silent(
    caplog: pytest.LogCaptureFixture, livekit_server: RunningLiveKit
) -> None:
    """F26: the next session is ready over WebSocket before the silent one is left."""
    limits = SilenceLimits(silent_output_seconds=1.5)
    async with faulty_room(caplog, palabra(livekit_server), settings=_AUTO, limits=limits) as room:
        people_come(room)
        await room.reads()
        await room.strikes("F26", variant="no_output")
        await room.hears()
        await eventually(lambda: room.asked().get("delete") == 1)
        asked = room.asked()
        # whether the silent one is told its task again, as it leaves a question unanswered, and
        # hears of its end before it is deleted, is a matter of time
        assert (asked["create"], asked["delete"]) == (2, 1)
        assert asked["set_task"] in {2, 3}
        log = [_FELL_BACK, "a silent session was replaced"]
        assert room.outcome() == replace(CALM, log=log, asked=asked)
        assert transports(room) == ["webrtc", "websocket"]

        old, new = (it.session for it in room.events("created"))
        order = [(it.event, it.session) for it in room.journal if it.event in {"running", "ended"}]
        assert order == [("running", old), ("running", new), ("ended", old)]
