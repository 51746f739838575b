"""The way of a speaker's voice to Palabra: sent while it is heard, held while Palabra wakes up.

It also decides when nobody is worth listening to, and notices when nothing answers.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from palabra_agent.audio.frame import Frame
from palabra_agent.palabra.session.attention import Attention
from palabra_agent.palabra.session.billing import BillingMeter
from palabra_agent.palabra.session.silence import SilenceWatch
from palabra_agent.palabra.session.voice import Voice
from palabra_agent.palabra.transports.port import Transport
from palabra_agent.session import Transcript

_DOUBT_SHARE: Final = 1 / 3
"""After this part of a suspicious silence it is worth asking whether the task is still there."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a session behaves by itself."""

    idle_pause_seconds: float = math.inf
    """Silence after which the task is paused, and its bill with it; resumed by the next word."""
    silent_output_seconds: float = math.inf
    """So much speech that is answered with nothing is worth a `FellSilent`."""


@dataclass(frozen=True, slots=True)
class Alarms:
    """Whom an uplink tells what it notices."""

    on_doubt: Callable[[], None]
    """Speech is answered with nothing for some time."""
    on_silence: Callable[[], None]
    """It is for long."""
    on_answer: Callable[[], None]
    """After that, it is answered again."""


class Uplink:
    """One session's voice. Times are in seconds of any steady clock."""

    def __init__(self, transport: Transport, habits: Habits, alarms: Alarms, now: float) -> None:
        self._transport = transport
        self._alarms = alarms
        self._attention = Attention(habits.idle_pause_seconds, now)
        self._silence = SilenceWatch(habits.silent_output_seconds)
        self._doubt = SilenceWatch(habits.silent_output_seconds * _DOUBT_SHARE)
        self._voice = Voice()
        self._meter = BillingMeter()
        self._heard = asyncio.Event()
        """Set while Palabra takes sound in."""
        self._is_suspected = False

    def write(self, frame: Frame, now: float) -> bool:
        """Take a frame of the voice; returns whether it ends a pause.

        In a pause the last moments are kept, and from the first word on everything is, until
        Palabra hears again.
        """
        speech_ms = 0.0 if frame.is_pause else frame.duration_ms
        has_woken = self._attention.hear(speech_ms, now)
        if self._attention.is_asleep:
            self._voice.remember(frame)
            return False

        if self._voice.has_memories or not self._heard.is_set():
            self._voice.hold(frame)
        elif frame.peak:
            # what plays it is silent by itself
            self._voice.pass_on(frame)

        self._watch(speech_ms)
        return has_woken

    def close(self) -> None:
        """Take no more of the voice; `send` returns when what there is has been sent."""
        self._voice.backlog.close()

    def mute(self, *, is_muted: bool) -> None:
        """Learn whether the speaker has muted themselves: then it sleeps sooner."""
        self._attention.mute(is_muted=is_muted)

    def read(self, transcript: Transcript, now: float) -> None:
        """Learn of words that came in answer."""
        self.answered()
        self._attention.read(transcript, now)

    def listen(self, now: float) -> None:
        """Learn of sound that came in answer."""
        self.answered()
        self._attention.listen(now)

    def bedtime(self) -> float:
        """When the task may be paused; infinity for never, or while nobody hears anyway."""
        return self._attention.bedtime() if self._heard.is_set() else math.inf

    def sleep(self) -> None:
        """Keep to ourselves what is said from now on, until the next word."""
        self._attention.sleep()

    def observe(
        self, *, is_heard: bool, is_charged: bool, asked_at: float | None, now: float
    ) -> None:
        """Learn whether Palabra hears, and whether it charges: it does for the tail as well.

        Args:
            is_heard: Whether it takes sound in.
            is_charged: Whether the task runs.
            asked_at: When it was last told to run the task.
            now: The time.
        """
        self._meter.observe(is_running=is_charged, now=now, since=asked_at)
        if is_heard == self._heard.is_set():
            return

        self._transport.set_listening(is_listening=is_heard)
        if is_heard:
            self._attention.wake(now)
            self._heard.set()
        else:
            self._heard.clear()

    async def send(self) -> None:
        """Send the voice whenever Palabra hears it, until it is closed and all is sent."""
        loop = asyncio.get_running_loop()
        while (frame := await self._voice.backlog.next_frame()) is not None:
            await self._heard.wait()
            await self._transport.write(frame)
            if not frame.is_pause:
                self._attention.send(loop.time())

        await self._transport.flush()

    def billed_seconds(self, now: float) -> float:
        """For how long Palabra has heard us so far."""
        return self._meter.seconds(now)

    def account(self, now: float) -> dict[str, float]:
        """Tell where the sound went and what it cost: every lost millisecond counts."""
        bill = {"billed_seconds": round(self.billed_seconds(now), 3)}
        return asdict(self._voice.backlog.statistics()) | bill

    def _watch(self, speech_ms: float) -> None:
        if self._doubt.hear(speech_ms):
            self._alarms.on_doubt()
        if self._silence.hear(speech_ms):
            self._is_suspected = True
            self._alarms.on_silence()

    def answered(self) -> None:
        """Learn that Palabra does something with what it hears."""
        self._doubt.answered()
        self._silence.answered()
        if self._is_suspected:
            self._is_suspected = False
            self._alarms.on_answer()
