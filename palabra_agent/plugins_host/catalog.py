"""The plugins of this process: loaded once, and asked whether a room may have what it names."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Any, Final

from palabra_agent.config.plugins import PluginUse
from palabra_agent.config.wording import Path, listed, path_text, shown
from palabra_agent.errors import PluginError, Problem, RoomConfigError
from palabra_agent.plugin import Plugin, PluginConfig
from palabra_agent.plugins_host.configured import ConfiguredPlugin
from palabra_agent.plugins_host.discovery import find_plugins, not_installed
from palabra_agent.plugins_host.left_out import ambiguous, not_allowed, too_late
from palabra_agent.plugins_host.loading import Loaded, load
from palabra_agent.plugins_host.patience import DEFAULT_PATIENCE, Patience
from palabra_agent.plugins_host.readings import Readings
from palabra_agent.plugins_host.records import PluginRecord, PluginStatus

__all__ = ["Patience", "PluginCatalog", "load_plugins"]


_ALLOWED: Final = path_text(("worker", "allowed_plugins"))


class PluginCatalog:
    """What is installed, by name."""

    def __init__(
        self,
        loaded: Mapping[str, Loaded],
        *,
        missing: Sequence[Problem] = (),
        patience: Patience = DEFAULT_PATIENCE,
    ) -> None:
        self._loaded = dict(loaded)
        self.missing = tuple(missing)
        """What the worker's settings say of plugins that are not installed."""
        self._readings = Readings(patience.configure)

    @property
    def records(self) -> tuple[PluginRecord, ...]:
        """Everything that was found, in the order of names."""
        return tuple(each.record for each in self._loaded.values())

    @property
    def loaded(self) -> tuple[Loaded, ...]:
        """The same with recipes and settings."""
        return tuple(self._loaded.values())

    def has_recipe(self, name: str) -> bool:
        """Whether a plugin loaded, whatever it is told."""
        loaded = self._loaded.get(name)
        return loaded is not None and loaded.recipe is not None

    def is_installed(self, name: str) -> bool:
        """Whether a plugin of this name is here, whatever came of it."""
        return name in self._loaded

    def settings_problems(self) -> tuple[Problem, ...]:
        """What is wrong with what the worker's settings say of plugins."""
        wrong = (problem for each in self.loaded for problem in each.problems)
        return (*wrong, *self.missing)

    def objection(self, name: str) -> str | None:
        """Why a room cannot have a plugin, whatever it says of it; None: it can."""
        loaded = self._loaded.get(name)
        if loaded is None:
            return not_installed(name, [each.name for each in self.records])

        quoted, record = shown(name), loaded.record
        match record.status:
            case PluginStatus.READY:
                return None
            case PluginStatus.NOT_ALLOWED:
                return f"{quoted} is not allowed here; {self._allowed_instead()}"
            case PluginStatus.FAILED:
                return f"{quoted} failed to load: {record.error}"
            case PluginStatus.AMBIGUOUS:
                return f"{quoted} cannot be used: {record.error}"
            # the rest is for the operator alone: whoever reads this may be a guest
            case PluginStatus.WRONG_SETTINGS:
                return f"{quoted} cannot be used: what the worker's settings say of it is wrong"
            case PluginStatus.NEEDS_SETTINGS:
                return f"{quoted} cannot be used: the worker's settings do not say what it needs"

    def _allowed_instead(self) -> str:
        left_out = PluginStatus.NOT_ALLOWED
        allowed = [each.name for each in self.records if each.status is not left_out]
        if allowed:
            return f"allowed are {listed(allowed)}"
        of_allowed = (it.reason for it in self.missing if it.path.startswith(_ALLOWED))
        missing = next(of_allowed, None)
        return f"of those that are, {missing}" if missing else "no plugin is"

    def mistakes(self, use: PluginUse) -> list[tuple[Path, str]]:
        """What is wrong with an entry of a room's list, with paths below it."""
        return self._look_at(use)[1]

    def config_mistakes(self, use: PluginUse) -> list[tuple[Path, str]]:
        """What a plugin whose recipe is here finds wrong, whether or not a room may have it."""
        loaded = self._loaded.get(use.name)
        if loaded is None or loaded.recipe is None:
            return []
        return self._read(use, loaded.recipe)[1]

    def are_same(self, one: PluginUse, other: PluginUse) -> bool:
        """Whether two good entries come to the same plugin with the same config."""
        first, second = self._look_at(one)[0], self._look_at(other)[0]
        if first is None or second is None or one.name != other.name:
            return False
        return self._readings.are_equal(one.name, first.config, second.config)

    def configure(self, uses: Sequence[PluginUse]) -> tuple[ConfiguredPlugin, ...]:
        """Make a room's list of plugins ready to be opened.

        Raises:
            RoomConfigError: An entry has a mistake, which `parse_room_config` would have told.
        """
        configured: list[ConfiguredPlugin] = []
        problems: list[Problem] = []
        for index, use in enumerate(uses):
            ready, found = self._look_at(use)
            problems += [Problem(path_text(("plugins", index, *path)), why) for path, why in found]
            configured += [ready] if ready is not None else []
        if problems:
            raise RoomConfigError(problems)
        return tuple(configured)

    def _look_at(self, use: PluginUse) -> tuple[ConfiguredPlugin | None, list[tuple[Path, str]]]:
        """The plugin, or why it cannot be had."""
        objection = self.objection(use.name)
        if objection is not None:
            return None, [(("name",), objection)]

        loaded = self._loaded[use.name]
        assert loaded.recipe is not None
        assert loaded.settings is not None
        config, found = self._read(use, loaded.recipe)
        if config is None:
            return None, found
        return ConfiguredPlugin(use.name, loaded.recipe, config, loaded.settings), []

    def _read(
        self, use: PluginUse, recipe: Plugin[Any, Any]
    ) -> tuple[PluginConfig | None, list[tuple[Path, str]]]:
        try:
            reading = self._readings.read(use, recipe.config_model)
        except PluginError as error:
            return None, [((), str(error))]
        return reading.config, [(("config", *path), why) for path, why in reading.mistakes]


