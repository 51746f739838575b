"""A change of a room's config while it runs: read, laid over what holds, and told apart. Pure.

What somebody sends is checked as a whole with what holds already, by the same rules and in the same
words as a dispatch's metadata; it is accepted as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from palabra_agent.config.documents import read_object
from palabra_agent.config.plugins import PluginKnowledge, PluginUse
from palabra_agent.config.room import RoomConfig, parse_room_config
from palabra_agent.errors import Problem, RoomConfigError
from palabra_agent.plugins_host.configuring import ConfiguredPlugin

_FOR_LATER_SESSIONS: Final = (
    ("palabra", "transport"),
    ("palabra", "websocket"),
    ("palabra", "speech"),
    ("limits", "idle_pause_seconds"),
    ("limits", "silent_output_seconds"),
)
"""What sessions that are open already keep."""

_PATTERN: Final = frozenset("*?[")


class Plugins(PluginKnowledge, Protocol):
    """Who knows the plugins, and makes them ready to be opened."""

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


def read_config(
    metadata: str, layers: Sequence[Mapping[str, object]], plugins: Plugins
) -> ConfigChange:
    """Read what holds at first: a change of nothing. May take as long as plugins need to check it.

    Raises:
        RoomConfigError: with every mistake and its path.
    """
    config = parse_room_config(metadata, layers=layers, plugins=plugins)
    return ConfigChange(config, plugins=plugins.configure(config.plugins))


def read_change(payload: str, held: RoomConfig, plugins: Plugins) -> ConfigChange:
    """Read a part of a config as a change of what holds, likewise.

    Raises:
        RoomConfigError: with every mistake and its path.
    """
    written = held.model_dump(mode="json", exclude_unset=True)
    said, _ = read_object(payload)
    problems = list(_fixed_problems(said, held))
    try:
        config = parse_room_config(payload, layers=[written], plugins=plugins)
    except RoomConfigError as error:
        raise RoomConfigError([*problems, *error.problems]) from None
    if problems:
        raise RoomConfigError(problems)

    keys = (key for key in RoomConfig.model_fields if not _is_same(key, held, config, plugins))
    later = (path for path in _FOR_LATER_SESSIONS if _at(held, path) != _at(config, path))
    return ConfigChange(
        config, tuple(keys), tuple(map(".".join, later)), plugins.configure(config.plugins)
    )


def _fixed_problems(said: Mapping[str, Any], held: RoomConfig) -> Iterator[Problem]:
    """Who may change the config is not for those to say who may."""
    organisers = list(held.organisers)
    if said.get("organisers", organisers) != organisers:
        yield Problem(
            "organisers",
            "cannot be changed while the room runs; "
            "the dispatch and the worker's settings say who they are",
        )


def _is_same(key: str, held: RoomConfig, config: RoomConfig, plugins: PluginKnowledge) -> bool:
    """Whether a key means the same in both, however it is written."""
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
    return [key for key in config.speakers if not _PATTERN.isdisjoint(key)]


def _at(config: RoomConfig, path: tuple[str, str]) -> object:
    section, name = path
    return getattr(getattr(config, section), name)
