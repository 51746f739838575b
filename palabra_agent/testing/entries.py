"""Entries of a room's list of plugins, from recipes that no distribution needs to bring."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any, Final

from palabra_agent.config.room import parse_room_config
from palabra_agent.config.wording import path_text
from palabra_agent.errors import Problem, RoomConfigError, SettingsError
from palabra_agent.languages import LanguageCode
from palabra_agent.plugin import ENTRY_POINTS, Plugin
from palabra_agent.plugins_host.catalog import load_plugins
from palabra_agent.plugins_host.configuring import ConfiguredPlugin, read_as


@dataclass(frozen=True, slots=True)
class Entry:
    """A plugin in a room's list, and all that is said of it."""

    recipe: Plugin[Any, Any]
    """The object that the entry point names."""
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The room's config of it, as in JSON."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The operator's settings of it, as in TOML."""
    name: str = ""
    """The entry point's; by default `plugin`, and `plugin-2` for the next recipe."""


def configure(
    entries: Sequence[Entry], languages: Sequence[str]
) -> tuple[tuple[ConfiguredPlugin, ...], tuple[LanguageCode, ...]]:
    """Check a room's plugins and languages, as a worker does.

    Raises:
        RoomConfigError: With every mistake in a config, as the room would show it; or in the
            `example` of a plugin.
        SettingsError: With every mistake in settings, as the worker would show it.
        ValueError: One name stands for two plugins.
    """
    names = _names(entries)
    plugins: dict[str, Entry] = {}
    for name, entry in zip(names, entries, strict=True):
        same = plugins.setdefault(name, entry)
        if same.recipe is not entry.recipe or same.settings != entry.settings:
            raise ValueError(f'"{name}" has two recipes or two tables of settings')

    settings = {name: it.settings for name, it in plugins.items() if it.settings}
    with _entry_points(plugins) as points:
        catalog = load_plugins(settings, entry_points=points)

    problems = catalog.settings_problems()
    if problems:
        raise SettingsError(problems)

    for name, it in plugins.items():
        _check_example(name, it.recipe)

    uses = [{"name": name, "config": it.config} for name, it in zip(names, entries, strict=True)]
    said = json.dumps({"plugins": uses, "languages": list(languages)})
    config = parse_room_config(said, plugins=catalog)
    return catalog.configure(config.plugins), config.languages


def _check_example(name: str, recipe: Plugin[Any, Any]) -> None:
    """See that the plugin takes the config that it shows to others."""
    if recipe.example:
        mistakes = read_as(recipe.config_model, recipe.example, plugin=name).mistakes
        if mistakes:
            raise RoomConfigError(
                [Problem(path_text((name, "example", *path)), why) for path, why in mistakes]
            )


_shelf: Final = SimpleNamespace()
"""Holds recipes while they are loaded: an entry point can only name what a module holds."""


@contextmanager
def _entry_points(entries: Mapping[str, Entry]) -> Generator[list[EntryPoint]]:
    recipes = {f"recipe_{number}": it.recipe for number, it in enumerate(entries.values())}
    values = [f"{__name__}:_shelf.{key}" for key in recipes]
    vars(_shelf).update(recipes)
    try:
        yield [
            EntryPoint(name, value, ENTRY_POINTS)
            for name, value in zip(entries, values, strict=True)
        ]
    finally:
        vars(_shelf).clear()


def _names(entries: Sequence[Entry]) -> list[str]:
    """The name of each; entries of one recipe share one, so that it is one plugin, used twice."""
    recipes: list[Plugin[Any, Any]] = []
    names: list[str] = []
    for entry in entries:
        if not any(entry.recipe is recipe for recipe in recipes):
            recipes.append(entry.recipe)

        number = next(at for at, it in enumerate(recipes, 1) if it is entry.recipe)
        names.append(entry.name or ("plugin" if number == 1 else f"plugin-{number}"))

    return names
