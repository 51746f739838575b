"""Sound that a client sends in messages: checked, decoded, heard, and its pace watched."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from typing import Final

from palabra_agent.audio.pcm import Pcm
from palabra_emulator import messages
from palabra_emulator.pace import Complaint, Pace
from palabra_emulator.pipeline import HEARING_RATE
from palabra_emulator.reading import Fields, InvalidMessage
from palabra_emulator.session import Session
from palabra_emulator.sound_errors import BadSound
from palabra_emulator.sound_formats import Decoder, decoder_of
from palabra_emulator.stream_formats import InputFormat, incoming

INPUT_AUDIO: Final = "input_audio_data"

_MODEL: Final = "InputAudioDataMessage"
_MOST_BYTES: Final = 512 * 1024
_LEAST_BYTES: Final = 768
"""The documented minimum, which only strict rules demand: the last message may well be shorter."""


class StreamInput:
    """The sound of one connection."""

    def __init__(
        self, session: Session, *, is_strict: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._session = session
        self._is_strict = is_strict
        self._clock = clock
        self._format: InputFormat | None = None
        self._decoder: Decoder | None = None
        self._pace: Pace | None = None
        """Of the stretch during which the task has been running; nothing while it is not."""
        self._is_ignoring = False

    def receive(self, fields: Mapping[str, object]) -> None:
        """Take one message's sound: it is heard, or the journal says why not."""
        try:
            payload = self._payload(Fields(fields))
        except InvalidMessage as invalid:
            self._session.outbox.post(messages.error("VALIDATION_ERROR", invalid.desc))
            self._session.note("bad_sound", reason="invalid message")
            return

        try:
            self._take(payload)
        except BadSound as bad:
            self._session.note("bad_sound", reason=str(bad))

    def tick(self) -> None:
        """Do what time brings; called some twenty times a second."""
        if not self._session.is_listening:
            self._pace = None
            return

        if self._pace is None:
            self._pace = Pace(self._clock())
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
        if self._is_strict and not fields.flaws and len(payload) < _LEAST_BYTES:
            limits = {"limit_value": _LEAST_BYTES}
            reason = f"ensure this value has at least {_LEAST_BYTES} bytes"
            fields.note("data", reason, "value_error.any_str.min_length", limits)
        if fields.flaws:
            raise InvalidMessage(_MODEL, fields.flaws)

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
            self._pace = Pace(now)
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

    def _warn(self, complaint: Complaint | None) -> None:
        if complaint is not None:
            self._session.outbox.post(messages.warning(complaint.code, complaint.text))
            self._session.note("warned", code=complaint.code)
