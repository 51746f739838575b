"""The readers of a text in batches that LiveKit carries. Pure.

A packet names its readers, and LiveKit's server sends it with all these names to each of them. So
LiveKit's SDK refuses one with too many, and a reader pays for the names of the others: small
batches cost the interpreter packets, large ones cost every reader bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

Batch: TypeAlias = tuple[str, ...]
"""Identities that stand in one message."""

WHOLE_ROOM: Final[Batch] = ()
"""To LiveKit a message that names no reader is for all."""

BATCH_BYTES: Final = 2_000
"""Of identities in one packet. Measured for 3,000 readers of 36 characters: 1,000 would cost the
interpreter three times the time, 4,000 each reader twice the bytes."""

_OVERHEAD: Final = 2
"""Bytes with which a packet tells one identity from the next."""


def batches_of(readers: Iterable[str]) -> list[Batch]:
    """Divide the readers of a text, of whom there is at least one, by their identities."""
    return list(_batches(readers))


def halves_of(batch: Batch) -> tuple[Batch, Batch]:
    """Divide a batch that was refused."""
    middle = len(batch) // 2
    return batch[:middle], batch[middle:]


def _batches(readers: Iterable[str]) -> Iterator[Batch]:
    batch: list[str] = []
    size = 0
    for identity in readers:
        more = len(identity.encode(errors="replace")) + _OVERHEAD
        if batch and size + more > BATCH_BYTES:
            yield tuple(batch)
            batch, size = [], 0
        batch.append(identity)
        size += more

    yield tuple(batch)
