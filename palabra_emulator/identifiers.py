"""Names in the shapes that Palabra gives them."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass

from palabra_emulator.markers import session_marker_hz
from palabra_emulator.ports import Place


@dataclass(frozen=True, slots=True)
class Identity:
    """What never changes about a session."""

    session_id: str
    number: int
    """Counted from 0 since the emulator started."""
    place: Place
    intent: str

    @property
    def marker_hz(self) -> int:
        """The pitch that its speech carries beside the language's."""
        return session_marker_hz(self.number)


def new_identity(number: int, intent: str) -> Identity:
    """A session's names: a dotted id, which clients must take as it is, and a room of 8 hex."""
    place = Place(
        room=secrets.token_hex(4),
        bot=f"palabra_translator_{secrets.token_hex(4)}",
        client=f"publisher_{secrets.token_hex(4)}",
    )
    session_id = f"{uuid.uuid4()}.{secrets.token_hex(4)}.{secrets.token_hex(4)}"
    return Identity(session_id, number, place, intent)
