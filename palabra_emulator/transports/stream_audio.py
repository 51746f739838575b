"""Sound that a client sends in messages: checked, decoded, heard, and its pace watched."""

from __future__ import annotations

import base64
import binascii
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.interpreting.utterances import HEARING_RATE
from palabra_emulator.session import messages
from palabra_emulator.session.session import EmulatedSession
from palabra_emulator.session.validator import Fields, InvalidCommand
from palabra_emulator.transports.audio_formats import (
    AudioError,
    Decoder,
    InputFormat,
    decoder_of,
    incoming,
)

_MOST_AHEAD_SECONDS: Final = 2.0
_NO_LONGER_AHEAD_SECONDS: Final = 1.0
_WINDOW_SECONDS: Final = 4.0
_SLOW_SHARE: Final = 0.75
_NO_LONGER_SLOW_SHARE: Final = 0.9
_GAP_SECONDS: Final = 1.0
"""A gap after which slowness and a stall cannot be told apart before its end."""

_STALL_SECONDS: Final = 3.0

INPUT_AUDIO: Final = "input_audio_data"
_MODEL: Final = "InputAudioDataMessage"
_MOST_BYTES: Final = 512 * 1024
_LEAST_BYTES: Final = 768
"""The documented minimum, which only strict rules demand: the last message may well be shorter."""


@dataclass(frozen=True, slots=True)
class PaceWarning:
    """A pace that is wrong, as a warning says it."""

    code: str
    text: str


TOO_FAST: Final = PaceWarning(
    "AUDIO_STREAM_TOO_FAST", "Audio stream is arriving faster than real-time"
)
TOO_SLOW: Final = PaceWarning(
    "AUDIO_STREAM_TOO_SLOW", "Audio stream is arriving slower than real-time"
)
STALLED: Final = PaceWarning("AUDIO_STREAM_STALLED", "Audio stream has stalled")


class InputPace:
    """Compares the sound of one running task with the clock."""

    def __init__(self, now: float) -> None:
        self._last_at = now
        self._window_began = math.inf
        """Sound that has not begun yet is not slow."""
        self._ahead = 0.0
        self._arrivals: deque[tuple[float, float]] = deque()
        self._is_fast = self._is_slow = self._is_stalled = False

    def arrived(self, seconds: float, now: float) -> PaceWarning | None:
        """Note sound that has just arrived."""
        if self._is_stalled or math.isinf(self._window_began):
            self._arrivals.clear()
            self._window_began = now
            self._is_stalled = False

        self._ahead = max(0.0, self._ahead - (now - self._last_at)) + seconds
        self._last_at = now
        self._arrivals.append((now, seconds))
        if self._ahead <= _NO_LONGER_AHEAD_SECONDS:
            self._is_fast = False
        if self._ahead <= _MOST_AHEAD_SECONDS or self._is_fast:
            return None

        self._is_fast = True
        return TOO_FAST

    def check(self, now: float) -> PaceWarning | None:
        """Note that time has passed."""
        if now - self._last_at >= _STALL_SECONDS:
            is_new, self._is_stalled = not self._is_stalled, True
            return STALLED if is_new else None

        while self._arrivals and now - self._arrivals[0][0] > _WINDOW_SECONDS:
            self._arrivals.popleft()
        is_between = now - self._last_at >= _GAP_SECONDS
        if is_between or now - self._window_began < _WINDOW_SECONDS:
            return None

        share = sum(seconds for _, seconds in self._arrivals) / _WINDOW_SECONDS
        if share >= _NO_LONGER_SLOW_SHARE:
            self._is_slow = False
        if share >= _SLOW_SHARE or self._is_slow:
            return None

        self._is_slow = True
        return TOO_SLOW


class StreamInput:
    """The sound of one connection."""

    def __init__(
        self,
        session: EmulatedSession,
        *,
        is_strict: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._is_strict = is_strict
        self._clock = clock
        self._format: InputFormat | None = None
        self._decoder: Decoder | None = None
        self._pace: InputPace | None = None
        """Of the stretch during which the task has been running; nothing while it is not."""
        self._is_ignoring = False

    def receive(self, fields: Mapping[str, object]) -> None:
        """Take one message's sound: it is heard, or the journal says why not."""
        try:
            payload = self._payload(Fields(fields))
        except InvalidCommand as invalid:
            self._session.outbox.post(messages.error("VALIDATION_ERROR", invalid.desc))
            self._session.note("bad_sound", reason="invalid message")
            return

        try:
            self._take(payload)
        except AudioError as bad:
            self._session.note("bad_sound", reason=str(bad))

    def tick(self) -> None:
        """Do what time brings; called some twenty times a second."""
        if not self._session.is_listening:
            self._pace = None
            return

        if self._pace is None:
            self._pace = InputPace(self._clock())
        self._warn(self._pace.check(self._clock()))

    def _payload(self, fields: Fields) -> bytes:
        fields.require("data")
        text = fields.text("data")
        try:
            payload = base64.b64decode(text or "", validate=True)
        except (binascii.Error, ValueError):
            payload = b""
            fields.note("data", "invalid base64", "value_error")
        if len(payload) > _MOST_BYTES:
            limits = {"limit_value": _MOST_BYTES}
            reason = f"ensure this value has at most {_MOST_BYTES} bytes"
            fields.note("data", reason, "value_error.any_str.max_length", limits)
        if self._is_strict and not fields.errors and len(payload) < _LEAST_BYTES:
            limits = {"limit_value": _LEAST_BYTES}
            reason = f"ensure this value has at least {_LEAST_BYTES} bytes"
            fields.note("data", reason, "value_error.any_str.min_length", limits)
        if fields.errors:
            raise InvalidCommand(_MODEL, fields.errors)

        return payload

    def _take(self, payload: bytes) -> None:
        """Decode even what is not heard: a stream's header may come before the task is up."""
        session = self._session
        declared = incoming(session.task) if session.task is not None else None
        if declared is None:
            self._ignore("no task that takes sound in messages")
            return

        pcm = self._decoder_for(declared).decode(payload)
        if not session.is_listening:
            self._ignore(session.state)
            return

        self._is_ignoring = False
        self._hear(pcm)

    def _hear(self, pcm: Pcm) -> None:
        now = self._clock()
        if self._pace is None:
            self._pace = InputPace(now)
        self._session.input_arrived()
        self._session.hear(pcm)
        self._warn(self._pace.arrived(pcm.size / HEARING_RATE, now))

    def _decoder_for(self, declared: InputFormat) -> Decoder:
        if self._decoder is None or declared != self._format:
            self._format, self._decoder = declared, decoder_of(declared)

        return self._decoder

    def _ignore(self, reason: str) -> None:
        """Say once that sound is not heard."""
        if not self._is_ignoring:
            self._is_ignoring = True
            self._session.note("ignored_sound", reason=reason)

    def _warn(self, complaint: PaceWarning | None) -> None:
        if complaint is not None:
            self._session.outbox.post(messages.warning(complaint.code, complaint.text))
            self._session.note("warned", code=complaint.code)
