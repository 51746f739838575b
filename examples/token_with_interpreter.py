"""A token for a meeting whose room calls the interpreter by itself.

The dispatch in the token takes effect when its holder's arrival creates the room. For a room that
is there already, use `palabra-agent dispatch ROOM` or LiveKit's dispatch API.

    python examples/token_with_interpreter.py my-room alice en
"""

from __future__ import annotations

import json
import os
import sys

from livekit import api


def token(room: str, identity: str, language: str) -> str:
    """Let a participant into a room, in their language, with an interpreter."""
    interpreter = api.RoomAgentDispatch(
        agent_name="palabra-interpreter",
        metadata=json.dumps({"languages": ["en", "es", "de"]}),
    )
    return (
        api.AccessToken(os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])
        .with_identity(identity)
        .with_attributes({"palabra.speak": language, "palabra.listen": language})
        .with_grants(api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True))
        .with_room_config(api.RoomConfiguration(agents=[interpreter]))
        .to_jwt()
    )


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: token_with_interpreter.py ROOM IDENTITY LANGUAGE")

    print(token(*sys.argv[1:]))
