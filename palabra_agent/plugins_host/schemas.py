"""What the installed plugins may be told, as JSON Schema made from their own models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from palabra_agent.config.plugins import PluginSchema, reference_template
from palabra_agent.errors import Phase, PluginError
from palabra_agent.plugin import Plugin
from palabra_agent.plugins_host.aside import call_aside
from palabra_agent.plugins_host.catalog import PluginCatalog
from palabra_agent.plugins_host.configuring import read_as
from palabra_agent.plugins_host.loading import log
from palabra_agent.plugins_host.patience import DEFAULT_PATIENCE

_ANYTHING: Mapping[str, Any] = {"type": "object"}


def plugin_schemas(catalog: PluginCatalog) -> tuple[PluginSchema, ...]:
    """The schema of every plugin that loaded, whether or not its settings are good."""
    return tuple(
        _schema(each.record.name, each.recipe) for each in catalog.loaded if each.recipe is not None
    )


def _schema(name: str, recipe: Plugin[Any, Any]) -> PluginSchema:
    def make() -> Mapping[str, Any]:
        made: Mapping[str, Any] = recipe.config_model.model_json_schema(
            ref_template=reference_template(name)
        )
        return made

    try:
        config = call_aside(
            make, plugin=name, phase=Phase.CONFIGURE, seconds=DEFAULT_PATIENCE.configure
        )
        is_good = read_as(recipe.config_model, recipe.example, plugin=name).config is not None
    except PluginError as error:
        # a model may check what no schema can say; it still checks
        log(error)
        return PluginSchema(name, _ANYTHING)

    return PluginSchema(name, config, recipe.example if is_good else {})
