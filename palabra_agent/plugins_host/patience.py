"""How long plugins may take at what cannot be awaited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Patience:
    """How long plugins may take to load and to read what they are told."""

    each: float = 3.0
    """Seconds for one plugin."""
    total: float = 8.0
    """Seconds for all of them."""
    configure: float = 1.0
    """Seconds in which one must have read what it is told, each time."""


DEFAULT_PATIENCE: Final = Patience()
