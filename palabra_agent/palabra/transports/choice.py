"""Which transport the sessions of a room use, and when `auto` changes its mind. Pure."""

from __future__ import annotations

from typing import Literal, TypeAlias

from palabra_agent.palabra.vocabulary import TransportKind

TransportWish: TypeAlias = Literal["webrtc", "websocket", "auto"]


class TransportChoice:
    """Begins with WebRTC where it may choose, and changes to WebSocket once, for good.

    What keeps WebRTC from working, such as a network without UDP, does not go away by itself.
    """

    def __init__(self, wish: TransportWish) -> None:
        self._is_free = wish == "auto"
        self.kind: TransportKind = "websocket" if wish == "websocket" else "webrtc"
        """What the next session uses."""

    @property
    def may_change(self) -> bool:
        """Whether a session that does not work may be replaced by one on the other transport."""
        return self._is_free and self.kind == "webrtc"

    def give_up(self, kind: TransportKind) -> bool:
        """Take note that a session on a transport was no use; returns whether that changes it."""
        if not self.may_change or kind != self.kind:
            return False

        self.kind = "websocket"
        return True
