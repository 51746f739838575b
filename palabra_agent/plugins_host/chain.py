"""The plugins of one room, in the order of asking: what the interpretation sees of them.

Nothing here raises for a plugin's sake or takes longer than its deadline. Two things no fence can
help: a plugin that computes without ever awaiting holds up its room's whole process, and one that
awaits a task of its own that heeds no cancellation holds up the end of the room.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.concurrency import single_failure
from palabra_agent.errors import PluginError
from palabra_agent.languages import LanguageCode
from palabra_agent.plugin import Speech
from palabra_agent.plugins_host.configured import ConfiguredPlugin
from palabra_agent.plugins_host.departure import dismiss, see_off
from palabra_agent.plugins_host.fences import are_equal
from palabra_agent.plugins_host.guest import Guest
from palabra_agent.plugins_host.questions import CHOOSE_VOICE, ESTIMATE_TIMBRE, Question
from palabra_agent.plugins_host.transcripts import Narrator
from palabra_agent.session import Transcript
from palabra_agent.voices import Passed, Speaker, Timbre, Verdict, VoiceRequest, voice_ids

_LONGEST_REASON: Final = 200


class PluginChain:
    """The plugins of one room; `open_chain` opens it."""

    def __init__(
        self,
        room: str,
        group: asyncio.TaskGroup,
        utc_now: Callable[[], datetime],
        on_failure: Callable[[PluginError], None],
    ) -> None:
        self._room = room
        self._on_failure = on_failure
        self._group = group
        self._narrator = Narrator(room, utc_now)
        self._guests: tuple[Guest, ...] = ()
        self._changing = asyncio.Lock()

    @property
    def room(self) -> str:
        """The room's name."""
        return self._room

    @property
    def choose_voices(self) -> bool:
        """Whether one of them chooses voices, or might have if it had opened."""
        return any(self._having(CHOOSE_VOICE))

    @property
    def estimate_timbres(self) -> bool:
        """Whether one that is open wants to hear speakers."""
        return any(guest.is_open for guest in self._having(ESTIMATE_TIMBRE))

    async def choose_voice(self, request: VoiceRequest) -> Verdict:
        """Ask one after the other until one chooses a voice that Palabra may have."""
        passed: list[tuple[str, str]] = []
        for guest in self._having(CHOOSE_VOICE):
            try:
                answer = await guest.ask(CHOOSE_VOICE, request)
            except PluginError as failure:
                passed.append((guest.name, failure.reason))
                continue

            match answer:
                case None:
                    passed.append((guest.name, "passed"))
                case Passed(reason):
                    passed.append((guest.name, reason[:_LONGEST_REASON] or "passed"))
                case choice if request.unavailable and voice_ids(choice) & request.unavailable:
                    passed.append((guest.name, "Palabra has no such voice"))
                case choice:
                    return Verdict(choice, guest.name, tuple(passed))

        return Verdict(passed=tuple(passed))

    async def estimate_timbre(self, speaker: Speaker, samples: Pcm) -> Timbre | None:
        """Ask one after the other until one knows how a voice sounds."""
        # theirs to keep, in a thread and beyond the deadline
        voice = np.array(samples, np.int16)
        voice.setflags(write=False)
        speech = Speech(speaker=speaker, samples=voice, sample_rate=SAMPLE_RATE)
        for guest in self._having(ESTIMATE_TIMBRE):
            try:
                timbre = await guest.ask(ESTIMATE_TIMBRE, speech)
            except PluginError:
                continue  # written down where it happened

            if timbre is not None:
                return timbre

        return None

    def tell(self, speaker: Speaker, transcript: Transcript) -> None:
        """Tell those who listen what was said; never waits."""
        event = self._narrator.event(speaker, transcript)
        for guest in self._guests:
            guest.tell(event)

    async def heard(self) -> None:
        """Wait until those who listen have heard everything, a resting one left out."""
        for guest in self._guests:
            await guest.heard()

    async def follow(
        self, plugins: Sequence[ConfiguredPlugin], languages: Sequence[LanguageCode] = ()
    ) -> None:
        """Be these plugins from now on.

        What is equal stays as it is. The others are closed, after the questions to them that are
        under way; then what is new is opened. What is said meanwhile is told to it later. Whoever
        cancels this only waits no longer.

        Args:
            plugins: In the order of asking.
            languages: What listeners may ask for; told to those that are opened now.
        """
        async with self._changing:
            staying = list(self._guests)
            guests = tuple(self._guest(plugin, staying) for plugin in plugins)
            new = [guest for guest in guests if guest not in self._guests]
            self._guests = guests
            _number(guests)
            try:
                await dismiss(staying)
            finally:
                for guest in new:
                    guest.open(self._room, languages)

            for guest in new:
                await guest.settled.wait()

    async def close(self) -> None:
        """Close all of them, the last first."""
        guests, self._guests = self._guests, ()
        await see_off(guests)

    def _having(self, question: Question[Any, Any]) -> Iterator[Guest]:
        return (guest for guest in self._guests if guest.may_answer(question))

    def _guest(self, plugin: ConfiguredPlugin, staying: list[Guest]) -> Guest:
        """The one that is there already, taken out of `staying`, or a new one."""
        for guest in staying:
            if are_equal(guest.plugin, plugin):
                staying.remove(guest)
                return guest

        return Guest(plugin, self._group, self._on_failure)


@asynccontextmanager
async def open_chain(
    room: str,
    plugins: Sequence[ConfiguredPlugin],
    languages: Sequence[LanguageCode] = (),
    *,
    utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    on_failure: Callable[[PluginError], None] = lambda failure: None,
) -> AsyncGenerator[PluginChain]:
    """Hold a room's plugins open for the length of a block.

    Those that do not open are passed over. On the way out they are closed, the last first, within
    0.6 s; who heeds nothing is let go.

    Args:
        room: The room's name.
        plugins: In the order of asking.
        languages: What listeners may ask for.
        utc_now: Tells the time of transcripts.
        on_failure: Told what a plugin does wrong, each time, with its own error as the cause.
    """
    with single_failure():
        async with asyncio.TaskGroup() as group:
            chain = PluginChain(room, group, utc_now, on_failure)
            try:
                await chain.follow(plugins, languages)
                yield chain
            finally:
                await chain.close()


def _number(guests: Sequence[Guest]) -> None:
    """Tell those of one name apart: `name`, `name#2`."""
    seen: Counter[str] = Counter()
    for guest in guests:
        name = guest.plugin.name
        seen[name] += 1
        guest.name = name if seen[name] == 1 else f"{name}#{seen[name]}"
