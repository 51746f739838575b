"""What somebody wrote for a plugin, checked by the plugin's own model behind a fence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import to_json

from palabra_agent.config.problems import mistakes_of
from palabra_agent.config.wording import Path
from palabra_agent.errors import Phase, PluginError
from palabra_agent.plugin import PluginConfig
from palabra_agent.plugins_host.aside import call_aside
from palabra_agent.plugins_host.patience import DEFAULT_PATIENCE


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model made of what was written: a config, or every mistake in it."""

    config: PluginConfig | None = None
    mistakes: tuple[tuple[Path, str], ...] = ()
    """Paths within what was written."""


def read_as(
    model: type[PluginConfig],
    written: Mapping[str, object],
    *,
    plugin: str,
    are_settings: bool = False,
    seconds: float = DEFAULT_PATIENCE.configure,
) -> Reading:
    """Let a plugin's model check what was written for it.

    Args:
        model: The model.
        written: What TOML or JSON gave.
        plugin: Whose it is.
        are_settings: Whether the worker's operator wrote it, who may write credentials there.
        seconds: How long that may take.

    Raises:
        PluginError: The model broke, which is something else than to refuse.
    """

    def read() -> Reading:
        # as JSON, so that a strict model takes a list for a tuple and a string for a date
        text = to_json(written, inf_nan_mode="constants")
        try:
            config = model.model_validate_json(text)
        except ValidationError as error:
            mistakes = mistakes_of(error, model, written, are_settings=are_settings)
            return Reading(mistakes=tuple(mistakes))

        if not isinstance(config, model):
            raise PluginError(plugin, Phase.CONFIGURE, "its config model gives something else")
        return Reading(config)

    return call_aside(read, plugin=plugin, phase=Phase.CONFIGURE, seconds=seconds)
