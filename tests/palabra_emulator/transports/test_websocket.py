"""The WebSocket transport over HTTP: who gets in, what is heard and said, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import tone_level_db
from palabra_emulator.interpreting.playout import SPEECH_RATE
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.transports.ports import ClientJoined, ClientLeft, Packet
from palabra_emulator.transports.websocket import ConnectionLimit
from tests.clock import eventually
from tests.palabra_emulator.callers import caller
from tests.palabra_emulator.client import CREDENTIALS, create_session
from tests.palabra_emulator.fakes import OPTIONS, FakeLiveKit, fake_emulator
from tests.palabra_emulator.sounds import (
    ogg_opus,
    pieces,
    read_wav,
    spoken,
    stereo,
    stream_task,
    wav,
)
from tests.palabra_emulator.watching import events_of, newest_session, state_of
from tests.palabra_emulator.websocket_client import SPREAD, STREAM, StreamClient, connected, refusal

pytestmark = pytest.mark.unit

QUICK = replace(OPTIONS, ready_delay_ms=0, latency_ms=0, rate_limits="off")

CHUNK = 10_240

FIRST = "Good morning everyone, and thank you for joining us today."


@dataclass(slots=True)
class Place:
    """An emulator and what stands behind it."""

    url: str
    livekit: FakeLiveKit

    async def ended(self, reason: str) -> None:
        """Wait until the session that was made last is over for this reason."""

        async def is_over() -> bool:
            return (await newest_session(self.url)).end_reason == reason

        await eventually(is_over, f"an end: {reason}")

    async def events(self) -> list[str]:
        """The journal's events of the session that was made last."""
        session = await newest_session(self.url)
        return [entry.event for entry in await events_of(self.url, session.id)]

    async def heard(self) -> tuple[int, Any]:
        """What the session that was made last took in."""
        session = await newest_session(self.url)
        path = f"/emulator/sessions/{session.id}/heard.wav"
        async with aiohttp.ClientSession(self.url) as http, http.get(path) as answer:
            assert answer.status == 200
            return read_wav(await answer.read())


@asynccontextmanager
async def emulator(options: EmulatorOptions = QUICK) -> AsyncGenerator[Place]:
    """Have an emulator."""
    livekit = FakeLiveKit()
    async with fake_emulator(livekit, options) as running:
        yield Place(running.url, livekit)


async def texts(client: StreamClient, kind: str, count: int = 1) -> list[tuple[str, str]]:
    """Language and text of the transcriptions of a kind, once there are enough."""
    await eventually(lambda: len(client.of_type(kind)) >= count, f"{count} × {kind}")
    bodies = [data["transcription"] for data in client.of_type(kind)]
    return [(body["language"], body["text"]) for body in bodies]


def encoded(sound: Pcm, encoding: str, rate: int, channels: int) -> bytes:
    """Sound as a stream of some format."""
    match encoding:
        case "wav":
            return wav(sound, rate, channels)
        case "opus":
            return ogg_opus(sound, rate, channels)
        case _:
            return sound.tobytes()


def finished(client: StreamClient) -> list[str]:
    """The languages in which a translation has been spoken to its end."""
    return sorted(
        data["language"] for data in client.of_type("output_audio_data") if data["last_chunk"]
    )


@pytest.mark.parametrize("path", [STREAM, SPREAD])
async def test_key_opens_a_session_of_its_own(path: str) -> None:
    """An API key is all it takes: no room is made, and the session ends with the connection."""
    async with emulator() as place:
        async with connected(place.url, path=path) as client:
            await client.start(stream_task("en", "es"))
            assert place.livekit.rooms.open == set()
            session = await newest_session(place.url)
            assert (session.state, session.transport) == ("running", "ws")
        await place.ended("client left")


async def test_token_may_come_in_a_header() -> None:
    """`Authorization: Bearer` is as good as the query."""
    async with emulator() as place, connected(place.url, None, bearer="local") as client:
        await client.start(stream_task("en", "es"))


@pytest.mark.parametrize("token", ["wrong", "", None])
@pytest.mark.parametrize("path", [STREAM, SPREAD])
async def test_wrong_token_is_refused_before_the_upgrade(token: str | None, path: str) -> None:
    """Plain HTTP 403, whatever the path."""
    async with emulator() as place:
        assert await refusal(place.url, token, path=path) == 403


