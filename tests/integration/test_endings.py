"""Every way in which an interpretation ends, none of which leaves anything running."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psutil
import pytest
from livekit import api

from palabra_agent.local.people import AGENT_IDENTITY, SimulatedPerson
from tests.clock import eventually

from .emulator_client import Sessions
from .hearing import ES, WORDS, until_heard
from .stack import Room, Stack, Worker

pytestmark = pytest.mark.livekit


@asynccontextmanager
async def interpreted(
    stack: Stack, worker: Worker, sessions: Sessions, name: str
) -> AsyncGenerator[tuple[Room, str, SimulatedPerson, SimulatedPerson]]:
    """A room with two speakers, each with a running session; says the dispatch too."""
    async with (
        stack.room(name) as room,
        room.person("alice", speak="en", listen="en") as alice,
        room.person("bruno", speak="es", listen="es") as bruno,
    ):
        config = {"languages": ["en", "es"], "limits": {"linger_seconds": 0.5}}
        dispatch = await room.dispatch(config, worker.agent_name)
        await sessions.running(2)
        yield room, dispatch, alice, bruno


async def until_gone(process: psutil.Process, seconds: float = 10.0) -> None:
    """Wait until a process is no more."""

    async def is_gone() -> bool:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE

    await eventually(is_gone, "the process is gone", seconds)


async def nothing_is_left(sessions: Sessions, count: int) -> None:
    """Check that so many sessions were there, and each was ended by us and deleted."""
    found = await sessions.deleted(10)
    journal = await sessions.entries("ended")

    assert len(found) == count
    assert {entry.session for entry in journal} == {it.id for it in found}
    assert {it.end_reason for it in found} <= {"end_task force", "deleted"}


async def test_an_empty_room_ends_the_sessions_and_not_the_job(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """When all have left, and the linger is over, nothing is paid for; the interpreter waits."""
    async with interpreted(stack, worker, sessions, "emptied") as (room, _, alice, bruno):
        await alice.leave()
        await bruno.leave()
        await nothing_is_left(sessions, 2)

        assert len(await room.interpreters()) == 1
        async with room.person("alice", speak="en"):
            await sessions.running(1)


async def test_deleting_the_dispatch_ends_everything(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Sessions, the interpreter in the room, and the process of the job: gone in seconds."""
    async with interpreted(stack, worker, sessions, "undispatched") as (room, it, alice, _):
        process = worker.job_process(room.name)
        await room.end_dispatch(it)
        await nothing_is_left(sessions, 2)
        await alice.wait_for(
            lambda: AGENT_IDENTITY not in alice.room.remote_participants, 10, "it gone"
        )
        await until_gone(process)


