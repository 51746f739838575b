"""The activity in a session: when to pause it, what was billed, when silence is suspicious. Pure.

Palabra charges for the time in which a task runs, and confirms a sentence only by the silence that
it hears after it. So a silence must last, and what was said before must have been transcribed and
spoken, before the task is paused. A session may also be connected, running and dead: only what it
does with speech can tell.

Times are in seconds of any steady clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from palabra_agent.audio.frame import ONSET_MS, Frame
from palabra_agent.session import Transcript

_SETTLE_SECONDS: Final = 2.0
"""So long no words and no sound must have come before what was said counts as interpreted."""

_UNCONFIRMED_SECONDS: Final = 10.0
"""A sentence that is never confirmed may put off a pause for so long, as may a text."""

_DOUBT_SHARE: Final = 1 / 3
"""After this part of a suspicious silence it is worth asking whether the task is still there."""

_LONGEST_SUSPICION_SECONDS: Final = 300.0

_GONE_SECONDS: Final = 2.0
"""An interrupted connection from which so long nothing comes, not even a queue's level, is gone."""


@dataclass(frozen=True, slots=True)
class SilenceLimits:
    """Limits on the silence of a session's speaker, and on that of Palabra.

    Those of the product are in `config/room.py`, `Limits`; without a word there is none.
    """

    idle_pause_seconds: float = math.inf
    """Silence after which the task is paused, and its bill with it; resumed by the next word. A
    muted speaker's is paused sooner, one whose sentence is not finished later."""
    silent_output_seconds: float = math.inf
    """So much speech that is answered with nothing is worth a `FellSilent`."""


class Observation(Enum):
    """Something that follows from a frame of the speaker, heard or sent."""

    FIRST_WORD = auto()
    """The speaker says something after a pause."""
    UNANSWERED = auto()
    """Palabra has answered nothing for some time: the task may be gone."""
    SUSPICIOUS = auto()
    """Palabra has answered nothing for long."""


class Activity:
    """The speaker's and Palabra's part in one session, and when the session may pause."""

    def __init__(self, limits: SilenceLimits, now: float) -> None:
        """Begin with a running task.

        Args:
            limits: How much silence is put up with.
            now: The time.
        """
        self.is_paused = False
        """True while the speaker is silent for so long that Palabra need not hear."""
        self._idle_seconds = limits.idle_pause_seconds
        self._doubt = UnansweredSpeech(limits.silent_output_seconds * _DOUBT_SHARE)
        self._suspicion = UnansweredSpeech(limits.silent_output_seconds)
        self._is_suspected = False
        self._is_muted = False
        self._is_held = False
        """True while the caller wants a pause."""
        self._onset_ms = 0.0
        self._spoke_at = now
        """The time at which the speaker was last heard, by us or by Palabra."""
        self._answered_at = now
        """The time at which words or sound last came, or Palabra began to hear again."""
        self._unconfirmed: set[str] = set()
        """Utterances that began and are not final."""
        self._is_text_open = False
        """True while a text was sent of which no translation has come."""

    def hear(self, frame: Frame, now: float) -> list[Observation]:
        """Take in a frame of the speaker, and return what follows from it."""
        speech_ms = 0.0 if frame.is_pause else frame.duration_ms
        return [Observation.FIRST_WORD] if self._hear_word(speech_ms, now) else []

    def mute(self, *, is_muted: bool) -> None:
        """Learn whether the speaker is muted: then no word is to be expected."""
        self._is_muted = is_muted

    def hold(self) -> None:
        """Learn that the caller wants a pause, as soon as what was said is interpreted."""
        self._is_held = True

    def release(self, now: float) -> None:
        """Learn that the caller wants no pause any more: the speaker may speak now."""
        self._is_held = self.is_paused = False
        self._onset_ms, self._spoke_at = 0.0, now

    def send(self, frame: Frame, now: float) -> list[Observation]:
        """Learn that a frame is sent now, perhaps long after it was heard; return what follows.

        Only what was sent can be answered.
        """
        if frame.is_pause:
            return []

        self._spoke_at = max(self._spoke_at, now)
        observations: list[Observation] = []
        if self._doubt.add(frame.duration_ms):
            observations.append(Observation.UNANSWERED)
        if self._suspicion.add(frame.duration_ms):
            self._is_suspected = True
            observations.append(Observation.SUSPICIOUS)

        return observations

    def wake(self, now: float) -> None:
        """Learn that a text is to be spoken, which ends a pause as a word does."""
        self.is_paused, self._spoke_at = False, now

    def speak(self, now: float) -> None:
        """Learn that a text is sent now; its translation is waited for like that of a sentence."""
        self._spoke_at, self._is_text_open = now, True

    def resume(self, now: float) -> None:
        """Learn that Palabra hears from now on, first of all what was said before."""
        self._answered_at = now

    def read(self, transcript: Transcript, now: float) -> bool:
        """Learn of words from Palabra; return whether they end a suspicious silence."""
        self._answered_at = now
        if transcript.is_translation:
            self._is_text_open = self._is_text_open and not transcript.is_final
        elif transcript.is_final:
            self._unconfirmed.discard(transcript.transcription_id)
        else:
            self._unconfirmed.add(transcript.transcription_id)

        return self.answer()

    def listen(self, now: float) -> bool:
        """Learn that translated speech sounds; return whether it ends a suspicious silence."""
        self._answered_at = now
        return self.answer()

    def answer(self) -> bool:
        """Learn that Palabra works on what it hears; return whether it had been suspected."""
        self._doubt.answer()
        self._suspicion.answer()
        was_suspected, self._is_suspected = self._is_suspected, False
        return was_suspected

    def pause(self) -> None:
        """Begin a pause; what is not confirmed by now never will be."""
        self.is_paused, self._is_text_open = True, False
        self._unconfirmed.clear()

    def pause_due_at(self) -> float:
        """Tell when a pause may begin unless something happens before; infinity for never."""
        is_never = math.isinf(self._idle_seconds) and not self._is_held
        if self.is_paused or is_never:
            return math.inf

        is_short = self._is_muted or self._is_held
        idle = min(self._idle_seconds, _SETTLE_SECONDS) if is_short else self._idle_seconds
        settled = self._answered_at + _SETTLE_SECONDS
        is_open = self._is_text_open or bool(self._unconfirmed)
        confirmed = self._spoke_at + _UNCONFIRMED_SECONDS if is_open else -math.inf
        return max(self._spoke_at + idle, settled, confirmed)

    def _hear_word(self, speech_ms: float, now: float) -> bool:
        """Note speech that is long enough for a word; return whether it ends a pause."""
        self._onset_ms = self._onset_ms + speech_ms if speech_ms else 0.0
        if self._onset_ms < ONSET_MS:
            return False

        self._spoke_at = now
        was_paused, self.is_paused = self.is_paused, False
        return was_paused


