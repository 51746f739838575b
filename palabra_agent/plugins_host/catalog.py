"""The plugins of this process: loaded once, and asked if a room may have what it names."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Final

from palabra_agent.capabilities import ALL
from palabra_agent.capabilities.capability import AnyCapability
from palabra_agent.config.plugins import PluginSchema, PluginUse
from palabra_agent.config.wording import Path, listed, path_text, shown
from palabra_agent.errors import Phase, PluginError, Problem, RoomConfigError
from palabra_agent.languages import did_you_mean
from palabra_agent.plugin import NoSettings
from palabra_agent.plugins_host.configuring import (
    DEFAULT_DEADLINES,
    ConfigReader,
    ConfiguredPlugin,
    PluginDeadlines,
    plugin_schema,
)
from palabra_agent.plugins_host.loading import (
    LoadedPlugin,
    ambiguity,
    failed,
    find_plugins,
    load,
    record_of,
)
from palabra_agent.plugins_host.records import PluginRecord, PluginStatus

_LONGEST_GUESS: Final = 60


class PluginCatalog:
    """All installed plugins, by name."""

    def __init__(
        self,
        loaded: Mapping[str, LoadedPlugin],
        *,
        missing: Sequence[Problem] = (),
        deadlines: PluginDeadlines = DEFAULT_DEADLINES,
    ) -> None:
        self._loaded = dict(loaded)
        self.missing = tuple(missing)
        """Mentions of plugins in the worker's settings that are not installed."""
        self._reader = ConfigReader(deadlines.configure)

    @property
    def records(self) -> tuple[PluginRecord, ...]:
        """A record of everything that was found, in the order of names."""
        return tuple(each.record for each in self._loaded.values())

    def has_recipe(self, name: str) -> bool:
        """Tell if a plugin loaded, whether or not its settings are good."""
        loaded = self._loaded.get(name)
        return loaded is not None and loaded.recipe is not None

    def is_installed(self, name: str) -> bool:
        """Tell if a plugin of this name is here, whether or not it loaded."""
        return name in self._loaded

    @property
    def with_settings(self) -> frozenset[str]:
        """The names of the plugins that loaded and have settings of the operator's."""
        return frozenset(
            name
            for name, each in self._loaded.items()
            if each.recipe is not None and each.recipe.settings_model is not NoSettings
        )

    def settings_problems(self) -> tuple[Problem, ...]:
        """List the mistakes in what the worker's settings say of plugins."""
        wrong = (problem for each in self._loaded.values() for problem in each.problems)
        return (*wrong, *self.missing)

    def schemas(self) -> tuple[PluginSchema, ...]:
        """Make the schema of every plugin that loaded, whether or not its settings are good."""
        return tuple(
            plugin_schema(each.record.name, each.recipe)
            for each in self._loaded.values()
            if each.recipe is not None
        )

    def objection(self, name: str) -> str | None:
        """Say why a room cannot have a plugin, whatever its config of it; None: it can."""
        loaded = self._loaded.get(name)
        if loaded is None:
            return _not_installed(name, list(self._loaded))

        quoted, record = shown(name), loaded.record
        match record.status:
            case PluginStatus.READY:
                return None
            case PluginStatus.NOT_ALLOWED:
                allowed = [it.name for it in self.records if it.status is not record.status]
                instead = f"allowed are {listed(allowed)}" if allowed else "no plugin is"
                return f"{quoted} is not allowed here; {instead}"
            case PluginStatus.FAILED:
                return f"{quoted} failed to load: {record.error}"
            case PluginStatus.AMBIGUOUS:
                return f"{quoted} cannot be used: {record.error}"
            # the rest is for the operator alone: a guest may read this
            case PluginStatus.WRONG_SETTINGS:
                return f"{quoted} cannot be used: what the worker's settings say of it is wrong"
            case PluginStatus.NEEDS_SETTINGS:
                return f"{quoted} cannot be used: the worker's settings do not say what it needs"

    def mistakes(self, use: PluginUse) -> list[tuple[Path, str]]:
        """List the mistakes in an entry of a room's list, with paths below it."""
        return self._look_at(use)[1]

    def config_mistakes(self, use: PluginUse) -> list[tuple[Path, str]]:
        """List those that a plugin itself finds, whether or not a room may have it."""
        loaded = self._loaded.get(use.name)
        if loaded is None or loaded.recipe is None:
            return []
        return list(self._reader.read(use, loaded.recipe.config_model).mistakes)

    def are_same(self, one: PluginUse, other: PluginUse) -> bool:
        """Tell if two good entries come to the same plugin with the same config."""
        first, second = self._look_at(one)[0], self._look_at(other)[0]
        return first is not None and first == second

    def configure(self, uses: Sequence[PluginUse]) -> tuple[ConfiguredPlugin, ...]:
        """Make a room's list of plugins ready to be opened.

        Raises:
            RoomConfigError: An entry has a mistake, which `parse_room_config` would have told.
        """
        looks = [self._look_at(use) for use in uses]
        problems = [
            Problem(path_text(("plugins", index, *path)), why)
            for index, (_, found) in enumerate(looks)
            for path, why in found
        ]
        if problems:
            raise RoomConfigError(problems)
        return tuple(ready for ready, _ in looks if ready is not None)

    def _look_at(self, use: PluginUse) -> tuple[ConfiguredPlugin | None, list[tuple[Path, str]]]:
        """Give the plugin, or the reasons why it cannot be had."""
        objection = self.objection(use.name)
        if objection is not None:
            return None, [(("name",), objection)]

        loaded = self._loaded[use.name]
        assert loaded.recipe is not None
        assert loaded.settings is not None
        reading = self._reader.read(use, loaded.recipe.config_model)
        if reading.config is None:
            return None, list(reading.mistakes)
        return ConfiguredPlugin(use.name, loaded.recipe, reading.config, loaded.settings), []


