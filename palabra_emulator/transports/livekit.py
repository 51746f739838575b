"""LiveKit: the rooms of sessions, and the bot in each that hears and speaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import aiohttp
import numpy as np
from livekit import api, rtc
from livekit.rtc.participant import PublishDataError, PublishTrackError, UnpublishTrackError

from palabra_agent.audio.event_path import open_source, open_stream
from palabra_agent.audio.pcm import Pcm
from palabra_agent.concurrency import complete_or_undo
from palabra_agent.network import lead_sdk
from palabra_emulator.interpreting.playout import SPEECH_RATE
from palabra_emulator.interpreting.utterances import HEARING_RATE
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.transports.ports import (
    DONE,
    ClientJoined,
    ClientLeft,
    Packet,
    RoomNames,
    Rooms,
    RoomsUnavailable,
    TransportEvent,
    TransportLost,
)

logger = logging.getLogger(__name__)

_SERVER_SECONDS: Final = 5.0
_TOKEN_TTL: Final = timedelta(hours=24)
_NO_AGENT: Final = "none"
"""An agent that does not exist: a room dispatched to it gets no unnamed worker either."""

_GONE_ALREADY: Final = frozenset({api.ServerErrorCode.NOT_FOUND})
_UNAUTHORIZED: Final = frozenset({401, 403})

_MEDIA_SECONDS: Final = 5.0
_UNPUBLISH_SECONDS: Final = 2.0
_HEARING_FRAME_MS: Final = 50
"""Long frames cost little, and utterances are measured in 10 ms all the same."""

_HEARING_BACKLOG_FRAMES: Final = 20
_SOURCE_QUEUE_MS: Final = 1_000
_CONNECT_SECONDS: Final = 10.0
_GRACE_SECONDS: Final = 3.0
"""More than any connection takes that comes to be."""
_SEND_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 2.0
_EVENTS: Final = 1_000


class LiveKitRooms:
    """Rooms of one LiveKit server."""

    def __init__(self, livekit: api.LiveKitAPI, options: EmulatorOptions) -> None:
        self._livekit = livekit
        self._options = options

    async def create(self, room: str, /) -> None:
        """Make a room that no other agent enters."""
        dispatch = api.RoomAgentDispatch(agent_name=_NO_AGENT)
        request = api.CreateRoomRequest(name=room, agents=[dispatch])
        try:
            async with asyncio.timeout(_SERVER_SECONDS):
                await self._livekit.room.create_room(request)
        except api.ServerError as error:
            raise RoomsUnavailable(self._refusal(error)) from None
        except (aiohttp.ClientError, TimeoutError):
            url = self._options.livekit_url
            raise RoomsUnavailable(f"The LiveKit server at {url} cannot be reached") from None

    async def delete(self, room: str, /) -> None:
        """Close a room."""
        try:
            async with asyncio.timeout(_SERVER_SECONDS):
                await self._livekit.room.delete_room(api.DeleteRoomRequest(room=room))
        except api.ServerError as error:
            if error.code not in _GONE_ALREADY:
                raise RoomsUnavailable(self._refusal(error)) from None
        except (aiohttp.ClientError, TimeoutError):
            raise RoomsUnavailable("A room could not be closed") from None

    async def expel(self, room: str, identity: str, /) -> None:
        """Put a participant out."""
        request = api.RoomParticipantIdentity(room=room, identity=identity)
        try:
            async with asyncio.timeout(_SERVER_SECONDS):
                await self._livekit.room.remove_participant(request)
        except api.ServerError as error:
            if error.code not in _GONE_ALREADY:
                raise RoomsUnavailable(self._refusal(error)) from None
        except (aiohttp.ClientError, TimeoutError):
            raise RoomsUnavailable("A participant could not be put out") from None

    def admit(self, room: str, identity: str, /, *, may_publish: bool) -> str:
        """Make the token with which a participant enters."""
        grants = api.VideoGrants(
            room_join=True,
            room=room,
            can_publish=may_publish,
            can_publish_data=may_publish,
            can_subscribe=True,
        )
        token = api.AccessToken(self._options.livekit_api_key, self._options.livekit_api_secret)
        return token.with_identity(identity).with_grants(grants).with_ttl(_TOKEN_TTL).to_jwt()

    def _refusal(self, error: api.ServerError) -> str:
        url = self._options.livekit_url
        if error.status in _UNAUTHORIZED:
            return f"The LiveKit server at {url} refused the emulator's API key"

        return f"The LiveKit server at {url} refused a request (HTTP {error.status})"


@asynccontextmanager
async def open_rooms(options: EmulatorOptions) -> AsyncGenerator[LiveKitRooms]:
    """Open the server API; nothing is asked yet."""
    async with api.LiveKitAPI(
        options.livekit_url, options.livekit_api_key, options.livekit_api_secret
    ) as livekit:
        yield LiveKitRooms(livekit, options)


@dataclass(frozen=True, slots=True)
class _Microphone:
    track: rtc.RemoteAudioTrack
    publication: rtc.RemoteTrackPublication


class MicrophoneReader:
    """Hears one microphone at a time: the one that was subscribed to last."""

    def __init__(self) -> None:
        self._microphone: _Microphone | None = None
        self._changed = asyncio.Event()
        self._packets_received = 0

    def attach(self, track: rtc.RemoteAudioTrack, publication: rtc.RemoteTrackPublication) -> None:
        """Hear this one from now on."""
        self._microphone = _Microphone(track, publication)
        self._changed.set()

    def detach(self, sid: str) -> None:
        """Hear a microphone no longer."""
        if self._microphone is not None and self._microphone.publication.sid == sid:
            self._microphone = None

    async def listen(self, hear: Callable[[Pcm], None]) -> None:
        """Hear whichever microphone there is, for ever; a muted one says nothing."""
        while True:
            self._changed.clear()
            microphone = self._microphone
            if microphone is None:
                await self._changed.wait()
            else:
                await self._listen_to(microphone, hear)

    async def has_input(self) -> bool:
        """True if RTP has arrived since the last question; a muted track does not count.

        An AudioStream yields silence even after the track has ended, so it cannot tell.
        """
        microphone = self._microphone
        if microphone is None or microphone.publication.muted:
            return False

        try:
            async with asyncio.timeout(_MEDIA_SECONDS):
                stats = await microphone.track.get_stats()
        except TimeoutError:
            return False

        before = self._packets_received
        self._packets_received = sum(stat.inbound_rtp.received.packets_received for stat in stats)
        return self._packets_received != before

    async def _listen_to(self, microphone: _Microphone, hear: Callable[[Pcm], None]) -> None:
        stream = open_stream(
            microphone.track,
            capacity=_HEARING_BACKLOG_FRAMES,
            rate=HEARING_RATE,
            frame_ms=_HEARING_FRAME_MS,
        )
        try:
            async for event in stream:
                if self._microphone is not microphone:
                    return
                if not microphone.publication.muted:
                    hear(np.frombuffer(event.frame.data, dtype=np.int16))
        finally:
            await stream.aclose()

        self.detach(microphone.publication.sid)


class TranslationTracks:
    """Speaks on one track per language."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._sources: dict[str, rtc.AudioSource] = {}

    async def offer(self, languages: Sequence[str], *, anew: bool) -> None:
        """Publish exactly these languages; `anew` also takes back those that stay.

        Raises:
            TransportLost: A track could not be published.
        """
        gone = [language for language in self._sources if anew or language not in languages]
        async with asyncio.TaskGroup() as withdrawing:
            for language in gone:
                withdrawing.create_task(self._withdraw(language))
        new = [language for language in languages if language not in self._sources]
        async with asyncio.TaskGroup() as publishing:
            for language in new:
                publishing.create_task(self._publish(language))

    async def speak(self, language: str, pcm: Pcm) -> None:
        """Let speech be heard; a language that is not offered is not."""
        source = self._sources.get(language)
        if source is None:
            return

        frame = rtc.AudioFrame(pcm.tobytes(), SPEECH_RATE, 1, pcm.size)
        async with asyncio.timeout(_MEDIA_SECONDS):
            await source.capture_frame(frame)

    def hush(self, language: str) -> None:
        """Withdraw the speech that is not heard yet."""
        source = self._sources.get(language)
        if source is not None:
            source.clear_queue()

    async def _publish(self, language: str) -> None:
        source = open_source(_SOURCE_QUEUE_MS, SPEECH_RATE)
        track = rtc.LocalAudioTrack.create_audio_track(_track_name(language), source)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False, red=False
        )
        try:
            async with asyncio.timeout(_MEDIA_SECONDS):
                await self._room.local_participant.publish_track(track, options)
        except (PublishTrackError, TimeoutError):
            raise TransportLost("a translation track could not be published") from None

        self._sources[language] = source

    async def _withdraw(self, language: str) -> None:
        """Take a track back; it is found by its name, since a reconnect gives it a new sid."""
        source = self._sources.pop(language)
        name = _track_name(language)
        published = self._room.local_participant.track_publications
        sids = [sid for sid, publication in published.items() if publication.name == name]
        try:
            async with asyncio.timeout(_UNPUBLISH_SECONDS):
                for sid in sids:
                    await self._room.local_participant.unpublish_track(sid)
        except (UnpublishTrackError, TimeoutError):
            logger.debug("a translation track could not be unpublished")
        finally:
            await source.aclose()