async def test_deleting_the_room_ends_everything(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """The interpreter is cut off, and its sessions are ended all the same."""
    async with interpreted(stack, worker, sessions, "deleted") as (room, _, _, _):
        process = worker.job_process(room.name)
        await room.delete()
        await nothing_is_left(sessions, 2)
        await until_gone(process)


async def test_removing_the_interpreter_ends_everything(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """An administrator of the room can send the interpreter out of it."""
    async with interpreted(stack, worker, sessions, "removed") as (room, _, _, _):
        process = worker.job_process(room.name)
        async with stack.server() as server:
            identity = api.RoomParticipantIdentity(room=room.name, identity=AGENT_IDENTITY)
            await server.room.remove_participant(identity)
        await nothing_is_left(sessions, 2)
        await until_gone(process)


async def test_max_minutes_end_everything(stack: Stack, worker: Worker, sessions: Sessions) -> None:
    """When the time that the config gives is over, the room is told, and nothing is left."""
    async with stack.room("limited") as room, room.person("alice", speak="en") as alice:
        config = {"languages": ["en", "es"], "limits": {"max_minutes": 0.1}}
        await room.dispatch(config, worker.agent_name)
        await sessions.running(1)
        await alice.wait_for(lambda: alice.chat, 15, "a word about the end")
        await alice.wait_for(
            lambda: AGENT_IDENTITY not in alice.room.remote_participants, 10, "it gone"
        )

        assert "limited to 0.1 minutes" in alice.chat[0].text
        await nothing_is_left(sessions, 1)


async def test_the_first_signal_drains_and_the_second_ends(
    stack: Stack, sessions: Sessions
) -> None:
    """A draining worker interprets on, takes no room, and is gone soon after a second SIGTERM."""
    async with (
        stack.worker("draining") as worker,
        interpreted(stack, worker, sessions, "drained") as (_, _, alice, bruno),
    ):
        family = family_of(worker)
        worker.child.process.send_signal(signal.SIGTERM)
        await worker.child.wait_for_line("draining worker", 10)
        async with stack.room("too-late") as other:
            await other.dispatch("", worker.agent_name)
            await alice.say(WORDS)
            await until_heard(bruno, "translation_es", ES)
            assert await other.interpreters() == []

        assert not worker.child.has_ended
        worker.child.process.send_signal(signal.SIGTERM)
        code = await worker.ended(20)

        assert code == 0
        await nothing_is_left(sessions, 2)
        await all_gone(family)


async def test_a_drain_ends_with_the_last_room(stack: Stack, sessions: Sessions) -> None:
    """The worker ends by itself when its rooms are over."""
    async with (
        stack.worker("patient") as worker,
        interpreted(stack, worker, sessions, "last-room") as (room, _, _, _),
    ):
        family = family_of(worker)
        worker.child.process.send_signal(signal.SIGINT)
        await worker.child.wait_for_line("draining worker", 10)
        await room.delete()
        code = await worker.ended(20)

        assert code == 0
        await nothing_is_left(sessions, 2)
        await all_gone(family)


async def test_no_time_to_drain_ends_at_once(stack: Stack, sessions: Sessions) -> None:
    """With `--drain-seconds 0` the first signal ends everything."""
    async with (
        stack.worker("impatient", "--drain-seconds", "0") as worker,
        interpreted(stack, worker, sessions, "cut-short"),
    ):
        family = family_of(worker)
        worker.child.process.send_signal(signal.SIGTERM)
        code = await worker.ended(20)

        assert code == 0
        await nothing_is_left(sessions, 2)
        await all_gone(family)


async def test_a_signal_for_the_whole_group_drains_as_well(
    stack: Stack, sessions: Sessions
) -> None:
    """Where every process gets the signal, as from systemd, rooms go on and end well too."""
    async with (
        stack.worker("grouped") as worker,
        interpreted(stack, worker, sessions, "group-signal") as (room, _, alice, bruno),
    ):
        family = family_of(worker)
        os.killpg(worker.child.process.pid, signal.SIGTERM)
        await worker.child.wait_for_line("draining worker", 10)
        await alice.say(WORDS)
        await until_heard(bruno, "translation_es", ES)
        await room.delete()
        code = await worker.ended(20)

        assert code == 0
        await nothing_is_left(sessions, 2)
        await all_gone(family)


async def test_a_killed_job_ends_its_own_room_only(stack: Stack, sessions: Sessions) -> None:
    """Palabra ends the sessions of a job that died, and the worker takes rooms as before."""
    async with (
        stack.worker("bereaved") as worker,
        interpreted(stack, worker, sessions, "killed") as (room, _, _, _),
    ):
        worker.job_process(room.name).kill()
        async with stack.room("after-the-kill") as other, other.person("clara") as clara:
            await other.dispatch({"languages": ["es"]}, worker.agent_name)
            await clara.wait_for_interpreter(20)
        found = await sessions.until(
            lambda them: all(it.is_over for it in them), "no session is left", 40
        )

        assert {it.end_reason for it in found[:2]} <= {"client left", "service timeout"}
        assert not worker.child.has_ended


def family_of(worker: Worker) -> list[psutil.Process]:
    """A worker's process with all below it."""
    process = psutil.Process(worker.child.process.pid)
    return [process, *process.children(recursive=True)]


async def all_gone(family: list[psutil.Process]) -> None:
    """Check that no process of a worker is left."""
    async with asyncio.TaskGroup() as group:
        for process in family:
            group.create_task(until_gone(process))
