"""Who sounds how: asks a room's plugins for voices, and asks again when the facts change."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from palabra_agent.audio.frame import Frame
from palabra_agent.interpretation.cast import Cast, Role
from palabra_agent.interpretation.plugins import NoPlugins, RoomPlugins
from palabra_agent.interpretation.timbres import TimbreSearch
from palabra_agent.interpretation.voice_log import VoiceLog
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Transcript
from palabra_agent.voices import DEFAULT_VOICES, Timbre, Verdict, VoiceChoice

__all__ = ["Casting", "Role"]

_ROUND_SECONDS: Final = 0.5
"""Rounds in which everybody is asked about again begin at least this far apart."""

_LINE_SECONDS: Final = 1.1
"""So long somebody new waits for those before, whose voices theirs is to differ from: a plugin that
hangs is passed over by then. After that they are asked about at once, and once more later."""

_QUICK_SECONDS: Final = 0.02
"""An answer that takes longer is not waited for before the speaker's other languages are asked for.
"""

_GRAIN_SECONDS: Final = 1e-6
"""A timer may ring early by less than this."""


class Casting:
    """The voices of everybody in a room, for as long as the room lasts."""

    def __init__(self, plugins: RoomPlugins | None = None) -> None:
        self._plugins: RoomPlugins = plugins or NoPlugins()
        self._cast = Cast()
        self._timbres = TimbreSearch(self._plugins)
        self._log = VoiceLog()
        self._seen: tuple[tuple[Role, ...], int, bool, bool] | None = None
        """Everything that was followed last."""
        self._woken = asyncio.Event()
        """Set where there may be something to ask, or somebody to ask it about."""
        self._asked_about: set[str] = set()
        """Identities about whom a question is under way."""
        self._in_line: dict[str, float] = {}
        """Who waits for a voice, and since when."""
        self._round: deque[str] = deque()
        """Who is still to be asked about in this round."""
        self._next_round_at = -math.inf

    async def run(self, on_change: Callable[[], None]) -> None:
        """Ask whenever there is reason to, until cancelled; tells when something came of it."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask(on_change), name="choose voices")
                group.create_task(
                    self._timbres.run(self._cast.speaker, self._learn), name="estimate timbres"
                )
        finally:
            self._log.follow_cloning(frozenset())

    def follow(self, roles: Sequence[Role], revision: int = 0) -> None:
        """Learn who is interpreted now, and into what; never waits.

        Args:
            roles: Everybody, in the order in which they came.
            revision: Another number where other plugins are there than before.
        """
        is_asked, is_heard = self._plugins.choose_voices, self._plugins.estimate_timbres
        seen = (tuple(roles), revision, is_asked, is_heard)
        if seen == self._seen:
            return

        self._seen = seen
        self._cast.follow(roles, revision, is_asked=is_asked)
        self._timbres.follow(self._cast.of_unknown_timbre() if is_heard else ())
        self._log.follow_cloning(self._cast.cloned())
        self._woken.set()

    def voices_of(
        self, identity: str, targets: Sequence[LanguageCode]
    ) -> Mapping[LanguageCode, VoiceChoice] | None:
        """The voices chosen for a speaker, the default left out; None while one is not decided."""
        if not self._plugins.choose_voices:
            return {}

        verdicts = self._cast.verdicts(identity, targets)
        if not verdicts.keys() >= set(targets):
            return None

        return {target: it.choice for target, it in verdicts.items() if it.choice is not None}

    def miss(self, voice_id: str) -> None:
        """Learn that Palabra does not have a voice: nobody gets it any more in this room.

        A default one is missing in some language alone, and there is no other to take its place.
        """
        if voice_id not in DEFAULT_VOICES:
            self._cast.miss(voice_id)
            self._woken.set()

    def hear(self, identity: str, frame: Frame) -> None:
        """Listen to a frame of a speaker's voice, as long as their timbre is of interest."""
        self._timbres.hear(identity, frame)

    def tell(self, identity: str, transcript: Transcript) -> None:
        """Let plugins know what a speaker said, who may have left since."""
        self._plugins.tell(self._cast.speaker(identity), transcript)

    def explain(self, identity: str, language: LanguageCode) -> Verdict | None:
        """What came of asking for a speaker's voice in a language; None where nobody is or was.

        Where no plugin chooses voices that is the default voice.
        """
        return self._cast.verdicts(identity, (language,)).get(language)

    def _learn(self, identity: str, timbre: Timbre) -> None:
        self._cast.learn(identity, timbre)
        self._woken.set()

    async def _ask(self, on_change: Callable[[], None]) -> None:
        now = asyncio.get_running_loop().time
        async with asyncio.TaskGroup() as group:
            while True:
                self._woken.clear()
                identity = self._next_new(now()) or self._next_of_round(now())
                if identity is not None:
                    asking = self._ask_about(identity, on_change, is_blind=bool(self._asked_about))
                    self._asked_about.add(identity)
                    group.create_task(asking, name="choose a speaker's voices")
                else:
                    with suppress(TimeoutError):
                        async with asyncio.timeout_at(self._next_time()):
                            await self._woken.wait()

    def _next_new(self, now: float) -> str | None:
        """Who of those that wait for a voice is to be asked about now.

        One after the other, for each is to sound unlike those before; but nobody waits for long.
        """
        waiting = self._cast.waiting() if self._plugins.choose_voices else []
        self._in_line = {who: self._in_line.get(who, now) for who in waiting}
        is_line_held = not self._asked_about.isdisjoint(waiting)
        for identity, since in self._in_line.items():
            is_patient = is_line_held and now < since + _LINE_SECONDS - _GRAIN_SECONDS
            if identity not in self._asked_about and not is_patient:
                return identity

        return None

    def _next_of_round(self, now: float) -> str | None:
        """Who of those about whom the facts have changed is to be asked about now."""
        if self._asked_about or not self._plugins.choose_voices:
            return None
        if not self._round and now >= self._next_round_at - _GRAIN_SECONDS:
            self._round.extend(self._cast.due())
            self._next_round_at = now + _ROUND_SECONDS if self._round else self._next_round_at

        while self._round:
            identity = self._round.popleft()
            if self._cast.languages_due(identity):
                return identity

        return None

    def _next_time(self) -> float | None:
        """When to look again although nothing happens."""
        moments = [
            since + _LINE_SECONDS
            for who, since in self._in_line.items()
            if who not in self._asked_about
        ]
        if not self._asked_about and self._plugins.choose_voices and self._cast.due():
            moments.append(self._next_round_at)

        return min(moments, default=None)

    async def _ask_about(
        self, identity: str, on_change: Callable[[], None], *, is_blind: bool
    ) -> None:
        """Ask for a speaker's voices in one language after the other, unless that takes long.

        What a plugin has to look up it knows after the first; and one that hangs, hangs once.
        """
        now = asyncio.get_running_loop().time
        languages, is_quick = deque(self._cast.languages_due(identity)), True
        while languages and is_quick:
            began = now()
            await self._ask_for(identity, languages.popleft(), on_change, is_blind=is_blind)
            is_quick = now() - began < _QUICK_SECONDS

        if languages:
            async with asyncio.TaskGroup() as group:
                for language in languages:
                    asking = self._ask_for(identity, language, on_change, is_blind=is_blind)
                    group.create_task(asking, name="choose a voice")

        self._log.follow_cloning(self._cast.cloned())
        self._asked_about.remove(identity)
        self._woken.set()

    async def _ask_for(
        self,
        identity: str,
        language: LanguageCode,
        on_change: Callable[[], None],
        *,
        is_blind: bool,
    ) -> None:
        question = self._cast.ask(self._plugins.room, identity, language, is_blind=is_blind)
        if question is None:
            return

        verdict = await self._plugins.choose_voice(question.request)
        # nobody may choose voices any more
        if self._plugins.choose_voices and self._cast.settle(question, verdict):
            self._log.choose(language, verdict)
            on_change()