class UnansweredSpeech:
    """A count of the speech that Palabra has answered with nothing."""

    def __init__(self, limit_seconds: float) -> None:
        """Begin at zero.

        Args:
            limit_seconds: So much speech without any answer is too much; infinity for never.
        """
        self._limit_seconds = limit_seconds
        self._unanswered_ms = 0.0

    def add(self, speech_ms: float) -> bool:
        """Count some speech; return whether it is too much now.

        It says so once; the next time takes twice as long, as noise may never be answered.
        """
        self._unanswered_ms += speech_ms
        if not speech_ms or self._unanswered_ms < self._limit_seconds * 1000:
            return False

        self._unanswered_ms = 0.0
        self._limit_seconds = min(2 * self._limit_seconds, _LONGEST_SUSPICION_SECONDS)
        return True

    def answer(self) -> None:
        """Begin anew: words or sound came."""
        self._unanswered_ms = 0.0


class BillingMeter:
    """A count of the seconds in which a task runs, which is what Palabra charges for."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def observe(self, *, is_running: bool, now: float, since: float | None = None) -> None:
        """Learn whether the task runs.

        Args:
            is_running: Whether it does, as far as is known.
            now: The time.
            since: The time at which it began to run: Palabra was told to, and may confirm it later.
        """
        if is_running and self._since is None:
            self._since = now if since is None else since
        elif not is_running and self._since is not None:
            self._before += now - self._since
            self._since = None

    def take_back(self) -> None:
        """Learn that the task did not run after all since it was thought to."""
        self._since = None

    def seconds(self, now: float) -> float:
        """Tell what was counted so far."""
        return self._before + (now - self._since if self._since is not None else 0.0)


class Interruption:
    """An interruption of the connection, which LiveKit would wait for much longer than we do."""

    def __init__(self) -> None:
        self.ends_at = math.inf
        """The time at which the connection counts as gone; infinity while it is up."""

    def begin(self, now: float) -> None:
        """Wait for the connection to come back."""
        self.ends_at = now + _GONE_SECONDS

    def end(self) -> None:
        """Wait no longer: it is back, or given up."""
        self.ends_at = math.inf

    def receive(self, now: float) -> None:
        """Learn that something came over the connection all the same."""
        if not math.isinf(self.ends_at):
            self.begin(now)
