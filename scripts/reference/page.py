"""The page about configuration: prose from a template, tables from the models and the plugins."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from string import Template
from typing import Any, Final, cast

from palabra_agent.config.ceilings import Ceilings
from palabra_agent.config.room import RoomConfig
from palabra_agent.config.settings import WorkerOptions
from palabra_agent.plugin import ENTRY_POINTS, NoSettings, Plugin
from scripts.reference.sections import sections_of
from scripts.reference.tables import markdown

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "configuration.md"
_WIDTH: Final = 80
_TEMPLATE: Final = Path(__file__).with_name("configuration.md")


@dataclass(frozen=True, slots=True)
class ShippedPlugin:
    """A plugin whose distribution stands under `plugins/`."""

    name: str
    distribution: str
    description: str
    folder: str
    recipe: Plugin[Any, Any]


def write() -> None:
    """Write the page anew."""
    PAGE.write_text(text(), encoding="utf-8")


def text() -> str:
    """The page as it must be, given the code as it is."""
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        room=markdown(sections_of(RoomConfig), level=3, heading="The whole"),
        worker=markdown(sections_of(WorkerOptions), level=3),
        ceilings=markdown(sections_of(Ceilings), level=3),
        plugins="\n\n".join(_about(plugin) for plugin in shipped_plugins()),
    )


def shipped_plugins() -> Iterator[ShippedPlugin]:
    """Every plugin that comes with this project, whatever else is installed."""
    for file in sorted(ROOT.glob("plugins/*/pyproject.toml")):
        project: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        for name, value in project["entry-points"][ENTRY_POINTS].items():
            recipe: Plugin[Any, Any] = EntryPoint(name, value, ENTRY_POINTS).load()
            yield ShippedPlugin(
                name=name,
                distribution=project["name"],
                description=project["description"],
                folder=file.parent.name,
                recipe=recipe,
            )


def in_json(value: object, indent: int = 0) -> str:
    """Write JSON as people do: what fits stands on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= _WIDTH:
        return line

    inner = indent + 2
    match value:
        case dict():
            entries = cast("dict[str, object]", value)
            ends = "{}"
            parts = [f"{json.dumps(key)}: {in_json(it, inner)}" for key, it in entries.items()]
        case list() | tuple():
            ends = "[]"
            parts = [in_json(it, inner) for it in cast("list[object]", value)]
        case _:
            return line
    lines = ",\n".join(" " * inner + part for part in parts)
    return f"{ends[0]}\n{lines}\n{' ' * indent}{ends[1]}"


def _about(plugin: ShippedPlugin) -> str:
    recipe = plugin.recipe
    example = {"plugins": [{"name": plugin.name, "config": dict(recipe.example)}]}
    blocks = [
        f"### `{plugin.name}`",
        f"{plugin.description.rstrip('.')}. Distribution `{plugin.distribution}`, more in"
        f" [plugins/{plugin.folder}](../plugins/{plugin.folder}/README.md).",
        f"```json\n{in_json(example)}\n```",
        markdown(sections_of(recipe.config_model, plugin.name), level=4),
    ]
    if recipe.settings_model is not NoSettings:
        blocks += [
            f"The worker's operator says in `[plugins.{plugin.name}]`:",
            markdown(sections_of(recipe.settings_model, f"plugins.{plugin.name}"), level=4),
        ]
    return "\n\n".join(filter(None, blocks))