async def test_tokens_of_listeners_and_of_sessions_that_are_over_are_refused() -> None:
    """Only the publisher of a session that lives gets in."""
    async with emulator() as place:
        session = await create_session(place.url, subscriber_count=1)
        assert await refusal(place.url, session["subscriber"][0]) == 403
        async with (
            aiohttp.ClientSession(place.url, headers=CREDENTIALS) as http,
            http.delete(f"/session-storage/sessions/{session['id']}") as answer,
        ):
            assert answer.status == 204
        assert await refusal(place.url, session["publisher"]) == 403


async def test_expired_session_is_refused() -> None:
    """A token that nobody used in time opens nothing."""
    async with emulator(replace(QUICK, unjoined_ttl_s=0.05)) as place:
        session = await create_session(place.url)
        await place.ended("never joined")

        assert await refusal(place.url, session["publisher"]) == 403


async def test_without_an_upgrade_there_is_no_stream() -> None:
    """An ordinary request is told what is missing."""
    async with (
        emulator() as place,
        aiohttp.ClientSession(place.url) as http,
        http.get(STREAM, params={"token": "local"}) as answer,
    ):
        assert answer.status == 426


async def test_too_many_connections_are_closed() -> None:
    """The twenty-first within a minute is accepted and closed with 1008; another token is not."""
    async with emulator(replace(QUICK, rate_limits="separate")) as place:
        session = await create_session(place.url)
        for _ in range(20):
            async with connected(place.url):
                pass
        async with connected(place.url) as client:
            assert await client.end() == 1008
        async with connected(place.url, session["publisher"]) as client:
            await client.start(stream_task("en", "es"))


async def test_client_of_a_waiting_bot_may_come_by_websocket() -> None:
    """The bot leaves, its room is closed, and the session goes on by WebSocket."""
    async with emulator() as place:
        session = await create_session(place.url)
        bot = place.livekit.transports[0]
        assert place.livekit.rooms.open == {session["webrtc_room_name"]}
        async with connected(place.url, session["publisher"]) as client:
            await client.start(stream_task("en", "es"))
            await eventually(lambda: bot.is_closed, "the bot's leaving")
            await eventually(lambda: not place.livekit.rooms.open, "the end of the room")
            async with aiohttp.ClientSession(place.url) as http:
                path = f"/livekit/rtc?access_token={session['publisher']}"
                async with http.get(path) as answer:
                    assert answer.status in {404, 502}

            await client.sound(spoken(0.6).tobytes())
            assert await texts(client, "translated_transcription")
            assert await state_of(place.url, session["id"]) == "running"


async def test_client_in_the_room_is_put_out_when_it_comes_by_websocket() -> None:
    """The task goes on, and must match the new transport from its next update on."""
    async with emulator() as place:
        session = await create_session(place.url)
        bot = place.livekit.transports[0]
        bot.events.put_nowait(ClientJoined())
        bot.events.put_nowait(Packet(b'{"message_type":"get_task"}'))
        await eventually(lambda: bool(bot.sent), "an answer in the room")
        async with connected(place.url, session["publisher"]) as client:
            await eventually(lambda: bot.is_expelled and bot.is_closed, "the end in the room")
            wrong = stream_task("en", "es")
            wrong["input_stream"]["source"] = {"type": "webrtc"}
            await client.send("set_task", **wrong)
            error = await client.message("error")
            assert "unexpected value; permitted: 'ws'" in error["desc"]
            await client.start(stream_task("en", "es"))
            bot.events.put_nowait(ClientLeft())
            assert "replaced" in await place.events()


async def test_newest_connection_wins() -> None:
    """A second socket for a session closes the first with 1008 and carries the task on."""
    async with emulator() as place:
        session = await create_session(place.url)
        async with (
            connected(place.url, session["publisher"]) as older,
            connected(place.url, session["publisher"]) as newer,
        ):
            assert await older.end() == 1008
            await newer.start(stream_task("en", "es"))
            await newer.sound(spoken(0.6).tobytes())
            assert await texts(newer, "validated_transcription") == [("en", FIRST)]


async def test_client_may_come_back_within_the_grace() -> None:
    """A session that was created outlives a lost connection for a while, its task with it."""
    async with emulator(replace(QUICK, grace_s=2.0)) as place:
        session = await create_session(place.url)
        async with connected(place.url, session["publisher"]) as client:
            await client.start(stream_task("en", "es"))
        async with connected(place.url, session["publisher"]) as client:
            await client.send("get_task")
            assert (await client.message("current_task"))["task_status"] == "running"

    async with emulator(replace(QUICK, grace_s=0.1)) as place:
        session = await create_session(place.url)
        async with connected(place.url, session["publisher"]) as client:
            await client.start(stream_task("en", "es"))
        await place.ended("client left")
        assert await refusal(place.url, session["publisher"]) == 403


