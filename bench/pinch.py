"""The relay loop of `livekit-plugins-pinch`, installed apart and led to the emulator's rooms.

`python -m bench.pinch` installs the plugin into a folder of its own, beside the same LiveKit SDK,
as a step of `make bench`: benchmarks run where no package index can be reached. The loop needs no
account, as a session comes from the emulator; `python -m bench.pinch LIVEKIT_URL TOKEN PALABRA_URL`
runs it until SIGTERM.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from livekit import rtc

from bench.plain_relay import palabra_session, run_until_told, set_task
from palabra_agent.local.livekit_build import cache_folder

MICROPHONE: Final = "pinch-input"
TRANSLATION: Final = "pinch-translated"

_WANTED: Final = "livekit-plugins-pinch==0.1.0"
_PIP_SECONDS: Final = 60.0


def folder() -> Path:
    """Where the plugin is kept, whether it is there or not."""
    return cache_folder() / _WANTED.replace("==", "-")


def is_installed() -> bool:
    """Tell whether it can be measured."""
    return (folder() / "livekit" / "plugins" / "pinch" / "translator.py").is_file()


def install() -> str:
    """Install it if it is not there; says why it could not be, else nothing."""
    if is_installed():
        return ""

    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        # without what it depends on: the SDK is to be the same, and Pinch's own client is not asked
        done = subprocess.run(
            [*pip, "--no-deps", "--target", str(folder()), _WANTED],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PIP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"pip has not answered for {_PIP_SECONDS:g} s"

    return "" if is_installed() else (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]


async def relay(livekit_url: str, token: str, palabra_url: str) -> None:
    """Be in a meeting with the plugin's translator, one for all its microphones."""
    pinch: Any = import_module("livekit.plugins.pinch")

    class Translator(pinch.Translator):  # type: ignore[misc]  # Any: it is not installed for mypy
        """Gets its session from the emulator, and tells it what Pinch's server knows by itself."""

        async def _create_session(self) -> dict[str, Any]:
            session = await stack.enter_async_context(palabra_session(palabra_url))
            names = {"url": "webrtc_url", "token": "publisher", "room_name": "webrtc_room_name"}
            return {theirs: session[ours] for theirs, ours in names.items()}

        async def _connect_with_retry(self, url: str, token: str) -> rtc.Room:
            room: rtc.Room = await super()._connect_with_retry(url, token)
            await set_task(room)
            return room

    options = pinch.TranslatorOptions(source_language="en-US", target_language="es-ES")
    meeting, translator = rtc.Room(), Translator(api_key="none", options=options)
    async with AsyncExitStack() as stack:
        await meeting.connect(livekit_url, token)
        stack.push_async_callback(meeting.disconnect)
        await translator.start(meeting)
        stack.push_async_callback(translator.stop)
        await asyncio.Event().wait()


def main() -> None:
    """Install it, or run it."""
    if len(sys.argv) > 1:
        sys.path.append(str(folder()))
        run_until_told(relay)
    elif why := install():
        print(f"{_WANTED} cannot be measured beside, as it could not be installed: {why}")


if __name__ == "__main__":
    main()
