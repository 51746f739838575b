"""Meetings with LiveKit's end-to-end encryption: interpreted with their key, and not without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import pytest
import pytest_asyncio
from livekit import rtc

from palabra_agent.interpretation.ports import EncryptionProblem
from palabra_agent.local.people import AGENT_IDENTITY, SimulatedPerson
from tests.clock import eventually

from .emulator_client import Sessions
from .hearing import ES, WORDS, until_heard, until_silent, until_subscribed
from .stack import Room, Stack, Worker, ask

pytestmark = pytest.mark.livekit

ES_TRACK: Final = "translation_es"
CONFIG: Final[Mapping[str, object]] = {"languages": ["en", "es"]}
KEY: Final = "the passphrase of this meeting"
OTHER_KEY: Final = "the passphrase of another meeting"
_SETTINGS: Final = f"""
[[rooms]]
match = "encrypted-*"
e2ee_key = "{KEY}"
"""


def encrypting(key: str) -> rtc.RoomOptions:
    """How an app joins that encrypts with a passphrase, by its SDK's defaults."""
    options = rtc.E2EEOptions()
    options.key_provider_options.shared_key = key.encode()
    # a key that never fits costs LiveKit a processor otherwise
    options.key_provider_options.ratchet_window_size = 0
    return rtc.RoomOptions(encryption=options)


def speaker(
    room: Room, key: str = "", identity: str = "alice"
) -> AbstractAsyncContextManager[SimulatedPerson]:
    """A person speaks English, encrypted with a key or not at all."""
    return room.person(identity, speak="en", listen="en", options=encrypting(key) if key else None)


