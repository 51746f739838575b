"""Channels that come back through a microphone, as from an open loudspeaker: held back in time.

Such a microphone would have a channel interpreted again, and that again, for ever. So each is
compared with what the channels played a moment before, off the way of the sound. The first time it
takes about a second to see it. From then on the microphone is held back as soon as that channel
sounds, until it is seen to carry something else: then what was held is passed on late.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from palabra_agent.audio.frame import Frame
from palabra_agent.audio.likeness import LONGEST_DELAY, SLOTS_PER_SECOND, Likeness, SoundHistory
from palabra_agent.audio.pcm import PAUSE_PEAK, Pcm, peak
from palabra_agent.interpretation.ports import MeetingView, Notice

_LEAK: Final = 0.5
"""A microphone so much like a channel carries it, if that is seen twice in a row."""
_FREE: Final = 0.4
"""One that is less like it carries something else; `bench leakage` measures both."""
_IN_A_ROW: Final = 2

_NEWS: Final = SLOTS_PER_SECOND // 3
"""After so much more sound it is compared again."""
_LINGER: Final = SLOTS_PER_SECOND // 2
"""A room goes on sounding for so long after the channel, and so long a microphone is held back."""
_EARLY: Final = SLOTS_PER_SECOND // 10
"""The way back may become shorter by so much."""
_HELD: Final = round(1.5 * SLOTS_PER_SECOND)
"""Frames that are held back and may turn out to be the speaker's own."""
_SUSPECTED_SECONDS: Final = 120.0
"""Without another sign of it, a microphone is trusted again after so long."""
_AUDIBLE_SECONDS: Final = (LONGEST_DELAY + 2 * _LINGER) / SLOTS_PER_SECOND
"""So long after the last sound of all channels none can come back any more."""

