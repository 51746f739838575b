"""The WebSocket transport: a session is one connection, on which sound comes and goes as messages.

Facts: the voice goes up in chunks, one for every moment, or Palabra gives up after ten seconds;
translated speech comes down in bursts, faster than it is spoken. There is no bot to wait for, and
a lost connection is a lost session.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import asdict
from functools import partial
from typing import Final

import aiohttp

from palabra_agent.audio.frame import Frame
from palabra_agent.audio.pcm import Pcm
from palabra_agent.concurrency import finish, single_failure
from palabra_agent.errors import SessionLost
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.event_stream import EventStream
from palabra_agent.palabra.protocol.commands import input_audio_data
from palabra_agent.palabra.protocol.messages import AudioChunk, Message, StreamEnded, decode
from palabra_agent.palabra.rest.answers import SessionTicket
from palabra_agent.palabra.task.sections import WebSocketFormat
from palabra_agent.palabra.transports.port import (
    Disconnected,
    MessageReceived,
    TrackEnded,
    TrackStarted,
    TransportEvent,
)
from palabra_agent.palabra.transports.stream.connection import closing_reason, open_socket
from palabra_agent.palabra.transports.stream.sound_formats import make_encoder, unpack
from palabra_agent.palabra.transports.stream.speech_queue import QueueLimits
from palabra_agent.palabra.transports.stream.speech_tracks import SpeechTracks
from palabra_agent.palabra.transports.stream.voice_chunks import VoiceChunks

_SEND_SECONDS: Final = 3.0
_LEAVE_SECONDS: Final = 0.5
_TAIL_SECONDS: Final = 20.0
_FRAMES: Final = frozenset({aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY})

logger = logging.getLogger(__name__)


class WebSocketTransport:
    """One open connection; its two loops end with it, and tell it as an event."""

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        formats: WebSocketFormat,
        limits: Mapping[str, QueueLimits],
        *,
        expects_speech: bool = True,
    ) -> None:
        self._socket = socket
        self._expects_speech = expects_speech
        self._encoder = make_encoder(formats)
        self._voice = VoiceChunks(formats.chunk_ms)
        self._voice_changed = asyncio.Event()
        """Set where somebody should look: Palabra listens or does not, or a chunk has left."""
        self._tracks = SpeechTracks(partial(unpack, formats), limits)
        self._happened = EventStream[TransportEvent]()
        self._is_over = False

    async def wait_for_peer(self, seconds: float) -> bool:
        """Whoever accepted the connection is there."""
        return True

    async def send(self, frame: bytes) -> None:
        """Send a command; what was sent before it arrives before it.

        Raises:
            SessionLost: It could not be sent in time.
        """
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._socket.send_str(frame.decode())
        except (TimeoutError, OSError, aiohttp.ClientError):
            raise SessionLost("a command could not be sent") from None

    async def write(self, frame: Frame) -> None:
        """Send a frame of the speaker's voice, after those that wait.

        It returns at once while no more than a chunk and a little waits. What was held back before
        is taken a quarter faster than it was spoken.
        """
        while self._voice.is_full:
            self._voice_changed.clear()
            await self._voice_changed.wait()

        self._voice.write(frame.samples, asyncio.get_running_loop().time())

    async def flush(self) -> None:
        """Send what is held at once, filled up with silence, and wait until it has left."""
        self._voice.hasten()
        self._voice_changed.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_SEND_SECONDS):
                while self._voice.is_hasty:
                    self._voice_changed.clear()
                    await self._voice_changed.wait()

    def set_listening(self, *, is_listening: bool) -> None:
        """Begin or stop to send sound, silence where nothing is written."""
        if is_listening and not self._is_over:
            self._voice.listen(asyncio.get_running_loop().time())
        else:
            self._voice.rest()

        self._voice_changed.set()

    def hush(self, languages: Collection[LanguageCode]) -> None:
        """Withdraw translated speech that is not heard yet; of all languages if empty."""
        self._tracks.hush(languages)

    def events(self) -> AsyncIterator[TransportEvent]:
        """Everything that happens, in order, from before the connection on."""
        return self._happened.events()

    async def listen(self) -> None:
        """Read what comes until the connection ends."""
        while (message := await self._socket.receive()).type in _FRAMES:
            decoded = decode(message.data)
            if isinstance(decoded, StreamEnded):
                # it came as fast as the speech before it, of which some is still to be heard
                await self._tracks.until_silent(_TAIL_SECONDS)

            self._receive(decoded)

        was_told = message.type is aiohttp.WSMsgType.CLOSE
        self._end(closing_reason(message.data if was_told else self._socket.close_code))

    async def speak(self) -> None:
        """Send a chunk of the voice whenever one is due, until the connection ends."""
        loop = asyncio.get_running_loop()
        while not self._is_over:
            due = self._voice.due_at
            if loop.time() >= due:
                await self._send_chunk(self._voice.take(loop.time()))
                continue

            self._voice_changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(None if math.isinf(due) else due):
                    await self._voice_changed.wait()

    def leave(self) -> None:
        """Be over, if it is not yet: what has come is still heard."""
        self._end("we left")

    def account(self) -> None:
        """Tell the operator where the sound went: every lost millisecond counts."""
        logger.info("voice sent", extra=asdict(self._voice.statistics()))
        self._tracks.account()

    async def _send_chunk(self, chunk: Pcm) -> None:
        self._voice_changed.set()
        sound = self._encoder.encode(chunk)
        if not sound:
            return

        try:
            await self.send(input_audio_data(sound).encode())
        except SessionLost:
            self._end("sound could not be sent")

    def _receive(self, message: Message) -> None:
        if not isinstance(message, AudioChunk):
            self._happened.put(MessageReceived(message))
        elif self._expects_speech and (track := self._tracks.put(message)) is not None:
            self._happened.put(TrackStarted(message.language, track))

    def _end(self, reason: str) -> None:
        """Tell that it is over, once; nobody waits for anything any more."""
        if self._is_over:
            return

        self._is_over = True
        self.set_listening(is_listening=False)
        for track in self._tracks.close():
            self._happened.put(TrackEnded(track))

        self._happened.put(Disconnected(reason))


def join_stream(
    ticket: SessionTicket,
    formats: WebSocketFormat | None = None,
    limits: Mapping[str, QueueLimits] | None = None,
    *,
    expects_speech: bool = True,
) -> AbstractAsyncContextManager[WebSocketTransport]:
    """Be connected to a session for the length of a block, as `open_stream` says."""
    return open_stream(ticket.ws_url, ticket.token, formats, limits, expects_speech=expects_speech)


@asynccontextmanager
async def open_stream(
    url: str,
    token: str,
    formats: WebSocketFormat | None = None,
    limits: Mapping[str, QueueLimits] | None = None,
    *,
    expects_speech: bool = True,
) -> AsyncGenerator[WebSocketTransport]:
    """Be connected for the length of a block.

    Args:
        url: Where; a session's ticket says it.
        token: The session's, or an API key: then Palabra makes and deletes a session by itself.
        formats: How sound is packed, as the task says; Palabra's recommendation by default.
        limits: How much speech may wait to be heard, by language or for all as `global`.
        expects_speech: Whether the task asks for speech; what comes unasked is not played.

    Raises:
        ApiError: Palabra refused the connection.
        Unreachable: It could not be made.
    """
    async with aiohttp.ClientSession() as http:
        socket = await open_socket(http, url, token)
        transport = WebSocketTransport(
            socket, formats or WebSocketFormat(), limits or {}, expects_speech=expects_speech
        )
        try:
            with single_failure():
                async with asyncio.TaskGroup() as group:
                    listening = group.create_task(transport.listen(), name="stream downlink")
                    speaking = group.create_task(transport.speak(), name="stream uplink")
                    try:
                        yield transport
                    finally:
                        listening.cancel()
                        speaking.cancel()
        finally:
            transport.leave()
            transport.account()
            await finish(_close(socket), seconds=_LEAVE_SECONDS)


async def _close(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.close()