async def test_vanished_client_is_noticed() -> None:
    """A connection that breaks without a close is a client that left."""
    async with emulator() as place, connected(place.url) as client:
        await client.start(stream_task("en", "es"))
        client.vanish()
        await place.ended("client left")


@pytest.mark.parametrize("binary", [False, True])
async def test_samples_are_heard_exactly(binary: bool) -> None:
    """16 kHz mono arrives sample by sample, in text frames and in binary ones."""
    async with emulator() as place, connected(place.url) as client:
        await client.start(stream_task("en", "es"))
        sound = spoken(1.0)
        await client.sound(*pieces(sound.tobytes(), CHUNK), binary=binary)
        assert await texts(client, "translated_transcription")
        rate, heard = await place.heard()

        assert rate == 16_000
        assert np.array_equal(heard, sound)


@pytest.mark.parametrize(
    ("encoding", "rate", "channels"),
    [
        ("pcm_s16le", 48_000, 1),
        ("pcm_s16le", 24_000, 2),
        ("wav", 44_100, 1),
        ("wav", 16_000, 2),
        ("opus", 48_000, 1),
        ("opus", 48_000, 2),
    ],
)
async def test_every_format_is_heard(encoding: str, rate: int, channels: int) -> None:
    """Samples, WAV and Ogg Opus, mono and stereo, become the same tone of the same length."""
    sound = spoken(1.0, rate)
    sent = stereo(sound, sound) if channels == 2 else sound
    payload = encoded(sent, encoding, rate, channels)
    async with emulator() as place, connected(place.url) as client:
        await client.start(stream_task("en", "es", encoding=encoding, rate=rate, channels=channels))
        await client.sound(*pieces(payload, CHUNK))
        assert await texts(client, "translated_transcription")
        _, heard = await place.heard()

        assert heard.size == pytest.approx(1.5 * 16_000, abs=500)
        assert tone_level_db(heard[2_000:14_000], 300, rate=16_000) > -20


@pytest.mark.parametrize("channels", [1, 2])
async def test_rate_and_channels_may_be_texts(channels: int) -> None:
    """As the documentation has them: "24000" and "1" mean what the numbers mean."""
    rate = 24_000
    sound = spoken(1.0, rate)
    settings = stream_task("en", "es")
    settings["input_stream"]["source"] |= {"sample_rate": str(rate), "channels": str(channels)}
    async with emulator() as place, connected(place.url) as client:
        await client.start(settings)
        await client.sound(
            *pieces((stereo(sound, sound) if channels == 2 else sound).tobytes(), CHUNK)
        )
        assert await texts(client, "translated_transcription")
        _, heard = await place.heard()

        assert heard.size == pytest.approx(1.5 * 16_000, abs=500)
        assert client.of_type("error") == []


async def test_sound_outside_a_running_task_is_not_heard() -> None:
    """Before readiness, in a pause and in the tail, sound is dropped, not hoarded."""
    async with emulator(replace(QUICK, ready_delay_ms=300)) as place:
        async with connected(place.url) as client:
            one, two = spoken(0.5, hush=0), spoken(0.7)
            await client.sound(one.tobytes())
            await client.send("set_task", **stream_task("en", "es"))
            await client.sound(one.tobytes())
            await client.message("task_status")
            await client.sound(two.tobytes())
            await client.message("validated_transcription")
            await client.send("pause_task")
            await client.message("task_status", lambda data: data["event"] == "paused")
            await client.sound(one.tobytes())
            await client.send("set_task", **stream_task("en", "es"))
            await client.message("task_status", lambda data: data["event"] == "resumed")
            await client.sound(one.tobytes())
            await client.send("end_task")
            await client.sound(one.tobytes())
            assert await client.end() == 1000
        _, heard = await place.heard()

        assert np.array_equal(heard, np.concatenate((two, one)))
        assert client.of_type("error") == []