_ADVICE: Final = (
    "Your microphone picks up the interpretation from your loudspeaker. While it does, you are not "
    "interpreted. Please use a headset, or turn the loudspeaker down."
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Leak:
    """The channel that a microphone was found to carry."""

    channel: str
    """The name of its track."""
    delay: int
    seen_at: float


@dataclass(slots=True)
class _Microphone:
    """One speaker's microphone, as it is heard and as it is passed on."""

    history: SoundHistory = field(default_factory=SoundHistory)
    leak: _Leak | None = None
    """The newest that was found, while it is not long ago."""
    is_held: bool = False
    """True while nothing is passed on."""
    is_told: bool = False
    """True once the speaker was told."""
    is_ending: bool = False
    """True where one more comparison decides what becomes of that which is held."""
    unjudged: int = 0
    """Frames of sound since it was last compared."""
    heard_at: float = 0.0
    """The time of the newest frame."""
    _alarms: int = 0
    """Comparisons in a row that found a leak."""
    _is_cleared: bool = False
    """True while it is known to carry something else than the channel that sounds."""
    _held: deque[Frame] = field(default_factory=lambda: deque[Frame](maxlen=_HELD))
    _freed: list[Frame] = field(default_factory=list[Frame])

    @property
    def is_due(self) -> bool:
        """True where there is enough news to compare it."""
        return self.unjudged >= _NEWS or self.is_ending

    def pass_on(self, frame: Frame) -> list[Frame]:
        """Take in a frame; return what may be interpreted, which is silence while it is held."""
        if self.is_held:
            self._held.append(replace(frame, is_late=True))
            return [Frame(np.zeros_like(frame.samples), 0, is_pause=True)]

        freed, self._freed = self._freed, []
        return [*freed, frame]

    def expect_leak(self) -> None:
        """Hold it back: the channel that it was found to carry sounds, and may be in it."""
        self.is_ending = False
        self.is_held = self.is_held or not self._is_cleared

    def expect_none(self) -> None:
        """Let it be heard again: no such channel sounds any more.

        Whether words that had just begun are the speaker's own is to be seen first.
        """
        self._is_cleared = False
        if self.is_held and self.unjudged >= _EARLY:
            self.is_ending = True
        else:
            self._open(are_words=False)

    def judge(self, likeness: Likeness | None, channel: str) -> None:
        """Learn how much it is like the channel that it is most like; None where none can tell."""
        degree = likeness.degree if likeness is not None else _FREE
        is_leak = likeness is not None and degree >= _LEAK
        self.unjudged = 0
        self._alarms = self._alarms + 1 if is_leak else 0
        if likeness is not None and self._alarms >= (1 if self.leak else _IN_A_ROW):
            self.leak = _Leak(channel, likeness.delay, self.heard_at)
            self._is_cleared = False
            self.is_held = not self.is_ending
        elif degree < _FREE and self.is_held:
            self._open(are_words=True)

        if self.is_ending:
            self._open(are_words=False)

    def _open(self, *, are_words: bool) -> None:
        if are_words:
            self._freed.extend(self._held)
            self._is_cleared = not self.is_ending

        self.is_held = self.is_ending = False
        self._held.clear()


class LeakageGuard:
    """A room's microphones and channels, and which of those carry which of these.

    Costs nothing while no channel sounds, and little for microphones that are silent.
    """

    def __init__(self) -> None:
        self._channels: dict[str, SoundHistory] = {}
        """By the name of the track."""
        self._microphones: dict[str, _Microphone] = {}
        """By the speaker's identity."""
        self._sounded_at = -math.inf
        """The time at which a channel last sounded."""
        self._is_due = asyncio.Event()

    def play(self, channel: str, samples: Pcm, now: float) -> None:
        """Note what a channel plays."""
        if peak(samples) < PAUSE_PEAK:
            return

        self._sounded_at = now
        if channel not in self._channels:
            self._forget_silent(now)
            self._channels[channel] = SoundHistory()
        self._channels[channel].hear(samples, now)

    def hear(self, identity: str, frame: Frame, now: float) -> list[Frame]:
        """Take in a frame of a speaker's microphone; return what may be interpreted."""
        microphone = self._microphones.get(identity)
        if microphone is None:
            microphone = self._microphones[identity] = _Microphone()
        microphone.heard_at = now
        if now - self._sounded_at > _AUDIBLE_SECONDS:
            microphone.expect_none()
        elif not frame.is_late:
            slot = microphone.history.hear(frame.samples, now, is_sounding=not frame.is_pause)
            microphone.unjudged += not frame.is_pause
            self._expect(microphone, slot)
        if microphone.is_due:
            self._is_due.set()

        return microphone.pass_on(frame)

    def follow(self, speakers: Collection[str]) -> None:
        """Forget all speakers but these."""
        self._microphones = {who: it for who, it in self._microphones.items() if who in speakers}

    async def run(self, on_change: Callable[[], None]) -> None:
        """Compare what is due, for ever; tell where a leak was found."""
        while True:
            await self._is_due.wait()
            self._is_due.clear()
            for microphone in list(self._microphones.values()):
                if microphone.is_due:
                    if self._finds_leak(microphone):
                        on_change()
                    # one comparison takes less than a millisecond, those of a room many
                    await asyncio.sleep(0)

    def notices(self, view: MeetingView) -> Iterator[Notice]:
        """Make the notices that are due: each speaker is told once, when texts reach them."""
        for person in view.people:
            microphone = self._microphones.get(person.identity)
            is_news = microphone is not None and microphone.leak and not microphone.is_told
            if microphone is not None and is_news and person.is_reachable:
                microphone.is_told = True
                yield Notice(_ADVICE, (person.identity,))

    def objection_to(self, identity: str) -> str:
        """The reason why a speaker is not interpreted at the moment; empty where they are."""
        microphone = self._microphones.get(identity)
        if microphone is None or not microphone.is_held or microphone.leak is None:
            return ""

        return f"it carries what {microphone.leak.channel} plays"

    def _forget_silent(self, now: float) -> None:
        """Forget the channels that cannot come back any more."""
        audible_since = round((now - _AUDIBLE_SECONDS) * SLOTS_PER_SECOND)
        self._channels = {
            name: history
            for name, history in self._channels.items()
            if history.newest >= audible_since
        }

    def _expect(self, microphone: _Microphone, slot: int) -> None:
        leak = microphone.leak
        if leak is not None and microphone.heard_at - leak.seen_at > _SUSPECTED_SECONDS:
            leak = microphone.leak = None

        if leak is not None and self._sounded(leak.channel, slot - leak.delay):
            microphone.expect_leak()
        else:
            microphone.expect_none()

    def _sounded(self, channel: str, slot: int) -> bool:
        history = self._channels.get(channel)
        return history is not None and history.sounded(slot - _LINGER, slot + _EARLY)

    def _finds_leak(self, microphone: _Microphone) -> bool:
        """Compare a microphone with each channel that it may carry; tell whether that is news."""
        earliest = microphone.history.newest - LONGEST_DELAY - _LINGER
        found = {
            name: likeness
            for name, channel in self._channels.items()
            if channel.sounded(earliest, microphone.history.newest)
            and (likeness := microphone.history.likeness_to(channel)) is not None
        }
        was_known = microphone.leak is not None
        likest = max(found, key=lambda it: found[it].degree, default="")
        microphone.judge(found.get(likest), likest)
        if microphone.leak is None or was_known:
            return False

        logger.warning("a microphone carries what a channel plays: held back while it does")
        return True
