"""What an entry point must name: a recipe that can be checked and opened; imports it to see."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint
from typing import Any

from palabra_agent.config.wording import secret_key_in, shown
from palabra_agent.errors import Phase, PluginError
from palabra_agent.plugin import Plugin, PluginConfig
from palabra_agent.plugins_host.discovery import Found


def recipe_of(found: Found) -> Plugin[Any, Any]:
    """Import what an entry point names, and see that it is a recipe.

    Raises:
        PluginError: It is none. What the import itself raises is let through.
    """
    named = _named_object(found)
    if not isinstance(named, Plugin):
        raise PluginError(found.name, Phase.LOAD, _no_recipe(named))
    recipe: Plugin[Any, Any] = named
    objection = _objection(recipe)
    if objection is not None:
        raise PluginError(found.name, Phase.LOAD, objection)
    return recipe


def _named_object(found: Found) -> object:
    """What `EntryPoint.load` gives, with words for what is not there."""
    value = found.entry_point.value
    named = EntryPoint.pattern.match(value)
    if named is None:
        reason = f"its entry point is {shown(value)}, not `module:name`"
        raise PluginError(found.name, Phase.LOAD, reason)

    module = named["module"]
    try:
        here: object = import_module(module)
    except ModuleNotFoundError as error:
        # what its module imports in turn is another matter
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        reason = f"its entry point is `{value}`, and there is no module `{error.name}`"
        raise PluginError(found.name, Phase.LOAD, reason) from None

    for attribute in filter(None, (named["attr"] or "").split(".")):
        try:
            here = getattr(here, attribute)
        except AttributeError:
            reason = f"its entry point is `{value}`, and there is no `{attribute}`"
            raise PluginError(found.name, Phase.LOAD, reason) from None
    return here


def _no_recipe(named: object) -> str:
    what = f"the class {named.__name__}" if isinstance(named, type) else f"a {type(named).__name__}"
    return f"its entry point must name a `Plugin(…)`, not {what}"


def _objection(recipe: Plugin[Any, Any]) -> str | None:
    """What the constructor does not look at: an author's type checker does."""
    for field in ("config_model", "settings_model"):
        model: object = getattr(recipe, field)
        if not (isinstance(model, type) and issubclass(model, PluginConfig)):
            return f"its `{field}` must be a subclass of `PluginConfig`"
    opener: object = recipe.open
    if not callable(opener):
        return f"its `open` must be a function, not a {type(opener).__name__}"
    if isinstance(opener, type) and not hasattr(opener, "__aenter__"):
        return (
            "its `open` must be a function with `@asynccontextmanager`, "
            f"not the class {opener.__name__}"
        )
    secret = secret_key_in(recipe.config_model)
    if secret is not None:
        return (
            f"its `config_model` asks rooms for a secret, `{secret}`, "
            "which belongs in its `settings_model`"
        )
    return None
