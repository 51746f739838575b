"""A room that is served in a process of its own, which tells what only it can know.

`python -m bench.served_room ROOM CONFIG` serves until SIGTERM. A line `measure` of input begins to
look, a line `tell` has what was seen since then printed: `Observations`, as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

from livekit import api, rtc
from livekit.api.access_token import Claims

from bench.lateness import note_lateness
from bench.programs import ask, run_program, tell
from palabra_agent.audio.buffer import FrameBuffer
from palabra_agent.audio.event_path import prefer_short_path
from palabra_agent.config.settings import load_settings
from palabra_agent.interpretation.ports import RoomState
from palabra_agent.local.services import (
    LocalServices,
    livekit_environment,
    palabra_environment,
)
from palabra_agent.meeting.attributes import STATE_ATTRIBUTE
from palabra_agent.palabra.transports.microphone_chunks import MicrophoneChunks
from palabra_agent.palabra.transports.translated_speech import SpeechQueue
from palabra_agent.plugins_host.catalog import load_plugins
from palabra_agent.room.composition import DispatchedRoom, RoomPast, serve_room
from palabra_agent.worker.joining import join_room

_BEGIN: Final = "measure"
_TELL: Final = "tell"
_TELL_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1
_LOOKS_PER_STATISTICS: Final = 10

ObjectT = TypeVar("ObjectT")

Point: TypeAlias = tuple[float, float]
"""A time by the monotonic clock, which all processes share, and milliseconds."""


@dataclass(slots=True)
class Observations:
    """All that was seen within the process since it was told to begin."""

    late: list[float] = field(default_factory=list[float])
    """How much later than asked each short sleep ended, in milliseconds."""
    held: list[Point] = field(default_factory=list[Point])
    """The sound that waited in our own queues, on the longest way in and the longest out."""
    jitter: list[Point] = field(default_factory=list[Point])
    """The sound that waited in WebRTC's jitter buffers of this process, in the fullest one."""


class _Queues:
    """All queues of sound in the process, found among all its objects: no part of it knows all."""

    def __init__(self) -> None:
        self._ours: list[FrameBuffer | MicrophoneChunks | SpeechQueue] = [
            *_objects_of(FrameBuffer),
            *_objects_of(MicrophoneChunks),
            *_objects_of(SpeechQueue),
        ]
        self._native = _objects_of(rtc.AudioSource)
        self._tracks = _objects_of(rtc.RemoteAudioTrack)
        self._emitted: dict[str, tuple[float, int]] = {}

    def held_ms(self) -> float:
        """The most that waits in a queue of ours, and in one that LiveKit's SDK keeps for us."""
        ours = max((it.statistics().held_ms for it in self._ours), default=0.0)
        return ours + max((it.queued_duration * 1000 for it in self._native), default=0.0)

    async def jitter_ms(self) -> float:
        """The mean time that sound has spent in a jitter buffer since the last question."""
        return max([await self._jitter_ms_of(it) for it in self._tracks], default=0.0)

    async def _jitter_ms_of(self, track: rtc.RemoteAudioTrack) -> float:
        try:
            statistics = await track.get_stats()
        except AssertionError:
            # LiveKit's SDK has taken the track back
            return 0.0

        for one in statistics:
            if one.HasField("inbound_rtp"):
                told = one.inbound_rtp.inbound
                now = (told.jitter_buffer_delay, told.jitter_buffer_emitted_count)
                before = self._emitted.get(track.sid, (0.0, 0))
                self._emitted[track.sid] = now
                return 1000 * (now[0] - before[0]) / max(now[1] - before[1], 1)

        return 0.0


def _objects_of(kind: type[ObjectT]) -> list[ObjectT]:
    """All objects of a kind. Their types are looked at alone: some load a library when asked."""
    return [it for it in gc.get_objects() if issubclass(type(it), kind)]


@asynccontextmanager
async def serving(
    stage: LocalServices, room: str, config: Mapping[str, Any], palabra_url: str = ""
) -> AsyncGenerator[Process]:
    """Have the interpreter in a room, in a process of its own, for the length of a block.

    Args:
        stage: The server of the room.
        room: Its name.
        config: Of the room.
        palabra_url: Of the emulator; the stage's by default.
    """
    env = livekit_environment(stage.livekit) | palabra_environment(
        palabra_url or stage.emulator_url
    )
    argv = (sys.executable, "-m", "bench.served_room", room, json.dumps(config))
    async with run_program(*argv, env=env) as process:
        yield process


def begin_to_observe(process: Process) -> None:
    """Let things count from now on; what is there to be looked at is there."""
    tell(process, _BEGIN)


async def observations(process: Process) -> Observations:
    """All that was seen since it was told to begin."""
    seen = json.loads(await ask(process, _TELL, _TELL_SECONDS))
    held, jitter = ([(at, ms) for at, ms in seen[name]] for name in ("held", "jitter"))
    return Observations(seen["late"], held, jitter)


async def _serve(name: str, config: str) -> None:
    settings = load_settings()
    grants = api.VideoGrants(room_join=True, room=name, agent=True, can_update_own_metadata=True)
    starting = {STATE_ATTRIBUTE: RoomState.STARTING.value}
    claims = Claims(kind="agent", attributes=starting, video=grants)
    plugins = load_plugins(settings.plugins, settings.allowed_plugins)
    seen, begun = Observations(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, _obey, seen, begun)
    async with (
        join_room(settings, claims, settings.identity) as connection,
        asyncio.TaskGroup() as group,
    ):
        room = DispatchedRoom(connection, name, config, settings, plugins, RoomPast())
        tasks = [
            group.create_task(serve_room(room), name="room"),
            group.create_task(_observe(seen, begun), name="observe"),
        ]
        stopped = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stopped.set)
        await stopped.wait()
        for task in tasks:
            task.cancel()


def _obey(seen: Observations, begun: asyncio.Event) -> None:
    """Read a line of input, and do what it says."""
    line = sys.stdin.readline().strip()
    if line == _BEGIN:
        begun.set()
    elif line == _TELL:
        print(json.dumps(asdict(seen)), flush=True)
    else:
        asyncio.get_running_loop().remove_reader(sys.stdin)


async def _observe(seen: Observations, begun: asyncio.Event) -> None:
    await begun.wait()
    queues = _Queues()
    async with asyncio.TaskGroup() as group:
        group.create_task(note_lateness(seen.late), name="lateness")
        group.create_task(_look(queues, seen), name="queues")


async def _look(queues: _Queues, seen: Observations) -> None:
    """Note what waits, in our own queues more often than in those that have to be asked."""
    while True:
        seen.jitter.append((time.monotonic(), await queues.jitter_ms()))
        for _ in range(_LOOKS_PER_STATISTICS):
            seen.held.append((time.monotonic(), queues.held_ms()))
            await asyncio.sleep(_LOOK_SECONDS)


def main() -> None:
    """Serve the room that the command line names."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    # as in a worker's job: else each frame goes to every stream, and the loop drowns in them
    prefer_short_path()
    asyncio.run(_serve(*sys.argv[1:3]))


if __name__ == "__main__":
    main()
