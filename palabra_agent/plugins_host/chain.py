"""The plugins of one room, in the order of asking: the only part of them that a room sees.

Nothing here raises for a plugin's sake or takes longer than its deadline. Two things cannot be
helped: a plugin that computes without ever awaiting holds up its room's whole process, and one
that ignores its cancellations is left behind.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from palabra_agent.audio.pcm import Pcm
from palabra_agent.capabilities import ALL
from palabra_agent.capabilities.capability import (
    AnswerT,
    AnyCapability,
    FirstAnswer,
    Passed,
    RequestT,
    TellAll,
    Verdict,
)
from palabra_agent.capabilities.timbre import TIMBRE_ESTIMATOR, speech_of
from palabra_agent.capabilities.transcript import TRANSCRIPT_LISTENER, TranscriptEvents
from palabra_agent.capabilities.voice import VOICE_POLICY, VoiceRequest
from palabra_agent.concurrency import finish_despite_cancellation
from palabra_agent.errors import PluginError
from palabra_agent.languages import LanguageCode
from palabra_agent.plugins_host.configuring import ConfiguredPlugin
from palabra_agent.plugins_host.open_plugin import (
    CALL_SECONDS,
    CLOSE_SECONDS,
    HEED_SECONDS,
    OpenPlugin,
)
from palabra_agent.session import Transcript
from palabra_agent.voices import Speaker, Timbre

_TELLING_SHARE: Final = 0.5
"""Of the time to close: for telling plugins the events that wait."""
_MARGIN_SECONDS: Final = 0.1


class PluginChain:
    """The plugins of one room; `open_chain` opens it."""

    def __init__(
        self,
        room: str,
        capabilities: Sequence[AnyCapability],
        utc_now: Callable[[], datetime],
        on_error: Callable[[PluginError], None],
    ) -> None:
        self.room = room
        """The room's name."""
        self._capabilities = capabilities
        self._on_error = on_error
        self._transcripts = TranscriptEvents(room, utc_now)
        self._plugins: tuple[OpenPlugin, ...] = ()
        self._changing = asyncio.Lock()

    @property
    def choose_voices(self) -> bool:
        """True where a plugin chooses voices, or might have if it had opened."""
        return any(self._having(VOICE_POLICY))

    @property
    def estimate_timbres(self) -> bool:
        """True where a plugin that is open wants to hear speakers."""
        return any(plugin.is_open for plugin in self._having(TIMBRE_ESTIMATOR))

    @property
    def announced(self) -> tuple[str, ...]:
        """Sentences that people are told while the plugins that say them are open."""
        return tuple(it.announcement for it in self._plugins if it.is_open and it.announcement)

    async def first_answer(
        self, capability: FirstAnswer[RequestT, AnswerT], request: RequestT
    ) -> Verdict[AnswerT]:
        """Ask one plugin after the other until one has an answer."""
        passed: list[tuple[str, str]] = []
        private: set[str] = set()
        for plugin in self._having(capability):
            answer = await plugin.ask(capability, request)
            if not isinstance(answer, Passed):
                return Verdict(answer, plugin.name, tuple(passed), frozenset(private))
            passed.append((plugin.name, answer.reason))
            if answer.is_private:
                private.add(plugin.name)

        return Verdict(passed=tuple(passed), private=frozenset(private))

    def tell_all(self, capability: TellAll[RequestT], event: RequestT) -> None:
        """Tell all plugins that have the capability; never waits."""
        for plugin in self._plugins:
            plugin.tell(capability, event)

    async def choose_voice(self, request: VoiceRequest) -> Verdict:
        """Ask for a voice that Palabra may have."""
        return await self.first_answer(VOICE_POLICY, request)

    async def estimate_timbre(self, speaker: Speaker, samples: Pcm) -> Timbre | None:
        """Ask how a voice sounds."""
        return (await self.first_answer(TIMBRE_ESTIMATOR, speech_of(speaker, samples))).choice

    def tell(self, speaker: Speaker, transcript: Transcript) -> None:
        """Tell what a speaker said; never waits."""
        self.tell_all(TRANSCRIPT_LISTENER, self._transcripts.event(speaker, transcript))

    async def heard(self) -> None:
        """Wait until all plugins have heard all events, a resting one left out."""
        for plugin in self._plugins:
            await plugin.heard()

    async def follow(
        self, plugins: Sequence[ConfiguredPlugin], languages: Sequence[LanguageCode] = ()
    ) -> None:
        """Be these plugins from now on.

        What is equal stays as it is. The others are closed, after the questions to them that are
        under way; then what is new is opened. What is said meanwhile is told to it later.
        Cancelling this only ends the waiting.

        Args:
            plugins: In the order of asking.
            languages: What listeners may ask for; told to those that are opened now.
        """
        async with self._changing:
            dropped = list(self._plugins)
            following = tuple(self._keep_or_make(plugin, dropped) for plugin in plugins)
            new = [plugin for plugin in following if plugin not in self._plugins]
            self._plugins = following
            _number(following)
            try:
                await _close_when_answered(dropped)
            finally:
                for plugin in new:
                    plugin.open(self.room, languages)

            for plugin in new:
                await plugin.settled.wait()

    async def close(self) -> None:
        """Close all of them, the last first."""
        plugins, self._plugins = self._plugins, ()
        await _close(plugins)

    def _having(self, capability: AnyCapability) -> Iterator[OpenPlugin]:
        return (plugin for plugin in self._plugins if plugin.may_have(capability))

    def _keep_or_make(self, plugin: ConfiguredPlugin, dropped: list[OpenPlugin]) -> OpenPlugin:
        """Give the one that is open already, taken out of `dropped`, or a new one."""
        for there in dropped:
            if there.plugin == plugin:
                dropped.remove(there)
                return there

        return OpenPlugin(plugin, self._capabilities, self._on_error)


