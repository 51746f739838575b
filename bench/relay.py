"""Stands between the worker and the emulator, and times the sound that comes by WebSocket.

Bytes pass as they are. A sound counts as arrived at Palabra when the message that holds its first
sample has arrived, wherever in the message that is: Palabra cannot hear it before.
"""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bench.onsets import LOUD, QUIET_SECONDS, Stopwatch
from palabra_agent.audio.pcm import Pcm
from palabra_agent.palabra.protocol.messages import AudioChunk, decode
from palabra_emulator.interpreting.playout import SPEECH_RATE
from palabra_emulator.interpreting.utterances import HEARING_RATE
from palabra_emulator.transports.audio_formats import InputFormat, decoder_of

_HEADERS_END: Final = b"\r\n\r\n"
_TEXT: Final = 1
_FINAL: Final = 0x80
_MASKED: Final = 0x80
_LENGTHS: Final = {126: ">H", 127: ">Q"}


@dataclass(frozen=True, slots=True)
class _Head:
    is_final: bool
    opcode: int
    mask: bytes
    size: int
    """The bytes of this head."""
    length: int
    """The bytes after it."""


class Messages:
    """Takes bytes as they come, the HTTP head first, and gives the texts that are complete."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._is_upgraded = False
        self._parts: list[bytes] = []

    def feed(self, received: bytes) -> Iterator[bytes]:
        """Take some bytes; yields the texts that they complete."""
        self._held += received
        if not self._is_upgraded:
            _, found, rest = self._held.partition(_HEADERS_END)
            if not found:
                return

            self._is_upgraded, self._held = True, rest

        while (frame := self._next_frame()) is not None:
            head, payload = frame
            if head.opcode > _TEXT:
                continue

            self._parts.append(payload)
            if head.is_final:
                yield b"".join(self._parts)
                self._parts.clear()

    def _next_frame(self) -> tuple[_Head, bytes] | None:
        head = _head(self._held)
        if head is None or len(self._held) < head.size + head.length:
            return None

        payload = bytes(self._held[head.size : head.size + head.length])
        del self._held[: head.size + head.length]
        return head, _unmasked(payload, head.mask)


def _head(held: bytearray) -> _Head | None:
    if len(held) < 2:
        return None

    short, size = held[1] & ~_MASKED, 2
    if short in _LENGTHS:
        size += struct.calcsize(_LENGTHS[short])
    mask_at, is_masked = size, bool(held[1] & _MASKED)
    size += 4 if is_masked else 0
    if len(held) < size:
        return None

    length = struct.unpack_from(_LENGTHS[short], held, 2)[0] if short in _LENGTHS else short
    mask = bytes(held[mask_at:size])
    return _Head(bool(held[0] & _FINAL), held[0] & 0x0F, mask, size, length)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    if not mask:
        return payload

    key = np.resize(np.frombuffer(mask, np.uint8), len(payload))
    return (np.frombuffer(payload, np.uint8) ^ key).tobytes()


_STREAM: Final = b"/speech-to-speech/stream"
_READ_BYTES: Final = 64 * 1024
_VOICE: Final = "palabra/microphone"
_SPEECH: Final = "palabra/translation_es"


class Relay:
    """Where the worker finds Palabra, and what was heard there."""

    def __init__(self, port: int) -> None:
        self.sound = InputFormat("pcm_s16le", 24_000, 1)
        """The way in which the next connection will send its voice."""
        self.stopwatch = Stopwatch()
        """The times at which sounds began; of one connection at a time."""
        self.waits: list[float] = []
        """For each sound of the voice: how long its first sample waited for the message's end."""
        self.port = 0
        self._to_port = port
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """The address to use instead of the emulator's own."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Break what is still open."""
        for writer in self._open:
            writer.transport.abort()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, until one of both sides has ended."""
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._to_port)
        ends = {writer, onward}
        self._open |= ends
        tap = _Tap(self)
        try:
            async with asyncio.TaskGroup() as group:
                up = group.create_task(_pass(reader, onward, tap.sent), name="relay up")
                down = group.create_task(_pass(onward_reader, writer, tap.received), name="down")
                await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
                up.cancel()
                down.cancel()
        finally:
            self._open -= ends
            for end in ends:
                end.close()


class _Tap:
    """Listens to one connection, if it is a stream."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._is_stream: bool | None = None
        self._sent, self._received = Messages(), Messages()
        self._decoder = decoder_of(relay.sound)
        self._voice = _Onsets(HEARING_RATE)
        self._utterance: tuple[str, str] | None = None

    def sent(self, block: bytes) -> None:
        """The worker has sent something."""
        if self._is_stream is None:
            self._is_stream = _STREAM in block.partition(b"\r\n")[0]
        if not self._is_stream:
            return

        now = time.monotonic()
        for text in self._sent.feed(block):
            message: dict[str, Any] = json.loads(text)
            if message["message_type"] == "input_audio_data":
                self._hear(self._decoder.decode(_sound_in(message)), now)

    def received(self, block: bytes) -> None:
        """The emulator has sent something."""
        if not self._is_stream:
            return

        now = time.monotonic()
        for text in self._received.feed(block):
            message = decode(text)
            if isinstance(message, AudioChunk) and message.sound:
                self._follow_speech(message, now)

    def _follow_speech(self, chunk: AudioChunk, now: float) -> None:
        """Utterances have no quiet between them here, so only their beginnings count."""
        utterance = (chunk.transcription_id, chunk.part)
        if utterance == self._utterance:
            return

        pcm = np.frombuffer(chunk.sound, "<i2").astype(np.int16)
        places = _Onsets(SPEECH_RATE).find(pcm)
        if places:
            self._utterance = utterance
            self._relay.stopwatch.note(_SPEECH, now + places[0] / SPEECH_RATE)

    def _hear(self, pcm: Pcm, now: float) -> None:
        for place in self._voice.find(pcm):
            self._relay.waits.append((pcm.size - place) / HEARING_RATE)
            self._relay.stopwatch.note(_VOICE, now)


class _Onsets:
    """Finds where sounds begin in a stream."""

    def __init__(self, rate: int) -> None:
        self._quiet = round(QUIET_SECONDS * rate)
        self._heard = 0
        self._loud_at = -self._quiet

    def find(self, pcm: Pcm) -> list[int]:
        """The places in the next samples at which a sound begins."""
        loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > LOUD) + self._heard
        before = np.concatenate(([self._loud_at], loud[:-1]))
        begun = loud[loud - before > self._quiet] - self._heard if loud.size else loud
        self._loud_at = int(loud[-1]) if loud.size else self._loud_at
        self._heard += pcm.size
        return [int(place) for place in begun]


def _sound_in(message: dict[str, Any]) -> bytes:
    return base64.b64decode(message["data"]["data"])


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tap: Callable[[bytes], None]
) -> None:
    with suppress(ConnectionError):
        while block := await reader.read(_READ_BYTES):
            writer.write(block)
            tap(block)
            await writer.drain()


@asynccontextmanager
async def open_relay(port: int) -> AsyncGenerator[Relay]:
    """Stand before a port for the length of a block."""
    relay = Relay(port)
    server = await asyncio.start_server(relay.accept, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        relay.cut()
