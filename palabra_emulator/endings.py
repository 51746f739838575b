"""Why a session ends without being told to: nobody there, no input, or its tail delivered."""

from __future__ import annotations

from dataclasses import dataclass

from palabra_emulator import messages
from palabra_emulator.messages import Message
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.presence import Presence
from palabra_emulator.tail import Tail
from palabra_emulator.watchdog import Watchdog


@dataclass(frozen=True, slots=True)
class Ending:
    """An end that has come."""

    reason: str
    last_words: tuple[Message, ...] = ()
    """What the client is told before."""


class Endings:
    """Watches over one session."""

    def __init__(self, options: EmulatorOptions, now: float) -> None:
        self.presence = Presence(now + options.unjoined_ttl_s)
        self.watchdog = Watchdog(options.watchdog_s)
        self.tail = Tail()
        self._options = options

    def due(self, now: float, *, is_listening: bool, is_drained: bool) -> Ending | None:
        """The end that has come by now, if any."""
        grace_seconds = 0.0 if self.tail.is_awaited else self._options.grace_s
        reason = self.presence.given_up(now, grace_seconds)
        if reason is not None:
            return Ending(reason)
        if is_listening and self.watchdog.is_starved(now):
            complaint = messages.error("SERVICE_TIMEOUT", self.watchdog.complaint)
            return Ending("service timeout", (complaint,))
        if self.tail.observe(now, is_drained=is_drained):
            return Ending("end_task", self._ends_of_stream())

        return None

    def _ends_of_stream(self) -> tuple[Message, ...]:
        name = self._options.eos_name
        names = ("eos", "end_of_stream") if name == "both" else (name,)
        return tuple(messages.end_of_stream(word) for word in names)
