"""The listener's page for your own LiveKit: its files, and tokens that bring the interpreter along.

Put your own sign-in before `give_token`: as it stands, who can reach this server can join any room.

    export LIVEKIT_URL=wss://… LIVEKIT_API_KEY=… LIVEKIT_API_SECRET=…
    python examples/listener-page/serve.py
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from importlib.resources import files
from pathlib import Path

from aiohttp import web
from livekit import api

PAGE = Path(str(files("palabra_agent.local"))) / "data" / "page"  # or your own `npm run build`
CONFIG = json.dumps({"languages": ["en", "es", "de", "fr"]})
INTERPRETER = api.RoomAgentDispatch(agent_name="palabra-interpreter", metadata=CONFIG)


async def show_page(_: web.Request) -> web.FileResponse:
    """Send the page."""
    return web.FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})


async def give_token(request: web.Request) -> web.Response:
    """Let a person into a room; the first one there brings the interpreter."""
    try:
        asked = dict(await request.json())
    except (ValueError, TypeError):
        raise web.HTTPBadRequest(text="the request is no JSON object") from None
    if not (name := str(asked.get("participant_name", "")).strip()[:60]):
        raise web.HTTPBadRequest(text="participant_name: a name is needed")
    room = str(asked.get("room_name", ""))[:60] or "meeting"
    token = (
        api.AccessToken(os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])
        .with_identity(f"{name}-{secrets.token_hex(3)}")
        .with_name(name)
        # the last grant lets the page tell the interpreter what was chosen
        .with_grants(api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True))
        .with_room_config(api.RoomConfiguration(agents=[INTERPRETER]))
    )
    answer = {"server_url": os.environ["LIVEKIT_URL"], "participant_token": token.to_jwt()}
    return web.json_response(answer)


if __name__ == "__main__":
    wanted = ("URL", "API_KEY", "API_SECRET")
    if missing := [f"LIVEKIT_{it}" for it in wanted if not os.environ.get(f"LIVEKIT_{it}")]:
        sys.exit(f"set {', '.join(missing)}")

    app = web.Application(client_max_size=16 * 1024)
    app.add_routes([web.get("/", show_page), web.post("/token", give_token)])
    app.router.add_static("/assets", PAGE / "assets")
    web.run_app(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8088")))
