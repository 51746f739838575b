"""Entry points for tests: pointing to modules of ours, or to distributions in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import Final

from palabra_agent.plugin import ENTRY_POINTS
from palabra_agent.plugins_host.catalog import PluginCatalog, load_plugins
from palabra_agent.plugins_host.configuring import PluginDeadlines

AMPLE: Final = PluginDeadlines(each=5.0, total=20.0, configure=5.0)
"""Good plugins have time enough on a slow machine."""
SHORT: Final = PluginDeadlines(each=5.0, total=20.0, configure=0.3)
"""Plugins that hang are soon given up."""


def entry(name: str, value: str | None = None) -> EntryPoint:
    """An entry point; by default to the plugin of that name among the good ones."""
    return EntryPoint(name, value or f"tests.good_plugins.{name}:plugin", ENTRY_POINTS)


def broken(module: str, name: str = "plugin") -> EntryPoint:
    """An entry point to one of the broken ones."""
    return entry(module, f"tests.broken_plugins.{module}:{name}")


def catalog_of(
    *entries: EntryPoint,
    settings: Mapping[str, Mapping[str, object]] | None = None,
    deadlines: PluginDeadlines = AMPLE,
) -> PluginCatalog:
    """Load exactly these."""
    return load_plugins(settings or {}, entry_points=entries, deadlines=deadlines)


def install(folder: Path, distribution: str, version: str, entries: Mapping[str, str]) -> None:
    """Write down a distribution as an installer does."""
    place = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    place.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
    (place / "METADATA").write_text(metadata, encoding="utf-8")
    lines = [f"[{ENTRY_POINTS}]", *(f"{name} = {value}" for name, value in entries.items())]
    (place / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


def entries_in(folder: Path) -> Iterable[EntryPoint]:
    """The entry points of the distributions in a folder."""
    return [each for found in distributions(path=[str(folder)]) for each in found.entry_points]
