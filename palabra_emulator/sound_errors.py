"""The one failure of decoding: sound that is not what it says it is."""

from __future__ import annotations


class BadSound(Exception):
    """Sound that cannot be decoded; the words say why."""
