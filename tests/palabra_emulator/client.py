"""A small client of the emulator, written against Palabra's documentation and nothing else."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import numpy as np
from livekit import rtc

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import tone, tone_level_db

FAULTS_PATH: Final = "/emulator/faults"
CREDENTIALS: Final = {"ClientId": "local", "ClientSecret": "local"}
AUDIBLE_DB: Final = -40.0
ALL_TEXTS: Final = [
    "partial_transcription",
    "validated_transcription",
    "translated_transcription",
    "partial_translated_transcription",
]
_PATIENCE: Final = 10.0
_POLL_SECONDS: Final = 0.02


def task(source: str, *targets: str, **pipeline: object) -> dict[str, Any]:
    """The `data` of a set_task for WebRTC."""
    return {
        "input_stream": {"content_type": "audio", "source": {"type": "webrtc"}},
        "output_stream": {"content_type": "audio", "target": {"type": "webrtc"}},
        "pipeline": {
            "transcription": {"source_language": source},
            "translations": [{"target_language": target} for target in targets],
            **pipeline,
        },
    }


def decoded(payload: bytes) -> dict[str, Any]:
    """A message with its `data` parsed, if that is JSON within JSON."""
    message: dict[str, Any] = json.loads(payload)
    if isinstance(message.get("data"), str):
        message["data"] = json.loads(message["data"])

    return message


@dataclass(slots=True)
class Heard:
    """What was heard of one track, newest last."""

    sid: str
    frames: list[tuple[float, Pcm]] = field(default_factory=list[tuple[float, Pcm]])

    def level_db(self, hz: float, *, since: float, seconds: float = 0.5) -> float:
        """How loud a tone is in the last half second."""
        newest = [pcm for at, pcm in self.frames if at >= since]
        sound = np.concatenate(newest) if newest else np.zeros(0, np.int16)
        return tone_level_db(sound[-round(seconds * SAMPLE_RATE) :], hz)


class Client:
    """One Palabra session, joined."""

    def __init__(self, session: dict[str, Any], room: rtc.Room) -> None:
        self.session = session
        self.room = room
        self.messages: list[tuple[float, dict[str, Any]]] = []
        self.heard: dict[str, Heard] = {}
        self.unsubscribed: list[str] = []
        self.disconnected: list[rtc.DisconnectReason.ValueType] = []
        self.arrivals: asyncio.Queue[tuple[rtc.Track, Heard]] = asyncio.Queue()
        self._source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=100)
        room.on("data_received", self._on_data)
        room.on("track_subscribed", self._on_track)
        room.on("track_unsubscribed", self._on_track_gone)
        room.on("disconnected", self.disconnected.append)

    async def publish(self) -> rtc.LocalTrackPublication:
        """Publish a microphone, silent until somebody speaks."""
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False, red=False
        )
        return await self.room.local_participant.publish_track(track, options)

    async def send(self, message_type: str, *, reliable: bool = True, **data: object) -> None:
        """Send a command."""
        payload = json.dumps({"message_type": message_type, "data": data})
        await self.room.local_participant.publish_data(payload, reliable=reliable)

    async def start(self, settings: dict[str, Any]) -> None:
        """Send a first task and wait until it runs."""
        await self.send("set_task", **settings)
        await self.message("task_status", lambda data: data["event"] == "started")

    async def speak(self, seconds: float, hz: float = 300.0) -> None:
        """Make a sound; returns when it is over."""
        pcm = tone(hz, seconds)
        for start in range(0, pcm.size, SAMPLE_RATE // 50):
            part = pcm[start : start + SAMPLE_RATE // 50]
            frame = rtc.AudioFrame(part.tobytes(), SAMPLE_RATE, 1, part.size)
            await self._source.capture_frame(frame)

        await self._source.wait_for_playout()

    def of_type(self, message_type: str) -> list[dict[str, Any]]:
        """The `data` of all messages of a type so far."""
        return [m["data"] for _, m in self.messages if m.get("message_type") == message_type]

    async def message(
        self,
        message_type: str,
        matches: Callable[[dict[str, Any]], bool] = lambda data: True,
        patience: float = _PATIENCE,
    ) -> dict[str, Any]:
        """Wait for a message, however long ago it came."""
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            found[:] = [data for data in self.of_type(message_type) if matches(data)]
            return bool(found)

        await until(is_there, f"a {message_type} message", patience)
        return found[0]

    async def hears(self, language: str, hz: float, *, since: float) -> None:
        """Wait until a tone is heard on a translation track."""

        def is_heard() -> bool:
            track = self.heard.get(f"translation_{language}")
            return track is not None and track.level_db(hz, since=since) > AUDIBLE_DB

        await until(is_heard, f"{hz} Hz on translation_{language}")

    def _on_data(self, packet: rtc.DataPacket) -> None:
        self.messages.append((time.monotonic(), decoded(packet.data)))

    def _on_track(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, _owner: object
    ) -> None:
        self.heard[publication.name] = Heard(publication.sid)
        self.arrivals.put_nowait((track, self.heard[publication.name]))

    def _on_track_gone(
        self, _track: rtc.Track, publication: rtc.RemoteTrackPublication, _owner: object
    ) -> None:
        self.unsubscribed.append(publication.name)


async def until(condition: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
    """Wait for something to be true."""

    async def ask() -> bool:
        return condition()

    await eventually(ask, what, patience)


async def eventually(
    ask: Callable[[], Awaitable[bool]], what: str, patience: float = _PATIENCE
) -> None:
    """Wait for something to be true that must be asked for."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if await ask():
            return
        await asyncio.sleep(_POLL_SECONDS)

    raise AssertionError(f"waited {patience:g} s in vain for {what}")


