"""Asking for the interpreter twice, and the `dispatch` command with all that can go wrong."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from functools import partial

import psutil
import pytest
from livekit.protocol.models import ParticipantInfo

from palabra_agent.local.people import AGENT_IDENTITY, SimulatedPerson
from palabra_agent.worker.joining import Superseded, join_room
from tests.clock import eventually

from .emulator_client import Sessions
from .hearing import ES, WORDS, until_heard, until_subscribed
from .interruptions import job_in
from .stack import Finished, Room, Stack, Worker, ask

pytestmark = pytest.mark.livekit

CONFIG = json.dumps({"languages": ["en", "es"]})


async def test_the_newest_interpreter_wins(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A second dispatch replaces the first, whose sessions are deleted, and goes on instead."""
    async with (
        stack.room("newest") as room,
        room.person("alice", speak="en") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await room.dispatch(CONFIG)
        (first,) = await sessions.running(1)
        await room.dispatch(CONFIG)
        _, second = await sessions.until(
            lambda found: [it.state for it in found] == ["deleted", "running"], "the second alone"
        )
        await until_subscribed(bruno, "translation_es")
        async with asyncio.TaskGroup() as group:
            group.create_task(alice.say(WORDS))
            group.create_task(until_heard(bruno, "translation_es", ES))
            group.create_task(until_heard(bruno, "translation_es", second.marker_hz))

        assert first.id != second.id
        assert len(await room.interpreters()) == 1
        assert await sessions.created() == 2


async def test_dispatch_waits_for_the_interpreter(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """The command prints the dispatch's id, and ends when the room is ready."""
    async with stack.room("cli") as room:
        done = await stack.command("dispatch", "cli", "--config", CONFIG)
        states = [it.attributes["palabra.state"] for it in await room.interpreters()]

    assert (done.code, states) == (0, ["live"])
    assert done.output.startswith("AD_")
    assert done.errors == "the interpreter is in room cli\n"


async def test_dispatch_leaves_an_interpreted_room_alone(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A second time is refused; `--replace` sends the first away."""
    async with stack.room("cli-twice") as room:
        first = await stack.command("dispatch", "cli-twice", "--config", CONFIG)
        (before,) = await room.interpreters()
        again = await stack.command("dispatch", "cli-twice", "--config", CONFIG)
        (between,) = await room.interpreters()
        other = json.dumps({"languages": ["de"]})
        replaced = await stack.command("dispatch", "cli-twice", "--config", other, "--replace")

        async def is_replaced() -> bool:
            offers = [it.attributes.get("palabra.languages") for it in await room.interpreters()]
            return offers == ["de"]

        await eventually(is_replaced, "the new one alone")

    assert (first.code, again.code, replaced.code) == (0, 1, 0)
    assert "room cli-twice has an interpreter already" in again.errors
    assert "--replace" in again.errors
    assert before.sid == between.sid
    assert first.output != replaced.output


async def test_a_room_whose_interpreter_was_removed_is_asked_anew(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """LiveKit calls its job running for ever; the room has none, so `--replace` is not needed."""
    async with stack.room("cli-removed") as room:
        first = await stack.command("dispatch", "cli-removed", "--config", CONFIG)
        await room.remove(AGENT_IDENTITY)
        await eventually(room.is_deserted, "no interpreter")
        again = await stack.command("dispatch", "cli-removed", "--config", CONFIG)
        states = [it.attributes["palabra.state"] for it in await room.interpreters()]

    assert (first.code, again.code, states) == (0, 0, ["live"])


async def test_a_guest_under_the_interpreter_s_identity_ends_no_interpretation(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """It goes on under another one, as it was configured; a newer interpreter sends both away.

    To that one, an interpreter that comes back later gives way.
    """
    config = json.dumps({"languages": ["en", "es"], "organisers": ["bruno"]})
    async with (
        stack.room("cli-guest") as room,
        room.person("alice", speak="en") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await room.dispatch(config)
        await bruno.wait_for(lambda: is_live(bruno, AGENT_IDENTITY), 10, "the interpreter")
        await ask(bruno, "palabra.configure", {"languages": ["en", "es", "fr"]})
        async with room.person(AGENT_IDENTITY, microphone=False, listen="original"):
            await bruno.wait_for(lambda: is_live(bruno, f"{AGENT_IDENTITY}-2"), 10, "it back")
            await until_subscribed(bruno, "translation_es")
            async with asyncio.TaskGroup() as group:
                group.create_task(alice.say(WORDS))
                group.create_task(until_heard(bruno, "translation_es", ES))
            again = await stack.command("dispatch", "cli-guest", "--config", config)
            languages = bruno.attributes_of()["palabra.languages"]
            said = [line.text for line in bruno.chat if AGENT_IDENTITY in line.text]

            await room.dispatch(config)
            await bruno.wait_for(lambda: is_live(bruno, AGENT_IDENTITY), 10, "a newer one")
            await eventually(partial(is_alone, room), "the newer one alone")
            settings, claims = job_in(room)
            with pytest.raises(Superseded):
                async with join_room(settings, claims, f"{AGENT_IDENTITY}-2"):
                    pass

    is_refused(again, "has an interpreter already", f"cli-guest and is not: {AGENT_IDENTITY};")
    assert languages == "en,es,fr"
    assert said == [
        f"The interpreter is here as {AGENT_IDENTITY}-2. A participant who is not the interpreter "
        f"joined as {AGENT_IDENTITY}."
    ]
    told = [it for it in worker.log_entries if "is no interpreter" in it["message"]]
    assert [it["identity"] for it in told] == [AGENT_IDENTITY]


def is_live(person: SimulatedPerson, identity: str) -> bool:
    """Tell whether a person sees an interpreter under this identity that is ready."""
    seen = person.room.remote_participants.get(identity)
    return seen is not None and seen.attributes.get("palabra.state") == "live"


async def is_alone(room: Room) -> bool:
    """Tell whether one participant in a room has an identity of interpreters, and is one."""
    there = [(it.kind, it.identity) for it in await room.participants()]
    like_ours = [it for it in there if it[1].startswith(AGENT_IDENTITY)]
    return like_ours == [(ParticipantInfo.Kind.AGENT, AGENT_IDENTITY)]


async def test_a_dead_interpreter_is_not_taken_for_the_new_one(stack: Stack) -> None:
    """LiveKit lists a killed one as live for a while: `--replace` removes it, and none came."""
    async with stack.room("cli-dead") as room, stack.worker("killed") as worker:
        words = ("dispatch", "cli-dead", "--agent-name", worker.agent_name)
        first = await stack.command(*words)
        kill_all(worker)
        await worker.ended(20)
        dead = [it.attributes["palabra.state"] for it in await room.interpreters()]
        replaced = await stack.command(*words, "--replace")

        assert (first.code, dead) == (0, ["live"])
        is_refused(replaced, "no worker took it")
        assert await room.interpreters() == []


async def test_dispatch_says_why_no_interpreter_comes(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Without a worker of that name the command gives up after ten seconds, and says why."""
    async with stack.room("cli-no-worker"):
        done = await stack.command("dispatch", "cli-no-worker", "--agent-name", "absent")

    is_refused(done, "no worker took it", "palabra-agent start", '"absent"')
    assert done.output.startswith("AD_")


async def test_dispatch_need_not_wait(stack: Stack, sessions: Sessions) -> None:
    """`--no-wait` only asks."""
    async with stack.room("cli-no-wait"):
        done = await stack.command("dispatch", "cli-no-wait", "--agent-name", "x", "--no-wait")

    assert (done.code, done.errors) == (0, "")
    assert done.output.startswith("AD_")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('{"langauges": ["es"]}', 'langauges: unknown key, did you mean "languages"?'),
        ('{"limits": {"max_speakers": 0}}', "limits.max_speakers: must be at least 1, not 0"),
        ("@absent.json", "absent.json: No such file or directory"),
    ],
)
async def test_dispatch_checks_the_config_first(
    stack: Stack, sessions: Sessions, config: str, words: str
) -> None:
    """A wrong config is told by its key, and nothing is asked of the server."""
    async with stack.room("cli-wrong") as room:
        done = await stack.command("dispatch", "cli-wrong", "--config", config)

        assert await room.participants() == []

    is_refused(done, words)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"LIVEKIT_URL": "ws://127.0.0.1:9"}, "LiveKit cannot be reached at ws://127.0.0.1:9"),
        ({"LIVEKIT_API_SECRET": "wrong" * 8}, "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET"),
        ({"LIVEKIT_API_KEY": "APIunknown"}, "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET"),
        ({"LIVEKIT_URL": ""}, "LIVEKIT_URL"),
    ],
)
async def test_dispatch_says_what_is_wrong_with_livekit(
    stack: Stack, env: dict[str, str], words: str
) -> None:
    """A server that does not answer, or refuses, is a sentence."""
    is_refused(await stack.command("dispatch", "cli-livekit", env=env), words)


def kill_all(worker: Worker) -> None:
    """End a worker and the processes of its jobs, none of which can say goodbye."""
    main = psutil.Process(worker.child.process.pid)
    for process in (*main.children(recursive=True), main):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def is_refused(done: Finished, *words: str) -> None:
    """Check that a command ended with sentences that hold these words, and without a traceback."""
    assert done.code == 1
    for line in done.errors.splitlines():
        assert line.startswith("palabra-agent: ")
    for text in words:
        assert text in done.errors