@asynccontextmanager
async def open_chain(
    room: str,
    plugins: Sequence[ConfiguredPlugin],
    languages: Sequence[LanguageCode] = (),
    *,
    capabilities: Sequence[AnyCapability] = ALL,
    utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    on_error: Callable[[PluginError], None] = lambda error: None,
) -> AsyncGenerator[PluginChain]:
    """Hold a room's plugins open for the length of a block.

    Those that do not open are passed over. On the way out they are closed, the last first, within
    0.6 s; one that ignores its cancellations is left behind.

    Args:
        room: The room's name.
        plugins: In the order of asking.
        languages: What listeners may ask for.
        capabilities: What plugins can be asked.
        utc_now: Tells the time of transcripts.
        on_error: Told each error of a plugin, with the plugin's own error as the cause.
    """
    chain = PluginChain(room, capabilities, utc_now, on_error)
    try:
        await chain.follow(plugins, languages)
        yield chain
    finally:
        await chain.close()


def _number(plugins: Sequence[OpenPlugin]) -> None:
    """Tell those of one name apart: `name`, `name#2`."""
    seen: Counter[str] = Counter()
    for it in plugins:
        name = it.plugin.name
        seen[name] += 1
        it.name = name if seen[name] == 1 else f"{name}#{seen[name]}"


async def _close_when_answered(plugins: Sequence[OpenPlugin]) -> None:
    """Close plugins when they have answered their present questions."""
    calls = [call for plugin in plugins for call in plugin.calls]
    try:
        if calls:
            await asyncio.wait(calls, timeout=CALL_SECONDS)
    finally:
        await _close(plugins)


async def _close(plugins: Sequence[OpenPlugin]) -> None:
    """Close plugins in time, however often this is cancelled meanwhile."""
    seconds = CLOSE_SECONDS + sum(HEED_SECONDS) + _MARGIN_SECONDS
    await finish_despite_cancellation(_close_one_by_one(plugins), seconds=seconds)


async def _close_one_by_one(plugins: Sequence[OpenPlugin]) -> None:
    now = asyncio.get_running_loop().time
    deadline = now() + CLOSE_SECONDS
    tell_until = now() + CLOSE_SECONDS * _TELLING_SHARE
    try:
        for left in range(len(plugins), 0, -1):
            plugin = plugins[left - 1]
            plugin.close(tell_until)
            # one that hangs takes its share of the time, and the next one begins
            await plugin.closes_within((deadline - now()) / left)

        for plugin in plugins:
            await plugin.closes_within(deadline - now())
    finally:
        async with asyncio.TaskGroup() as group:
            for plugin in plugins:
                group.create_task(plugin.stop(), name="stop plugin")
