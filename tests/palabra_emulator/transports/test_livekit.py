"""The emulator as a WebRTC client meets it, on a real LiveKit server."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from livekit import api, rtc

from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.recording import AUDIBLE_DB
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.server import run_emulator
from tests.clock import eventually
from tests.palabra_emulator.client import (
    ALL_TEXTS,
    CREDENTIALS,
    Client,
    create_session,
    open_client,
    task,
)
from tests.palabra_emulator.watching import events_of, session_at, until_state

pytestmark = [pytest.mark.livekit, pytest.mark.asyncio(loop_scope="session")]

_DOOMED = """
import asyncio, sys
from livekit import rtc

async def main(url, token):
    room = rtc.Room()
    await room.connect(url, token, rtc.RoomOptions(single_peer_connection=False))
    source = rtc.AudioSource(48000, 1)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    await room.local_participant.publish_track(track)
    await room.local_participant.publish_data(sys.argv[3])
    await asyncio.sleep(600)

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


def local(livekit: RunningLiveKit) -> EmulatorOptions:
    """Options for an emulator on the shared server."""
    return EmulatorOptions(
        livekit_url=livekit.url,
        livekit_api_key=livekit.api_key,
        livekit_api_secret=livekit.api_secret,
        port=0,
    )


@asynccontextmanager
async def emulator(options: EmulatorOptions) -> AsyncGenerator[str]:
    """Run an emulator; yields its URL."""
    async with run_emulator(options) as running:
        yield running.url


async def room_names(livekit: RunningLiveKit) -> list[str]:
    """The rooms that the server has now."""
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
        listed = await server.room.list_rooms(api.ListRoomsRequest())
        return [room.name for room in listed.rooms]


def texts(client: Client, kind: str) -> list[tuple[str, str]]:
    """Language and text of the transcriptions of a kind."""
    bodies = [data["transcription"] for data in client.of_type(kind)]
    return [(body["language"], body["text"]) for body in bodies]


async def test_speech_becomes_text_and_marked_sound(livekit_server: RunningLiveKit) -> None:
    """An utterance yields growing partials, a final text, translations, and its markers' tones."""
    async with emulator(local(livekit_server)) as url, open_client(url) as client:
        settings = task("en", "es", "de", allowed_message_types=ALL_TEXTS)
        settings["pipeline"]["translations"][0]["translate_partial_transcriptions"] = True
        await client.start(settings)
        began = time.monotonic()
        await client.speak(1.5)
        await client.message("translated_transcription", seconds=5)
        await client.hears("es", 500, since=began)
        await client.hears("de", 600, since=began)

        kinds = [message["message_type"] for message in client.messages if message.get("data")]
        partials = texts(client, "partial_transcription")
        validated = client.of_type("validated_transcription")[0]["transcription"]
        assert kinds.index("partial_transcription") < kinds.index("validated_transcription")
        assert kinds.index("validated_transcription") < kinds.index("translated_transcription")
        assert len(partials) >= 4
        assert all(validated["text"].startswith(text) for _, text in partials)
        assert {code for code, _ in texts(client, "translated_transcription")} == {"es", "de"}
        assert {code for code, _ in texts(client, "partial_translated_transcription")} == {"es"}
        assert ("es", "Buenos días a todos y gracias por acompañarnos hoy.") in texts(
            client, "translated_transcription"
        )
        assert client.level_db("es", 600, since=began) < AUDIBLE_DB
        language, session = (client.level_db("es", hz, since=began) for hz in (500, 2000))
        assert language - session == pytest.approx(10, abs=2)


