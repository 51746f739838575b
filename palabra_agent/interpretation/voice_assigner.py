"""Asks a room's plugins for voices, and asks again when the facts change; logs what comes of it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from palabra_agent.audio.frame import Frame
from palabra_agent.capabilities.voice import Verdict
from palabra_agent.interpretation.plugins import NoPlugins, RoomPlugins
from palabra_agent.interpretation.timbre_estimation import TimbreEstimation
from palabra_agent.interpretation.voice_assignments import InterpretedSpeaker, VoiceAssignments
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Transcript
from palabra_agent.voices import (
    DEFAULT_VOICES,
    ClonedVoice,
    FixedVoice,
    Timbre,
    TimbreMatchedVoice,
    VoiceChoice,
)

_ROUND_SECONDS: Final = 0.5
"""Rounds in which all speakers are asked about again begin at least this far apart."""

_TURN_SECONDS: Final = 1.1
"""A new speaker waits so long for those before, to get a voice unlike theirs: a plugin that hangs
is passed over by then. After that plugins are asked at once, and once more later."""

_QUICK_SECONDS: Final = 0.02
"""An answer that takes longer is not waited for before the speaker's other languages are asked for.
"""

_TIMER_SECONDS: Final = 1e-6
"""A timer may ring early by less than this."""

logger = logging.getLogger(__name__)


class VoiceAssigner:
    """The voices of all speakers in a room, for as long as the room lasts."""

    def __init__(self, plugins: RoomPlugins | None = None) -> None:
        self._plugins: RoomPlugins = plugins or NoPlugins()
        self._assignments = VoiceAssignments()
        self._timbres = TimbreEstimation(self._plugins)
        self._seen: tuple[tuple[InterpretedSpeaker, ...], int, bool, bool] | None = None
        """Everything that was followed last."""
        self._on_change: Callable[[], None] = lambda: None
        self._woken = asyncio.Event()
        """Set where there may be something to ask, or a speaker to ask about."""
        self._asked_about: set[str] = set()
        """Identities about whom a question is under way."""
        self._waiting_since: dict[str, float] = {}
        """Since when each speaker without a voice waits for one."""
        self._round: deque[str] = deque()
        """Speakers who are still to be asked about in this round."""
        self._next_round_at = -math.inf
        self._cloned: frozenset[tuple[str, LanguageCode]] = frozenset()
        """Whose voice is imitated, as far as the log knows."""

    async def run(self, on_change: Callable[[], None]) -> None:
        """Ask whenever there is a reason to, until cancelled; tells when something came of it."""
        self._on_change = on_change
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask(), name="choose voices")
                group.create_task(
                    self._timbres.run(self._assignments.speaker, self._learn_timbre),
                    name="estimate timbres",
                )
        finally:
            self._log_cloning(frozenset())

    def follow(self, speakers: Sequence[InterpretedSpeaker], revision: int = 0) -> None:
        """Take over who is interpreted now, and into what; never waits.

        Args:
            speakers: All of them, in the order of their coming.
            revision: A new number for each new list of plugins.
        """
        is_asked, is_heard = self._plugins.choose_voices, self._plugins.estimate_timbres
        seen = (tuple(speakers), revision, is_asked, is_heard)
        if seen == self._seen:
            return

        self._seen = seen
        self._assignments.follow(speakers, revision, is_asked=is_asked)
        self._timbres.follow(self._assignments.without_timbre() if is_heard else ())
        self._log_cloning(self._assignments.cloned())
        self._woken.set()

    def voices_of(
        self, identity: str, targets: Sequence[LanguageCode]
    ) -> Mapping[LanguageCode, VoiceChoice] | None:
        """Give the voices of a speaker, the default left out; None while one is not decided."""
        if not self._plugins.choose_voices:
            return {}

        verdicts = self._assignments.verdicts(identity, targets)
        if not verdicts.keys() >= set(targets):
            return None

        return {target: it.choice for target, it in verdicts.items() if it.choice is not None}

    def mark_unavailable(self, voice_id: str) -> None:
        """Note that Palabra does not have a voice: no speaker of this room gets it any more.

        A default one is missing in some language alone, and there is no other to take its place.
        """
        if voice_id not in DEFAULT_VOICES:
            self._assignments.mark_unavailable(voice_id)
            self._woken.set()

    def hear(self, identity: str, frame: Frame) -> None:
        """Listen to a frame of a speaker's voice, as long as the timbre is of interest."""
        self._timbres.hear(identity, frame)

    def tell(self, identity: str, transcript: Transcript) -> None:
        """Tell plugins what a speaker said, who may have left since."""
        self._plugins.tell(self._assignments.speaker(identity), transcript)

    def explain(self, identity: str, language: LanguageCode) -> Verdict | None:
        """Give the verdict on a speaker's voice in a language; None for one who is not there.

        Where no plugin chooses voices that is the default voice.
        """
        return self._assignments.verdicts(identity, (language,)).get(language)

    def _learn_timbre(self, identity: str, timbre: Timbre) -> None:
        self._assignments.learn_timbre(identity, timbre)
        self._woken.set()

    async def _ask(self) -> None:
        now = asyncio.get_running_loop().time
        async with asyncio.TaskGroup() as group:
            while True:
                self._woken.clear()
                identity = self._next_without_voice(now()) or self._next_of_round(now())
                if identity is not None:
                    asking = self._ask_about(identity, is_parallel=bool(self._asked_about))
                    self._asked_about.add(identity)
                    group.create_task(asking, name="choose a speaker's voices")
                else:
                    with suppress(TimeoutError):
                        async with asyncio.timeout_at(self._next_time()):
                            await self._woken.wait()

    def _next_without_voice(self, now: float) -> str | None:
        """Pick the speaker without a voice who is to be asked about now.

        One after the other, so that each sounds unlike those before; but none waits for long.
        """
        waiting = self._assignments.waiting() if self._plugins.choose_voices else []
        self._waiting_since = {who: self._waiting_since.get(who, now) for who in waiting}
        is_turn_taken = not self._asked_about.isdisjoint(waiting)
        for identity, since in self._waiting_since.items():
            may_wait = is_turn_taken and now < since + _TURN_SECONDS - _TIMER_SECONDS
            if identity not in self._asked_about and not may_wait:
                return identity

        return None

    def _next_of_round(self, now: float) -> str | None:
        """Pick the next speaker about whom the facts have changed."""
        if self._asked_about or not self._plugins.choose_voices:
            return None
        if not self._round and now >= self._next_round_at - _TIMER_SECONDS:
            self._round.extend(self._assignments.due())
            self._next_round_at = now + _ROUND_SECONDS if self._round else self._next_round_at

        while self._round:
            identity = self._round.popleft()
            if self._assignments.languages_due(identity):
                return identity

        return None

    def _next_time(self) -> float | None:
        """Tell when to look again although nothing happens."""
        moments = [
            since + _TURN_SECONDS
            for who, since in self._waiting_since.items()
            if who not in self._asked_about
        ]
        if not self._asked_about and self._plugins.choose_voices and self._assignments.due():
            moments.append(self._next_round_at)

        return min(moments, default=None)

    async def _ask_about(self, identity: str, *, is_parallel: bool) -> None:
        """Ask for a speaker's voices in one language after the other, unless that takes long.

        What a plugin has to look up it knows after the first; and one that hangs, hangs once.
        """
        now = asyncio.get_running_loop().time
        languages, is_quick = deque(self._assignments.languages_due(identity)), True
        while languages and is_quick:
            began = now()
            await self._ask_for(identity, languages.popleft(), is_parallel=is_parallel)
            is_quick = now() - began < _QUICK_SECONDS

        if languages:
            async with asyncio.TaskGroup() as group:
                for language in languages:
                    asking = self._ask_for(identity, language, is_parallel=is_parallel)
                    group.create_task(asking, name="choose a voice")

        self._log_cloning(self._assignments.cloned())
        self._asked_about.remove(identity)
        self._woken.set()

    async def _ask_for(self, identity: str, language: LanguageCode, *, is_parallel: bool) -> None:
        question = self._assignments.question(
            self._plugins.room, identity, language, is_parallel=is_parallel
        )
        if question is None:
            return

        verdict = await self._plugins.choose_voice(question.request)
        # the plugins may have been replaced by some that choose no voices
        if self._plugins.choose_voices and self._assignments.decide(question, verdict):
            facts = {
                "language": language,
                "kind": _kind(verdict.choice),
                "plugin": verdict.chosen_by,
            }
            logger.info("voice chosen", extra=facts)
            self._on_change()

    def _log_cloning(self, cloned: frozenset[tuple[str, LanguageCode]]) -> None:
        """Log where imitating a voice begins and ends, without a name."""
        before, self._cloned = self._cloned, cloned
        for _, language in sorted(before - cloned):
            logger.info("voice cloning ends", extra={"language": language})
        for _, language in sorted(cloned - before):
            logger.info("voice cloning begins", extra={"language": language})


def _kind(choice: VoiceChoice | None) -> str:
    match choice:
        case FixedVoice():
            return "fixed"
        case ClonedVoice():
            return "cloned"
        case TimbreMatchedVoice():
            return "timbre_matched"
        case None:
            return "default"
