"""Words as sound, by the program espeak-ng where it is installed."""

from __future__ import annotations

import asyncio
import io
import shutil
from typing import Final

from palabra_agent.audio.files import SoundFileError, decode_sound
from palabra_agent.audio.pcm import Pcm

_DEADLINE_SECONDS: Final = 10.0


def find_espeak() -> str | None:
    """Find the program; None where it is not installed."""
    return shutil.which("espeak-ng")


async def speak_words(
    text: str,
    voice: str,
    *,
    rate: int,
    words_per_minute: int | None = None,
    pitch: int | None = None,
) -> Pcm | None:
    """Make the sound of a text; None where the program is absent, slow, or has no such voice.

    Args:
        text: Goes through the program's input, where a list of processes does not show it.
        voice: In espeak-ng's own words, such as `es-419` or `en+f3`.
        rate: Samples per second of the sound.
        words_per_minute: The program's own pace by default.
        pitch: From 0 to 99; the program's own, 50, by default.
    """
    program = find_espeak()
    if program is None:
        return None

    pace = () if words_per_minute is None else ("-s", str(words_per_minute))
    height = () if pitch is None else ("-p", str(pitch))
    process = await asyncio.create_subprocess_exec(
        program,
        *("-v", voice, *pace, *height, "--stdin", "--stdout"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            wav, _ = await process.communicate(text.encode())
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    if process.returncode != 0:
        return None

    try:
        return decode_sound(io.BytesIO(wav), rate)
    except SoundFileError:
        return None
