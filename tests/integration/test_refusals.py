"""A room whose config is wrong: it gets no interpreter, is told why, and disturbs no other room."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest
import pytest_asyncio

from palabra_agent.local.people import AGENT_IDENTITY
from tests.clock import eventually

from .emulator_client import Sessions
from .hearing import ES, WORDS, until_heard
from .stack import Room, Stack, Worker

pytestmark = pytest.mark.livekit

_AT_ONCE: Final = 5
_TOO_LARGE: Final = json.dumps({"speakers": {f"guest-{n}": {} for n in range(5000)}})

CASES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "not JSON": ('{"languages": ["es"', ("the room config is not JSON",)),
    "not an object": ('["es"]', ("the room config must be a JSON object, not a list",)),
    "unknown key": (
        '{"langauges": ["es"]}',
        ('langauges: unknown key, did you mean "languages"?',),
    ),
    "wrong type": (
        '{"captions": {"enabled": "yes"}}',
        ('captions.enabled: must be true or false, not "yes"',),
    ),
    "unknown language": ('{"languages": ["es", "klingon"]}', ("languages[1]:", '"klingon"')),
    "too large": (_TOO_LARGE, ("at most 65536 are allowed",)),
    "plugins": (
        '{"plugins": [{"name": "voice-timbr"}, {"name": "voice-timbre", "config": {"hihg": {}}}]}',
        (
            'plugins[0].name: "voice-timbr" is not installed, did you mean "voice-timbre"?',
            'plugins[1].config.hihg: unknown key, did you mean "high"?',
        ),
    ),
    "out of range": (
        '{"palabra": {"transcription": {"segment_confirmation_silence_threshold": 0.1}}}',
        (
            "palabra.transcription.segment_confirmation_silence_threshold:",
            "must be between 0.3 and 2.0, not 0.1",
        ),
    ),
    "several": (
        '{"chat": 1, "capshuns": {}}',
        ("chat: must be an object", "capshuns: unknown key"),
    ),
}
"""Metadata, and what the room is told about it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a person in a room saw of it."""

    error: str
    chat: tuple[str, ...]
    stayed_seconds: float
    """From when the reason was read to when the interpreter had left."""


@dataclass(frozen=True, slots=True)
class RefusedRooms:
    """All refused rooms, and the one that was interpreted meanwhile."""

    refusals: Mapping[str, Refusal]
    sessions: int
    """How many Palabra sessions there were."""


async def be_refused(stack: Stack, name: str, metadata: str) -> Refusal:
    """Ask for an interpreter with a wrong config, and watch."""
    async with (
        stack.room(f"refused-{name}") as room,
        room.person("alice", microphone=False) as alice,
    ):
        await room.dispatch(metadata)
        await alice.wait_for_interpreter(30, state="failed")
        error = alice.attributes_of()["palabra.error"]
        await alice.wait_for(lambda: alice.chat, 15, "the reason")
        began = time.monotonic()
        await alice.wait_for(
            lambda: AGENT_IDENTITY not in alice.room.remote_participants, 20, "the interpreter gone"
        )
        stayed = time.monotonic() - began
        assert {it.sender for it in alice.chat} == {AGENT_IDENTITY}
        return Refusal(error, tuple(it.text for it in alice.chat), stayed)


async def be_refused_all(stack: Stack) -> Mapping[str, Refusal]:
    """Go through the cases, a few at a time."""
    places, refusals = asyncio.Semaphore(_AT_ONCE), dict[str, Refusal]()

    async def one(name: str, metadata: str) -> None:
        async with places:
            refusals[name] = await be_refused(stack, name, metadata)

    async with asyncio.TaskGroup() as group:
        for name, (metadata, _) in CASES.items():
            group.create_task(one(name, metadata))

    return refusals


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def refused_rooms(stack: Stack, worker: Worker) -> AsyncGenerator[RefusedRooms]:
    """Have every wrong config refused while another room is interpreted by the same worker."""
    mine = await Sessions.from_now_on(stack.emulator.url)
    async with (
        stack.room("not-refused") as room,
        room.person("alice", speak="en") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await room.dispatch({"languages": ["en", "es"]})
        await mine.running(1)
        refusals = await be_refused_all(stack)
        await alice.say(WORDS)
        await until_heard(bruno, "translation_es", ES)
        yield RefusedRooms(refusals, await mine.created())


@pytest.mark.parametrize("case", CASES)
def test_the_room_is_told_what_is_wrong(refused_rooms: RefusedRooms, case: str) -> None:
    """The same sentence stands in the chat, once, and in the interpreter's attribute."""
    refusal = refused_rooms.refusals[case]

    assert refusal.chat == (refusal.error,)
    for words in CASES[case][1]:
        assert words in refusal.error


@pytest.mark.parametrize("case", CASES)
def test_the_interpreter_leaves_by_itself(refused_rooms: RefusedRooms, case: str) -> None:
    """It stays long enough to be read, and not much longer."""
    assert 4 < refused_rooms.refusals[case].stayed_seconds < 12


def test_another_room_goes_on(refused_rooms: RefusedRooms) -> None:
    """The worker's other room was interpreted through it all, and no session was lost on them."""
    assert refused_rooms.sessions == 1


async def test_the_reason_waits_for_a_reader(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """In an empty room the interpreter waits for a person to tell, who then reads it."""
    async with stack.room("refused-empty") as room:
        await room.dispatch('{"nonsense": 1}')
        await until_failed(room)
        async with room.person("alice", microphone=False) as alice:
            await alice.wait_for(lambda: alice.chat, 15, "the reason")
            await alice.wait_for(
                lambda: AGENT_IDENTITY not in alice.room.remote_participants, 20, "it gone"
            )

            assert "nonsense: unknown key" in alice.chat[0].text


async def until_failed(room: Room) -> None:
    """Wait until the interpreter has given up, as the server knows."""

    async def has_failed() -> bool:
        return any(it.attributes["palabra.state"] == "failed" for it in await room.interpreters())

    await eventually(has_failed, f"a failed interpreter in {room.name}")
