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
from palabra_agent.capabilities.capability import Verdict
from palabra_agent.interpretation.plugins import RoomPlugins
from palabra_agent.interpretation.timbre_estimation import TimbreEstimation
from palabra_agent.interpretation.voice_assignments import (
    InterpretedSpeaker,
    VoiceAssignments,
    VoiceDecision,
)
from palabra_agent.interpretation.voice_change import TIMER_SECONDS
from palabra_agent.languages import LanguageCode
from palabra_agent.voices import (
    DEFAULT_VOICES,
    ClonedVoice,
    FixedVoice,
    Speaker,
    Timbre,
    TimbreMatchedVoice,
    VoiceChoice,
)

_AGAIN_SECONDS: Final = 0.5
"""Plugins are asked about a speaker who has voices no more often than this."""

_TURN_SECONDS: Final = 1.1
"""A new speaker waits so long for those before, to get a voice unlike theirs: a plugin that hangs
is passed over by then. After that plugins are asked at once, and once more later."""

_QUICK_SECONDS: Final = 0.02
"""An answer that takes longer is not waited for before the speaker's other languages are asked for.
"""

logger = logging.getLogger(__name__)


class VoiceAssigner:
    """The voices of all speakers in a room, for as long as the room lasts."""

    def __init__(self, plugins: RoomPlugins) -> None:
        self._plugins = plugins
        self._assignments = VoiceAssignments(plugins.room)
        self._timbres = TimbreEstimation(plugins)
        self._seen: tuple[tuple[InterpretedSpeaker, ...], int, bool, bool] | None = None
        """Everything that was followed last."""
        self._on_change: Callable[[], None] = lambda: None
        self._woken = asyncio.Event()
        """Set where there may be something to ask, or a speaker to ask about."""
        self._asked_about: set[str] = set()
        """Identities about whom a question is under way."""
        self._waiting_since: dict[str, float] = {}
        """Since when each speaker without a voice waits for one."""
        self._again_at: dict[str, float] = {}
        """The moment before which plugins are not asked about a speaker once more."""

    async def run(self, on_change: Callable[[], None]) -> None:
        """Ask whenever there is a reason to, until cancelled; tells when something came of it."""
        self._on_change = on_change
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask(), name="choose voices")
            group.create_task(
                self._timbres.run(self.speaker, self._learn_timbre), name="estimate timbres"
            )

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
        self._woken.set()

    @property
    def speakers(self) -> tuple[Speaker, ...]:
        """The speakers who are interpreted now, as far as they are known."""
        return self._assignments.speakers

    def speaker(self, identity: str) -> Speaker:
        """Tell what is known of a speaker, who may have left."""
        return self._assignments.speaker(identity)

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

        A default voice is missing in some languages only, and none could replace it.
        """
        if voice_id not in DEFAULT_VOICES:
            self._assignments.mark_unavailable(voice_id)
            self._woken.set()

    def hear(self, identity: str, frame: Frame) -> None:
        """Listen to a frame of a speaker's voice, as long as the timbre is of interest."""
        self._timbres.hear(identity, frame)

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
                identity, moment = self._next(now())
                if identity is not None and moment <= now() + TIMER_SECONDS:
                    asking = self._ask_about(identity, is_parallel=bool(self._asked_about))
                    self._asked_about.add(identity)
                    group.create_task(asking, name="choose a speaker's voices")
                else:
                    with suppress(TimeoutError):
                        async with asyncio.timeout_at(None if identity is None else moment):
                            await self._woken.wait()

    def _next(self, now: float) -> tuple[str | None, float]:
        """Pick the speaker who is to be asked about next, and the moment for that.

        Those without a voice come first, one after the other, so that each sounds unlike those
        before; but none waits for long. Then come those about whom the facts have changed.
        """
        is_asked = self._plugins.choose_voices
        waiting = self._assignments.waiting() if is_asked else []
        self._waiting_since = {who: self._waiting_since.get(who, now) for who in waiting}
        turn = 0.0 if self._asked_about.isdisjoint(waiting) else _TURN_SECONDS
        moments = {
            who: since + turn
            for who, since in self._waiting_since.items()
            if who not in self._asked_about
        }
        if is_asked and not waiting and not self._asked_about:
            moments = {who: self._again_at.get(who, -math.inf) for who in self._assignments.due()}

        return min(moments.items(), key=lambda it: it[1], default=(None, math.inf))

    async def _ask_about(self, identity: str, *, is_parallel: bool) -> None:
        """Ask for a speaker's voices in one language after the other, unless that takes long.

        What a plugin has to look up it knows after the first; and one that hangs, hangs once.
        """
        now = asyncio.get_running_loop().time
        if identity not in self._waiting_since:
            later = {who: at for who, at in self._again_at.items() if at > now()}
            self._again_at = {**later, identity: now() + _AGAIN_SECONDS}

        languages, is_quick = deque(self._assignments.languages_due(identity)), True
        while languages and is_quick:
            began = now()
            await self._ask_for(identity, languages.popleft(), is_parallel=is_parallel)
            is_quick = now() - began < _QUICK_SECONDS

        async with asyncio.TaskGroup() as group:
            for language in languages:
                asking = self._ask_for(identity, language, is_parallel=is_parallel)
                group.create_task(asking, name="choose a voice")

        self._asked_about.remove(identity)
        self._woken.set()

    async def _ask_for(self, identity: str, language: LanguageCode, *, is_parallel: bool) -> None:
        question = self._assignments.question(identity, language)
        if question is None:
            return

        request, facts = question
        verdict = await self._plugins.choose_voice(request)
        decision = VoiceDecision(verdict, facts, is_provisional=is_parallel)
        # the plugins may have been replaced by some that choose no voices
        if self._plugins.choose_voices and self._assignments.decide(identity, language, decision):
            kind, plugin = _kind(verdict.choice), verdict.chosen_by
            told = {"language": language, "kind": kind, "plugin": plugin}
            logger.info("voice chosen", extra=told)
            self._on_change()


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
