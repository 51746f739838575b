"""Opens the room of a test, with its plugins."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from palabra_agent.concurrency import single_failure
from palabra_agent.errors import PluginError
from palabra_agent.plugins_host.chain import open_chain
from palabra_agent.testing.entries import Entry, configure
from palabra_agent.testing.room import SimulatedRoom
from palabra_agent.testing.talk import RoomClock

DEFAULT_LANGUAGES: Final = ("en", "es", "de")

logger = logging.getLogger(__name__)


@asynccontextmanager
async def simulated_room(
    *entries: Entry, languages: Sequence[str] = DEFAULT_LANGUAGES, name: str = "room"
) -> AsyncGenerator[SimulatedRoom]:
    """Open plugins in a room that exists only for the length of a block.

    Args:
        entries: The room's list of plugins, in the order of asking.
        languages: What listeners may ask for; everybody is interpreted into each but their own.
        name: The room's.

    Raises:
        RoomConfigError: A config is wrong, or a plugin's own `example`; the sentences are those
            that a room would show.
        SettingsError: Settings are wrong; the sentences are those that a worker would show.
    """
    plugins, offered = configure(entries, languages)
    clock, failures = RoomClock(), list[PluginError]()

    def note(failure: PluginError) -> None:
        failures.append(failure)
        # a real room keeps this to itself; whoever looks at a failed test wants to see it
        logger.error("%s", failure, exc_info=failure.__cause__)

    async with (
        _with_notes(failures),
        open_chain(name, plugins, offered, utc_now=clock.now, on_failure=note) as chain,
    ):
        room = SimulatedRoom(chain, offered, clock, failures)
        with single_failure():
            async with asyncio.TaskGroup() as group:
                assigning = group.create_task(room.run(), name="assign voices")
                try:
                    yield room
                finally:
                    assigning.cancel()


@asynccontextmanager
async def _with_notes(failures: Sequence[PluginError]) -> AsyncGenerator[None]:
    """Let whatever fails in the block say what plugins did wrong: it may be the reason."""
    try:
        yield
    except BaseException as error:
        for words in dict.fromkeys(map(_told, failures)):
            error.add_note(words)

        raise


def _told(failure: PluginError) -> str:
    cause = "" if failure.__cause__ is None else type(failure.__cause__).__name__
    return str(failure) if cause in failure.reason else f"{failure} ({cause})"
