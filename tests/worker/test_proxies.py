"""What an operator is told of the proxies that the environment names."""

from __future__ import annotations

import pytest

from palabra_agent.config.settings import load_settings
from palabra_agent.worker.proxies import proxy_notes
from tests.environment import environment

pytestmark = pytest.mark.unit

PROXY = "http://me:secret@proxy.example:3128"
LIVEKIT = (
    "LiveKit is reached through http://proxy.example:3128; sound is not: LiveKit's media ports, or"
    " its TURN server, must be reachable directly"
)
PALABRA = (
    "Palabra is reached through http://proxy.example:3128; sound over WebRTC is not: where only the"
    ' proxy leads out, set `palabra.transport` to "websocket"'
)
ONE_WAY = (
    "LiveKit's SDK takes one way to all rooms, so Palabra's WebRTC rooms are joined directly, as"
    " LiveKit's are"
)


@pytest.mark.parametrize(
    ("livekit", "variables", "notes"),
    [
        ("wss://livekit.example", {}, ()),
        ("wss://livekit.example", {"HTTPS_PROXY": PROXY}, (LIVEKIT, PALABRA)),
        (
            "wss://livekit.example",
            {"HTTPS_PROXY": PROXY, "NO_PROXY": "livekit.example"},
            (PALABRA, ONE_WAY),
        ),
        ("ws://livekit.example", {"HTTPS_PROXY": PROXY}, (PALABRA,)),
        ("ws://livekit.example", {"HTTP_PROXY": PROXY}, (LIVEKIT,)),
    ],
)
def test_what_goes_through_a_proxy_and_what_does_not_is_said(
    livekit: str, variables: dict[str, str], notes: tuple[str, ...]
) -> None:
    """Without the proxy's password; nothing where there is no proxy."""
    ours = {
        "LIVEKIT_URL": livekit,
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": "s" * 40,
        "PALABRA_API_KEY": "key",
        "PALABRA_ALLOW_PLAIN_ADDRESSES": "true",
    }
    with environment(ours | variables):
        assert proxy_notes(load_settings()) == notes
