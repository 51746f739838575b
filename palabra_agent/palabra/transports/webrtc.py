"""The WebRTC transport: a session is a LiveKit room at Palabra, with a bot that interprets.

Facts: the bot is called `palabra_translator_…` and publishes one track per target,
`translation_<language>`; commands and messages are data packets without a topic; the server is an
old one that knows only two peer connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from livekit import rtc

from palabra_agent.addresses import mistake_of
from palabra_agent.audio.event_path import narrow_events
from palabra_agent.audio.frame import Frame
from palabra_agent.audio.rtc import AudioOutput, RemoteAudio, is_up, microphone_options
from palabra_agent.concurrency import Watched, complete_or_undo, finish_despite_cancellation
from palabra_agent.errors import SessionLost, Unreachable
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.event_stream import EventStream
from palabra_agent.palabra.protocol.messages import decode
from palabra_agent.palabra.transports.allowance import TOO_MUCH, WORDS_ONLY, MessageAllowance
from palabra_agent.palabra.transports.port import (
    Disconnected,
    Interrupted,
    MessageReceived,
    PeerArrived,
    Resumed,
    TransportEvent,
)
from palabra_agent.session import InterpretationEnded, InterpretationStarted

_BOT_PREFIX: Final = "palabra_translator"
_BOT_ABSENCE_SECONDS: Final = 2.0
"""The bot's own reconnect makes it vanish for less than this; during ours it does not count."""

_MOST_TRACKS: Final = 32
"""More languages than a room offers; each that is listened to costs a decoder."""

_TRACK_SECONDS: Final = 8.0
"""Palabra publishes its tracks when a task starts, not when the speaker speaks."""

_CONNECT_SECONDS: Final = 15.0
_GRACE_SECONDS: Final = 0.5
_SEND_SECONDS: Final = 3.0
_TELLING_SECONDS: Final = 0.5
_LEAVE_SECONDS: Final = 0.5
_NO_MEDIA: Final = rtc.DisconnectReason.MEDIA_FAILURE
_OVERTAKING_SECONDS: Final = 0.2
"""By so much a command is faster than sound, which waits in encoders and jitter buffers."""


@asynccontextmanager
async def join_room(
    url: str, token: str, *, expects_tracks: bool = True
) -> AsyncGenerator[WebRtcTransport]:
    """Be in a session's room, with our track published, for the length of a block.

    Args:
        url: Where; a session's ticket says it.
        token: The session's.
        expects_tracks: Whether the task asks for speech; then it is lost where no track comes.

    Raises:
        Unreachable: The room could not be joined.
        SessionLost: Our track could not be published.
    """
    room, microphone = rtc.Room(), AudioOutput("microphone")
    transport = WebRtcTransport(room, microphone, expects_tracks=expects_tracks)
    try:
        await _connect(room, url, token)
        await _publish(room, microphone)
        yield transport
    finally:
        transport.detach()
        try:
            await finish_despite_cancellation(room.disconnect(), seconds=_LEAVE_SECONDS)
        finally:
            # also where we are cancelled while we leave
            await microphone.aclose()


