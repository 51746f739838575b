"""The bot: the LiveKit participant `palabra_translator_…`, a session's way to a WebRTC client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from livekit import rtc
from livekit.rtc.participant import PublishDataError

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.bot_media import Ear, Mouth
from palabra_emulator.ports import (
    DONE,
    ClientJoined,
    ClientLeft,
    Packet,
    Place,
    Rooms,
    RoomsUnavailable,
    TransportEvent,
    TransportLost,
)

logger = logging.getLogger(__name__)

_CONNECT_SECONDS: Final = 10.0
_SEND_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 2.0
_EVENTS: Final = 1_000


class Bot:
    """A session's `Transport` over a LiveKit room."""

    def __init__(self, room: rtc.Room, place: Place, rooms: Rooms) -> None:
        self._room = room
        self._place = place
        self._rooms = rooms
        self._ear = Ear()
        self._mouth = Mouth(room)
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
        await self._ear.listen(hear)

    async def has_input(self) -> bool:
        """Whether the microphone has sent anything since the last question."""
        return await self._ear.has_input()

    async def send(self, payload: bytes, /) -> None:
        """Say something; while the bot itself reconnects, it is lost."""
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._room.local_participant.publish_data(payload, reliable=True)
        except (PublishDataError, TimeoutError):
            logger.debug("a message could not be sent", extra={"room": self._place.room})

    async def offer(self, languages: Sequence[str], /, *, anew: bool) -> None:
        """Publish exactly these languages."""
        await self._mouth.offer(languages, anew=anew)

    async def play(self, language: str, pcm: Pcm, /) -> None:
        """Let speech be heard."""
        await self._mouth.speak(language, pcm)

    def hush(self, language: str, /) -> None:
        """Withdraw the speech that is not heard yet."""
        self._mouth.hush(language)

    async def expel_client(self, _code: int = DONE, /) -> None:
        """Put the client out, if it is still there."""
        if self._place.client in self._room.remote_participants:
            await self._rooms.expel(self._place.room, self._place.client)

    def meet(self) -> None:
        """Notice the client if it came first."""
        client = self._room.remote_participants.get(self._place.client)
        if client is None:
            return

        self._tell(ClientJoined())
        for publication in client.track_publications.values():
            self._on_track_published(publication, client)

    async def close(self) -> None:
        """Take the tracks back and leave."""
        try:
            if self._room.isconnected():
                await self._mouth.offer((), anew=True)
        finally:
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._room.disconnect()
            except TimeoutError:
                logger.debug("the bot did not leave in time", extra={"room": self._place.room})

    def _tell(self, event: TransportEvent | None) -> None:
        if self._events.full():
            self._events.get_nowait()

        self._events.put_nowait(event)

    def _on_participant_connected(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._place.client:
            self._tell(ClientJoined())

    def _on_participant_disconnected(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._place.client:
            self._tell(ClientLeft())

    def _on_data(self, packet: rtc.DataPacket) -> None:
        is_reliable = packet.kind == rtc.DataPacketKind.KIND_RELIABLE
        self._tell(Packet(packet.data, is_reliable))

    def _on_track_published(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        is_audio = publication.kind == rtc.TrackKind.KIND_AUDIO
        if is_audio and participant.identity == self._place.client:
            publication.set_subscribed(True)

    def _on_track_subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if isinstance(track, rtc.RemoteAudioTrack) and participant.identity == self._place.client:
            self._ear.attach(track, publication)

    def _on_track_unsubscribed(
        self,
        _track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        _participant: rtc.RemoteParticipant,
    ) -> None:
        self._ear.detach(publication.sid)

    def _on_disconnected(self, _reason: object) -> None:
        self._tell(None)


@asynccontextmanager
async def open_bot(place: Place, rooms: Rooms, livekit_url: str) -> AsyncGenerator[Bot]:
    """Have a bot in a session's room, from before the client comes until after it has left.

    Raises:
        RoomsUnavailable: It could not get in.
    """
    room = rtc.Room()
    bot = Bot(room, place, rooms)
    token = rooms.admit(place.room, place.bot, may_publish=True)
    try:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await room.connect(livekit_url, token, rtc.RoomOptions(auto_subscribe=False))
        except (rtc.ConnectError, TimeoutError):
            reason = f"The emulator's bot could not join a room at {livekit_url}"
            raise RoomsUnavailable(reason) from None
        bot.meet()
        yield bot
    finally:
        await bot.close()
