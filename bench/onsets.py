"""Hears in a room when sounds begin and end, to the sample: the stopwatch of the benchmarks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import numpy as np
from livekit import rtc

from bench.sounds import Sound
from palabra_agent.audio.pcm import SAMPLE_RATE
from palabra_agent.audio.rtc import RemoteAudio
from palabra_agent.local.people import Server, mint_token

LOUD: Final = 1000
QUIET_SECONDS: Final = 0.12
"""A sound counts as new after this much quiet."""


class Stopwatch:
    """Notes when sounds began and ended, by track: `identity/track name`."""

    def __init__(self) -> None:
        self.onsets: dict[str, list[float]] = {}
        self._endings: dict[str, list[float]] = {}
        self._changed = asyncio.Event()

    async def follow(self, key: str, track: rtc.Track) -> None:
        """Listen to a track until cancelled."""
        loud_until = 0.0
        async with RemoteAudio(track).open_frames() as frames:
            async for frame in frames:
                arrived = time.monotonic()
                loud = np.flatnonzero(np.abs(frame.samples.astype(np.int32)) > LOUD)
                if loud.size == 0:
                    continue

                began = arrived - (frame.samples.size - int(loud[0])) / SAMPLE_RATE
                if began - loud_until > QUIET_SECONDS:
                    self.note(key, began)
                loud_until = arrived - (frame.samples.size - int(loud[-1])) / SAMPLE_RATE
                self._endings[key][-1] = loud_until

    def note(self, key: str, at: float) -> None:
        """Take note of a sound that began."""
        self.onsets.setdefault(key, []).append(at)
        self._endings.setdefault(key, []).append(at)
        self._changed.set()

    def sounds(self, track: str) -> list[Sound]:
        """All sounds on the first track of this name that was heard."""
        key = next((key for key in self.onsets if key.endswith(f"/{track}")), "")
        heard = zip(self.onsets.get(key, []), self._endings.get(key, []), strict=True)
        return [Sound(began, ended) for began, ended in heard]

    async def key_of(self, track: str, seconds: float) -> str:
        """The key of a track of this name that was heard, or will be in time; else an empty one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    for key in self.onsets:
                        if key.endswith(f"/{track}"):
                            return key
                    self._changed.clear()
                    await self._changed.wait()

        return ""

    async def next_onset(self, key: str, since: float, seconds: float) -> float | None:
        """The time of the first onset on a track after `since`; None if none came in time."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found = next((at for at in self.onsets.get(key, []) if at > since), None)
                    if found is not None:
                        return found
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return None


@asynccontextmanager
async def open_stopwatch(
    server: Server, room_name: str, hears: Callable[[str], bool] = lambda _: True
) -> AsyncGenerator[Stopwatch]:
    """Listen to a room and its Spanish channel for the length of a block, without being heard.

    Args:
        server: Of the room.
        room_name: Whose tracks are heard.
        hears: The names of those that are, as each costs time.
    """
    room, stopwatch = rtc.Room(), Stopwatch()
    subscribed: asyncio.Queue[tuple[str, rtc.Track]] = asyncio.Queue()

    def on_subscribed(
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            subscribed.put_nowait((f"{participant.identity}/{publication.name}", track))

    async def follow_all(group: asyncio.TaskGroup) -> None:
        while True:
            key, track = await subscribed.get()
            following.append(group.create_task(stopwatch.follow(key, track), name=key))

    def on_published(
        publication: rtc.RemoteTrackPublication, _participant: rtc.RemoteParticipant
    ) -> None:
        # what is not heard is not sent: each track costs a decoder
        if hears(publication.name):
            publication.set_subscribed(True)

    room.on("track_published", on_published)
    room.on("track_subscribed", on_subscribed)
    following: list[asyncio.Task[None]] = []
    identity, attributes = f"stopwatch-{room_name}", {"palabra.listen": "es"}
    token = mint_token(server, room_name, identity, attributes=attributes)
    await room.connect(server.url, token, rtc.RoomOptions(auto_subscribe=False))
    for participant in room.remote_participants.values():
        for publication in participant.track_publications.values():
            on_published(publication, participant)
    try:
        async with asyncio.TaskGroup() as group:
            following.append(group.create_task(follow_all(group), name="follow all"))
            yield stopwatch
            for task in following:
                task.cancel()
    finally:
        await room.disconnect()