async def test_header_may_come_before_the_task_is_up() -> None:
    """A stream that began too early is not lost: what comes after readiness is heard."""
    file = ogg_opus(spoken(4.0, 48_000), 48_000)
    parts = list(pieces(file, 6_000))
    async with (
        emulator(replace(QUICK, ready_delay_ms=200)) as place,
        connected(place.url) as client,
    ):
        await client.send("set_task", **stream_task("en", "es", encoding="opus", rate=48_000))
        await client.sound(*parts[:2])
        await client.message("task_status")
        await client.sound(*parts[2:])
        assert await texts(client, "translated_transcription")
        assert "bad_sound" not in await place.events()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("not base64!", "invalid base64"),
        ("A", "invalid base64"),
        (None, "none is not an allowed value"),
        (7, "str type expected"),
        ("AAAA" * (512 * 1024 // 3 + 1), "ensure this value has at most 524288 bytes"),
    ],
)
async def test_invalid_sound_is_an_error(payload: object, reason: str) -> None:
    """What is no sound at all is refused in the validator's words, and the session goes on."""
    async with emulator() as place, connected(place.url) as client:
        await client.start(stream_task("en", "es"))
        await client.send("input_audio_data", data=payload)
        error = await client.message("error")
        assert error["code"] == "VALIDATION_ERROR"
        assert "'loc': ('data',)" in error["desc"]
        assert reason in error["desc"]
        await client.sound(spoken(0.6).tobytes())
        assert await texts(client, "validated_transcription")
        assert "bad_sound" in await place.events()


@pytest.mark.parametrize(
    ("end", "name", "value", "reason"),
    [
        ("source", "format", "mp3", "unexpected value; permitted: 'pcm_s16le', 'opus', 'wav'"),
        ("source", "sample_rate", 8_000, "greater than or equal to 16000"),
        ("source", "sample_rate", 96_000, "less than or equal to 48000"),
        ("source", "sample_rate", "8000", "greater than or equal to 16000"),
        ("source", "sample_rate", "24 kHz", "value is not a valid float"),
        ("source", "sample_rate", "", "value is not a valid float"),
        ("source", "channels", "3", "less than or equal to 2"),
        ("source", "channels", 3, "less than or equal to 2"),
        ("source", "channels", 0, "greater than or equal to 1"),
        ("target", "format", "opus", "unexpected value; permitted: 'pcm_s16le', 'zlib_pcm_s16le'"),
        ("source", "type", "webrtc", "unexpected value; permitted: 'ws'"),
    ],
)
async def test_formats_beyond_the_documented_are_refused(
    end: str, name: str, value: object, reason: str
) -> None:
    """The validator names the field and what is allowed."""
    stream = {"source": "input_stream", "target": "output_stream"}[end]
    settings = stream_task("en", "es")
    settings[stream][end][name] = value
    async with emulator() as place, connected(place.url) as client:
        await client.send("set_task", **settings)
        error = await client.message("error")

        assert error["code"] == "VALIDATION_ERROR"
        assert f"'loc': ('{stream}', '{end}', '{name}')" in error["desc"]
        assert reason in error["desc"]


async def test_largest_payload_is_heard() -> None:
    """512 KB is allowed."""
    async with emulator() as place, connected(place.url) as client:
        await client.start(stream_task("en", "es", rate=48_000, channels=2))
        await client.sound(bytes(512 * 1024))
        await client.message("warning")
        _, heard = await place.heard()

        assert heard.size == pytest.approx(512 * 1024 / 4 / 3, abs=32)
        assert client.of_type("error") == []


async def test_undecodable_sound_is_journaled_and_ignored() -> None:
    """Bytes that are not what the task declares end nothing and are nobody's error."""
    async with emulator() as place, connected(place.url) as client:
        await client.start(stream_task("en", "es", encoding="opus", rate=48_000))
        await client.sound(bytes(5_000))
        await client.sound(*pieces(ogg_opus(spoken(1.0, 48_000), 48_000), CHUNK))
        assert await texts(client, "validated_transcription")
        assert client.of_type("error") == []
        assert "bad_sound" in await place.events()


async def test_speech_comes_in_messages() -> None:
    """200 ms each, in a burst, one id per utterance, the last one marked, per language."""
    async with emulator() as place, connected(place.url) as client:
        await client.start(stream_task("en", "es", "de"))
        await client.sound(spoken(1.1).tobytes())
        await eventually(
            lambda: finished(client) == ["de", "es"], "the speech of both translations"
        )
        validated = await client.message("validated_transcription")
        chunks = [d for d in client.of_type("output_audio_data") if d["language"] == "es"]
        speech = client.speech("es")

        assert {d["transcription_id"] for d in chunks} == {
            validated["transcription"]["transcription_id"]
        }
        assert {d["translation_part_id"] for d in chunks} == {"0"}
        assert [d["last_chunk"] for d in chunks] == [False] * (len(chunks) - 1) + [True]
        assert len(chunks) == 6
        assert speech.size == pytest.approx(1.1 * SPEECH_RATE, rel=0.05)
        assert tone_level_db(speech[2_400:21_600], 500, rate=SPEECH_RATE) > -20
        assert tone_level_db(client.speech("de")[2_400:21_600], 600, rate=SPEECH_RATE) > -20


