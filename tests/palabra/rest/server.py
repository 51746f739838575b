"""A server that answers the session API as a test tells it to."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from palabra_agent.palabra.rest.api import (
    AppCredentials,
    Credentials,
    PalabraApi,
    open_api,
)

SECRET = "very-private"
CLIENT = AppCredentials("client", SECRET)
SOON = (0.0, 0.0)
"""The pauses before further tries, for tests that are not about them."""
TICKET = {
    "id": "s1",
    "publisher": f"{SECRET}-token",
    "webrtc_url": "wss://rtc.example",
    "ws_url": "wss://ws.example",
    "subscriber": [],
}
LISTED = {
    "id": "s1",
    "created_at": "2024-10-11T09:02:56Z",
    "updated_at": "no time",
    "expires_at": None,
}


@dataclass
class SessionApiServer:
    """A server that remembers what it was asked."""

    url: str = ""
    requests: list[tuple[str, str, dict[str, str], Any]] = field(
        default_factory=list[tuple[str, str, dict[str, str], Any]]
    )
    """Method, raw path, headers in lower case, body."""


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncGenerator[SessionApiServer]:
    """Run a server that gives one answer to everything."""
    palabra = SessionApiServer()

    async def serve(request: web.Request) -> web.StreamResponse:
        body = await request.text()
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = (request.method, request.raw_path, headers, json.loads(body) if body else None)
        palabra.requests.append(asked)
        return await answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    async with TestServer(app) as server:
        palabra.url = str(server.make_url(""))
        yield palabra


@asynccontextmanager
async def api_that_gets(
    status: int, body: object = None, *, credentials: Credentials = CLIENT, raw: str | None = None
) -> AsyncGenerator[tuple[PalabraApi, SessionApiServer]]:
    """Open the API on a server with one answer."""

    async def answer(_: web.Request) -> web.StreamResponse:
        text = json.dumps(body) if raw is None else raw
        return web.Response(status=status, text=text, content_type="application/json")

    async with (
        answering(answer) as palabra,
        open_api(palabra.url, credentials, retry_pauses=SOON) as api,
    ):
        yield api, palabra


@dataclass
class AnswersByMethod:
    """Answers to the requests of one method, the last of them for ever."""

    answers: dict[str, list[tuple[int, dict[str, str]]]]

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Give the next answer; status 0 hangs up."""
        answers = self.answers[request.method]
        status, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        body = {"ok": status < 300, "data": TICKET, "errors": [{"detail": f"said {status}"}]}
        return web.json_response(body, status=status, headers=headers)


def asked(palabra: SessionApiServer, method: str) -> list[str]:
    """The paths of all requests of one method."""
    return [path for it, path, _, _ in palabra.requests if it == method]
