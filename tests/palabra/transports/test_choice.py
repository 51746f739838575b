"""Which transport is used: what was asked for, or WebRTC until it is found to be of no use."""

from __future__ import annotations

import pytest

from palabra_agent.palabra.transports.choice import TransportChoice, TransportWish
from palabra_agent.palabra.vocabulary import TransportKind

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("wish", "first", "useless", "changes", "then"),
    [
        ("auto", "webrtc", "webrtc", True, "websocket"),
        ("auto", "webrtc", "websocket", False, "webrtc"),
        ("webrtc", "webrtc", "webrtc", False, "webrtc"),
        ("websocket", "websocket", "websocket", False, "websocket"),
    ],
)
def test_what_is_used(
    wish: TransportWish,
    first: TransportKind,
    useless: TransportKind,
    *,
    changes: bool,
    then: TransportKind,
) -> None:
    """Only `auto` changes, and only away from WebRTC."""
    choice = TransportChoice(wish)
    assert choice.kind == first
    assert choice.give_up(useless) is changes
    assert choice.kind == then


def test_it_changes_once() -> None:
    """Another session of either transport that ends badly is no news."""
    choice = TransportChoice("auto")

    assert (choice.may_change, choice.give_up("webrtc"), choice.kind) == (True, True, "websocket")
    assert (choice.may_change, choice.give_up("webrtc"), choice.kind) == (False, False, "websocket")
    assert not choice.give_up("websocket")