async def test_sessions_do_not_mix(livekit_server: RunningLiveKit) -> None:
    """Two sessions at once each count their own sentences and carry their own marker."""
    async with (
        emulator(local(livekit_server)) as url,
        open_client(url) as one,
        open_client(url) as other,
    ):
        await one.start(task("en", "es"))
        await other.start(task("es", "en"))
        began = time.monotonic()
        async with asyncio.TaskGroup() as speaking:
            speaking.create_task(one.speak(1.0))
            speaking.create_task(other.speak(1.0))
        for client, language, hz in ((one, "es", 2000), (other, "en", 2050)):
            await client.message("validated_transcription")
            await client.message("translated_transcription")
            await client.hears(language, hz, since=began)

        assert one.level_db("es", 2050, since=began) < AUDIBLE_DB
        assert other.level_db("en", 2000, since=began) < AUDIBLE_DB
        first = "Good morning everyone, and thank you for joining us today."
        assert set(texts(one, "validated_transcription")) == {("en", first)}
        assert set(texts(other, "translated_transcription")) == {("en", first)}


async def test_update_changes_tracks_in_place(livekit_server: RunningLiveKit) -> None:
    """An update adds and removes targets' tracks and keeps the track of a target that stays."""
    async with (
        emulator(replace(local(livekit_server), rate_limits="off")) as url,
        open_client(url) as client,
    ):
        await client.start(task("en", "es", "de"))
        await eventually(lambda: len(client.tracks) == 2, "two tracks")
        kept = client.tracks["translation_es"]
        await client.send("set_task", **task("en", "es", "pt-br"))
        await client.message("task_status", lambda data: data["event"] == "updated")
        await eventually(lambda: "translation_pt-br" in client.tracks, "the new track")
        await eventually(lambda: client.unsubscribed == ["translation_de"], "the old track to go")
        await client.send("set_task", **task("en", "es", "pt-br"))
        await client.message("task_status", lambda data: data["event"] == "unchanged")

        assert client.tracks["translation_es"] == kept


async def test_pause_stops_hearing_and_billing(livekit_server: RunningLiveKit) -> None:
    """What is said in a pause is neither understood nor billed; `set_task` resumes."""
    options = replace(local(livekit_server), rate_limits="off")
    async with emulator(options) as url, open_client(url) as client:
        await client.start(task("en", "es"))
        await client.send("pause_task")
        await client.message("task_status", lambda data: data["event"] == "paused")
        billed = (await session_at(url, client.session["id"])).billed_seconds
        await client.speak(1.0)
        await client.send("get_task")
        shown = await client.message("current_task")
        paused = await session_at(url, client.session["id"])
        await client.send("set_task", **task("en", "es"))
        await client.message("task_status", lambda data: data["event"] == "resumed")
        await client.speak(0.5)
        await client.message("validated_transcription")

        assert shown["task_status"] == "paused"
        assert paused.state == "paused"
        assert paused.billed_seconds == billed
        assert paused.utterances == 0
        assert (await session_at(url, client.session["id"])).utterances == 1


async def test_end_task_delivers_the_tail(livekit_server: RunningLiveKit) -> None:
    """A graceful end confirms what was being said, speaks it, then says so and closes."""
    async with emulator(local(livekit_server)) as url, open_client(url) as client:
        await client.start(task("en", "es"))
        began = time.monotonic()
        await client.speak(1.5)
        await client.send("end_task")
        await client.hears("es", 500, since=began)
        await client.message("end_of_stream")
        await eventually(lambda: bool(client.disconnected), "the disconnect")

        events = [entry.event for entry in await events_of(url, client.session["id"])]
        assert client.disconnected == [rtc.DisconnectReason.PARTICIPANT_REMOVED]
        assert events.index("spoke") < events.index("ended")
        assert client.of_type("translated_transcription") != []
        assert (await session_at(url, client.session["id"])).end_reason == "end_task"


async def test_forced_end_is_immediate(livekit_server: RunningLiveKit) -> None:
    """`force` removes the client at once, without tail and without an end of the stream."""
    async with emulator(local(livekit_server)) as url, open_client(url) as client:
        await client.start(task("en", "es"))
        await client.speak(1.0)
        await client.send("end_task", force=True)
        await eventually(lambda: bool(client.disconnected), "the disconnect", 2)

        assert client.of_type("end_of_stream") == []
        assert client.of_type("translated_transcription") == []


