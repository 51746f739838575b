"""Tracks that one process plays and hears itself, all at once: in a room, or without a server.

`python -m bench.looped_tracks COUNT SECONDS PATH PLACE` measures its own process and prints what it
found as JSON. PATH is `short`, or `long` for that of the classes of LiveKit's SDK; PLACE is `room`
or `process`. LiveKit's server is found by the variables that all use.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Final, TypeAlias

from livekit import rtc

from bench.figures import percentile
from bench.lateness import note_lateness
from palabra_agent.audio.event_path import prefer_short_path
from palabra_agent.audio.pcm import FRAME_MS
from palabra_agent.audio.rtc import AudioOutput, RemoteAudio, microphone_options
from palabra_agent.audio.tones import tone
from palabra_agent.local.people import mint_token

SHORT: Final = "short"
LONG: Final = "long"
ROOM: Final = "room"
PROCESS: Final = "process"
_JOIN_SECONDS: Final = 40.0
_SETTLE_SECONDS: Final = 3.0
_SOUND: Final = tone(300, FRAME_MS / 1000, amplitude=0.3)


@dataclass(frozen=True, slots=True)
class Looped:
    """All that was found while the tracks played."""

    lost_percent: float
    """Of the frames that real time has; what was not played in time is heard as silence."""
    core_percent: float
    """Of one core, for one track there and back."""
    frame_us: float
    """Microseconds of processor for a frame that was heard."""
    late_ms: float
    """The 99th percentile of the event loop's lateness."""


@dataclass(frozen=True, slots=True)
class _Server:
    url: str
    api_key: str
    api_secret: str


_Ends: TypeAlias = tuple[list[AudioOutput], Sequence[rtc.Track]]
"""Where tracks are played, and where they are heard."""


class _Tracks:
    """The tracks of one room, and the frames that were heard of them."""

    def __init__(self) -> None:
        self.heard_frames = 0

    async def play(self, output: AudioOutput) -> None:
        """Play sound for ever; the track's own queue sets the pace."""
        while True:
            await output.write(_SOUND)

    async def hear(self, track: rtc.Track) -> None:
        """Count frames with sound in them, for ever."""
        async with RemoteAudio(track).open_frames() as frames:
            async for frame in frames:
                self.heard_frames += not frame.is_silent


async def _measure(count: int, seconds: float, *, in_room: bool) -> Looped:
    tracks, late = _Tracks(), list[float]()
    looped = _in_room(count) if in_room else _in_process(count)
    async with looped as (played, heard), asyncio.TaskGroup() as group:
        tasks = [
            *(group.create_task(tracks.play(it), name="play") for it in played),
            *(group.create_task(tracks.hear(it), name="hear") for it in heard),
            group.create_task(note_lateness(late), name="lateness"),
        ]
        await asyncio.sleep(_SETTLE_SECONDS)
        late.clear()
        before, began, busy = tracks.heard_frames, time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        took, busy = time.monotonic() - began, time.process_time() - busy
        found = tracks.heard_frames - before
        expected = count * took * 1000 / FRAME_MS
        for task in tasks:
            task.cancel()

    return Looped(
        lost_percent=max(100 * (1 - found / expected), 0.0),
        core_percent=100 * busy / took / count,
        frame_us=1e6 * busy / max(found, 1),
        late_ms=percentile(late, 0.99),
    )


@asynccontextmanager
async def _in_process(count: int) -> AsyncGenerator[_Ends]:
    """Have so many tracks that are in no room: nothing is encoded or sent."""
    outputs = [AudioOutput(f"track {number}") for number in range(count)]
    try:
        yield outputs, [output.track for output in outputs]
    finally:
        for output in outputs:
            await output.aclose()


@asynccontextmanager
async def _in_room(count: int) -> AsyncGenerator[_Ends]:
    """Have so many tracks in a room."""
    server = _Server(*(os.environ[f"LIVEKIT_{it}"] for it in ("URL", "API_KEY", "API_SECRET")))
    room = f"bench-looped-{os.getpid()}"
    speaker, listener = rtc.Room(), rtc.Room()
    tracks: list[rtc.Track] = []
    are_all_there = asyncio.Event()

    def on_subscribed(track: rtc.Track, *_: object) -> None:
        tracks.append(track)
        if len(tracks) == count:
            are_all_there.set()

    listener.on("track_subscribed", on_subscribed)
    async with _in_process(count) as (outputs, _):
        async with asyncio.timeout(_JOIN_SECONDS):
            await listener.connect(server.url, mint_token(server, room, "listener"))
            await speaker.connect(server.url, mint_token(server, room, "speaker"))
            for it in outputs:
                await speaker.local_participant.publish_track(it.track, microphone_options())
            await are_all_there.wait()
        try:
            yield outputs, tracks
        finally:
            await speaker.disconnect()
            await listener.disconnect()


def main() -> None:
    """Measure what the command line says."""
    count, seconds, path, place = sys.argv[1:5]
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    if path == SHORT:
        prefer_short_path()
    found = asyncio.run(_measure(int(count), float(seconds), in_room=place == ROOM))
    print(json.dumps(asdict(found)), flush=True)


if __name__ == "__main__":
    main()