def load_plugins(
    settings: Mapping[str, Mapping[str, object]] = MappingProxyType({}),
    allowed: Sequence[str] | None = None,
    *,
    entry_points: Iterable[EntryPoint] | None = None,
    patience: Patience = DEFAULT_PATIENCE,
) -> PluginCatalog:
    """Import what is installed and allowed, each behind a fence; never raises for its sake.

    Args:
        settings: The worker's tables `[plugins.NAME]`, by name.
        allowed: What rooms may have; None for everything.
        entry_points: What is installed, in place of what really is.
        patience: How long it may take.
    """
    found = find_plugins(entry_points)
    end = time.monotonic() + patience.total
    loaded: dict[str, Loaded] = {}
    for name, those in found.items():
        seconds = min(patience.each, end - time.monotonic())
        if allowed is not None and name not in allowed:
            loaded[name] = Loaded(not_allowed(those))
        elif len(those) > 1:
            loaded[name] = Loaded(ambiguous(those))
        elif seconds <= 0:
            loaded[name] = Loaded(too_late(those, patience.total))
        else:
            loaded[name] = load(
                those[0],
                settings.get(name),
                import_seconds=seconds,
                settings_seconds=patience.configure,
            )

    missing = _unknown(settings, allowed or (), tuple(found))
    return PluginCatalog(loaded, missing=missing, patience=patience)


def _unknown(
    settings: Mapping[str, Mapping[str, object]], allowed: Sequence[str], installed: Sequence[str]
) -> list[Problem]:
    """What the worker's settings say of plugins that are not there."""
    named: list[tuple[Path, str]] = [(("plugins", name), name) for name in settings]
    named += [(("worker", "allowed_plugins", at), name) for at, name in enumerate(allowed)]
    return [
        Problem(path_text(path), not_installed(name, installed))
        for path, name in named
        if name not in installed
    ]
