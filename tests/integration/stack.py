"""The interpreter's surroundings as tests use them: the processes, the rooms, what they show.

This module alone knows how the emulator and workers are started for tests, and what a worker's log
must never hold.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from livekit import api, rtc
from livekit.protocol.models import ParticipantInfo

from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.people import ParticipantKind, SimulatedPerson, join
from palabra_agent.local.processes import Child, run_child
from palabra_agent.local.services import (
    EmulatorProcess,
    command,
    livekit_environment,
    palabra_environment,
    wait_until_registered,
)
from palabra_emulator.script import load_script
from tests.clock import HANG_SECONDS

SCRIPT: Final = load_script()
"""What the emulator hears people say, sentence by sentence."""

PEOPLE: Final = ("alice", "bruno", "clara", "dora", "erik")
"""Identities of all people in these tests; their names are the same, written as names are."""

_SETTINGS: Final = "[worker]\nload_threshold = 1\n"


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    output: str
    errors: str


@dataclass(frozen=True, slots=True)
class Worker:
    """A running `palabra-agent start`."""

    agent_name: str
    child: Child
    name: str

    @property
    def log(self) -> str:
        """Everything that it has written so far."""
        return self.child.log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def log_entries(self) -> list[dict[str, Any]]:
        """Its log lines; one that is no JSON stands as a message."""
        return [_entry(line) for line in self.log.splitlines() if line.strip()]

    def job_process(self, room: str) -> psutil.Process:
        """The process of a room's job, as its own log lines say."""
        mine = [entry for entry in self.log_entries if entry.get("room") == room]
        pids = [entry["pid"] for entry in mine if str(entry["name"]).startswith("palabra_agent")]
        return psutil.Process(pids[-1])

    async def ended(self, seconds: float) -> int:
        """Wait until it is gone; returns its exit code."""
        async with asyncio.timeout(seconds):
            return await self.child.process.wait()


def _entry(line: str) -> dict[str, Any]:
    with suppress(ValueError):
        entry: object = json.loads(line)
        if isinstance(entry, dict):
            return {str(key): value for key, value in entry.items()}

    return {"message": line}


@dataclass(slots=True)
class Room:
    """One meeting."""

    stack: Stack
    name: str

    @asynccontextmanager
    async def person(
        self,
        identity: str,
        *,
        speak: str | None = None,
        listen: str | None = None,
        language: str | None = None,
        kind: ParticipantKind = "standard",
        microphone: bool = True,
        hears: Callable[[str], bool] = lambda track: track.startswith("translation_"),
        options: rtc.RoomOptions | None = None,
    ) -> AsyncGenerator[SimulatedPerson]:
        """Have a person in the room while the block runs, with these attributes."""
        said = {"palabra.speak": speak, "palabra.listen": listen, "language": language}
        async with join(
            self.stack.livekit,
            self.name,
            identity,
            name=identity.title(),
            attributes={key: value for key, value in said.items() if value is not None},
            kind=kind,
            microphone=microphone,
            hears=hears,
            options=options,
        ) as person:
            yield person

    async def dispatch(
        self, config: Mapping[str, object] | str = "", agent_name: str | None = None
    ) -> str:
        """Ask the interpreter into the room; returns the dispatch's id.

        People are not told that a machine interprets, unless a config says so: what they read is
        counted in many tests. The languages that a config names are always on, unless it says
        which are.
        """
        if not isinstance(config, str):
            quiet = {"disclosure": {"enabled": False}}
            always = {"always_on": config["languages"]} if "languages" in config else {}
            config = json.dumps({**quiet, **always, **config})

        request = api.CreateAgentDispatchRequest(
            agent_name=agent_name or self.stack.agent_name, room=self.name, metadata=config
        )
        async with self.stack.server() as server:
            return (await server.agent_dispatch.create_dispatch(request)).id

    async def end_dispatch(self, dispatch_id: str) -> None:
        """Send the interpreter of a dispatch away."""
        async with self.stack.server() as server:
            try:
                await server.agent_dispatch.delete_dispatch(dispatch_id, self.name)
            except api.ServerError as error:
                # it is done; LiveKit could not write its answer, as the job in it was changing
                if "size mismatch" not in error.message:
                    raise

    async def delete(self) -> None:
        """Close the room on all participants, if it is still there."""
        async with self.stack.server() as server:
            with suppress(api.ServerError):
                await server.room.delete_room(api.DeleteRoomRequest(room=self.name))

    async def remove(self, identity: str) -> None:
        """Send a participant away."""
        async with self.stack.server() as server:
            participant = api.RoomParticipantIdentity(room=self.name, identity=identity)
            await server.room.remove_participant(participant)

    async def participants(self) -> list[ParticipantInfo]:
        """All participants in the room, as the server knows them."""
        async with self.stack.server() as server:
            try:
                request = api.ListParticipantsRequest(room=self.name)
                return list((await server.room.list_participants(request)).participants)
            except api.ServerError as error:
                if error.status == 404:
                    return []
                raise

    async def interpreters(self) -> list[ParticipantInfo]:
        """Those in the room who say that they interpret."""
        return [who for who in await self.participants() if "palabra.state" in who.attributes]

    async def is_deserted(self) -> bool:
        """Tell whether no interpreter is in the room."""
        return not await self.interpreters()


