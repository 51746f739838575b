"""Says which of the worker's connections go through a proxy, and what does not."""

from __future__ import annotations

from palabra_agent.config.settings import WorkerSettings
from palabra_agent.network import is_secure, proxy_for, without_password


def proxy_notes(settings: WorkerSettings) -> tuple[str, ...]:
    """Say what an operator must know of the proxies that the environment names.

    Raises:
        SetupError: One of them is none for us.
    """
    to_livekit = proxy_for(settings.livekit.url)
    to_palabra = proxy_for(settings.palabra.api_url)
    notes: list[str] = []
    if to_livekit:
        notes.append(
            f"LiveKit is reached through {without_password(to_livekit)}; sound is not: LiveKit's"
            " media ports, or its TURN server, must be reachable directly"
        )
    if to_palabra:
        notes.append(
            f"Palabra is reached through {without_password(to_palabra)}; sound over WebRTC is not:"
            ' where only the proxy leads out, set `palabra.transport` to "websocket"'
        )
    are_alike = is_secure(settings.livekit.url) == is_secure(settings.palabra.api_url)
    if are_alike and bool(to_livekit) != bool(to_palabra):
        way = "through the proxy" if to_livekit else "directly"
        notes.append(
            f"LiveKit's SDK takes one way to all rooms, so Palabra's WebRTC rooms are joined {way},"
            " as LiveKit's are"
        )

    return tuple(notes)
