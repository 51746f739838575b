"""A way to a client that faults stand in: it may be cut, mute, deaf, or without its bot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.faults.catalogue import BotMissing, NothingComesOut
from palabra_emulator.faults.injection import SessionFaults
from palabra_emulator.faults.message_faults import offered_as
from palabra_emulator.transports.ports import (
    DONE,
    ClientTransport,
    OpenTransport,
    Packet,
    RoomNames,
    RoomsUnavailable,
    TransportEvent,
    TransportLost,
)

logger = logging.getLogger(__name__)

_ABANDONED_SECONDS: Final = 60.0
"""The time for which a session outlives its bot."""


class FaultyTransport:
    """Stands around the real way to a client."""

    def __init__(self, real: ClientTransport, faults: SessionFaults, *, has_bot: bool) -> None:
        self._real = real
        self._faults = faults
        self._has_bot = has_bot
        self._names: dict[str, str] = {}
        """The codes under which the languages are offered."""

    async def next_event(self) -> TransportEvent:
        """Wait for what the client does next, as far as it arrives."""
        while True:
            try:
                event = await self._real.next_event()
            except TransportLost:
                if not self._is_away:
                    raise
                await asyncio.sleep(_ABANDONED_SECONDS)
                raise TransportLost("the bot has left for good") from None
            if not (isinstance(event, Packet) and self._faults.is_cut):
                return event

    async def listen(self, hear: Callable[[Pcm], None], /) -> None:
        """Hear the client's sound, as far as it arrives."""

        def hear_what_arrives(pcm: Pcm) -> None:
            if not self._faults.is_cut:
                hear(pcm)

        await self._real.listen(hear_what_arrives)

    async def has_input(self) -> bool:
        """True if sound has arrived; no fault of this kind starves the watchdog."""
        return self._is_away or self._faults.is_cut or await self._real.has_input()

    async def send(self, payload: bytes, /) -> None:
        """Say something, as far as it arrives."""
        if not self._is_silenced:
            await self._real.send(payload)

    async def offer(self, languages: Sequence[str], /, *, anew: bool) -> None:
        """Have these languages to be heard, by the names that they have now."""
        if self._is_away:
            return

        named = {
            it: offered_as(self._faults, it, languages, has_tracks=self._has_bot)
            for it in languages
        }
        self._names = {it: name for it, name in named.items() if name is not None}
        anew = anew or self._faults.renews_tracks
        self._faults.renews_tracks = False
        await self._real.offer(list(self._names.values()), anew=anew)

    async def play(self, language: str, pcm: Pcm, /) -> None:
        """Let speech be heard, as far as it arrives."""
        if language in self._names and not self._is_silenced:
            await self._real.play(self._names[language], pcm)

    def hush(self, language: str, /) -> None:
        """Withdraw the speech that is not heard yet."""
        if language in self._names:
            self._real.hush(self._names[language])

    async def expel_client(self, code: int = DONE, /) -> None:
        """End the client's connection, unless it is to find its room closed."""
        if not self._faults.spares_client:
            await self._real.expel_client(self._faults.close_code or code)

    @property
    def _is_away(self) -> bool:
        return self._has_bot and self._faults.is_away

    @property
    def _is_silenced(self) -> bool:
        """True if nothing that is said arrives, whatever the reason."""
        return self._faults.is_mute or self._is_away or self._faults.is_cut


class DelayedTransport:
    """A way to a client whose bot is not there yet, or never will be."""

    def __init__(self) -> None:
        self._real: ClientTransport | None = None
        self._came = asyncio.Event()
        self._offered: tuple[Sequence[str], bool] | None = None

    async def come(self, real: ClientTransport) -> None:
        """The bot is there."""
        self._real = real
        if self._offered is not None:
            languages, anew = self._offered
            await real.offer(languages, anew=anew)
        self._came.set()

    async def next_event(self) -> TransportEvent:
        """Wait for what the client does, once the bot is there to see it."""
        return await (await self._there()).next_event()

    async def listen(self, hear: Callable[[Pcm], None], /) -> None:
        """Hear the client's sound, once the bot is there to hear it."""
        await (await self._there()).listen(hear)

    async def has_input(self) -> bool:
        """True if sound has arrived; a bot that is not there misses none."""
        return self._real is None or await self._real.has_input()

    async def send(self, payload: bytes, /) -> None:
        """Say something, if the bot is there."""
        if self._real is not None:
            await self._real.send(payload)

    async def offer(self, languages: Sequence[str], /, *, anew: bool) -> None:
        """Have these languages to be heard, from the coming on."""
        self._offered = (languages, anew)
        if self._real is not None:
            await self._real.offer(languages, anew=anew)

    async def play(self, language: str, pcm: Pcm, /) -> None:
        """Let speech be heard, if the bot is there."""
        if self._real is not None:
            await self._real.play(language, pcm)

    def hush(self, language: str, /) -> None:
        """Withdraw the speech that is not heard yet."""
        if self._real is not None:
            self._real.hush(language)

    async def expel_client(self, code: int = DONE, /) -> None:
        """End the client's connection, if the bot is there."""
        if self._real is not None:
            await self._real.expel_client(code)

    async def _there(self) -> ClientTransport:
        await self._came.wait()
        assert self._real is not None, "who came is there"
        return self._real


@asynccontextmanager
async def open_delayed(
    open_transport: OpenTransport, names: RoomNames, delay_seconds: float | None
) -> AsyncGenerator[DelayedTransport]:
    """Open a way to a client now whose bot comes later; `None` for never."""
    transport = DelayedTransport()

    async def come() -> None:
        if delay_seconds is None:
            return
        await asyncio.sleep(delay_seconds)
        try:
            async with open_transport(names) as real:
                await transport.come(real)
                await asyncio.Event().wait()
        except RoomsUnavailable as error:
            logger.warning("a bot that was to come late did not come: %s", error)

    async with asyncio.TaskGroup() as group:
        coming = group.create_task(come())
        try:
            yield transport
        finally:
            coming.cancel()


def open_bot_or_not(
    open_transport: OpenTransport, names: RoomNames, faults: SessionFaults, bot_delay_seconds: float
) -> AbstractAsyncContextManager[ClientTransport]:
    """Open the way to a session's client, with its bot there at once, later, or never."""
    fault = faults.trigger_once("opening", BotMissing, NothingComesOut)
    if isinstance(fault, BotMissing) and fault.variant == "late":
        return open_delayed(open_transport, names, fault.delay_ms / 1000)
    if fault is not None:
        return open_delayed(open_transport, names, None)
    if bot_delay_seconds:
        return open_delayed(open_transport, names, bot_delay_seconds)

    return open_transport(names)