async def test_speech_may_be_compressed() -> None:
    """Each message is compressed alone."""
    async with emulator() as place, connected(place.url) as client:
        await client.start(stream_task("en", "es", out="zlib_pcm_s16le"))
        await client.sound(spoken(1.0).tobytes())
        await client.message("output_audio_data", lambda data: data["last_chunk"])

        assert client.speech("es", is_compressed=True).size == pytest.approx(SPEECH_RATE, rel=0.05)


async def test_text_alone() -> None:
    """Without an output stream there are texts and no sound."""
    async with emulator() as place, connected(place.url) as client:
        await client.start(stream_task("en", "es", out=None))
        await client.sound(spoken(0.6).tobytes())
        assert await texts(client, "translated_transcription")
        await client.send("end_task")
        assert await client.end() == 1000
        assert client.of_type("output_audio_data") == []


async def test_unspoken_speech_waits_in_real_time() -> None:
    """An utterance is sent when its turn comes, so the queue means what is not spoken yet."""
    allowed = ["translated_transcription", "tts_buffer_stats"]
    async with emulator(replace(QUICK, queue_map_hz=20)) as place, connected(place.url) as client:
        await client.start(stream_task("en", "es", allowed_message_types=allowed))
        await client.sound(spoken(0.8, hush=0.35).tobytes(), spoken(0.8, hush=0.35).tobytes())
        assert len(await texts(client, "translated_transcription", 2)) == 2
        await client.message(
            "tts_buffer_stats",
            lambda data: data["stats"].get("es", {}).get("current_queue_level_ms", 0) > 1_000,
        )
        assert client.speech("es").size < 1.2 * SPEECH_RATE
        await client.send("end_task")
        assert await client.end() == 1000
        assert client.speech("es").size == pytest.approx(1.6 * SPEECH_RATE, rel=0.05)


async def test_hurried_speech_is_shorter_and_has_the_same_tones() -> None:
    """At twice the usual tempo half of the time is enough for the same pitch, as loud as ever."""
    settings = stream_task("en", "es")
    settings["pipeline"]["translation_queue_configs"] = {"es": {"min_tempo": 2, "max_tempo": 2}}
    async with emulator() as place, connected(place.url) as client:
        await client.start(settings)
        await client.sound(spoken(2.0).tobytes())
        await eventually(lambda: finished(client) == ["es"], "the speech")
        speech = client.speech("es")

        assert speech.size == pytest.approx(1.0 * SPEECH_RATE, rel=0.05)
        assert tone_level_db(speech[2_400:21_600], 500, rate=SPEECH_RATE) == pytest.approx(
            -10.5, abs=0.5
        )


async def test_bare_queue_map_is_for_data_channels() -> None:
    """By WebSocket every message has its type."""
    async with emulator(replace(QUICK, queue_map_hz=20)) as place, connected(place.url) as client:
        await client.start(stream_task("en", "es"))
        await client.sound(spoken(0.6).tobytes())
        await client.message("output_audio_data")

        assert all(message.get("message_type") for message in client.messages)


async def test_graceful_end_delivers_the_tail() -> None:
    """What was heard before `end_task` is told and spoken, then the server closes with 1000."""
    async with emulator(replace(QUICK, latency_ms=600)) as place, connected(place.url) as client:
        await client.start(stream_task("en", "es"))
        await client.sound(spoken(0.8, hush=0).tobytes())
        await client.send("end_task")
        code = await client.end()
        kinds = [message["message_type"] for message in client.messages]

        assert code == 1000
        assert kinds[-1] == "end_of_stream"
        assert "validated_transcription" in kinds
        assert client.speech("es").size == pytest.approx(0.8 * SPEECH_RATE, rel=0.1)


async def test_forced_end_is_at_once() -> None:
    """`force` closes without tail or end of stream."""
    async with emulator() as place, connected(place.url) as client:
        await client.start(stream_task("en", "es"))
        await client.sound(spoken(0.8, hush=0).tobytes())
        await client.send("end_task", force=True)

        assert await client.end() == 1000
        assert client.of_type("end_of_stream") == []
        assert client.of_type("validated_transcription") == []


