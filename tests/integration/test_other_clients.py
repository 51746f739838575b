"""Clients of others: LiveKit's ready-made hooks, and the lines that docs/room.md begins with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import web
from livekit import rtc

from palabra_agent.concurrency import single_failure
from palabra_agent.local.people import SimulatedPerson, mint_token
from tests.node import LISTENER_PAGE, LIVEKIT_HOOKS, tool
from tests.pages import ROOT, Page

from .browser import (
    WAIT_MS,
    expect,
    open_browser,
    open_driver,
    open_window,
    until_heard,
    write_microphone,
)
from .emulator_client import Sessions
from .hearing import ES, WORDS
from .stack import SCRIPT, Room, Stack, Worker

if TYPE_CHECKING:
    from playwright.async_api import Page as Window

pytestmark = pytest.mark.livekit

_PAUSE_SECONDS: Final = 3.0
"""Long enough for the interpretation, and for the original to be as loud as before."""


@pytest.fixture(scope="module")
def hooks_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built page."""
    folder = tmp_path_factory.mktemp("hooks")
    tool(LIVEKIT_HOOKS, "vite", "build", "--base", "./", "--outDir", str(folder), "--emptyOutDir")
    return folder


@pytest.fixture(scope="module")
def lines_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of the lines in the docs, and of what they leave to its author."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("lines")
    lines = Page(ROOT / "docs" / "room.md").code("js")[0]
    (source / "lines.js").write_text(lines.text, encoding="utf-8")
    (source / "index.html").write_text(_AROUND_THE_LINES, encoding="utf-8")
    client = LISTENER_PAGE / "node_modules" / "livekit-client"
    config = {"base": "./", "resolve": {"alias": {"livekit-client": str(client)}}}
    (source / "vite.config.js").write_text(f"export default {json.dumps(config)}")
    tool(LISTENER_PAGE, "vite", "build", source, "--outDir", folder, "--emptyOutDir")
    return folder


_AROUND_THE_LINES: Final = """<!doctype html>
<title>The lines</title>
<p id="captions"></p>
<script>
  const showCaption = (id, speaker, text) => {
    document.querySelector("#captions").textContent += `${speaker}: ${text};`;
  };
  const asked = new XMLHttpRequest();
  asked.open("POST", "token", false);
  asked.send();
  const { server_url: url, participant_token: token } = JSON.parse(asked.responseText);
</script>
<script type="module" src="/lines.js"></script>
"""


@asynccontextmanager
async def served(page: Path, room: Room) -> AsyncGenerator[str]:
    """Serve the page, and passes as any token server gives them: without our attributes."""

    async def show(_: web.Request) -> web.FileResponse:
        return web.FileResponse(page / "index.html")

    async def give_token(_: web.Request) -> web.Response:
        livekit = room.stack.livekit
        token = mint_token(livekit, room.name, "guest", name="Guest")
        return web.json_response({"server_url": livekit.url, "participant_token": token})

    app = web.Application()
    app.add_routes([web.get("/", show), web.post("/token", give_token)])
    app.router.add_static("/assets", page / "assets")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def speaking(person: SimulatedPerson) -> AsyncGenerator[None]:
    """Have a person say something again and again while the block runs.

    A browser on a busy machine plays sound with gaps, and may miss what is said once.
    """
    with single_failure():
        async with asyncio.TaskGroup() as group:
            talking = group.create_task(_say_again_and_again(person), name="talk")
            yield
            talking.cancel()


async def _say_again_and_again(person: SimulatedPerson) -> None:
    while True:
        await person.say(WORDS)
        await asyncio.sleep(_PAUSE_SECONDS)


async def until_connected(person: SimulatedPerson, other: str) -> None:
    """Wait until LiveKit tells that another one can be written to, as it tells the interpreter.

    A browser takes seconds for that on a busy machine, and has seen the room long before.
    """

    def is_connected() -> bool:
        found = person.room.remote_participants.get(other)
        return found is not None and found.state == rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE

    await person.wait_for(is_connected, WAIT_MS / 1000, f"a connected {other}")


async def until_seen(page: Window, holds: str) -> None:
    """Wait until something holds of what the hooks see, `it`."""
    await page.wait_for_function(
        f"() => {{ const it = JSON.parse(document.querySelector('#seen').textContent);"
        f" return {holds}; }}",
        polling=50,
    )


async def test_livekit_s_hooks_find_the_interpreter(
    stack: Stack, worker: Worker, sessions: Sessions, hooks_page: Path
) -> None:
    """Connected, its sound found, captions under the speaker's name, and the chat read."""
    async with (
        stack.room("hooks") as room,
        room.person("alice", speak="en", listen="original") as alice,
        served(hooks_page, room) as url,
        open_driver() as driver,
        open_browser(driver) as browser,
    ):
        # the hooks take the first channel for the agent's sound: here it is the only one
        await room.dispatch({"languages": ["es"], "default_listen": "es"})
        await alice.wait_for_interpreter(20)
        page = await open_window(browser, url)
        await page.mouse.click(5, 5)
        await until_connected(alice, "guest")
        await until_seen(page, "it.connection === 'connected' && it.agent.isAvailable")
        await until_seen(page, "it.agent.track === 'translation_es'")
        await sessions.of("en")
        async with speaking(alice):
            await until_heard(page, ES)
            await until_seen(page, "it.agent.state === 'speaking'")

        said = json.dumps(SCRIPT.text(0, "es"))
        own = "it.by === 'alice'"
        await until_seen(page, f"it.transcriptions.some((it) => {own} && it.text === {said})")
        await until_seen(page, f"it.chat.some((it) => it.text === 'Alice: ' + {said})")
        await until_seen(page, f"it.messages.some((it) => {own} && it.text === {said})")
        await until_seen(page, "it.assistant.track === 'translation_es'")
        await until_seen(page, "it.agent.state === 'listening'")
        await alice.write("Hello, guest")
        await until_seen(page, "it.chat.some((it) => it.text === 'Hello, guest')")
        await until_seen(page, "it.agent.failureReasons === null")


async def test_the_lines_of_the_docs_do_what_they_say(
    stack: Stack, worker: Worker, sessions: Sessions, lines_page: Path, tmp_path: Path
) -> None:
    """They choose a language, play it over a quieter original, and show captions."""
    silence = write_microphone(tmp_path / "silence.wav", WORDS[:0], lead=0, period=2)
    async with (
        stack.room("lines") as room,
        room.person("alice", speak="en", listen="en") as alice,
        served(lines_page, room) as url,
        open_driver() as driver,
        open_browser(driver, silence, "--autoplay-policy=no-user-gesture-required") as browser,
    ):
        await room.dispatch({"languages": ["en", "es"]})
        await alice.wait_for_interpreter(20)
        page = await open_window(browser, url)
        await until_connected(alice, "guest")
        await sessions.of("en")
        volumes = "[...document.querySelectorAll('audio')].map((it) => it.volume)"
        async with speaking(alice):
            await until_heard(page, ES)
            await page.wait_for_function(f"() => {volumes}.includes(0.15)", polling=20)
        await page.wait_for_function(f"() => {volumes}.every((it) => it === 1)", polling=20)
        said = f"alice: {SCRIPT.text(0, 'es')};"
        await expect(page.locator("#captions")).to_contain_text(said)
