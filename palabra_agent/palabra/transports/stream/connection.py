"""A WebSocket at Palabra: how the token is shown, and what refusals and closings mean.

The token goes into a header, so that it stays out of the access logs on the way. Where the upgrade
is refused for it, the older form is tried, in which every one of Palabra's SDKs writes it into the
address. No error here holds the token, nor an aiohttp error that may.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from palabra_agent.errors import ApiError, ErrorClass, PalabraError, Unreachable
from palabra_agent.network import reason_of

_CONNECT_SECONDS: Final = 15.0
_HEARTBEAT_SECONDS: Final = 10.0
"""Between pings; whoever does not answer one in half the time is gone."""

_LARGEST_MESSAGE: Final = 8 * 1024 * 1024
"""Bytes; two minutes of speech in one piece, where a fifth of a second is usual."""

_REFUSED: Final = frozenset({401, 403})
_CLOSED: Final = "Palabra closed the connection"
_CLOSINGS: Final[dict[int, str]] = {
    1001: f"{_CLOSED}, as it goes away",
    1006: "the connection broke off",
    1008: f"{_CLOSED}: a rate limit was exceeded, or nothing was heard for too long",
    1011: f"{_CLOSED} after an error of its own",
}
_PLACEHOLDER: Final = "{random_hash}"
"""Stands in some addresses for anything that is new each time: it spreads the load."""


async def open_socket(
    http: aiohttp.ClientSession, url: str, token: str
) -> aiohttp.ClientWebSocketResponse:
    """Open a WebSocket; whoever closes the `http` session closes it as well.

    Raises:
        ApiError: Palabra refused.
        Unreachable: Palabra did not answer in time, or not as a WebSocket.
    """
    url = url.replace(_PLACEHOLDER, secrets.token_hex(4))
    host = urlsplit(url).hostname or "no host"
    outcome = await _try(http, url, host, headers={"Authorization": f"Bearer {token}"})
    if isinstance(outcome, ApiError) and outcome.status in _REFUSED:
        outcome = await _try(http, url, host, params={"token": token})

    if isinstance(outcome, PalabraError):
        # only here, where no error of aiohttp is at hand to become its context
        raise outcome

    return outcome


def closing_reason(code: int | None) -> str:
    """Say what the code means with which a connection was closed; None if it just broke off."""
    code = 1006 if code is None else code
    return f"{_CLOSINGS.get(code, _CLOSED)} ({code})"


async def _try(
    http: aiohttp.ClientSession,
    url: str,
    host: str,
    *,
    headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
) -> aiohttp.ClientWebSocketResponse | PalabraError:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            return await http.ws_connect(
                url,
                heartbeat=_HEARTBEAT_SECONDS,
                max_msg_size=_LARGEST_MESSAGE,
                headers=headers,
                params=params,
            )
    except TimeoutError:
        return Unreachable(host, f"not connected within {_CONNECT_SECONDS:g} s", ErrorClass.TIMEOUT)
    except aiohttp.WSServerHandshakeError as error:
        return _refusal(host, error.status)
    except (aiohttp.ClientError, OSError) as error:
        return Unreachable(host, reason_of(error))


def _refusal(host: str, status: int) -> PalabraError:
    if status in _REFUSED:
        return ApiError(status, "the token was refused, or the balance is exhausted")

    if status >= 300:
        return ApiError(status, "the WebSocket was refused")

    return Unreachable(host, "what answers there does not speak WebSocket")