async def test_missing_input_ends_the_session() -> None:
    """A stall is warned of; then comes the error, and 1008 a moment later."""
    async with emulator(replace(QUICK, watchdog_s=3.5)) as place, connected(place.url) as client:
        await client.start(stream_task("en", "es"))
        await client.sound(spoken(0.2).tobytes())
        error = await client.message("error")
        said_at = asyncio.get_running_loop().time()
        assert not client.is_closed
        assert await client.end() == 1008

        assert error["code"] == "SERVICE_TIMEOUT"
        assert asyncio.get_running_loop().time() - said_at > 0.1
        assert [data["code"] for data in client.of_type("warning")] == ["AUDIO_STREAM_STALLED"]


async def test_sound_that_comes_too_fast_is_warned_of_once() -> None:
    """Five seconds at once bring one warning, and are heard all the same."""
    async with emulator() as place, connected(place.url) as client:
        await client.start(stream_task("en", "es"))
        sound = spoken(5.0)
        await client.sound(*pieces(sound.tobytes(), CHUNK))
        assert await texts(client, "validated_transcription")
        _, heard = await place.heard()

        assert [data["code"] for data in client.of_type("warning")] == ["AUDIO_STREAM_TOO_FAST"]
        assert heard.size == sound.size


async def test_deleted_session_closes_its_socket() -> None:
    """A DELETE ends the connection."""
    async with emulator() as place:
        session = await create_session(place.url)
        async with connected(place.url, session["publisher"]) as client:
            await client.start(stream_task("en", "es"))
            async with (
                aiohttp.ClientSession(place.url, headers=CREDENTIALS) as http,
                http.delete(f"/session-storage/sessions/{session['id']}") as answer,
            ):
                assert answer.status == 204

            assert await client.end() == 1000


async def test_stopping_emulator_closes_its_sockets() -> None:
    """At the end every client is told that the server goes away."""
    async with asyncio.TaskGroup() as clients:
        async with emulator() as place:
            is_running, code = asyncio.Event(), asyncio.get_running_loop().create_future()

            async def stay() -> None:
                async with connected(place.url) as client:
                    await client.start(stream_task("en", "es"))
                    is_running.set()
                    code.set_result(await client.end())

            clients.create_task(stay())
            await is_running.wait()

        assert await code == 1001


async def test_recordings_are_files_of_their_own(tmp_path: Path) -> None:
    """With a folder, every session leaves what it heard as one WAV file."""
    async with emulator(replace(QUICK, record_input=tmp_path / "heard")) as place:
        sounds = [spoken(0.4), spoken(0.6)]
        for sound in sounds:
            async with connected(place.url) as client:
                await client.start(stream_task("en", "es"))
                await client.sound(*pieces(sound.tobytes(), CHUNK))
                await client.message("validated_transcription")
                await client.send("end_task", force=True)
                await client.end()

        files = sorted((tmp_path / "heard").iterdir())
        assert [file.name[:4] for file in files] == ["000-", "001-"]
        for file, sound in zip(files, sounds, strict=True):
            assert np.array_equal(read_wav(file.read_bytes())[1], sound)


async def test_what_was_heard_is_bounded() -> None:
    """Only the newest is kept, and of an unknown session nothing is known."""
    async with emulator(replace(QUICK, keep_heard_s=0.5)) as place, connected(place.url) as client:
        await client.start(stream_task("en", "es"))
        sound = spoken(1.5)
        await client.sound(*pieces(sound.tobytes(), 3_200))
        assert await texts(client, "validated_transcription")
        _, heard = await place.heard()
        assert np.array_equal(heard, sound[-8_000:])
        path = "/emulator/sessions/nobody/heard.wav"
        async with aiohttp.ClientSession(place.url) as http, http.get(path) as answer:
            assert answer.status == 404


async def test_stream_refuses_tokens_that_are_no_ascii() -> None:
    """Any token that is not one is refused like any other, while sessions live."""
    async with caller() as api:
        await api.create()

        assert await refusal(api.url, "é") == 403


def test_connections_of_old_tokens_are_forgotten() -> None:
    """A token that came long ago leaves nothing behind."""
    limit = ConnectionLimit()
    for number in range(100):
        assert limit.admits(f"token {number}", float(number))

    assert limit.admits("another", 1_000.0)
    assert limit.tokens == 1