class WebRtcTransport:
    """One joined session; callbacks of the room only queue events."""

    def __init__(
        self, room: rtc.Room, microphone: AudioOutput, *, expects_tracks: bool = True
    ) -> None:
        self._room = room
        self._microphone = microphone
        self._expects_tracks = expects_tracks
        self._events = EventStream[TransportEvent | bytes]()
        """Messages as they came: to read them takes longer than a callback may."""
        self._allowance = MessageAllowance(WORDS_ONLY)
        self._was_excessive = False
        self._tracks: dict[str, RemoteAudio] = {}
        self._bot_arrived = asyncio.Event()
        self._end_reason = Watched("")
        """The reason why the room is over; empty while it is not."""
        self._no_bot = _Alarm(_BOT_ABSENCE_SECONDS, self._events.put)
        self._no_track = _Alarm(_TRACK_SECONDS, self._events.put)
        self._callbacks: dict[rtc.room.EventTypes, Callable[..., None]] = {
            "data_received": self._on_data,
            "track_subscribed": self._on_track_subscribed,
            "track_unsubscribed": self._on_track_unsubscribed,
            "participant_connected": self._on_participant_connected,
            "participant_disconnected": self._on_participant_disconnected,
            "reconnecting": self._on_reconnecting,
            "reconnected": self._on_reconnected,
            "disconnected": self._on_disconnected,
        }
        for event, callback in self._callbacks.items():
            room.on(event, callback)

    async def send(self, frame: bytes) -> None:
        """Send a command reliably, to the whole room and without a topic.

        Raises:
            SessionLost: It could not be sent in time.
        """
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._room.local_participant.publish_data(frame, reliable=True)
        except (TimeoutError, rtc.participant.PublishDataError):
            raise SessionLost(await self._why_not_sent()) from None

    async def _why_not_sent(self) -> str:
        """Find out whether the room is over, which LiveKit may tell a moment later."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_TELLING_SECONDS):
                return await self._end_reason.wait_until(bool)

        return "a command could not be sent"

    @property
    def waiting_ms(self) -> float:
        """So much of what was written is not played yet."""
        return self._microphone.waiting_ms

    async def write(self, frame: Frame) -> None:
        """Send a frame of the speaker's voice."""
        await self._microphone.write(frame.samples)

    async def flush(self) -> None:
        """Wait until the last frame was played, and is likely to have been heard."""
        await self._microphone.drain()
        await asyncio.sleep(_OVERTAKING_SECONDS)

    def set_listening(self, *, is_listening: bool) -> None:
        """Expect translated tracks from now on, if they are; our own is silent by itself."""
        if is_listening and self._expects_tracks:
            self._expects_tracks = False
            self._no_track.set(Disconnected("no translated track came", was_useless=True))

    def hush(self, languages: Collection[LanguageCode]) -> None:
        """Do nothing: what waits to be heard waits at Palabra."""

    async def events(self) -> AsyncIterator[TransportEvent]:
        """Iterate over everything that happens, in order, from before the connection on."""
        async for event in self._events.events():
            yield MessageReceived(decode(event)) if isinstance(event, bytes) else event

    async def wait_for_peer(self, seconds: float) -> bool:
        """Wait until Palabra's bot is there; False if it did not come in time."""
        if self._sees_bot:
            self._bot_arrived.set()

        try:
            async with asyncio.timeout(seconds):
                await self._bot_arrived.wait()
        except TimeoutError:
            return False

        return True

    def detach(self) -> None:
        """Stop listening to the room."""
        for event, callback in self._callbacks.items():
            self._room.off(event, callback)

        for source in self._tracks.values():
            source.end()

        self._no_bot.cancel()
        self._no_track.cancel()

    def _on_data(self, packet: rtc.DataPacket) -> None:
        if self._was_excessive:
            return

        if self._allowance.admits(len(packet.data), asyncio.get_running_loop().time()):
            self._events.put(packet.data)
        else:
            self._was_excessive = True
            self._events.put(Disconnected(TOO_MUCH, was_excessive=True))

    def _on_track_subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, _: rtc.RemoteParticipant
    ) -> None:
        if len(self._tracks) >= _MOST_TRACKS:
            publication.set_subscribed(False)
        elif track.kind == rtc.TrackKind.KIND_AUDIO:
            self._expects_tracks = False
            self._no_track.cancel()
            source = self._tracks[publication.sid] = RemoteAudio(track)
            self._events.put(
                InterpretationStarted(LanguageCode(publication.name.partition("_")[2]), source)
            )

    def _on_track_unsubscribed(
        self, _track: rtc.Track, publication: rtc.RemoteTrackPublication, _: rtc.RemoteParticipant
    ) -> None:
        source = self._tracks.pop(publication.sid, None)
        if source is not None:
            self._end(source)

    def _on_participant_connected(self, participant: rtc.RemoteParticipant) -> None:
        if _is_bot(participant):
            if not self._no_bot.is_set:
                self._events.put(PeerArrived())

            self._no_bot.cancel()
            self._bot_arrived.set()

    def _on_participant_disconnected(self, participant: rtc.RemoteParticipant) -> None:
        if _is_bot(participant) and is_up(self._room):
            self._miss_bot()

    def _on_reconnecting(self) -> None:
        self._no_bot.cancel()
        self._events.put(Interrupted())

    def _on_reconnected(self) -> None:
        self._events.put(Resumed())
        if not self._sees_bot:
            self._miss_bot()

    def _on_disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        while self._tracks:
            self._end(self._tracks.popitem()[1])

        why = f"disconnected ({rtc.DisconnectReason.Name(reason)})"
        self._events.put(Disconnected(why, was_useless=reason == _NO_MEDIA))
        self._end_reason.set(why)

    def _end(self, source: RemoteAudio) -> None:
        source.end()
        self._events.put(InterpretationEnded(source))

    @property
    def _sees_bot(self) -> bool:
        return any(_is_bot(participant) for participant in self._room.remote_participants.values())

    def _miss_bot(self) -> None:
        self._no_bot.set(Disconnected("Palabra's bot left"))


class _Alarm:
    """An event that comes unless what is missing comes before it."""

    def __init__(self, seconds: float, tell: Callable[[TransportEvent], None]) -> None:
        self._seconds = seconds
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        return self._timer is not None

    def set(self, event: TransportEvent) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds, self._tell, event)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def _connect(room: rtc.Room, url: str, token: str) -> None:
    if (mistake := mistake_of(url)) is not None:
        raise Unreachable("the session's address", f"it {mistake}")

    host = urlsplit(url).netloc
    options = rtc.RoomOptions(auto_subscribe=True, single_peer_connection=False)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await complete_or_undo(
                room.connect(url, token, options), grace_seconds=_GRACE_SECONDS, undo=_leave_it
            )
    except TimeoutError:
        raise Unreachable(host, f"not connected within {_CONNECT_SECONDS:g} s") from None
    except rtc.ConnectError:
        raise Unreachable(host, "the session's room refused the connection") from None

    narrow_events(room)


async def _publish(room: rtc.Room, microphone: AudioOutput) -> None:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await complete_or_undo(
                room.local_participant.publish_track(microphone.track, microphone_options()),
                grace_seconds=_GRACE_SECONDS,
                undo=_leave_it,
            )
    except (TimeoutError, rtc.participant.PublishTrackError):
        # as where sound cannot pass
        raise SessionLost("the microphone could not be published") from None


async def _leave_it(_result: object) -> None:
    """Undo nothing: what was done goes with the connection, which is left next."""


def _is_bot(participant: rtc.RemoteParticipant) -> bool:
    return participant.identity.lower().startswith(_BOT_PREFIX)
