"""A small client of the emulator, written against Palabra's documentation and nothing else."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
from livekit import rtc

from palabra_agent.audio.pcm import SAMPLE_RATE
from palabra_agent.audio.tones import tone, tone_level_db
from palabra_agent.local.reception import Reception
from palabra_agent.local.recording import AUDIBLE_DB
from tests.clock import eventually

CREDENTIALS: Final = {"ClientId": "local", "ClientSecret": "local"}
ALL_TEXTS: Final = [
    "partial_transcription",
    "validated_transcription",
    "translated_transcription",
    "partial_translated_transcription",
]


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


class Listener:
    """What a client was told."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.times: list[float] = []
        """When they came, by the monotonic clock."""

    def hear(self, payload: bytes) -> None:
        """Take a message."""
        self.messages.append(decoded(payload))
        self.times.append(time.monotonic())

    def of_type(self, message_type: str) -> list[dict[str, Any]]:
        """The `data` of all messages of a type so far."""
        return [it["data"] for it in self.messages if it.get("message_type") == message_type]

    async def message(
        self,
        message_type: str,
        matches: Callable[[dict[str, Any]], bool] = lambda data: True,
        seconds: float = 60.0,
    ) -> dict[str, Any]:
        """Wait for a message, however long ago it came."""
        await eventually(
            lambda: any(map(matches, self.of_type(message_type))),
            f"a {message_type} message",
            seconds,
        )
        return next(filter(matches, self.of_type(message_type)))


class Client(Listener):
    """One Palabra session, joined."""

    def __init__(self, session: dict[str, Any], room: rtc.Room) -> None:
        super().__init__()
        self.session = session
        self.room = room
        self.reception = Reception(room, lambda _: True)
        self.unsubscribed: list[str] = []
        self.disconnected: list[rtc.DisconnectReason.ValueType] = []
        self._source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=100)
        room.on("data_received", self._on_data)
        room.on("track_unsubscribed", self._on_track_gone)
        room.on("disconnected", self.disconnected.append)

    @property
    def tracks(self) -> dict[str, str]:
        """The sids of the tracks that are subscribed to now, by name."""
        return {
            track.name: track.sid
            for participant in self.room.remote_participants.values()
            for track in participant.track_publications.values()
            if track.subscribed
        }

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

    def level_db(self, language: str, hz: float, *, since: float) -> float:
        """How loud a tone is in the last half second of a translation, within what came since."""
        sound = self.reception.recording(f"translation_{language}").between(since)
        return tone_level_db(sound[-SAMPLE_RATE // 2 :], hz)

    async def hears(self, language: str, hz: float, *, since: float) -> None:
        """Wait until a tone is heard on a translation track."""

        async def is_heard() -> bool:
            return self.level_db(language, hz, since=since) > AUDIBLE_DB

        await eventually(is_heard, f"{hz} Hz on translation_{language}")

    def _on_data(self, packet: rtc.DataPacket) -> None:
        self.hear(packet.data)

    def _on_track_gone(
        self, _track: rtc.Track, publication: rtc.RemoteTrackPublication, _owner: object
    ) -> None:
        self.unsubscribed.append(publication.name)


async def create_session(url: str, **wishes: object) -> dict[str, Any]:
    """Create a session over REST."""
    async with (
        aiohttp.ClientSession(url, headers=CREDENTIALS) as http,
        http.post("/session-storage/session", json={"data": wishes}) as answer,
    ):
        assert answer.status == 201, await answer.text()
        return (await answer.json())["data"]  # type: ignore[no-any-return]


@asynccontextmanager
async def open_client(url: str) -> AsyncGenerator[Client]:
    """Create a session and join it with a microphone."""
    room = rtc.Room()
    session = await create_session(url)
    client = Client(session, room)
    options = rtc.RoomOptions(single_peer_connection=False)
    await room.connect(session["webrtc_url"], session["publisher"], options)
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(client.reception.listen())
        try:
            await client.publish()
            yield client
        finally:
            listening.cancel()
            await room.disconnect()
