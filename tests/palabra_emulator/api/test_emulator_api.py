"""`/emulator/`: journal, sessions, faults."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from palabra_emulator.transports.ports import ClientJoined, ClientLeft, Packet
from tests.clock import eventually
from tests.palabra_emulator.callers import STORAGE, caller
from tests.palabra_emulator.fakes import OPTIONS
from tests.palabra_emulator.watching import FAULTS_PATH

pytestmark = pytest.mark.unit


async def test_journal_tells_everything_in_order() -> None:
    """REST calls, commands and session events are listed as JSON lines with their times."""
    async with caller(replace(OPTIONS, grace_s=0.0)) as api:
        session_id = (await api.create())["id"]
        transport = api.livekit.transports[0]
        transport.events.put_nowait(ClientJoined())
        transport.events.put_nowait(Packet(b'{"message_type": "get_task", "data": {}}'))
        transport.events.put_nowait(ClientLeft())
        await eventually(lambda: transport.is_closed, "the end")
        await api.call("DELETE", f"{STORAGE}/sessions/{session_id}")
        lines = (await api.call("GET", "/emulator/journal")).body.splitlines()
        entries = [json.loads(line) for line in lines]

        assert [entry["event"] for entry in entries] == [
            "created",
            "rest",
            "connected",
            "command",
            "disconnected",
            "ended",
            "deleted",
            "rest",
        ]
        assert all(set(entry) == {"time", "session", "event", "data"} for entry in entries)
        assert {entry["session"] for entry in entries} == {session_id}
        assert [entry["time"] for entry in entries] == sorted(entry["time"] for entry in entries)
        assert entries[3]["data"]["message_type"] == "get_task"
        assert entries[3]["data"]["outcome"] == "not_found"
        assert entries[5]["data"]["reason"] == "client left"


async def test_inspection_shows_each_session() -> None:
    """Markers differ by session, and what is known of the task is shown."""
    async with caller() as api:
        await api.create()
        await api.create()
        sessions = (await api.call("GET", "/emulator/sessions", headers={})).body["sessions"]

        assert [session["marker_hz"] for session in sessions] == [2000, 2050]
        assert sessions[0]["state"] == "created"
        assert sessions[0]["billed_seconds"] == 0
        assert sessions[0]["targets"] == []


async def test_emulator_is_not_open_to_every_web_page() -> None:
    """Browsers may use the REST API from anywhere, but not listen to what sessions heard."""
    async with caller() as api:
        assert (
            "Access-Control-Allow-Origin" in (await api.call("GET", f"{STORAGE}/sessions")).headers
        )
        for path in ("/emulator/journal", "/emulator/sessions", FAULTS_PATH):
            assert "Access-Control-Allow-Origin" not in (await api.call("GET", path)).headers


async def test_refusal_of_an_order_is_a_sentence() -> None:
    """A question at the end stays one; a body that is no object is called so."""
    async with caller() as api:
        answer = await api.call("POST", FAULTS_PATH, {"fault": "f8"})
        assert answer.body["error"].endswith('did you mean "F8"?')
        assert (await api.call("POST", FAULTS_PATH, b"[]")).body["problems"][0]["field"] == "body"
