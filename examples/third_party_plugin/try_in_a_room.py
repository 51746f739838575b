"""Proves that the installed plugin chooses the voices in a real room; ends with 0 or 1.

LiveKit, an emulated Palabra and a worker run on this machine while it lasts. A presenter speaks,
and the emulator's journal says which voices their session was given.

    python -m palabra_agent.local.isolation python try_in_a_room.py
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from livekit import api

from palabra_agent.errors import PalabraAgentError
from palabra_agent.local.people import SimulatedPerson, join
from palabra_agent.local.services import AGENT_NAME, LocalServices, run_services
from palabra_agent.local.speech import SyntheticVoice

ROOM = "acme-live"
CONFIG = {
    "languages": ["es", "de"],
    "always_on": ["es", "de"],
    "plugins": [
        {
            "name": "house-voices",
            "config": {
                "voices": {"es": {"presenter": "default_high", "guest": "default_low"}},
                "presenters": ["host-*"],
            },
        }
    ],
}
WANTED = {"es": "default_high", "de": "default_low"}
"""The house's presenter in Spanish; in German, where the plugin passes, the default voice."""

ARRIVAL_SECONDS = 15.0
LONGEST_SECONDS = 50.0


async def voices_given(stage: LocalServices) -> list[dict[str, Any]]:
    """The voices of every task that Palabra was given so far, by language."""
    timeout = aiohttp.ClientTimeout(total=5)
    async with (
        aiohttp.ClientSession(stage.emulator_url, timeout=timeout) as http,
        http.get("/emulator/journal") as answer,
    ):
        entries = [json.loads(line) for line in (await answer.text()).splitlines()]

    commands = [entry["data"] for entry in entries if entry["event"] == "command"]
    return [
        {
            each["target_language"]: each["speech_generation"]["voice_id"]
            for each in command["data"]["pipeline"]["translations"]
        }
        for command in commands
        if command["message_type"] == "set_task"
    ]


async def call_the_interpreter(stage: LocalServices, config: Mapping[str, Any]) -> None:
    """Ask the worker into the room, with a config that names the plugin."""
    server = stage.livekit
    async with api.LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        await livekit.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(
                agent_name=AGENT_NAME, room=ROOM, metadata=json.dumps(config)
            )
        )


async def speak_until_heard(presenter: SimulatedPerson, stage: LocalServices) -> None:
    """Say something, again and again, until Palabra was given the voices that are wanted."""
    speech = await SyntheticVoice().speak("Good evening, and welcome to the programme.", "en")
    while WANTED not in await voices_given(stage):
        await presenter.say(speech)


async def wait_for_interpreter(presenter: SimulatedPerson) -> None:
    """Wait until the interpreter is ready, or has said why it is not."""
    said = await presenter.wait_for(
        lambda: {
            key: value
            for key, value in presenter.attributes_of().items()
            if (key, value) == ("palabra.state", "live") or key == "palabra.error"
        },
        ARRIVAL_SECONDS,
        "an interpreter",
    )
    if "palabra.error" in said:
        raise PalabraAgentError(f"the interpreter says: {said['palabra.error']}")


async def try_in_a_room() -> None:
    """Hold the meeting; returns when the plugin's voices were given, and raises otherwise."""
    with tempfile.TemporaryDirectory() as logs:
        async with (
            asyncio.timeout(LONGEST_SECONDS),
            run_services(Path(logs), voice="marker", announce=print) as stage,
        ):
            await call_the_interpreter(stage, CONFIG)
            async with (
                join(stage.livekit, ROOM, "host-anna", attributes={"palabra.speak": "en"}) as host,
                join(stage.livekit, ROOM, "viewer", attributes={"palabra.listen": "es"}),
            ):
                await wait_for_interpreter(host)
                await speak_until_heard(host, stage)


def main() -> None:
    """Say in a sentence what came of it."""
    try:
        asyncio.run(try_in_a_room())
    except PalabraAgentError as error:
        sys.exit(f"the plugin house-voices could not be tried: {error}")
    except TimeoutError as error:
        sys.exit(f"the plugin house-voices did not choose the voices in time: {error or WANTED}")

    print(f"the plugin house-voices chose the voices: {WANTED}")


if __name__ == "__main__":
    main()
