"""The WebSocket transport: a session is one connection, on which sound comes and goes as messages.

Facts: the voice goes up in chunks, one for every moment, or Palabra gives up after ten seconds;
translated speech comes down in bursts, faster than it is spoken. There is no bot to wait for, and
a lost connection is a lost session.

The token goes into a header, so that it stays out of the access logs on the way. Where the upgrade
is refused for it, the older form is tried, in which every one of Palabra's SDKs writes it into the
address. No error here holds the token, nor an aiohttp error that may.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from palabra_agent.addresses import mistake_of
from palabra_agent.audio.frame import Frame
from palabra_agent.audio.pcm import Pcm
from palabra_agent.concurrency import Turn, finish_despite_cancellation, single_failure
from palabra_agent.errors import ApiError, ErrorClass, PalabraError, SessionLost, Unreachable
from palabra_agent.languages import LanguageCode
from palabra_agent.network import (
    proxy_for,
    proxy_refusal,
    reason_of,
    way_to,
    without_redirects,
)
from palabra_agent.palabra.event_stream import EventStream
from palabra_agent.palabra.protocol.commands import input_audio_data
from palabra_agent.palabra.protocol.messages import AudioChunk, Message, decode
from palabra_agent.palabra.task.sections import WebSocketFormat
from palabra_agent.palabra.transports.allowance import (
    TOO_MUCH,
    WORDS_AND_SOUND,
    MessageAllowance,
)
from palabra_agent.palabra.transports.microphone_chunks import MicrophoneChunks
from palabra_agent.palabra.transports.port import (
    Disconnected,
    MessageReceived,
    TransportEvent,
)
from palabra_agent.palabra.transports.sound_formats import make_encoder, unpack
from palabra_agent.palabra.transports.translated_speech import QueueLimits, SpeechTracks
from palabra_agent.session import InterpretationEnded, InterpretationStarted

_CONNECT_SECONDS: Final = 15.0
_SEND_SECONDS: Final = 3.0
_LEAVE_SECONDS: Final = 0.5
_HEARTBEAT_SECONDS: Final = 10.0
"""Between pings; a peer that does not answer one in half the time is gone."""

_LARGEST_MESSAGE: Final = 1024 * 1024
"""Bytes; 16 s of speech in one piece, where a fifth of a second is usual. It is read at once."""

_MESSAGES: Final = frozenset({aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY})
_FRAMES: Final = _MESSAGES | {aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG}
_REFUSED: Final = frozenset({401, 403})
_CLOSED: Final = "Palabra closed the connection"
_CLOSINGS: Final[dict[int, str]] = {
    1001: f"{_CLOSED}, as it goes away",
    1006: "the connection broke off",
    1009: "Palabra sent a message that is too large",
    1008: f"{_CLOSED}: a rate limit was exceeded, or nothing was heard for too long",
    1011: f"{_CLOSED} after an error of its own",
}
_PLACEHOLDER: Final = "{random_hash}"
"""Stands in some addresses for anything that is new each time: it spreads the load."""

logger = logging.getLogger(__name__)


@asynccontextmanager
async def join_websocket(
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
    if (mistake := mistake_of(url)) is not None:
        raise Unreachable("the session's address", f"it {mistake}")

    async with aiohttp.ClientSession(
        proxy=proxy_for(url), trace_configs=[without_redirects()]
    ) as http:
        socket = await open_socket(http, url, token)
        transport = WebSocketTransport(
            socket, formats or WebSocketFormat(), limits or {}, expects_speech=expects_speech
        )
        try:
            with single_failure():
                async with asyncio.TaskGroup() as group:
                    receiving = group.create_task(transport.receive(), name="stream downlink")
                    sending = group.create_task(transport.send_voice(), name="stream uplink")
                    try:
                        yield transport
                    finally:
                        receiving.cancel()
                        sending.cancel()
        finally:
            transport.leave()
            transport.log_statistics()
            if not transport.was_excessive:
                # the end of too much is not waited for: the connection is cut
                await finish_despite_cancellation(_close(socket), seconds=_LEAVE_SECONDS)


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
        self._voice = MicrophoneChunks(formats.chunk_ms)
        self._voice_changed = asyncio.Event()
        """Set where Palabra begins or stops to listen, and where a chunk has left."""
        self._tracks = SpeechTracks(partial(unpack, formats), limits)
        self._events = EventStream[TransportEvent]()
        self._allowance = MessageAllowance(WORDS_AND_SOUND)
        self.was_excessive = False
        """True once Palabra has sent more than a session may."""
        self._is_over = False

    async def wait_for_peer(self, seconds: float) -> bool:
        """Return at once: the peer that accepted the connection is there."""
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

    @property
    def waiting_ms(self) -> float:
        """By so much the voice is late; a little of it stays until the next pause."""
        return self._voice.late_ms(asyncio.get_running_loop().time())

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
            self._voice.begin(asyncio.get_running_loop().time())
        else:
            self._voice.stop()

        self._voice_changed.set()

    def hush(self, languages: Collection[LanguageCode]) -> None:
        """Withdraw translated speech that is not heard yet; of all languages if empty."""
        self._tracks.hush(languages)

    def events(self) -> AsyncIterator[TransportEvent]:
        """Iterate over everything that happens, in order, from before the connection on."""
        return self._events.events()

    async def receive(self) -> None:
        """Read what comes until the connection ends, or until it is too much."""
        turn, now = Turn(), asyncio.get_running_loop().time
        while (received := await self._socket.receive()).type in _FRAMES:
            if not self._allowance.admits(len(received.data), now()):
                self.was_excessive = True
                self._end(TOO_MUCH)
                return

            if received.type in _MESSAGES:
                self._take(decode(received.data))
            elif received.type is aiohttp.WSMsgType.PING:
                await self._answer_ping(received.data)

            await turn.give_way()

        was_told = received.type is aiohttp.WSMsgType.CLOSE
        self._end(closing_reason(received.data if was_told else self._socket.close_code))

    async def send_voice(self) -> None:
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

    def log_statistics(self) -> None:
        """Log where the sound went: every lost millisecond counts."""
        logger.info("voice sent", extra=asdict(self._voice.statistics()))
        self._tracks.log_statistics()

    async def _answer_ping(self, payload: bytes) -> None:
        """Say that we are there; a connection that is gone shows when it is read next."""
        with suppress(OSError, aiohttp.ClientError):
            await self._socket.pong(payload)

    async def _send_chunk(self, chunk: Pcm) -> None:
        self._voice_changed.set()
        sound = self._encoder.encode(chunk)
        if not sound:
            return

        try:
            await self.send(input_audio_data(sound).encode())
        except SessionLost:
            self._end("sound could not be sent")

    def _take(self, message: Message) -> None:
        if not isinstance(message, AudioChunk):
            self._events.put(MessageReceived(message))
        elif self._expects_speech and (track := self._tracks.put(message)) is not None:
            self._events.put(InterpretationStarted(message.language, track))

    def _end(self, reason: str) -> None:
        """Tell once that it is over, and let nothing wait for it any more."""
        if self._is_over:
            return

        self._is_over = True
        self.set_listening(is_listening=False)
        for track in self._tracks.close():
            self._events.put(InterpretationEnded(track))

        self._events.put(Disconnected(reason, was_excessive=self.was_excessive))


async def open_socket(
    http: aiohttp.ClientSession, url: str, token: str
) -> aiohttp.ClientWebSocketResponse:
    """Open a WebSocket at Palabra; it is closed with the `http` session as well.

    Raises:
        ApiError: Palabra refused.
        Unreachable: Palabra did not answer in time, or not as a WebSocket.
    """
    host, url = urlsplit(url).netloc, url.replace(_PLACEHOLDER, secrets.token_hex(4))
    outcome = await _try(http, url, host, headers={"Authorization": f"Bearer {token}"})
    if isinstance(outcome, ApiError) and outcome.status in _REFUSED:
        outcome = await _try(http, url, host, params={"token": token})

    if isinstance(outcome, PalabraError):
        # only here, where no error of aiohttp is at hand to become its context
        raise outcome

    return outcome


def closing_reason(code: int | None) -> str:
    """Say what the code means with which a connection was closed; None if it just broke off."""
    code = 1006 if code is None else code
    return f"{_CLOSINGS.get(code, _CLOSED)} ({code})"


async def _try(
    http: aiohttp.ClientSession,
    url: str,
    host: str,
    *,
    headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
) -> aiohttp.ClientWebSocketResponse | PalabraError:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            return await http.ws_connect(
                url,
                heartbeat=_HEARTBEAT_SECONDS,
                autoping=False,  # else pings are answered without end, and without being counted
                max_msg_size=_LARGEST_MESSAGE,
                headers=headers,
                params=params,
            )
    except TimeoutError:
        reason = f"not connected within {_CONNECT_SECONDS:g} s{way_to(url)}"
        return Unreachable(host, reason, ErrorClass.TIMEOUT)
    except aiohttp.WSServerHandshakeError as error:
        refusal = proxy_refusal(error.status, url)
        return Unreachable(host, refusal) if refusal else _refusal(host, error.status)
    except (aiohttp.ClientError, OSError) as error:
        return Unreachable(host, reason_of(error, url))


def _refusal(host: str, status: int) -> PalabraError:
    if status in _REFUSED:
        return ApiError(status, "the token was refused, or the balance is exhausted")

    if status >= 300:
        return ApiError(status, "the WebSocket was refused")

    return Unreachable(host, "what answers there does not speak WebSocket")


async def _close(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.close()
