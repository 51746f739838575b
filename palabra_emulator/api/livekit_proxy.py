"""`/livekit/`: the way to the LiveKit server that Palabra's `webrtc_url` offers, and no more of it.

The surface is that of LiveKit 1.8.4, which Palabra runs: `/rtc` and `/rtc/validate` exist,
`/rtc/v1` does not, and some clients ask with a double slash. Only rooms of open sessions are
reached: LiveKit would make an ended session's room anew for a client that still has its token.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, cast

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from palabra_emulator.faults.signalling import (
    SignalConnection,
    SignallingFaults,
    faultless_signalling,
)

_PREFIX: Final = "/livekit"
_PASSED_ON: Final = frozenset({"/", "/rtc", "/rtc/validate"})
_HOP_BY_HOP: Final = frozenset(
    "connection content-encoding content-length host keep-alive sec-websocket-accept "
    "sec-websocket-extensions sec-websocket-key sec-websocket-protocol sec-websocket-version "
    "te trailer transfer-encoding upgrade".split()
)
_ANSWER_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 2.0
_ABNORMAL: Final = 1006
"""A close code that says that there was none; it must not be sent."""

_Socket = aiohttp.ClientWebSocketResponse | web.WebSocketResponse


class LiveKitProxy:
    """Passes signalling on, in both directions."""

    def __init__(
        self,
        livekit_url: str,
        is_open: Callable[[str], bool],
        http: aiohttp.ClientSession,
        signalling: SignallingFaults | None = None,
    ) -> None:
        self._upstream = re.sub(r"^ws", "http", livekit_url).rstrip("/")
        self._is_open = is_open
        self._http = http
        self._signalling = signalling or faultless_signalling()

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_route("*", _PREFIX, self._pass_on)
        app.router.add_route("*", _PREFIX + "/{tail:.*}", self._pass_on)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        path = re.sub("/+", "/", request.path.removeprefix(_PREFIX) or "/")
        if path not in _PASSED_ON:
            return web.Response(status=404, text="404 page not found\n")

        room = _room_of(request)
        if room is not None:
            await self._signalling.reach(room)
            answer = self._turned_away(room)
            if answer is not None:
                return answer

        query = f"?{request.query_string}" if request.query_string else ""
        url = f"{self._upstream}{path}{query}"
        headers = _end_to_end(request.headers)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._connect(request, url, headers, room or "")
        try:
            return await self._ask(request, url, headers)
        except (aiohttp.ClientError, TimeoutError):
            return _unreachable()

    def _turned_away(self, room: str) -> web.Response | None:
        """The answer to a client that cannot get into a room, if so."""
        refused = self._signalling.refusal(room)
        if refused is not None:
            return web.Response(status=refused.status, text=f"{refused.text}\n")
        if not self._is_open(room):
            return web.Response(status=404, text="requested room does not exist\n")

        return None

    async def _ask(
        self, request: web.Request, url: str, headers: CIMultiDict[str]
    ) -> web.StreamResponse:
        body = await request.read()
        async with (
            asyncio.timeout(_ANSWER_SECONDS),
            self._http.request(
                request.method, url, headers=headers, data=body or None, allow_redirects=False
            ) as answer,
        ):
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                headers=_end_to_end(answer.headers),
            )

    async def _connect(
        self, request: web.Request, url: str, headers: CIMultiDict[str], room: str
    ) -> web.StreamResponse:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                upstream = await self._http.ws_connect(
                    url, headers=headers, max_msg_size=0, autoclose=False
                )
        except aiohttp.WSServerHandshakeError as refused:
            return web.Response(status=refused.status)
        except (aiohttp.ClientError, TimeoutError):
            return _unreachable()

        downstream = web.WebSocketResponse(compress=False, max_msg_size=0, autoclose=False)
        try:
            await downstream.prepare(request)
            with self._signalling.line(
                room, SignalConnection(request.transport, downstream.send_bytes)
            ):
                await _join(downstream, upstream)
        finally:
            with suppress(TimeoutError, aiohttp.ClientError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await upstream.close()

        return downstream


def _unreachable() -> web.Response:
    return web.Response(status=502, text="the LiveKit server cannot be reached\n")


async def _join(one: web.WebSocketResponse, other: aiohttp.ClientWebSocketResponse) -> None:
    """Copy between two sockets until either is closed; then close the other alike."""
    async with asyncio.TaskGroup() as directions:
        there = directions.create_task(_copy(one, other))
        back = directions.create_task(_copy(other, one))
        await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        there.cancel()
        back.cancel()


async def _copy(source: _Socket, sink: _Socket) -> None:
    try:
        async for message in source:
            if message.type is aiohttp.WSMsgType.BINARY:
                await sink.send_bytes(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                await sink.send_str(message.data)

        code = source.close_code
        is_sendable = code is not None and code != _ABNORMAL
        async with asyncio.timeout(_CLOSE_SECONDS):
            await sink.close(code=code if is_sendable and code else aiohttp.WSCloseCode.GOING_AWAY)
    except (ConnectionError, TimeoutError):
        return


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers that are not about one connection only."""
    kept = [(name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP]
    return CIMultiDict(kept)


def _room_of(request: web.Request) -> str | None:
    """The room that a request's token is for; unreadable tokens are LiveKit's to refuse."""
    token = request.query.get("access_token", "")
    token = token or request.headers.get("Authorization", "").partition(" ")[2]
    claims = token.split(".")
    if len(claims) != 3:
        return None

    try:
        padded = claims[1] + "=" * (-len(claims[1]) % 4)
        content: object = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, RecursionError):
        return None

    video = cast("dict[str, object]", content).get("video") if isinstance(content, dict) else None
    room = cast("dict[str, object]", video).get("room") if isinstance(video, dict) else None
    return room if isinstance(room, str) else None
