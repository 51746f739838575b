"""Our methods against a real server: called by somebody else in the room, whoever that is."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit import rtc

from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.people import SimulatedPerson, join, mint_token
from palabra_agent.meeting.rpc import LARGEST_ANSWER, Call, CallRefused, open_methods

pytestmark = pytest.mark.livekit

GREET, REFUSE = "palabra.greet", "palabra.refuse"


async def greet(call: Call) -> Mapping[str, Any]:
    """Answer with who asked."""
    return {"to": call.caller, "bytes": len(call.payload.encode())}


async def refuse(call: Call) -> Mapping[str, Any]:
    """Refuse at length."""
    problems = [{"path": f"x[{it}]", "reason": "ü" * 100} for it in range(300)]
    raise CallRefused(400, "ä" * 1000, {"problems": problems})


@asynccontextmanager
async def interpreter_of(server: RunningLiveKit, name: str) -> AsyncGenerator[rtc.Room]:
    """Be in a room as the interpreter is."""
    room = rtc.Room()
    options = rtc.RoomOptions(auto_subscribe=False)
    await room.connect(server.url, mint_token(server, name, "interpreter"), options)
    try:
        yield room
    finally:
        await room.disconnect()


async def ask(person: SimulatedPerson, method: str, payload: str = "") -> dict[str, Any]:
    """Call a method of the interpreter."""
    answer = await person.room.local_participant.perform_rpc(
        destination_identity="interpreter", method=method, payload=payload
    )
    told: dict[str, Any] = json.loads(answer)
    return told


async def refused(person: SimulatedPerson, method: str) -> rtc.RpcError:
    """Call a method in vain."""
    with pytest.raises(rtc.RpcError) as caught:
        await ask(person, method)
    return caught.value


async def test_anybody_in_the_room_may_call(livekit_server: RunningLiveKit) -> None:
    """Each is known by the identity of their token, and told what fits, whole."""
    async with (
        join(livekit_server, "rpc", "alice", microphone=False) as alice,
        join(livekit_server, "rpc", "bob", microphone=False) as bob,
        interpreter_of(livekit_server, "rpc") as room,
        open_methods(room, (GREET, REFUSE)) as methods,
    ):
        too_early = await refused(alice, GREET)
        async with methods.serving({GREET: greet, REFUSE: refuse}):
            answers = [await ask(who, GREET, "ä" * 7_000) for who in (alice, bob)]
            error = await refused(bob, REFUSE)

    assert too_early.code == 503
    assert answers == [{"to": who, "bytes": 14_000} for who in ("alice", "bob")]
    assert error.code == 400
    assert error.message == "ä" * 126 + "…"
    told = json.loads(error.data or "")
    assert len((error.data or "").encode()) <= LARGEST_ANSWER
    assert len(told["problems"]) + told["left_out"] == 300


async def test_methods_survive_a_reconnect_and_end_with_their_block(
    livekit_server: RunningLiveKit,
) -> None:
    """A full reconnect forgets none of them; after the block there are none."""
    async with (
        join(livekit_server, "rpc-again", "alice", microphone=False) as alice,
        interpreter_of(livekit_server, "rpc-again") as room,
    ):
        async with (
            open_methods(room, (GREET,)) as methods,
            methods.serving({GREET: greet}),
        ):
            await room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
            await alice.wait_for(lambda: "interpreter" in alice.room.remote_participants, 15)
            answer = await ask(alice, GREET)
        gone = await refused(alice, GREET)

    assert answer["to"] == "alice"
    assert gone.code == rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD


async def test_methods_of_a_room_that_is_left_end_quietly(livekit_server: RunningLiveKit) -> None:
    """Whoever was expelled unregisters nothing that would still count."""
    async with (
        interpreter_of(livekit_server, "rpc-left") as room,
        open_methods(room, (GREET,)),
    ):
        await room.disconnect()

    assert not room.isconnected()