async def create_session(url: str, **wishes: object) -> dict[str, Any]:
    """Create a session over REST."""
    async with (
        aiohttp.ClientSession(url, headers=CREDENTIALS) as http,
        http.post("/session-storage/session", json={"data": wishes}) as answer,
    ):
        assert answer.status == 201, await answer.text()
        return (await answer.json())["data"]  # type: ignore[no-any-return]


async def state_of(url: str, session_id: str) -> str:
    """A session's state."""
    return str((await inspected(url, session_id))["state"])


async def inspected(url: str, session_id: str) -> dict[str, Any]:
    """What the emulator says about a session."""
    async with aiohttp.ClientSession(url) as http, http.get("/emulator/sessions") as answer:
        sessions: list[dict[str, Any]] = (await answer.json())["sessions"]
        return next(session for session in sessions if session["id"] == session_id)


async def journal(url: str, session_id: str) -> list[dict[str, Any]]:
    """The journal's entries about a session."""
    async with aiohttp.ClientSession(url) as http, http.get("/emulator/journal") as answer:
        entries = [json.loads(line) for line in (await answer.text()).splitlines()]
        return [entry for entry in entries if entry["session"] == session_id]


async def arm(url: str, **wish: object) -> dict[str, Any]:
    """Let something go wrong; what was armed."""
    async with aiohttp.ClientSession(url) as http, http.post(FAULTS_PATH, json=wish) as answer:
        assert answer.status == 201, await answer.text()
        return await answer.json()  # type: ignore[no-any-return]


async def struck(url: str) -> None:
    """Wait until all that was armed has struck."""

    async def is_over() -> bool:
        async with aiohttp.ClientSession(url) as http, http.get(FAULTS_PATH) as answer:
            return not (await answer.json())["armed"]

    await eventually(is_over, "the stroke")


@asynccontextmanager
async def open_client(url: str) -> AsyncGenerator[Client]:
    """Create a session and join it with a microphone."""
    room = rtc.Room()
    session = await create_session(url)
    client = Client(session, room)
    options = rtc.RoomOptions(single_peer_connection=False)
    await room.connect(session["webrtc_url"], session["publisher"], options)
    async with asyncio.TaskGroup() as recordings:
        recorder = recordings.create_task(_record(client))
        try:
            await client.publish()
            yield client
        finally:
            recorder.cancel()
            await room.disconnect()


async def _record(client: Client) -> None:
    async with asyncio.TaskGroup() as tracks:
        while True:
            track, heard = await client.arrivals.get()
            tracks.create_task(_record_track(track, heard))


async def _record_track(track: rtc.Track, heard: Heard) -> None:
    stream = rtc.AudioStream.from_track(
        track=track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=50, capacity=20
    )
    try:
        async for event in stream:
            pcm = np.frombuffer(event.frame.data, dtype=np.int16)
            heard.frames.append((time.monotonic(), pcm))
    finally:
        await stream.aclose()
