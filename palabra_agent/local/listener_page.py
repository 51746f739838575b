"""The listener's page of the demo: its files, and passes to one room for those who open it.

The page is built from `examples/listener-page` and lies in this package, so that no machine needs
node to show it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from palabra_agent.errors import SetupError
from palabra_agent.local.people import Server, mint_token
from palabra_agent.local.processes import free_port, is_port_free
from palabra_agent.network import reason_of
from palabra_agent.texts import LONGEST_NAME, one_line

PAGE: Final = Path(__file__).parent / "data" / "page"
"""The built page."""

_HOST: Final = "127.0.0.1"
"""Browsers give the microphone only to secure pages, and to those of this machine."""
_USUAL_PORT: Final = 8088
_LARGEST_REQUEST: Final = 16 * 1024
_SHUTDOWN_SECONDS: Final = 0.2


@asynccontextmanager
async def serve_listener_page(
    server: Server, room: str, *, port: int | None = None
) -> AsyncGenerator[str]:
    """Serve the page while the block runs; yields its address.

    Args:
        server: The LiveKit server of the meeting.
        room: The only one into which it lets people.
        port: 0 for a free one; by default the usual one where that is free.

    Raises:
        SetupError: Nothing can listen there.
    """
    if port is None:
        port = _USUAL_PORT if is_port_free(_USUAL_PORT, host=_HOST) else free_port(host=_HOST)

    runner = web.AppRunner(
        _application(server, room), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, _HOST, port).start()
        except OSError as error:
            raise SetupError(
                f"the listener's page cannot be served on {_HOST}:{port}: {reason_of(error)}"
            ) from None
        yield f"http://{_HOST}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def _application(server: Server, room: str) -> web.Application:
    async def show_page(_: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    async def give_pass(request: web.Request) -> web.Response:
        name = _name_in(await request.text())
        identity = f"guest-{secrets.token_hex(4)}"
        token = mint_token(server, room, identity, name=name)
        return web.json_response({"server_url": server.url, "participant_token": token})

    app = web.Application(client_max_size=_LARGEST_REQUEST)
    app.router.add_get("/", show_page)
    app.router.add_post("/token", give_pass)
    app.router.add_static("/assets", PAGE / "assets")
    return app


def _name_in(body: str) -> str:
    """The name of the person who wants to come, in a request as LiveKit's clients write it.

    Raises:
        HTTPBadRequest: There is none; says so in a sentence.
    """
    try:
        request = json.loads(body)
    except ValueError:
        raise web.HTTPBadRequest(text="the request is no JSON") from None

    name = request.get("participant_name") if isinstance(request, dict) else None
    shown = one_line(name, LONGEST_NAME) if isinstance(name, str) else ""
    if not shown:
        raise web.HTTPBadRequest(text="participant_name: a name that can be read is needed")

    return shown