def listener(room: Room, key: str = "") -> AbstractAsyncContextManager[SimulatedPerson]:
    """Bruno listens in Spanish, encrypted with a key or not at all."""
    return room.person(
        "bruno", listen="es", microphone=False, options=encrypting(key) if key else None
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def keeper(stack: Stack) -> AsyncGenerator[Worker]:
    """Run a worker that has a key to some rooms, and never shows it."""
    async with stack.worker("keeper", settings=_SETTINGS) as worker:
        yield worker

    assert KEY not in worker.log
    assert worker.log_entries


async def is_interpreted(speaker: SimulatedPerson, listener: SimulatedPerson) -> None:
    """A person speaks and is heard in Spanish; returns in the silence after."""
    async with asyncio.TaskGroup() as group:
        group.create_task(speaker.say(WORDS))
        group.create_task(until_heard(listener, ES_TRACK, ES))
    await until_silent(listener, [ES_TRACK])


async def explained(asking: SimulatedPerson, speaker: str) -> list[dict[str, Any]]:
    """What the interpreter says of a speaker's tracks."""
    answer = await ask(asking, "palabra.explain", {"speaker": speaker})
    return [{key: it[key] for key in it if key != "track_sid"} for it in answer["tracks"]]


async def until_told(person: SimulatedPerson, problem: EncryptionProblem) -> None:
    """Wait until the room is degraded, and all may read why."""
    await person.wait_for(
        lambda: person.attributes_of().get("palabra.error") == problem, 20, "the reason"
    )
    assert person.attributes_of()["palabra.state"] == "degraded"


def announced(person: SimulatedPerson) -> list[str]:
    """What the interpreter itself wrote into the chat."""
    return [it.text for it in person.chat if it.sender == AGENT_IDENTITY and not it.kind]


async def test_an_encrypted_meeting_is_interpreted_with_its_key(
    stack: Stack, keeper: Worker, sessions: Sessions
) -> None:
    """Who has the key hears and reads the interpretation; what is sent is encrypted as well."""
    async with (
        stack.room("encrypted-meeting") as room,
        listener(room, KEY) as bruno,
        speaker(room, KEY) as alice,
        room.person("clara", listen="es", microphone=False) as clara,
    ):
        await room.dispatch(CONFIG, keeper.agent_name)
        await bruno.wait_for_interpreter(20)
        await until_subscribed(bruno, ES_TRACK)
        await sessions.running(1)
        await is_interpreted(alice, bruno)
        await bruno.wait_for(
            lambda: [it for it in bruno.captions if it.is_translated and it.is_final],
            20,
            "captions",
        )
        await bruno.wait_for(lambda: bruno.chat, 20, "chat")

        interpreter = bruno.room.remote_participants[AGENT_IDENTITY]
        kinds = {it.encryption_type for it in interpreter.track_publications.values()}
        assert kinds == {rtc.EncryptionType.GCM}
        assert await explained(bruno, "alice") == [{"source": "microphone", "heard": True}]
        assert (list(clara.captions), list(clara.chat)) == ([], [])
        assert bruno.attributes_of()["palabra.state"] == "live"
        assert announced(bruno) == []
        assert await sessions.created() == 1


async def test_an_encrypted_meeting_costs_nothing_without_its_key(
    stack: Stack, keeper: Worker, sessions: Sessions
) -> None:
    """All are told why, once, in the chat and the interpreter's attributes."""
    async with (
        stack.room("locked-meeting") as room,
        listener(room, KEY) as bruno,
        speaker(room, KEY) as alice,
        speaker(room, KEY, "dora") as dora,
    ):
        await room.dispatch(CONFIG, keeper.agent_name)
        await until_told(bruno, EncryptionProblem.NO_KEY)
        await alice.write("nothing that the interpreter can read")
        await alice.say(WORDS)
        await dora.say(WORDS)
        await bruno.wait_for(lambda: announced(bruno), 20, "the reason")

        assert await explained_in_plain(room, "alice") == [
            {
                "source": "microphone",
                "heard": False,
                "reason": "it is encrypted, and the interpreter has no key",
            }
        ]
        assert announced(bruno) == [EncryptionProblem.NO_KEY]
        assert list(bruno.captions) == []
        assert await sessions.created() == 0


async def explained_in_plain(room: Room, speaker: str) -> list[dict[str, Any]]:
    """What the interpreter says to one who is not encrypted, as it is not itself."""
    async with room.person("erik", microphone=False) as erik:
        await erik.wait_for_interpreter(20, state="degraded")
        return await explained(erik, speaker)


async def test_who_has_another_key_is_told_of_and_not_interpreted(
    stack: Stack, keeper: Worker, sessions: Sessions
) -> None:
    """Until they come back with the right one."""
    async with (
        stack.room("encrypted-in-two-ways") as room,
        listener(room, KEY) as bruno,
    ):
        await room.dispatch(CONFIG, keeper.agent_name)
        await bruno.wait_for_interpreter(20)
        await until_subscribed(bruno, ES_TRACK)
        async with speaker(room, OTHER_KEY) as alice:
            await alice.say(WORDS)
            await until_told(bruno, EncryptionProblem.OTHER_KEY)
            await bruno.wait_for(lambda: announced(bruno), 20, "the reason")
            await alice.say(WORDS)
            assert await explained(bruno, "alice") == [
                {
                    "source": "microphone",
                    "heard": False,
                    "reason": "it is encrypted with another key than the interpreter's",
                }
            ]
            assert await sessions.created() == 0

        async with speaker(room, KEY) as alice:
            await bruno.wait_for_interpreter(20)
            await sessions.running(1)
            await is_interpreted(alice, bruno)

        assert announced(bruno) == [EncryptionProblem.OTHER_KEY]


async def test_who_is_not_encrypted_among_those_who_are_is_interpreted(
    stack: Stack, keeper: Worker, sessions: Sessions
) -> None:
    """And it is said that they themselves can neither hear nor read."""
    async with (
        stack.room("encrypted-in-part") as room,
        listener(room, KEY) as bruno,
    ):
        await room.dispatch(CONFIG, keeper.agent_name)
        await bruno.wait_for_interpreter(20)
        await until_subscribed(bruno, ES_TRACK)
        async with speaker(room) as alice:
            await until_told(alice, EncryptionProblem.NOT_ENCRYPTED)
            await sessions.running(1)
            await is_interpreted(alice, bruno)
            assert (list(alice.captions), list(alice.chat)) == ([], [])

        async def is_well() -> bool:
            return bruno.attributes_of()["palabra.state"] == "live"

        await eventually(is_well, "the room is well again")
        assert announced(bruno) == [EncryptionProblem.NOT_ENCRYPTED]


async def test_a_key_in_a_dispatch_is_refused(
    stack: Stack, keeper: Worker, sessions: Sessions
) -> None:
    """Others can read what a dispatch says."""
    async with (
        stack.room("told-the-key") as room,
        room.person("alice", microphone=False) as alice,
    ):
        await room.dispatch({**CONFIG, "e2ee_key": KEY}, keeper.agent_name)
        await alice.wait_for_interpreter(20, state="failed")
        error = alice.attributes_of()["palabra.error"]

        assert "e2ee_key: is a secret" in error
        assert KEY not in error
