"""The time until there is interpretation again after a session was lost, or had fallen silent.

Each try has a speaker of its own, as the pauses between the attempts for one speaker grow. They say
short words all the time; the emulator answers each as soon as it is confirmed. What Palabra itself
needs is taken out: to create a session, and from the task to its running.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from rich.progress import Progress

from bench.figures import Figure, of_column
from bench.meetings import (
    ROOM_CONFIG,
    arm,
    dispatch,
    join_speaker,
    read_journal,
    rest_seconds,
    until_running,
    until_session,
)
from bench.own_palabra import OwnPalabra, open_own_palabra
from bench.transports import WEBRTC, WEBSOCKET, Way
from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import tone
from palabra_agent.concurrency import single_failure
from palabra_agent.local.people import SimulatedPerson, join
from palabra_agent.local.services import LocalServices

TRIES: Final = 20
RELIEFS: Final = 5
_AIM_MS: Final = 3000.0
_CHANNEL: Final = "translation_es"
_WAIT_SECONDS: Final = 40.0
_REST_TRIES: Final = 5
_LOOK_SECONDS: Final = 0.1
"""A sound that is heard at the moment of looking may have begun so long before."""
_SILENT_SECONDS: Final = 3
_WORD: Final = tone(300, 0.25, amplitude=0.5)
_SENTENCE: Final = tone(300, 1.5, amplitude=0.5)
_PAUSE_SECONDS: Final = 0.45

_LOSSES: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {
    WEBRTC.name: [{"variant": it} for it in ("signal_drop", "removed", "room_deleted")],
    WEBSOCKET.name: [{"variant": "removed", "close_code": it} for it in (1001, 1011, 1006)],
}


@dataclass(frozen=True, slots=True)
class _Room:
    """A meeting with an interpreter and a listener, in which speakers come and go."""

    palabra: OwnPalabra
    name: str
    listener: SimulatedPerson

    @property
    def stage(self) -> LocalServices:
        return self.palabra.stage


@dataclass(frozen=True, slots=True)
class _Recovery:
    """One try, in seconds after the loss."""

    kind: str
    running: float
    heard: float
    ready: float
    """From the task to its running: Palabra's own."""
    silence: float
    """The longest on the room's track."""
    overlap: float
    """From the new session's running to the old one's end."""