@dataclass(slots=True)
class Stack:
    """LiveKit, the emulator, and how to start workers and commands beside them."""

    livekit: RunningLiveKit
    emulator: EmulatorProcess
    logs: Path
    agent_name: str = "integration"
    """Of the worker that most tests share."""

    @property
    def environment(self) -> dict[str, str]:
        """Variables that win over whatever this machine has set for real work."""
        return {
            **livekit_environment(self.livekit),
            **palabra_environment(self.emulator.url),
            "PALABRA_AGENT_NAME": self.agent_name,
            "LIVEKIT_AGENT_NAME_OVERRIDE": "",
            # the machine may be busy with the tests themselves: no worker shall call itself full
            "NUM_CPUS": "64",
        }

    def server(self) -> api.LiveKitAPI:
        """LiveKit's server API; an async context manager."""
        return api.LiveKitAPI(self.livekit.url, self.livekit.api_key, self.livekit.api_secret)

    @asynccontextmanager
    async def room(self, name: str) -> AsyncGenerator[Room]:
        """Have a room of this name, which is deleted in the end."""
        room = Room(self, name)
        try:
            yield room
        finally:
            await room.delete()

    @asynccontextmanager
    async def worker(
        self,
        name: str,
        *options: str,
        env: Mapping[str, str] | None = None,
        agent_name: str | None = None,
        settings: str = "",
        until_registered: bool = True,
    ) -> AsyncGenerator[Worker]:
        """Run a worker while the block runs; what it logged is looked through in the end.

        Args:
            name: Of its log, and of what it is dispatched as unless told otherwise.
            *options: For `palabra-agent start`.
            env: Variables that differ from the stack's.
            agent_name: What it is dispatched as, where that differs.
            settings: More of its TOML file; begins within `[worker]`.
            until_registered: Whether the block begins only when it takes rooms.
        """
        agent_name = name if agent_name is None else agent_name
        file = self.logs / f"{name}.toml"
        file.write_text(_SETTINGS + settings, encoding="utf-8")
        words = ("start", "--settings", str(file), "--port", "0", *options)
        async with run_child(
            f"worker {name}",
            command(*words),
            log_path=self.logs / f"worker-{name}.log",
            env={**self.environment, "PALABRA_AGENT_NAME": agent_name, **(env or {})},
            cwd=self.logs,
            stop_seconds=1.0,
        ) as child:
            worker = Worker(agent_name, child, name)
            if until_registered:
                await wait_until_registered(child, HANG_SECONDS)
            yield worker

        found = indiscretions(worker.log, self.livekit)
        assert not found, f"the log of worker {name} holds {found}:\n{worker.log}"

    async def command(self, *words: str, env: Mapping[str, str] | None = None) -> Finished:
        """Run `palabra-agent` with these words to its end."""
        log = self.logs / "command.log"
        error_log = self.logs / "command-errors.log"
        with log.open("wb") as output, error_log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *command(*words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env={**os.environ, **self.environment, **(env or {})},
                cwd=self.logs,
            )
            try:
                async with asyncio.timeout(HANG_SECONDS):
                    code = await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

        return Finished(code, log.read_text(), error_log.read_text())


def indiscretions(log: str, livekit: RunningLiveKit) -> list[str]:
    """What a log holds that none may hold: tracebacks, words, names, tokens, secrets."""
    plain = log.encode().decode("unicode_escape", errors="replace") if "\\u" in log else ""
    texts = [text for sentence in SCRIPT.sentences for text in sentence.texts.values()]
    forbidden = {"Traceback", "eyJ", livekit.api_secret, *texts}
    found = [word for word in sorted(forbidden) if word in log or word in plain]
    return found + re.findall(rf"\b(?:{'|'.join(PEOPLE)})\b", log, re.IGNORECASE)


def track_sid(person: SimulatedPerson, name: str) -> str:
    """The id of one of the interpreter's tracks, as a person sees it."""
    assert person.interpreter is not None
    publications = person.interpreter.track_publications.values()
    return next(publication.sid for publication in publications if publication.name == name)


async def ask(person: SimulatedPerson, method: str, payload: object) -> dict[str, Any]:
    """Ask the interpreter by RPC, as a participant of its room; a text is sent as it is."""
    payload = payload if isinstance(payload, str) else json.dumps(payload)
    answer = await person.call(method, payload)
    found: dict[str, Any] = json.loads(answer)
    return found
