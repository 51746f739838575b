"""A plugin that is ready to be opened: its recipe, with all that was said of it checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from palabra_agent.plugin import Plugin, PluginConfig


@dataclass(frozen=True, slots=True)
class ConfiguredPlugin:
    """One entry of a room's list of plugins; equal entries are the same plugin."""

    name: str
    """The entry point's, as room configs use it."""
    recipe: Plugin[Any, Any]
    config: PluginConfig
    """What the room says of it."""
    settings: PluginConfig
    """What the worker's operator says of it."""