def load_plugins(
    settings: Mapping[str, Mapping[str, object]] = MappingProxyType({}),
    allowed: Sequence[str] | None = None,
    *,
    entry_points: Iterable[EntryPoint] | None = None,
    capabilities: Sequence[AnyCapability] = ALL,
    deadlines: PluginDeadlines = DEFAULT_DEADLINES,
) -> PluginCatalog:
    """Import what is installed and allowed; never raises for a plugin's sake.

    Args:
        settings: The worker's tables `[plugins.NAME]`, by name.
        allowed: Names that rooms may use; None for all.
        entry_points: Those to take instead of the ones that are installed.
        capabilities: What plugins can be asked.
        deadlines: For the imports, and for reading settings and configs.
    """
    found = find_plugins(entry_points)
    end = time.monotonic() + deadlines.total

    def outcome(name: str) -> LoadedPlugin:
        record, those = record_of(found[name]), found[name]
        seconds = min(deadlines.each, end - time.monotonic())
        if allowed is not None and name not in allowed:
            return LoadedPlugin(replace(record, status=PluginStatus.NOT_ALLOWED))
        if len(those) > 1:
            error = PluginError(record.name, Phase.LOAD, ambiguity(those))
            return failed(record, error, PluginStatus.AMBIGUOUS)
        if seconds <= 0:
            late = f"the {deadlines.total:g} s that all plugins together may take were over"
            return failed(record, PluginError(record.name, Phase.LOAD, late))
        limits = replace(deadlines, each=seconds)
        return load(those[0], settings.get(name), capabilities, limits)

    loaded = {name: outcome(name) for name in found}
    named: list[tuple[Path, str]] = [(("plugins", name), name) for name in settings]
    named += [(("worker", "allowed_plugins", at), name) for at, name in enumerate(allowed or ())]
    missing = [
        Problem(path_text(path), _not_installed(name, list(found)))
        for path, name in named
        if name not in found
    ]
    return PluginCatalog(loaded, missing=missing, deadlines=deadlines)


def _not_installed(name: str, installed: Sequence[str]) -> str:
    """Say that no plugin has this name, and what was probably meant."""
    words = f"{shown(name)} is not installed"
    hint = did_you_mean(name[:_LONGEST_GUESS], installed)
    if hint:
        return f"{words}{hint}"
    return f"{words}; installed are {listed(installed)}" if installed else f"{words}; no plugin is"
