"""The way of a speaker's voice to Palabra: sent while it is heard, held while Palabra wakes up.

It also decides when nobody is worth listening to, and notices when nothing answers.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from palabra_agent.audio.pcm import Pcm
from palabra_agent.interpretation.ports import Transcript
from palabra_agent.palabra.session.attention import Attention
from palabra_agent.palabra.session.billing import BillingMeter
from palabra_agent.palabra.session.silence import SilenceWatch
from palabra_agent.palabra.session.voice import Voice
from palabra_agent.palabra.transports.port import Transport

_DOUBT_SHARE: Final = 1 / 3
"""After this part of a suspicious silence it is worth asking whether the task is still there."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a session behaves by itself."""

    idle_pause_seconds: float = math.inf
    """Silence after which the task is paused, and its bill with it; resumed by the next word."""
    silent_output_seconds: float = math.inf
    """So much speech that is answered with nothing is worth a `FellSilent`."""


class Uplink:
    """One session's voice. Times are in seconds of any steady clock."""

    def __init__(self, transport: Transport, habits: Habits, now: float) -> None:
        self._transport = transport
        self._attention = Attention(habits.idle_pause_seconds, now)
        self._silence = SilenceWatch(habits.silent_output_seconds)
        self._doubt = SilenceWatch(habits.silent_output_seconds * _DOUBT_SHARE)
        self._voice = Voice()
        self._meter = BillingMeter()
        self._heard = asyncio.Event()
        """Set while Palabra takes sound in."""

    def write(self, frame: Pcm, now: float) -> bool:
        """Take a frame of the voice; returns whether it ends a pause.

        In a pause the last moments are kept, and from the first word on everything is, until
        Palabra hears again.
        """
        has_woken = self._attention.hear(frame, now)
        if self._attention.is_asleep:
            self._voice.remember(frame)
        elif self._voice.has_memories or not self._heard.is_set():
            self._voice.hold(frame)
        elif frame.any():
            # what plays it is silent by itself
            self._voice.pass_on(frame)

        return has_woken

    def mute(self, *, is_muted: bool) -> None:
        """Learn whether the speaker has muted themselves: then it sleeps sooner."""
        self._attention.mute(is_muted=is_muted)

    def read(self, transcript: Transcript, now: float) -> None:
        """Learn of words that came in answer."""
        self._answered()
        self._attention.read(transcript, now)

    def listen(self, now: float) -> None:
        """Learn of sound that came in answer."""
        self._answered()
        self._attention.listen(now)

    def bedtime(self) -> float:
        """When the task may be paused; infinity for never, or while nobody hears anyway."""
        return self._attention.bedtime() if self._heard.is_set() else math.inf

    def sleep(self) -> None:
        """Keep to ourselves what is said from now on, until the next word."""
        self._attention.sleep()

    def observe(self, *, is_heard: bool, now: float) -> None:
        """Learn whether Palabra hears, and charges."""
        self._meter.observe(is_running=is_heard, now=now)
        if is_heard == self._heard.is_set():
            return

        self._transport.set_listening(is_listening=is_heard)
        if is_heard:
            self._attention.wake(now)
            self._heard.set()
        else:
            self._heard.clear()

    async def send(self, on_doubt: Callable[[], None], on_silence: Callable[[], None]) -> None:
        """Send the voice whenever Palabra hears it, until cancelled.

        Args:
            on_doubt: Called where speech is answered with nothing for some time.
            on_silence: Called where it is for long.
        """
        while (frame := await self._voice.backlog.next_frame()) is not None:
            await self._heard.wait()
            await self._transport.write(frame)
            if self._doubt.hear(frame):
                on_doubt()
            if self._silence.hear(frame):
                on_silence()

    def billed_seconds(self, now: float) -> float:
        """For how long Palabra has heard us so far."""
        return self._meter.seconds(now)

    def account(self, now: float) -> dict[str, float]:
        """Tell where the sound went and what it cost: every lost millisecond counts."""
        bill = {"billed_seconds": round(self.billed_seconds(now), 3)}
        return asdict(self._voice.backlog.statistics()) | bill

    def _answered(self) -> None:
        self._doubt.answered()
        self._silence.answered()
