"""A worker without a name: it joins every new room, beside an emulator on the same server."""

from __future__ import annotations

import pytest
from livekit import api

from .emulator_client import Sessions
from .hearing import ES, WORDS, until_heard, until_subscribed
from .stack import Stack

pytestmark = pytest.mark.livekit


async def test_every_new_room_but_the_emulators_is_joined(stack: Stack, sessions: Sessions) -> None:
    """Without a dispatch the meeting is interpreted, and no interpreter sits in Palabra's rooms."""
    async with (
        stack.worker("nameless", agent_name="") as worker,
        stack.room("unasked") as room,
        room.person("alice", speak="en") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await alice.wait_for_interpreter(30)
        (session,) = await sessions.running(1)
        await until_subscribed(bruno, "translation_es")
        await alice.say(WORDS)
        await until_heard(bruno, "translation_es", ES)

        async with stack.server() as server:
            request = api.ListParticipantsRequest(room=session.room)
            inside = (await server.room.list_participants(request)).participants
        asked = {it["room"] for it in worker.log_entries if it["message"] == "received job request"}
        assert len(inside) == 2
        assert not any("palabra.state" in it.attributes for it in inside)
        assert asked == {"unasked"}