async def measure_recovery(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Lose session after session, on each transport."""
    task = progress.add_task("recovery", total=2 * (TRIES + RELIEFS))
    figures: list[Figure] = []
    async with open_own_palabra(stage, "latency_ms=0") as palabra:
        rest = [await rest_seconds(palabra.stage) for _ in range(_REST_TRIES)]
        for way in (WEBRTC, WEBSOCKET):
            lost: list[_Recovery] = []
            async with _open_room(palabra, way, f"bench-recovery-{way.name[:6]}") as room:
                for number, loss in zip(
                    range(TRIES), itertools.cycle(_LOSSES[way.name]), strict=False
                ):
                    lost += await _try(room, number, {"fault": "F17", **loss})
                    progress.advance(task)
            silent: list[_Recovery] = []
            async with _open_room(palabra, way, f"bench-relief-{way.name[:6]}") as room:
                for number in range(RELIEFS):
                    order = {"fault": "F26", "variant": "no_output"}
                    silent += await _try(room, number, order, _SENTENCE)
                    progress.advance(task)

            figures += of_column(way.name, _figures(lost, silent, sorted(rest)[len(rest) // 2]))

    return figures


async def _try(
    room: _Room, number: int, order: Mapping[str, Any], words: Pcm = _WORD
) -> list[_Recovery]:
    """Lose a session; nothing where no other one came in time."""
    try:
        return [await _lose(room, number, order, words)]
    except TimeoutError:
        await until_running(room.stage, 0)
        return []


async def _lose(
    room: _Room, number: int, order: Mapping[str, Any], words: Pcm = _WORD
) -> _Recovery:
    """Have a person speak, let a fault strike their session, and wait for its successor."""
    stage, sound = room.stage, room.listener.recording(_CHANNEL)
    async with join_speaker(stage, room.name, number) as speaker, _talking(speaker, words):
        old = await until_session(stage, lambda it: it["state"] == "running")
        await _until_heard(room, time.monotonic())
        await asyncio.sleep(random.uniform(0.3, 1.0))
        await arm(stage, **order, session=old["id"])
        new = await until_session(
            stage, lambda it: it["state"] == "running" and it["id"] != old["id"]
        )
        heard = await _until_heard(room, time.monotonic() - _LOOK_SECONDS)

    await until_running(stage, 0)
    journal = await read_journal(stage)
    kind = str(order.get("close_code") or order["variant"])
    struck = journal.when(old["id"], "fault", action="struck")
    ended = journal.when(old["id"], "ended")
    told = journal.when(new["id"], "command", message_type="set_task")
    running = journal.when(new["id"], "running")
    return _Recovery(
        kind,
        running=running - struck,
        heard=heard - struck,
        ready=running - told,
        silence=sound.longest_silence(struck - 1, heard),
        overlap=ended - running,
    )


def _figures(
    lost: Sequence[_Recovery], silent: Sequence[_Recovery], rest_seconds: float
) -> list[Figure]:
    kinds = dict.fromkeys(it.kind for it in lost)
    return [
        _less_palabra("lost to interpreting", lost, rest_seconds, _AIM_MS),
        _less_palabra("lost to heard", [_as_heard(it) for it in lost], rest_seconds, _AIM_MS),
        *(
            _less_palabra(
                f"lost to heard, {kind}",
                [_as_heard(it) for it in lost if it.kind == kind],
                rest_seconds,
            )
            for kind in kinds
        ),
        _milliseconds("silence in the room, lost", [it.silence for it in lost]),
        _milliseconds("Palabra's own, taken out", [it.ready + rest_seconds for it in lost]),
        _milliseconds(
            f"silence in the room, relieved after {_SILENT_SECONDS} s of speech",
            [it.silence for it in silent],
        ),
        Figure("tries without a recovery", "", (float(TRIES + RELIEFS - len(lost) - len(silent)),)),
        _milliseconds("relieved: both sessions ran for", [it.overlap for it in silent]),
    ]


def _as_heard(it: _Recovery) -> _Recovery:
    return replace(it, running=it.heard)


def _less_palabra(
    what: str, tries: Sequence[_Recovery], rest_seconds: float, aim: float | None = None
) -> Figure:
    own = [it.running - it.ready - rest_seconds for it in tries]
    return Figure(what, "ms", tuple(seconds * 1000 for seconds in own), aim)


def _milliseconds(what: str, seconds: Sequence[float]) -> Figure:
    return Figure(what, "ms", tuple(it * 1000 for it in seconds))


async def _until_heard(room: _Room, since: float) -> float:
    """The time at which the room heard an interpretation after a moment."""
    sound = room.listener.recording(_CHANNEL)
    return await room.listener.wait_for(
        lambda: sound.first_sound(since), _WAIT_SECONDS, "an interpretation"
    )


@asynccontextmanager
async def _open_room(palabra: OwnPalabra, way: Way, name: str) -> AsyncGenerator[_Room]:
    stage = palabra.stage
    config = {
        **ROOM_CONFIG,
        "limits": {"linger_seconds": 0.5, "silent_output_seconds": _SILENT_SECONDS},
        "palabra": {
            **way.palabra,
            "transcription": {"segment_confirmation_silence_threshold": 0.3},
        },
    }
    wishes = {"palabra.listen": "es"}
    async with join(
        stage.livekit, name, "listener", attributes=wishes, microphone=False
    ) as listener:
        await dispatch(stage, name, config, palabra.agent_name)
        await listener.wait_for_interpreter(_WAIT_SECONDS)
        yield _Room(palabra, name, listener)


@asynccontextmanager
async def _talking(speaker: SimulatedPerson, words: Pcm) -> AsyncGenerator[None]:
    """Have a person speak with pauses for the length of a block."""
    with single_failure():
        async with asyncio.TaskGroup() as group:
            talking = group.create_task(_talk(speaker, words), name="talk")
            try:
                yield
            finally:
                talking.cancel()


async def _talk(speaker: SimulatedPerson, words: Pcm) -> None:
    while True:
        await speaker.say(words)
        await asyncio.sleep(_PAUSE_SECONDS)
