"""The config of one room while it runs: who may change it, and whom each change reaches.

Changes are made one after the other, each as a whole. What does not change goes on as it is: every
part learns only of what concerns it, and finds out by itself what there is to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from palabra_agent.concurrency import Watched
from palabra_agent.config.room import RoomConfig, known_keys
from palabra_agent.errors import Problem, RoomConfigError
from palabra_agent.interpretation.settings import InterpretationSettings
from palabra_agent.languages import LanguageCode
from palabra_agent.meeting.rpc import Call, CallRefused
from palabra_agent.palabra.session_settings import SessionSettings
from palabra_agent.plugins_host.configuring import ConfiguredPlugin
from palabra_agent.room.change import ConfigChange, Plugins, read_change
from palabra_agent.room.terms import changed_terms, session_settings_of

CONFIGURE: Final = "palabra.configure"
"""Name of the method."""

logger = logging.getLogger(__name__)


class Offering(Protocol):
    """Whoever shows which languages may be asked for."""

    def offer(self, languages: Sequence[LanguageCode]) -> None:
        """Show others from now on."""
        ...


class SessionFollower(Protocol):
    """Whoever opens Palabra's sessions."""

    def follow(self, settings: SessionSettings) -> None:
        """Have other settings from now on."""
        ...


class PluginFollower(Protocol):
    """Whoever holds a room's plugins open."""

    async def follow(
        self, plugins: Sequence[ConfiguredPlugin], languages: Sequence[LanguageCode]
    ) -> None:
        """Be other plugins from now on; what is equal stays open."""
        ...


class Limited(Protocol):
    """Whoever ends the interpretation when its time is over."""

    def follow(self, minutes: float | None) -> None:
        """Have another limit from now on; None for none."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """All that works by a room's config."""

    terms: Watched[InterpretationSettings]
    sessions: SessionFollower
    plugins: PluginFollower
    meeting: Offering
    limit: Limited


class Configuring:
    """One room's config, from the first to the last that holds."""

    def __init__(
        self, config: RoomConfig, parts: Parts, plugins: Plugins, organisers: Collection[str]
    ) -> None:
        """Begin with a config that all parts work by already.

        Args:
            config: What holds.
            parts: Who works by it.
            plugins: Who knows the plugins that may be named.
            organisers: Identities that may change any room, beside those in the config.
        """
        self.config = config
        """What holds now."""
        self._parts = parts
        self._plugins = plugins
        self._organisers = frozenset(organisers) | frozenset(config.organisers)
        self._changing = asyncio.Lock()

    async def configure(self, call: Call) -> Mapping[str, Any]:
        """Change the config as an organiser asks.

        Raises:
            CallRefused: Somebody else asks, or the change is wrong; then nothing has changed.
        """
        if call.caller not in self._organisers:
            logger.debug("a change of the room config was not allowed")
            raise CallRefused(
                403,
                "only organisers may change the room's config; "
                "the dispatch and the worker's settings say who they are",
            )

        async with self._changing:
            change = await self._read(call.payload)
            if change.keys:
                await self._make(change)

        return {"changed": list(change.keys), "later": list(change.later)}

    async def _read(self, payload: str) -> ConfigChange:
        try:
            # plugins check their own part, and may take their time: not on the loop of the voices
            return await asyncio.to_thread(read_change, payload, self.config, self._plugins)
        except RoomConfigError as error:
            facts = {"mistakes": len(error.problems), "keys": known_keys(error.problems)}
            logger.info("a change of the room config was refused", extra=facts)
            raise _refusal(error.problems) from None

    async def _make(self, change: ConfigChange) -> None:
        """Let everybody know who is concerned; what takes time comes last."""
        before, config, keys = self.config, change.config, change.keys
        old, new = session_settings_of(before), session_settings_of(config)
        self.config = config
        parts = self._parts
        parts.sessions.follow(new)
        parts.limit.follow(config.limits.max_minutes)
        parts.meeting.offer(config.languages)
        terms = changed_terms(
            parts.terms.value, config, keys, is_other_task=not new.makes_tasks_of(old)
        )
        parts.terms.set(terms)
        if "plugins" in keys:
            await parts.plugins.follow(change.plugins, config.languages)
            terms = parts.terms.value
            parts.terms.set(replace(terms, plugins_revision=terms.plugins_revision + 1))

        logger.info("room config changed", extra={"keys": list(keys)})
        warn_of(config)


def warn_of(config: RoomConfig) -> None:
    """Write down what is allowed, and may yet not do what is wanted."""
    for caution in config.palabra.cautions(config.languages):
        logger.warning("caution: %s", caution)


def _refusal(problems: Sequence[Problem]) -> CallRefused:
    """Tell all mistakes, and the first one as the sentence."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    listed = [{"path": it.path, "reason": it.reason} for it in problems]
    return CallRefused(400, f"nothing was changed: {problems[0]}{more}", {"problems": listed})
