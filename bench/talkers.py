"""People who talk all the time, in a process of their own: in production each has a machine.

`python -m bench.talkers ROOM COUNT LANGUAGE PAUSE` has them in a room until SIGTERM. It says
`ready` once they are there; they talk once it is told to. They speak a language and listen to it,
and pause for so many seconds after each sentence. LiveKit's address and keys are in the
environment.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from bench.meetings import deaf, until_running
from bench.programs import run_program, tell
from palabra_agent.audio.event_path import prefer_short_path
from palabra_agent.concurrency import run_until_stopped
from palabra_agent.local.people import SimulatedPerson, join
from palabra_agent.local.services import LocalServices, livekit_environment
from palabra_agent.local.speech import SyntheticVoice

PAUSE_SECONDS: Final = 1.0
"""It ends an utterance, so that it is interpreted."""
SENTENCE_SECONDS: Final = 3.4
"""The length of what is said each time: who pauses for as long speaks half of the time."""

_VOICE: Final = SyntheticVoice()
_WORDS: Final = "What is said in one language is heard in another one a moment later."
"""Spoken, as a voice costs Opus up to three times as much as a tone."""
_LOWEST_PRIORITY: Final = "19"
_READY_SECONDS: Final = 30.0


async def talk(person: SimulatedPerson, pause_seconds: float = PAUSE_SECONDS) -> None:
    """Speak all the time, with a pause after each sentence."""
    speech = await _VOICE.speak(_WORDS, "en")
    while True:
        await person.say(speech)
        await asyncio.sleep(pause_seconds)


@asynccontextmanager
async def talkers(
    stage: LocalServices, room: str, count: int, language: str, pause_seconds: float
) -> AsyncGenerator[None]:
    """Have some talk in a room, and interpreted, for the length of a block.

    The processor is theirs where nothing that is measured wants it.

    Args:
        stage: The services.
        room: Whose interpreter has no other speaker yet.
        count: Of people; with none, nothing is run.
        language: That they speak and listen to.
        pause_seconds: After each sentence.
    """
    if not count:
        yield
        return

    words = (room, str(count), language, str(pause_seconds))
    program = (sys.executable, "-m", "bench.talkers", *words)
    env = livekit_environment(stage.livekit)
    async with run_program("nice", "-n", _LOWEST_PRIORITY, *program, env=env) as process:
        assert process.stdout is not None
        async with asyncio.timeout(_READY_SECONDS):
            if not await process.stdout.readline():
                raise RuntimeError("the program of those who talk has ended")

        await until_running(stage, count)
        tell(process, "talk")
        yield


@dataclass(frozen=True, slots=True)
class _LiveKit:
    url: str
    api_key: str
    api_secret: str


async def _talk_in(room: str, count: int, language: str, pause_seconds: float) -> None:
    names = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    livekit = _LiveKit(*(os.environ[name] for name in names))
    attributes = {"palabra.speak": language, "palabra.listen": language}
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(
                join(livekit, room, f"talker-{number}", attributes=attributes, options=deaf())
            )
            for number in range(count)
        ]
        loop.add_reader(sys.stdin, told.set)
        print("ready", flush=True)
        await told.wait()
        loop.remove_reader(sys.stdin)
        async with asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(talk(person, pause_seconds), name="talk")


def main() -> None:
    """Talk as the command line says."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    prefer_short_path()
    room, count, language, pause_seconds = sys.argv[1:5]
    run_until_stopped(_talk_in(room, int(count), language, float(pause_seconds)))


if __name__ == "__main__":
    main()