async def test_delete_ends_at_once(livekit_server: RunningLiveKit) -> None:
    """Deleting a session, even in the middle of its tail, ends it and closes its room."""
    async with emulator(local(livekit_server)) as url, open_client(url) as client:
        await client.start(task("en", "es"))
        await client.speak(1.0)
        await client.send("end_task", force=False)
        async with aiohttp.ClientSession(url, headers=CREDENTIALS) as http:
            path = f"/session-storage/sessions/{client.session['id']}"
            async with http.delete(path) as answer:
                assert answer.status == 204
        await eventually(lambda: bool(client.disconnected), "the disconnect", 2)

        assert (await session_at(url, client.session["id"])).state == "deleted"


async def test_lost_client_ends_its_session(livekit_server: RunningLiveKit) -> None:
    """A client that leaves without a word ends its session after the grace period, room and all."""
    async with emulator(replace(local(livekit_server), grace_s=0.5)) as url:
        async with open_client(url) as client:
            await client.start(task("en", "es"))
        room = client.session["webrtc_room_name"]

        async def is_closed() -> bool:
            return room not in await room_names(livekit_server)

        await eventually(is_closed, "the room to close", 5)

        assert (await session_at(url, client.session["id"])).end_reason == "client left"


async def test_reconnect_is_no_departure(livekit_server: RunningLiveKit) -> None:
    """A full reconnect of the client leaves its session running, and it is heard again."""
    async with emulator(local(livekit_server)) as url, open_client(url) as client:
        await client.start(task("en", "es"))
        scenario = rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT
        await client.room.simulate_scenario(scenario)
        await eventually(lambda: client.unsubscribed != [], "the old connection to go")
        await eventually(client.room.isconnected, "the new connection")
        began = time.monotonic()
        await client.speak(1.5)
        await client.hears("es", 500, since=began)

        assert (await session_at(url, client.session["id"])).state == "running"


async def test_mute_starves_the_watchdog(livekit_server: RunningLiveKit) -> None:
    """A muted microphone is no input: the session is ended, in words; a silent one goes on."""
    async with (
        emulator(replace(local(livekit_server), watchdog_s=2)) as url,
        open_client(url) as muted,
        open_client(url) as silent,
    ):
        await silent.start(task("en", "es"))
        await muted.start(task("en", "es"))
        for publication in muted.room.local_participant.track_publications.values():
            assert isinstance(publication.track, rtc.LocalAudioTrack)
            publication.track.mute()
        error = await muted.message("error", seconds=6)
        await eventually(lambda: bool(muted.disconnected), "the disconnect", 2)

        assert error["code"] == "SERVICE_TIMEOUT"
        assert error["desc"].startswith("No input audio received for 2s.")
        assert muted.disconnected == [rtc.DisconnectReason.PARTICIPANT_REMOVED]
        assert (await session_at(url, silent.session["id"])).state == "running"


async def test_lossy_command_right_after_joining_is_heard(livekit_server: RunningLiveKit) -> None:
    """The bot is there first: a single lossy `set_task`, sent at once, starts the task."""
    async with emulator(local(livekit_server)) as url, open_client(url) as client:
        await client.send("set_task", reliable=False, **task("en", "es"))
        await eventually(lambda: "translation_es" in client.tracks, "the track", 2)

        bots = list(client.room.remote_participants)
        assert [bot.startswith("palabra_translator_") for bot in bots] == [True]


async def test_packet_without_participant_is_obeyed(livekit_server: RunningLiveKit) -> None:
    """A command that the server API sends, and which nobody signed, counts like any other."""
    async with emulator(local(livekit_server)) as url, open_client(url) as client:
        payload = json.dumps({"message_type": "set_task", "data": task("en", "es")}).encode()
        packet = api.SendDataRequest(room=client.session["webrtc_room_name"], data=payload)
        keys = (livekit_server.url, livekit_server.api_key, livekit_server.api_secret)
        async with api.LiveKitAPI(*keys) as server:
            await server.room.send_data(packet)

        await client.message("task_status", lambda data: data["event"] == "started")


