"""The listener's page in a real browser: people who share no language, and what may go wrong."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import pytest

from palabra_agent.audio.tones import tone
from palabra_agent.languages import LanguageCode
from palabra_agent.local.listener_page import serve_listener_page
from tests.node import LISTENER_PAGE

from .browser import (
    DESKTOP,
    expect,
    keep_picture,
    loudest,
    open_browser,
    open_driver,
    open_window,
    until_heard,
    write_microphone,
)
from .emulator_client import Sessions
from .hearing import DE, EN, ES, SPEECH_HZ
from .stack import SCRIPT, Room, Stack, Worker

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

pytestmark = pytest.mark.livekit

LANGUAGES: Final = ("en", "es", "de")
PERIOD: Final = 4.0
"""Seconds in which a microphone says its sentence again: time to interpret it, and a pause."""

NOT_HEARD_DB: Final = -35
"""The softest marker is louder; what the ends of a tone splash over its neighbours is below."""

SIZES: Final = {"phone": (390, 844), "tablet": (820, 1180), "desktop": DESKTOP}
AXE: Final = LISTENER_PAGE / "node_modules" / "axe-core" / "axe.min.js"

_INTERPRETATIONS: Final = "[...document.querySelectorAll('audio[data-track^=translation_]')]"
_ORIGINALS: Final = "[...document.querySelectorAll('audio:not([data-track^=translation_])')]"

IGNORES_VOLUME: Final = """
Object.defineProperty(HTMLMediaElement.prototype, "volume", { get: () => 1, set: () => {} });
"""
"""Makes a browser one of those whose elements have one volume only, as on iOS."""


NO_INTERPRETER: Final = "No interpreter has come. You hear everyone as they speak."


@dataclass(frozen=True, slots=True)
class Guest:
    """A person at the page."""

    page: Page
    name: str

    @classmethod
    async def joins(cls, page: Page, name: str) -> Guest:
        """Come in as people do who use the keyboard: the name field has the focus."""
        await expect(page.get_by_label("Your name")).to_be_focused()
        await page.keyboard.type(name)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Leave")).to_be_visible()
        return cls(page, name)

    async def speaks(self, language: str) -> None:
        """Say which language it will be, and turn the microphone on."""
        await self.page.get_by_label("I speak").select_option(label=language)
        await self.page.get_by_role("button", name="Microphone").press("Space")
        await expect(self.page.get_by_role("button", name="Microphone")).to_have_attribute(
            "aria-pressed", "true"
        )

    async def hears(self, language: str) -> None:
        """Choose another language, or the original."""
        await self.page.get_by_label("I hear").select_option(label=language)

    async def reads(self, speaker: str, language: str) -> None:
        """Wait until a caption of a speaker can be read in a language."""
        lines = self.page.get_by_role("region", name="Captions").locator(".block")
        theirs = lines.filter(has_text=speaker).locator(f"[lang={language}]")
        beginnings = (re.escape(it.texts[LanguageCode(language)][:12]) for it in SCRIPT.sentences)
        known = re.compile("|".join(beginnings))
        await expect(theirs.filter(has_text=known).first).to_be_visible()

    async def original_volume(self, holds: str) -> None:
        """Wait until something holds of each element that plays an original, `it`."""
        await self.page.wait_for_function(
            f"() => {_ORIGINALS}.length > 0 && {_ORIGINALS}.every((it) => {holds})", polling=20
        )

    @property
    def chat(self) -> Locator:
        """The lines of the chat."""
        return self.page.get_by_role("log").get_by_role("listitem")


@asynccontextmanager
async def meeting(stack: Stack, folder: Path) -> AsyncGenerator[tuple[Room, str, Browser, Browser]]:
    """A room with its page, a browser that speaks English, and one that speaks Spanish."""
    async with AsyncExitStack() as inside:
        room = await inside.enter_async_context(stack.room("page"))
        page = serve_listener_page(stack.livekit, room.name, port=0)
        url = await inside.enter_async_context(page)
        driver = await inside.enter_async_context(open_driver())
        browsers: list[Browser] = []
        # the interpretations of the two, of one pitch in a third language, overlap a little
        for name, lead in (("english", 0.5), ("spanish", 1.4)):
            words = tone(SPEECH_HZ, 1.0)
            file = write_microphone(folder / f"{name}.wav", words, lead=lead, period=PERIOD)
            browsers.append(await inside.enter_async_context(open_browser(driver, file)))
        yield room, url, browsers[0], browsers[1]


async def accessibility_problems(page: Page) -> list[str]:
    """What axe finds that is serious."""
    if await page.evaluate("!window.axe"):
        await page.add_script_tag(path=AXE)
    found: list[str] = await page.evaluate(
        """async () => (await axe.run()).violations
          .filter((it) => ["serious", "critical"].includes(it.impact))
          .map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(" ")}`)"""
    )
    return found


async def looks(page: Page, size: str, scheme: Literal["light", "dark"]) -> list[str]:
    """Keep a picture of a meeting; tells what is serious about it, for eyes and screen readers."""
    width, height = SIZES[size]
    await page.emulate_media(color_scheme=scheme)
    await page.set_viewport_size({"width": width, "height": height})
    chat = page.get_by_role("button", name="Chat", exact=True)
    if (await chat.get_attribute("aria-pressed") == "true") != (size == "desktop"):
        await chat.click()
    await page.mouse.move(0, 0)
    await page.evaluate("document.activeElement.blur()")
    await keep_picture(page, f"meeting-{size}-{scheme}")
    reach: int = await page.evaluate("document.documentElement.scrollWidth")
    beyond = [f"{reach - width} pixels are beyond the edge"] if reach > width else []
    return await accessibility_problems(page) + beyond


async def is_told(page: Page, words: str) -> None:
    """Wait until a page says some words."""
    await expect(page.get_by_text(words)).to_be_visible()


async def together(*waits: Coroutine[object, object, object]) -> None:
    """Wait for what happens at the same time."""
    async with asyncio.TaskGroup() as group:
        for it in waits:
            group.create_task(it)


async def hears_over_the_original(guest: Guest, marker_hz: int) -> None:
    """The interpretation is heard, and the original lower only meanwhile."""
    await until_heard(guest.page, marker_hz)
    await guest.original_volume("it.volume < 0.16")
    await guest.original_volume("it.volume === 1")


async def changes_the_language(guest: Guest) -> None:
    """From one to another, to the original, in which nothing else is heard, and back."""
    await guest.hears("Deutsch")
    await until_heard(guest.page, DE)
    assert (await loudest(guest.page, [ES], 0.2))[0] < NOT_HEARD_DB
    await guest.hears("Original")
    await guest.page.wait_for_function(f"() => {_INTERPRETATIONS}.every((it) => it.muted)")
    original, *interpreted = await loudest(guest.page, [SPEECH_HZ, ES, DE], PERIOD)
    assert max(interpreted) < NOT_HEARD_DB < original
    await guest.original_volume("it.volume === 1")
    await guest.hears("Español")
    await until_heard(guest.page, ES)


async def comes_late(browser: Browser, url: str) -> None:
    """A guest whose device cannot lower the original hears and reads what the others say."""
    carla = await Guest.joins(
        await open_window(browser, url, IGNORES_VOLUME, locale="de-AT"), "Carla"
    )
    await until_heard(carla.page, DE)
    await carla.original_volume("it.muted")
    await carla.reads("Ana", "de")
    await carla.original_volume("!it.muted")


async def test_people_who_share_no_language_understand_each_other(
    stack: Stack, worker: Worker, sessions: Sessions, tmp_path: Path
) -> None:
    """Each hears and reads the other, changes the language in between, and a third comes late."""
    async with meeting(stack, tmp_path) as (room, url, english, spanish):
        await room.dispatch({"languages": LANGUAGES})
        ana = await Guest.joins(await open_window(english, url, locale="en-GB"), "Ana")
        bruno = await Guest.joins(await open_window(spanish, url, locale="es-ES"), "Bruno")
        assert await ana.page.get_by_label("I hear").input_value() == "en"
        assert await bruno.page.get_by_label("I hear").input_value() == "es"
        await together(ana.speaks("English"), bruno.speaks("Español"))
        await together(
            hears_over_the_original(ana, EN),
            until_heard(bruno.page, ES),
            ana.reads("Bruno", "en"),
            bruno.reads("Ana", "es"),
            is_told(ana.page, "1 person hears you interpreted"),
            is_told(bruno.page, "Still interpreting you"),
            expect(ana.page.locator(".delay")).to_have_text(re.compile(r"\d s behind$")),
        )

        await bruno.page.get_by_role("textbox", name="Write a message").fill("¡Hola!")
        await bruno.page.keyboard.press("Enter")
        await expect(ana.chat.filter(has_text="¡Hola!")).to_have_count(1)
        spoken = bruno.chat.filter(has_text="Ana").filter(has_text="spoken · Español")
        await expect(spoken.first).to_be_visible()
        assert await ana.page.locator(".tile").count() == 2  # the interpreter has none

        await together(changes_the_language(bruno), comes_late(spanish, url))
        problems = {
            f"{name}, {scheme}": await looks(ana.page, name, scheme)
            for name in SIZES
            for scheme in ("light", "dark")
        }
        assert not any(problems.values()), problems


async def test_what_is_wrong_is_said_in_words(stack: Stack, worker: Worker) -> None:
    """No server, a pass that is none, no microphone, no interpreter, one that cannot work."""
    livekit = stack.livekit
    async with AsyncExitStack() as inside:
        driver = await inside.enter_async_context(open_driver())
        browser = await inside.enter_async_context(open_browser(driver))
        room = await inside.enter_async_context(stack.room("page-troubles"))

        async def window(server: object) -> Page:
            page = serve_listener_page(server, room.name, port=0)  # type: ignore[arg-type]
            return await open_window(browser, await inside.enter_async_context(page))

        absent = await window(replace(livekit, url="ws://127.0.0.1:9"))
        await absent.get_by_role("button", name="Join").click()
        await is_told(absent, "Enter a name, so that the others know who you are.")
        assert await accessibility_problems(absent) == []
        await keep_picture(absent, "join-desktop-light")
        await absent.get_by_label("Your name").fill("Ana")
        await absent.keyboard.press("Enter")
        await is_told(absent, "The meeting's server at 127.0.0.1:9 cannot be reached.")

        forged = await window(replace(livekit, api_secret="x" * 32))
        await forged.get_by_label("Your name").fill("Ana")
        await forged.keyboard.press("Enter")
        await is_told(forged, "The meeting did not accept your pass.")

        impatient = await window(livekit)
        await impatient.clock.install()
        ana = await Guest.joins(impatient, "Ana")
        await is_told(ana.page, "Waiting for the interpreter…")
        for failure, sentence in (
            ("NotAllowedError", "does not let this page use the microphone"),
            ("NotFoundError", "No microphone was found."),
            ("NotReadableError", "Another program may have it."),
        ):
            await ana.page.evaluate(
                "(name) => (navigator.mediaDevices.getUserMedia = "
                "() => Promise.reject(new DOMException('', name)))",
                failure,
            )
            await ana.page.get_by_role("button", name="Microphone").click()
            await is_told(ana.page, sentence)

        await expect(ana.page.get_by_text(NO_INTERPRETER)).to_have_count(0)
        await ana.page.clock.fast_forward(20_000)
        await is_told(ana.page, NO_INTERPRETER)
        await room.dispatch({"languages": ["xx"]})
        await is_told(ana.page, "The interpreter reports: No interpretation")
        await expect(ana.page.get_by_text(NO_INTERPRETER)).to_have_count(0)
        await keep_picture(ana.page, "trouble-desktop-light")
        await inside.aclose()
