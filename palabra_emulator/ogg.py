"""Ogg, read as it comes: pages found in a stream of bytes, and the packets that they hold."""

from __future__ import annotations

from typing import Final

from palabra_emulator.sound_errors import BadSound

_CAPTURE: Final = b"OggS"
_HEADER_BYTES: Final = 27
_CONTINUED: Final = 0x01
_FIRST: Final = 0x02
_FULL_SEGMENT: Final = 255
_LONGEST_PACKET: Final = 256 * 1024


class OggReader:
    """Takes bytes as they come and returns the packets that are complete."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._packet = bytearray()
        """The beginning of a packet that goes on in the next page."""

    def feed(self, payload: bytes) -> list[bytes]:
        """Take more of the stream; what is no Ogg is skipped.

        Raises:
            BadSound: There is nothing but what must be skipped.
        """
        self._bytes += payload
        packets: list[bytes] = []
        is_skipping = False
        while self._bytes:
            place = self._bytes.find(_CAPTURE)
            is_skipping |= place != 0 and not _CAPTURE.startswith(bytes(self._bytes))
            self._skip_to(place)
            page_bytes = self._page_bytes()
            if page_bytes is None:
                break
            self._read_page(bytes(self._bytes[:page_bytes]), packets)
            del self._bytes[:page_bytes]

        if is_skipping and not packets:
            raise BadSound("not an Ogg stream")

        return packets

    def _skip_to(self, place: int) -> None:
        """Drop what comes before a page; without one, all but what may be its beginning."""
        if place < 0:
            kept = next(n for n in (3, 2, 1, 0) if self._bytes.endswith(_CAPTURE[:n]))
            place = len(self._bytes) - kept

        del self._bytes[:place]

    def _page_bytes(self) -> int | None:
        """How long the page at the beginning is, once it is there as a whole."""
        if len(self._bytes) < _HEADER_BYTES:
            return None

        segments = self._bytes[_HEADER_BYTES - 1]
        header_bytes = _HEADER_BYTES + segments
        size = header_bytes + sum(self._bytes[_HEADER_BYTES:header_bytes])
        is_whole = len(self._bytes) >= header_bytes and len(self._bytes) >= size
        return size if is_whole else None

    def _read_page(self, page: bytes, packets: list[bytes]) -> None:
        kind, segments = page[5], page[_HEADER_BYTES - 1]
        if kind & _FIRST or not kind & _CONTINUED:
            self._packet.clear()

        place = _HEADER_BYTES + segments
        for size in page[_HEADER_BYTES:place]:
            self._packet += page[place : place + size]
            place += size
            if size < _FULL_SEGMENT:
                packets.append(bytes(self._packet))
                self._packet.clear()

        if len(self._packet) > _LONGEST_PACKET:
            self._packet.clear()