def _track_name(language: str) -> str:
    return f"translation_{language}"


class Bot:
    """A session's `Transport` over a LiveKit room."""

    def __init__(self, room: rtc.Room, names: RoomNames, rooms: Rooms) -> None:
        self._room = room
        self._names = names
        self._rooms = rooms
        self._microphone = MicrophoneReader()
        self._tracks = TranslationTracks(room)
        self._events: asyncio.Queue[TransportEvent | None] = asyncio.Queue(_EVENTS)
        room.on("participant_connected", self._on_participant_connected)
        room.on("participant_disconnected", self._on_participant_disconnected)
        room.on("data_received", self._on_data)
        room.on("track_published", self._on_track_published)
        room.on("track_subscribed", self._on_track_subscribed)
        room.on("track_unsubscribed", self._on_track_unsubscribed)
        room.on("disconnected", self._on_disconnected)

    async def next_event(self) -> TransportEvent:
        """Wait for what the client does next."""
        event = await self._events.get()
        if event is None:
            raise TransportLost("the bot was disconnected from its room")

        return event

    async def listen(self, hear: Callable[[Pcm], None], /) -> None:
        """Hear the client's microphone, for ever."""
        await self._microphone.listen(hear)

    async def has_input(self) -> bool:
        """True if the microphone has sent anything since the last question."""
        return await self._microphone.has_input()

    async def send(self, payload: bytes, /) -> None:
        """Say something; while the bot itself reconnects, it is lost."""
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._room.local_participant.publish_data(payload, reliable=True)
        except (PublishDataError, TimeoutError):
            logger.debug("a message could not be sent", extra={"room": self._names.room})

    async def offer(self, languages: Sequence[str], /, *, anew: bool) -> None:
        """Publish exactly these languages."""
        await self._tracks.offer(languages, anew=anew)

    async def play(self, language: str, pcm: Pcm, /) -> None:
        """Let speech be heard."""
        await self._tracks.speak(language, pcm)

    def hush(self, language: str, /) -> None:
        """Withdraw the speech that is not heard yet."""
        self._tracks.hush(language)

    async def expel_client(self, _code: int = DONE, /) -> None:
        """Put the client out, if it is still there."""
        if self._names.client in self._room.remote_participants:
            await self._rooms.expel(self._names.room, self._names.client)

    def notice_client(self) -> None:
        """Take in the client and its tracks if it came first."""
        client = self._room.remote_participants.get(self._names.client)
        if client is None:
            return

        self._tell(ClientJoined())
        for publication in client.track_publications.values():
            self._on_track_published(publication, client)

    async def close(self) -> None:
        """Take the tracks back and leave."""
        try:
            if self._room.isconnected():
                await self._tracks.offer((), anew=True)
        finally:
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._room.disconnect()
            except TimeoutError:
                logger.debug("the bot did not leave in time", extra={"room": self._names.room})

    def _tell(self, event: TransportEvent | None) -> None:
        if self._events.full():
            self._events.get_nowait()

        self._events.put_nowait(event)

    def _on_participant_connected(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._names.client:
            self._tell(ClientJoined())

    def _on_participant_disconnected(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._names.client:
            self._tell(ClientLeft())

    def _on_data(self, packet: rtc.DataPacket) -> None:
        is_reliable = packet.kind == rtc.DataPacketKind.KIND_RELIABLE
        self._tell(Packet(packet.data, is_reliable))

    def _on_track_published(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        is_audio = publication.kind == rtc.TrackKind.KIND_AUDIO
        if is_audio and participant.identity == self._names.client:
            publication.set_subscribed(True)

    def _on_track_subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if isinstance(track, rtc.RemoteAudioTrack) and participant.identity == self._names.client:
            self._microphone.attach(track, publication)

    def _on_track_unsubscribed(
        self,
        _track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        _participant: rtc.RemoteParticipant,
    ) -> None:
        self._microphone.detach(publication.sid)

    def _on_disconnected(self, _reason: object) -> None:
        self._tell(None)


@asynccontextmanager
async def open_bot(names: RoomNames, rooms: Rooms, livekit_url: str) -> AsyncGenerator[Bot]:
    """Have a bot in a session's room, from before the client comes until after it has left.

    Raises:
        RoomsUnavailable: It could not get in.
    """
    room = rtc.Room()
    bot = Bot(room, names, rooms)
    token = rooms.admit(names.room, names.bot, may_publish=True)
    lead_sdk(livekit_url)
    try:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await _connect(room, livekit_url, token)
        except (rtc.ConnectError, TimeoutError):
            reason = f"The emulator's bot could not join a room at {livekit_url}"
            raise RoomsUnavailable(reason) from None
        bot.notice_client()
        yield bot
    finally:
        await bot.close()


async def _connect(room: rtc.Room, url: str, token: str) -> None:
    """Connect; where that is cancelled, only once it is done, or the SDK ends this process."""
    connecting = room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
    await complete_or_undo(
        connecting, grace_seconds=_GRACE_SECONDS, undo=lambda _: room.disconnect()
    )
