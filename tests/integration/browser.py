"""Chromium as people use it: a window on a page, a microphone that plays a file, and what is heard.

This module alone knows how a headless browser is started in a network namespace, and how a tone is
measured in a page: by WebAudio, on the very elements that the page plays.
"""

from __future__ import annotations

import os
import shutil
import wave
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import pytest

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from tests.pages import ROOT

if TYPE_CHECKING:
    from playwright.async_api import (
        Browser,
        Locator,
        Page,
        Playwright,
    )
    from playwright.async_api._generated import LocatorAssertions

SCREENSHOTS: Final = ROOT / "build" / "screenshots"
"""Pictures of the page are kept here, for those who look at them."""

Size: TypeAlias = tuple[int, int]
DESKTOP: Final = (1360, 850)

WAIT_MS: Final = 60_000
"""Nothing that is waited for takes this long, on a busy machine either."""

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    # it would open a multicast socket
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)

_LISTEN: Final = """
(() => {
  // browsers take steady tones for noise, and would remove them from a microphone
  const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
  if (ask) navigator.mediaDevices.getUserMedia = (wanted) => ask(wanted.audio ? { audio: {
    echoCancellation: false, noiseSuppression: false, autoGainControl: false } } : wanted);

  const analysers = new Map();
  let context;
  const analyserOf = (element) => {
    const track = element.srcObject?.getAudioTracks()[0];
    if (!track) return undefined;
    // the same track object may come again with another sound
    const known = analysers.get(element);
    if (known?.track === track) return known.analyser;
    context ??= new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 8192;
    analyser.smoothingTimeConstant = 0;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    analysers.set(element, { track, analyser });
    return analyser;
  };

  /** The level in dB of a tone in all that the page plays now. */
  window.levelOf = (hz) => {
    let level = -200;
    for (const element of document.querySelectorAll("audio")) {
      const analyser = analyserOf(element);
      if (!analyser || element.muted || element.paused) continue;
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      const heard = bins[Math.round((hz * analyser.fftSize) / context.sampleRate)];
      level = Math.max(level, heard + 20 * Math.log10(Math.max(element.volume, 1e-6)));
    }
    return level;
  };
})();
"""


def find_chromium() -> str:
    """Find the browser; a test that needs it fails, and is never skipped, where there is none."""
    named = os.environ.get("CHROMIUM")
    found = [path for name in _NAMES if (path := shutil.which(name))]
    if not (named or found):
        pytest.fail(
            "no Chromium was found: install it (Debian: apt-get install chromium), or name yours"
            " in CHROMIUM",
            pytrace=False,
        )
    return named or found[0]


def write_microphone(path: Path, sound: Pcm, *, lead: float, period: float) -> Path:
    """Write what a browser's microphone hears: a sound in a silence, over and over again.

    Args:
        path: Of the WAV file.
        sound: What is said.
        lead: Seconds of silence before it; the browser loses the first 0.3.
        period: Seconds until it is said again.
    """
    whole = np.zeros(int(period * SAMPLE_RATE), dtype=np.int16)
    begin = int(lead * SAMPLE_RATE)
    whole[begin : begin + sound.size] = sound
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(whole.tobytes())

    return path


@asynccontextmanager
async def open_driver() -> AsyncGenerator[Playwright]:
    """Have browsers driven while the block runs."""
    # who only collects the tests needs no driver
    from playwright.async_api import async_playwright

    async with async_playwright() as driver:
        yield driver


def expect(locator: Locator) -> LocatorAssertions:
    """Wait until something holds of a part of a page."""
    from playwright.async_api import expect as expect_within

    expect_within.set_options(timeout=WAIT_MS)
    return expect_within(locator)


@asynccontextmanager
async def open_browser(
    driver: Playwright, microphone: Path | None = None, *flags: str
) -> AsyncGenerator[Browser]:
    """Run a browser while the block runs, whose microphone plays this file."""
    hears = [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
    browser = await driver.chromium.launch(
        executable_path=find_chromium(), args=[*_FLAGS, *hears, *flags]
    )
    try:
        yield browser
    finally:
        await browser.close()


async def open_window(
    browser: Browser, url: str, *scripts: str, locale: str = "en-GB", size: Size = DESKTOP
) -> Page:
    """Open a page in a window of its own, which remembers nothing of others.

    Args:
        browser: Which.
        url: Of the page.
        *scripts: Run before those of the page.
        locale: The language of the browser.
        size: Of the window, in pixels.
    """
    width, height = size
    context = await browser.new_context(locale=locale, viewport={"width": width, "height": height})
    context.set_default_timeout(WAIT_MS)
    for script in (_LISTEN, *scripts):
        await context.add_init_script(script)
    page = await context.new_page()
    await page.goto(url)
    return page


async def until_heard(page: Page, hz: float, above_db: float = -50) -> None:
    """Wait until a tone is heard in what the page plays."""
    await page.wait_for_function(
        "([hz, level]) => window.levelOf(hz) > level", arg=[hz, above_db], polling=50
    )


async def loudest(page: Page, pitches: Sequence[float], seconds: float) -> list[float]:
    """The highest level of each tone while this time passes."""
    levels: list[float] = await page.evaluate(
        """async ([pitches, seconds]) => {
          const levels = pitches.map(() => -200);
          const end = performance.now() + seconds * 1000;
          while (performance.now() < end) {
            pitches.forEach((hz, i) => (levels[i] = Math.max(levels[i], window.levelOf(hz))));
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          return levels;
        }""",
        [list(pitches), seconds],
    )
    return levels


async def keep_picture(page: Page, name: str) -> None:
    """Keep a picture of what the page looks like now."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png")
