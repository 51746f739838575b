"""WebSocket messages found in the bytes of one direction of a connection. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

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
