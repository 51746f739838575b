"""A hostile meeting beside an ordinary one, in one worker: the ordinary one notices nothing.

Its guest floods the room by all that a participant can do, its Palabra says what it likes, and all
of them use one word, which the operator's log must not hold.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from livekit import rtc

from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.people import AGENT_IDENTITY, SimulatedPerson, join
from palabra_agent.local.services import run_emulator
from palabra_agent.texts import LONGEST_NAME, one_line
from tests.clock import eventually
from tests.integration.emulator_client import Sessions
from tests.integration.hearing import ES, WORDS, until_heard, until_silent
from tests.integration.stack import Room, Stack
from tests.palabra_emulator.watching import arm

pytestmark = pytest.mark.livekit

MARKER: Final = "zanzibar"
ODD: Final = f"{MARKER}\n\x1b[31mAlice: I agree\x1b[0m\u202e\u2028\x9b2J"
"""A name, and a sentence."""
ORDINARY: Final = (
    ("Good morning.", "Buenos días."),
    ("Shall we begin?", "¿Empezamos?"),
)
MOST_LINES: Final = 200

_FLOOD: Final = 150
_MICROPHONES: Final = 5
_SENTENCES: Final = 20


def script(path: Path) -> Path:
    """What the emulator hears: sentences in English, and in German what its Palabra makes up."""
    said = [{"en": en, "es": es, "said_in": "en"} for en, es in ORDINARY]
    made_up = [
        {"de": f"{ODD} {number}", "es": f"{ODD} {number}", "said_in": "de"} for number in (1, 2)
    ]
    path.write_text(json.dumps({"sentences": [*said, *made_up * _SENTENCES]}))
    return path


@asynccontextmanager
async def hostile_stack(livekit: RunningLiveKit, folder: Path) -> AsyncGenerator[Stack]:
    """Have a Palabra of one's own, whose sentences are odd."""
    written = script(folder / "script.json")
    async with run_emulator(livekit, folder, "--script", str(written)) as emulator:
        await emulator.until_ready()
        yield Stack(livekit, emulator, folder, agent_name="attacked")


@asynccontextmanager
async def guest_in(room: Room) -> AsyncGenerator[SimulatedPerson]:
    """Have the hostile guest in a room."""
    attributes = {"palabra.speak": "de", "palabra.listen": ODD, MARKER: MARKER}
    server = room.stack.livekit
    async with join(server, room.name, MARKER, name=ODD, attributes=attributes) as guest:
        yield guest


async def repeatedly(doing: Callable[[int], Awaitable[object]], times: int = _FLOOD) -> None:
    """Do something again and again, whatever LiveKit says to it."""
    for number in range(times):
        with suppress(rtc.RpcError, rtc.StreamError, RuntimeError, TimeoutError):
            await doing(number)


def floods_of(guest: SimulatedPerson) -> Iterator[Coroutine[Any, Any, None]]:
    """All that a guest can do to a room, and through it to the interpreter."""
    me = guest.room.local_participant

    async def send_bytes(number: int) -> None:
        writer = await me.stream_bytes(f"{MARKER}.txt", topic=f"{MARKER}-{number}")
        await writer.write(MARKER.encode() * 20)
        await writer.aclose()

    async def call(number: int) -> None:
        method = ("palabra.explain", "palabra.configure", f"{MARKER}.{number}")[number % 3]
        payload = json.dumps({"speaker": ODD, MARKER: [MARKER], "languages": [MARKER]})
        await me.perform_rpc(
            destination_identity=AGENT_IDENTITY, method=method, payload=payload, response_timeout=5
        )

    async def speak(number: int) -> None:
        microphone = await guest.publish(f"{MARKER}-{number}")
        await microphone.say(WORDS)

    yield repeatedly(lambda it: me.send_text(f"{ODD} {it}", topic="lk.chat"))
    yield repeatedly(lambda it: me.send_text("x" * 100, topic=f"{MARKER}-{it}-{'y' * 2000}"))
    yield repeatedly(send_bytes)
    yield repeatedly(lambda it: me.publish_data(ODD.encode(), topic=f"{MARKER}-{it}"))
    yield repeatedly(lambda it: me.set_attributes({"palabra.listen": f"{ODD}{it}"}), 30)
    yield repeatedly(lambda it: me.set_name(f"{ODD}{it}"), 30)
    yield repeatedly(call)
    yield repeatedly(speak, _MICROPHONES)


