"""A room's language channels: opened and closed as languages come and go, each by itself."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from palabra_agent.audio.mixer import Mixer
from palabra_agent.interpretation.channel import LanguageChannel, open_channel
from palabra_agent.interpretation.ports import Meeting
from palabra_agent.languages import LanguageCode


class Channels:
    """Those that are wanted, and of these those that are there."""

    def __init__(
        self, meeting: Meeting, group: asyncio.TaskGroup, on_change: Callable[[], None]
    ) -> None:
        self._meeting = meeting
        self._group = group
        self._on_change = on_change
        self.open: dict[LanguageCode, LanguageChannel] = {}
        """Published and playing; changes by itself."""
        self._held: dict[LanguageCode, asyncio.Task[None]] = {}
        self._mixers = defaultdict[LanguageCode, Mixer](Mixer)
        """By language, for good: sound on its way goes on where a language is dropped and taken up
        again."""
        self._turns = defaultdict[LanguageCode, asyncio.Lock](asyncio.Lock)
        """Held by the one channel of a language that is there, or about to be."""
        self._publishing = asyncio.Lock()
        self._all_open = asyncio.Event()

    def follow(self, languages: Sequence[LanguageCode]) -> None:
        """Want channels for these languages and no others; never waits."""
        for language in self._held.keys() - set(languages):
            self._held.pop(language).cancel()

        for language in languages:
            if language not in self._held:
                self._held[language] = self._group.create_task(
                    self._hold(language), name=f"channel of {language}"
                )
        self._note()

    def are_open(self, languages: Collection[LanguageCode]) -> bool:
        """Whether each of these can be heard."""
        return self.open.keys() >= set(languages)

    async def until_open(self) -> None:
        """Wait until every wanted channel is there."""
        await self._all_open.wait()

    def close(self) -> None:
        """Want none any more, for good."""
        self.follow(())

    async def _hold(self, language: LanguageCode) -> None:
        """Keep a channel open until cancelled, once its predecessor is gone."""
        async with self._turns[language], AsyncExitStack() as stack:
            # in the order of the offer, and the room sees one negotiation after the other
            async with self._publishing:
                opening = open_channel(self._meeting, language, self._mixers[language])
                channel = await stack.enter_async_context(opening)
            self.open[language] = channel
            stack.callback(self.open.pop, language)
            self._note()
            await asyncio.Event().wait()

    def _note(self) -> None:
        if self.are_open(self._held):
            self._all_open.set()
        else:
            self._all_open.clear()

        self._on_change()


@asynccontextmanager
async def open_channels(
    meeting: Meeting, on_change: Callable[[], None]
) -> AsyncGenerator[Channels]:
    """Have channels for the length of a block; they are unpublished when it ends.

    Args:
        meeting: Where they are published.
        on_change: Called when one is there or gone.

    Raises:
        MeetingError: In a group: the room did not let us publish one; the block is cancelled.
    """
    async with asyncio.TaskGroup() as group:
        channels = Channels(meeting, group, on_change)
        try:
            yield channels
        finally:
            channels.close()
