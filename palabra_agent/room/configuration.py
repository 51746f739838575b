"""The config of one room: read at first, and changed by its organisers while the room runs.

A change is checked as a whole with what holds already, by the same rules and in the same words as a
dispatch's metadata; it is accepted as a whole or not at all. Changes are made one after the other.
What a change does not concern goes on as it is: every part is told of the whole, and finds out by
itself what there is to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from palabra_agent.concurrency import Watched
from palabra_agent.config.ceilings import RoomCeilings
from palabra_agent.config.documents import read_object
from palabra_agent.config.plugins import PluginKnowledge, PluginUse
from palabra_agent.config.room import NO_CEILINGS, RoomConfig, known_keys, parse_room_config
from palabra_agent.errors import Problem, RoomConfigError
from palabra_agent.interpretation.settings import InterpretationSettings
from palabra_agent.interpretation.transcript_writer import is_pattern
from palabra_agent.languages import LanguageCode
from palabra_agent.meeting.rpc import Call, CallRefused
from palabra_agent.palabra.session_settings import SessionSettings
from palabra_agent.plugins_host.configuring import ConfiguredPlugin
from palabra_agent.room.requests import listed
from palabra_agent.room.settings import changed_settings, session_settings_of

CONFIGURE: Final = "palabra.configure"
"""Name of the RPC method."""

_FOR_LATER_SESSIONS: Final = (
    ("palabra", "transport"),
    ("palabra", "websocket"),
    ("palabra", "speech"),
    ("limits", "idle_pause_seconds"),
    ("limits", "silent_output_seconds"),
)
"""Kept by sessions that are open already."""

logger = logging.getLogger(__name__)


class InstalledPlugins(PluginKnowledge, Protocol):
    """The plugins that are installed, which can be made ready to be opened."""

    def configure(self, uses: Sequence[PluginUse]) -> tuple[ConfiguredPlugin, ...]:
        """Make a room's list of plugins ready.

        Raises:
            RoomConfigError: An entry has a mistake.
        """
        ...


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """A change that may be made."""

    config: RoomConfig
    """The whole, after it."""
    keys: tuple[str, ...] = ()
    """The config's keys with other values than before."""
    later: tuple[str, ...] = ()
    """Paths of what holds only for sessions that begin from now on."""
    plugins: tuple[ConfiguredPlugin, ...] = ()
    """All of them, after it."""
    cuts: tuple[Problem, ...] = ()
    """What was asked for above the operator's ceilings, and cut."""


def read_config(
    metadata: str,
    layers: Sequence[Mapping[str, object]],
    plugins: InstalledPlugins,
    ceilings: RoomCeilings = NO_CEILINGS,
) -> ConfigChange:
    """Read what holds at first: a change of nothing. May take as long as plugins need to check it.

    Raises:
        RoomConfigError: with every mistake and its path.
    """
    config = parse_room_config(metadata, layers=layers, plugins=plugins, ceilings=ceilings)
    said, _ = read_object(metadata)
    cuts = tuple(ceilings.cuts(said))
    return ConfigChange(config, plugins=plugins.configure(config.plugins), cuts=cuts)


def read_change(
    payload: str,
    held: RoomConfig,
    plugins: InstalledPlugins,
    ceilings: RoomCeilings = NO_CEILINGS,
) -> ConfigChange:
    """Read a part of a config as a change of what holds, likewise.

    Raises:
        RoomConfigError: with every mistake and its path.
    """
    written = held.model_dump(mode="json", exclude_unset=True)
    said, _ = read_object(payload)
    problems = list(_fixed_problems(said, held))
    try:
        config = parse_room_config(payload, layers=[written], plugins=plugins, ceilings=ceilings)
    except RoomConfigError as error:
        raise RoomConfigError([*problems, *error.problems]) from None
    if problems:
        raise RoomConfigError(problems)

    keys = (key for key in RoomConfig.model_fields if not _is_same(key, held, config, plugins))
    later = (path for path in _FOR_LATER_SESSIONS if _at(held, path) != _at(config, path))
    return ConfigChange(
        config,
        tuple(keys),
        tuple(map(".".join, later)),
        plugins.configure(config.plugins),
        tuple(ceilings.cuts(said)),
    )


def _fixed_problems(said: Mapping[str, Any], held: RoomConfig) -> Iterator[Problem]:
    """List what an organiser may not change: the list of organisers."""
    organisers = list(held.organisers)
    if said.get("organisers", organisers) != organisers:
        yield Problem(
            "organisers",
            "cannot be changed while the room runs; "
            "the dispatch and the worker's settings say who they are",
        )


def _is_same(key: str, held: RoomConfig, config: RoomConfig, plugins: PluginKnowledge) -> bool:
    """Tell whether a key means the same in both, however it is written."""
    match key:
        case "palabra":
            return held.palabra.makes_same_task_as(config.palabra)
        case "plugins":
            return len(held.plugins) == len(config.plugins) and all(
                map(plugins.are_same, held.plugins, config.plugins)
            )
        case "speakers":
            return held.speakers == config.speakers and _patterns(held) == _patterns(config)
        case _:
            return bool(getattr(held, key) == getattr(config, key))