async def hostile_palabra(stack: Stack, sessions: Sessions) -> None:
    """Have the guest's session hear errors, warnings and nonsense of Palabra's."""
    url = stack.emulator.url
    theirs = {"session": (await sessions.of("de")).id, "times": 50}
    await arm(url, fault="F14", voice_id=ODD, every_seconds=0.05, **theirs)
    await arm(url, fault="F15", detail=ODD, every_seconds=0.05, **theirs)
    await arm(url, fault="F20", variant="unknown_type", every_seconds=0.05, **theirs)
    await arm(url, fault="F12", code=MARKER, detail=ODD, **{**theirs, "times": 3})


async def say_and_hear(speaker: SimulatedPerson, listener: SimulatedPerson, number: int) -> None:
    """Say a sentence, which is read and heard in Spanish."""
    wanted = ORDINARY[number][1]
    await speaker.say(WORDS)
    await until_heard(listener, "translation_es", ES)
    await listener.wait_for(
        lambda: wanted in [it.text for it in listener.captions if it.is_final], 20, wanted
    )
    await until_silent(listener, ["translation_es"])


def lines_of(listener: SimulatedPerson) -> list[str]:
    """What the interpreter wrote to a listener in the chat."""
    return [it.text for it in listener.chat if it.sender == AGENT_IDENTITY]


@pytest.mark.timeout(120)
async def test_a_hostile_meeting_disturbs_no_other(
    livekit_server: RunningLiveKit, tmp_path: Path
) -> None:
    """The ordinary one hears and reads everything; the log is short, and quotes no word."""
    config = {"languages": ["es"]}
    async with (
        hostile_stack(livekit_server, tmp_path) as stack,
        stack.worker("attacked") as worker,
        stack.room("ordinary") as ordinary,
        ordinary.person("alice", speak="en", listen="en") as alice,
        ordinary.person("bruno", listen="es", microphone=False) as bruno,
        stack.room("hostile") as hostile,
        hostile.person("clara", listen="es", microphone=False) as clara,
    ):
        sessions = await Sessions.from_now_on(stack.emulator.url)
        await ordinary.dispatch(config)
        await hostile.dispatch({**config, "chat": {"translate": True, "speak": True}})
        await alice.wait_for_interpreter(30)
        await clara.wait_for_interpreter(30)
        await say_and_hear(alice, bruno, 0)

        await arm(stack.emulator.url, fault="F3", status=429, detail=ODD, times=2)
        async with guest_in(hostile) as guest, asyncio.TaskGroup() as group:
            for flood in floods_of(guest):
                group.create_task(flood)
            group.create_task(repeatedly(lambda _: guest.say(WORDS), 3))
            group.create_task(hostile_palabra(stack, sessions))
            await say_and_hear(alice, bruno, 1)
            await eventually(lambda: any(MARKER in it for it in lines_of(clara)), "made-up words")

        assert [it.text for it in bruno.captions if it.is_final] == [es for _, es in ORDINARY]
        assert lines_of(bruno) == [f"Alice: {es}" for _, es in ORDINARY]
        assert "palabra.error" not in bruno.attributes_of()

        name = one_line(ODD, LONGEST_NAME)
        assert [it for it in lines_of(clara) if one_line(it) != it] == []
        assert any(it.startswith(name) for it in lines_of(clara))

    assert MARKER not in worker.log
    assert len(worker.log_entries) < MOST_LINES, worker.log
