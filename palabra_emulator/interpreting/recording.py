"""The sound that a task really took in: the newest kept in memory, all of it in a file."""

from __future__ import annotations

import io
import logging
import wave
from collections import deque
from pathlib import Path
from typing import BinaryIO

from palabra_agent.audio.pcm import Pcm
from palabra_agent.errors import SetupError
from palabra_emulator.interpreting.utterances import HEARING_RATE
from palabra_emulator.options import EmulatorOptions

logger = logging.getLogger(__name__)

_BYTES_PER_SAMPLE = 2


class InputRecording:
    """The sound that one session heard; bounded in memory, whole on disk where that is wished."""

    def __init__(self, rate: int, seconds: float, path: Path | None = None) -> None:
        self._rate = rate
        self._capacity = round(rate * seconds) * _BYTES_PER_SAMPLE
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._path = path
        self._raw: BinaryIO | None = None
        self._file: wave.Wave_write | None = None

    def add(self, pcm: Pcm) -> None:
        """Keep what was just heard."""
        part = pcm.tobytes()
        self._parts.append(part)
        self._size += len(part)
        while self._size > self._capacity and self._parts:
            self._size -= len(self._parts.popleft())

        if self._path is not None:
            self._write_if_possible(self._path, part)

    def as_wav(self) -> bytes:
        """The newest of it as a WAV file."""
        content = io.BytesIO()
        with wave.open(content, "wb") as file:
            _describe(file, self._rate)
            file.writeframes(b"".join(self._parts))

        return content.getvalue()

    def close(self) -> None:
        """Finish the file; nothing is written any more."""
        self._path = None
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
                if self._raw is not None:
                    self._raw.close()
            except OSError as error:
                logger.warning("what a session heard is not whole: %s", error.strerror)

    def _write_if_possible(self, path: Path, part: bytes) -> None:
        """Write on; what cannot be written is said once, and the session goes on without a file."""
        try:
            self._write(path, part)
        except OSError as error:
            self._path = None
            logger.warning("what a session hears is written no more: %s", error.strerror)

    def _write(self, path: Path, part: bytes) -> None:
        if self._file is None:
            self._raw = path.open("wb")
            self._file = wave.open(self._raw, "wb")  # noqa: SIM115 -- `close` ends it
            _describe(self._file, self._rate)

        self._file.writeframesraw(part)


def open_recording(options: EmulatorOptions, name: str) -> InputRecording:
    """A recording for one session, as the options say."""
    path = options.record_input / f"{name}.wav" if options.record_input is not None else None
    return InputRecording(HEARING_RATE, options.keep_heard_s, path)


def prepare_recordings(options: EmulatorOptions) -> None:
    """Make the folder for recordings, if there is to be one.

    Raises:
        SetupError: It cannot be made.
    """
    folder = options.record_input
    if folder is None:
        return

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"{error.strerror}; choose a folder that can be written"
        raise SetupError(f"record_input: {folder} cannot be made: {why}") from None


def _describe(file: wave.Wave_write, rate: int) -> None:
    file.setnchannels(1)
    file.setsampwidth(_BYTES_PER_SAMPLE)
    file.setframerate(rate)