def _patterns(config: RoomConfig) -> list[str]:
    """The patterns of speakers in the order in which they are tried."""
    return [key for key in config.speakers if is_pattern(key)]


def _at(config: RoomConfig, path: tuple[str, str]) -> object:
    section, name = path
    return getattr(getattr(config, section), name)


class MeetsPeople(Protocol):
    """The meeting, which shows the languages that may be asked for, and hears people."""

    def offer(self, languages: Sequence[LanguageCode]) -> None:
        """Show others from now on."""
        ...

    def listen_to(self, microphone_sources: Collection[str]) -> None:
        """Listen to tracks of these sources from now on."""
        ...


class OpensSessions(Protocol):
    """Palabra's side, which opens sessions."""

    def follow(self, settings: SessionSettings) -> None:
        """Have other settings from now on."""
        ...


class OpensPlugins(Protocol):
    """The host, which holds the room's plugins open."""

    async def follow(
        self, plugins: Sequence[ConfiguredPlugin], languages: Sequence[LanguageCode]
    ) -> None:
        """Be other plugins from now on; what is equal stays open."""
        ...


class EndsInTime(Protocol):
    """The limit, which ends the interpretation when its time is over."""

    def follow(self, minutes: float | None) -> None:
        """Have another limit from now on; None for none."""
        ...


@dataclass(frozen=True, slots=True)
class ConfiguredParts:
    """All parts of a room that work by its config."""

    interpretation: Watched[InterpretationSettings]
    sessions: OpensSessions
    plugins: OpensPlugins
    meeting: MeetsPeople
    limit: EndsInTime


class RoomConfiguration:
    """One room's config, from the first to the last that holds."""

    def __init__(
        self,
        config: RoomConfig,
        parts: ConfiguredParts,
        plugins: InstalledPlugins,
        organisers: Collection[str],
        *,
        ceilings: RoomCeilings = NO_CEILINGS,
        remarks: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        """Begin with a config that all parts work by already.

        Args:
            config: What holds.
            parts: Who works by it.
            plugins: Who knows the plugins that may be named.
            organisers: Identities that may change any room, beside those in the config.
            ceilings: What they may not exceed or touch.
            remarks: Tells what else belongs into the answer to a change.
        """
        self.config = config
        """The config that holds now."""
        self._parts = parts
        self._plugins = plugins
        self._ceilings = ceilings
        self._organisers = frozenset(organisers) | frozenset(config.organisers)
        self._remarks = remarks
        self._changing = asyncio.Lock()

    def is_organiser(self, identity: str) -> bool:
        """Tell if a participant may change the config."""
        return identity in self._organisers

    async def configure(self, call: Call) -> Mapping[str, Any]:
        """Change the config as an organiser asks.

        Raises:
            CallRefused: The caller is no organiser, or the change is wrong; nothing has changed.
        """
        if not self.is_organiser(call.caller):
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

        answer = {"changed": list(change.keys), "later": list(change.later), **self._remarks()}
        return answer | ({"cut": listed(change.cuts)} if change.cuts else {})

    async def _read(self, payload: str) -> ConfigChange:
        try:
            # plugins check their own part, and may take their time: not on the loop of the voices
            change = await asyncio.to_thread(
                read_change, payload, self.config, self._plugins, self._ceilings
            )
        except RoomConfigError as error:
            facts = {"mistakes": len(error.problems), "keys": known_keys(error.problems)}
            logger.info("a change of the room config was refused", extra=facts)
            raise _refusal(error.problems) from None
        log_cuts(change.cuts)
        return change

    async def _make(self, change: ConfigChange) -> None:
        """Tell each part that is concerned; what takes time comes last."""
        before, config, keys = self.config, change.config, change.keys
        old, new = session_settings_of(before), session_settings_of(config)
        self.config = config
        parts = self._parts
        parts.sessions.follow(new)
        parts.limit.follow(config.limits.max_minutes)
        parts.meeting.offer(config.languages)
        parts.meeting.listen_to(config.microphone_sources)
        interpretation = changed_settings(
            parts.interpretation.value, config, keys, is_other_task=not new.makes_tasks_of(old)
        )
        parts.interpretation.set(interpretation)
        if "plugins" in keys:
            await parts.plugins.follow(change.plugins, config.languages)
            interpretation = parts.interpretation.value
            parts.interpretation.set(
                replace(interpretation, plugins_revision=interpretation.plugins_revision + 1)
            )

        logger.info("room config changed", extra={"keys": list(keys)})
        warn_of(config)


def warn_of(config: RoomConfig) -> None:
    """Write down what is allowed, and may yet not do what is wanted."""
    for caution in config.palabra.cautions(config.languages):
        logger.warning("caution: %s", caution)


def log_cuts(cuts: Sequence[Problem]) -> None:
    """Write down what was above the operator's ceilings."""
    if cuts:
        logger.warning("limits were cut", extra={"limits": [it.path for it in cuts]})


def _refusal(problems: Sequence[Problem]) -> CallRefused:
    """Tell all mistakes, and the first one as the sentence."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    data = {"problems": listed(problems)}
    return CallRefused(400, f"nothing was changed: {problems[0]}{more}", data)
