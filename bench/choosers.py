"""Listeners who choose at random, some of a crowd in a process of their own.

`python -m bench.choosers ROOM IDENTITY…` joins with the keys in the environment, prints a line
once all are there, and reads lines of input: `choose SECONDS` lets each choose once a second,
`look` finds out what each receives. Each is answered by a line of JSON.
LiveKit's SDK tells every room of a process what happens in any, so many people need several.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Final, TypeAlias

from livekit import rtc

from bench.choosing import LANGUAGES, choose
from bench.programs import EnvironmentServer, answer, ask, run_program
from palabra_agent.audio.event_path import prefer_short_path
from palabra_agent.audio.rtc import RemoteAudio
from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.people import Server, SimulatedPerson, join
from palabra_agent.local.recording import Recording
from palabra_agent.local.services import livekit_environment
from palabra_agent.meeting.people import LISTEN_ATTRIBUTE
from palabra_emulator.interpreting.markers import language_marker_hz

_CHOICES: Final = ("es", "de", "fr", "original")
_LISTEN_SECONDS: Final = 8.0
_ENOUGH_SECONDS: Final = 0.5
_FAINT_DB: Final = 12.0
_NOISE_DB: Final = -50.0
_ANSWER_SECONDS: Final = 90.0
_LOWER_PRIORITY: Final = 5

Reception: TypeAlias = tuple[str, list[str]]
"""The language that a listener chose last, or `original`, and those that they hear."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of some listeners."""

    taken: int
    """LiveKit took them."""
    refused: int


class Choosers:
    """Some listeners in another process, as seen from here."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def choose(self, seconds: float) -> Choices:
        """Let each choose once a second for some time."""
        told = await ask(self._process, f"choose {seconds}", seconds + _ANSWER_SECONDS)
        return Choices(**json.loads(told))

    async def look(self) -> list[Reception]:
        """Find out what each receives now."""
        told = await ask(self._process, "look", _ANSWER_SECONDS)
        return [(chosen, heard) for chosen, heard in json.loads(told)]


@asynccontextmanager
async def choosers(
    livekit: RunningLiveKit, room: str, identities: Sequence[str]
) -> AsyncGenerator[Choosers]:
    """Have listeners in a room, in one process, for the length of a block."""
    env = livekit_environment(livekit)
    async with run_program("bench.choosers", room, *identities, env=env) as process:
        # it says when all of them have joined
        await answer(process, _ANSWER_SECONDS)
        yield Choosers(process)


class _Chooser:
    """A listener who changes their mind."""

    def __init__(self, person: SimulatedPerson) -> None:
        self._person = person
        self.taken = 0
        self.refused = 0
        self._random = random.Random(person.identity)

    async def choose_for(self, seconds: float) -> None:
        """Choose once a second, or as often as LiveKit takes it."""
        end = time.monotonic() + seconds
        await asyncio.sleep(self._random.random())
        while (began := time.monotonic()) < end:
            try:
                await choose(self._person, self._random.choice(_CHOICES))
            except TimeoutError:
                self.refused += 1
            else:
                self.taken += 1
            await asyncio.sleep(max(0.0, began + 1 - time.monotonic()))

    async def look(self) -> Reception:
        """Listen to all that the interpreter sends them.

        By its sound: LiveKit may send one track in the place of another, and its SDK then takes
        both for there.
        """
        chosen = self._person.room.local_participant.attributes[LISTEN_ATTRIBUTE]
        async with asyncio.TaskGroup() as group:
            listening = [
                group.create_task(_listen(track), name="listen")
                for track in await _streams(self._person)
            ]
        heard = set[str]().union(*(_languages_in(it.result()) for it in listening))
        return chosen, sorted(heard)


async def _streams(person: SimulatedPerson) -> list[rtc.Track]:
    """The tracks of the interpreter that a person receives, each stream of packets once."""
    assert person.interpreter is not None
    found: dict[int, rtc.Track] = {}
    for publication in person.interpreter.track_publications.values():
        track = publication.track
        for one in await track.get_stats() if track is not None else ():
            if track is not None and one.HasField("inbound_rtp"):
                found[one.inbound_rtp.stream.ssrc] = track

    return list(found.values())


async def _listen(track: rtc.Track) -> Recording:
    """Record a track until speech was heard for a moment, or for some time where none is."""
    recording = Recording()
    async with RemoteAudio(track).open_frames() as frames:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LISTEN_SECONDS):
                async for frame in frames:
                    if not frame.is_pause:
                        recording.add(frame.samples, time.monotonic())
                    if recording.seconds >= _ENOUGH_SECONDS:
                        break

    return recording


def _languages_in(speech: Recording) -> set[str]:
    """The languages whose marker is about as loud as the loudest."""
    levels = {
        it: speech.level_db(language_marker_hz(it), seconds=_LISTEN_SECONDS) for it in LANGUAGES
    }
    loudest = max(levels.values())
    return {it for it, db in levels.items() if db > max(loudest - _FAINT_DB, _NOISE_DB)}


async def _run(room: str, identities: Sequence[str]) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    server = EnvironmentServer()
    async with AsyncExitStack() as stack:
        crowd = [
            _Chooser(await stack.enter_async_context(_listener(server, room, identity)))
            for identity in identities
        ]
        print("true", flush=True)
        while line := (await lines.readline()).decode():
            verb, *words = line.split()
            print(json.dumps(await _ACTIONS[verb](crowd, *words)), flush=True)


async def _choose(crowd: Sequence[_Chooser], seconds: str) -> dict[str, int]:
    async with asyncio.TaskGroup() as group:
        for it in crowd:
            group.create_task(it.choose_for(float(seconds)), name="choose")

    return asdict(Choices(sum(it.taken for it in crowd), sum(it.refused for it in crowd)))


async def _look(crowd: Sequence[_Chooser]) -> list[Reception]:
    async with asyncio.TaskGroup() as group:
        looking = [group.create_task(it.look(), name="look") for it in crowd]

    return [it.result() for it in looking]


_ACTIONS: Final[Mapping[str, Callable[..., Awaitable[object]]]] = {
    "choose": _choose,
    "look": _look,
}
"""What a line of input asks for, by its first word; the others are its arguments."""


@asynccontextmanager
async def _listener(server: Server, room: str, identity: str) -> AsyncGenerator[SimulatedPerson]:
    attributes = {LISTEN_ATTRIBUTE: "original"}
    async with join(
        server, room, identity, attributes=attributes, microphone=False, hears=lambda _: False
    ) as person:
        yield person


def main() -> None:
    """Be the listeners that the command line names."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    prefer_short_path()
    # people have machines of their own: the servers and the interpreter come first
    os.nice(_LOWER_PRIORITY)
    asyncio.run(_run(sys.argv[1], sys.argv[2:]))


if __name__ == "__main__":
    main()