async def test_rooms_are_nobodys_else(livekit_server: RunningLiveKit) -> None:
    """A session's room is dispatched to an agent that does not exist, and to no other."""
    async with emulator(local(livekit_server)) as url:
        session = await create_session(url)
        keys = (livekit_server.url, livekit_server.api_key, livekit_server.api_secret)
        async with api.LiveKitAPI(*keys) as server:
            dispatches = await server.agent_dispatch.list_dispatch(session["webrtc_room_name"])

    assert [dispatch.agent_name for dispatch in dispatches] == ["none"]


async def test_token_of_an_ended_session_opens_nothing(livekit_server: RunningLiveKit) -> None:
    """LiveKit would make an ended session's room anew; the proxy does not let anybody ask."""
    async with emulator(local(livekit_server)) as url:
        session = await create_session(url)
        query = {"access_token": session["publisher"]}
        async with aiohttp.ClientSession(url, headers=CREDENTIALS) as http:
            async with http.get("/livekit/rtc/validate", params=query) as before:
                assert before.status == 200
            async with http.delete(f"/session-storage/sessions/{session['id']}"):
                pass
            async with http.get("/livekit//rtc/validate", params=query) as after:
                assert after.status == 404


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"livekit_api_secret": "not the secret, but long enough for one"}, "refused the emulator"),
        ({"livekit_url": "ws://127.0.0.1:1"}, "cannot be reached"),
    ],
)
async def test_unusable_livekit_is_said(
    livekit_server: RunningLiveKit, change: dict[str, str], detail: str
) -> None:
    """Refused keys and an absent server are each a 503 that says what is wrong."""
    options = local(livekit_server)
    wrong = EmulatorOptions(
        livekit_url=change.get("livekit_url", options.livekit_url),
        livekit_api_key=options.livekit_api_key,
        livekit_api_secret=change.get("livekit_api_secret", options.livekit_api_secret),
        port=0,
    )
    async with emulator(wrong) as url, aiohttp.ClientSession(url, headers=CREDENTIALS) as http:
        async with http.post("/session-storage/session", json={"data": {}}) as answer:
            error = (await answer.json())["errors"][0]

        assert error["status"] == 503
        assert detail in error["detail"]


async def test_shutdown_leaves_nothing(livekit_server: RunningLiveKit) -> None:
    """Leaving the emulator puts clients out and closes the rooms."""
    async with emulator(local(livekit_server)) as url:
        joined = open_client(url)
        client = await joined.__aenter__()
        await client.start(task("en", "es"))
        unjoined = await create_session(url)

    await eventually(lambda: bool(client.disconnected), "the disconnect", 2)
    await joined.__aexit__(None, None, None)
    left = await room_names(livekit_server)
    assert client.session["webrtc_room_name"] not in left
    assert unjoined["webrtc_room_name"] not in left


async def test_killed_client_starves_the_watchdog(livekit_server: RunningLiveKit) -> None:
    """A client that dies stops sending at once, long before LiveKit notices that it is gone."""
    async with emulator(replace(local(livekit_server), watchdog_s=2)) as url:
        session = await create_session(url)
        command = json.dumps({"message_type": "set_task", "data": task("en", "es")})
        program = (sys.executable, "-c", _DOOMED, session["webrtc_url"], session["publisher"])
        doomed = await asyncio.create_subprocess_exec(*program, command)
        try:
            await until_state(url, session["id"], "running")
        finally:
            doomed.kill()
            await doomed.wait()
        await until_state(url, session["id"], "ended", 8)

        assert (await session_at(url, session["id"])).end_reason == "service timeout"
