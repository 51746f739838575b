"""How an entry point becomes a recipe with its settings: imported and looked at behind a fence."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from typing import Any, Final

from palabra_agent.config.wording import path_text, shown
from palabra_agent.errors import Phase, PluginError, Problem
from palabra_agent.plugin import Plugin, PluginConfig
from palabra_agent.plugins_host.aside import call_aside
from palabra_agent.plugins_host.configuring import read_as
from palabra_agent.plugins_host.discovery import NAME_RULE, Found
from palabra_agent.plugins_host.kinds import kind_of
from palabra_agent.plugins_host.recipes import recipe_of
from palabra_agent.plugins_host.records import UNKNOWN_KIND, PluginRecord, PluginStatus

_LONGEST_SAYING: Final = 300

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of one name: at least a record of it."""

    record: PluginRecord
    recipe: Plugin[Any, Any] | None = None
    settings: PluginConfig | None = None
    """What the worker's operator says of it; None where that is wrong, or it has no recipe."""
    problems: tuple[Problem, ...] = ()
    """What is wrong in the operator's table of it."""


def load(
    found: Found,
    table: Mapping[str, object] | None,
    *,
    import_seconds: float,
    settings_seconds: float,
) -> Loaded:
    """Import one entry point, look whether it is a recipe, and let it read its settings.

    Args:
        found: The entry point.
        table: What `[plugins.NAME]` says, None where there is no such table.
        import_seconds: How long the import may take.
        settings_seconds: How long it may look at its settings.
    """
    record = PluginRecord(shown_name(found), found.distribution, found.version)
    try:
        if not found.is_usable:
            raise PluginError(record.name, Phase.LOAD, f"its name may have {NAME_RULE}")
        recipe, kind = _import(found, import_seconds)
    except PluginError as error:
        log(error)
        return Loaded(_with(record, PluginStatus.FAILED, error.reason, said_by(error)))

    return _with_settings(replace(record, kind=kind), recipe, table, settings_seconds)


def shown_name(found: Found) -> str:
    """The name as it may be printed."""
    return found.name if found.is_usable else shown(found.name).strip('"')


def log(error: PluginError) -> None:
    """Say once what broke, without the plugin's own words."""
    facts = {"plugin": error.plugin, "phase": error.phase.value, "reason": error.reason}
    logger.warning("a plugin broke", extra=facts)
    if error.__cause__ is not None:
        logger.debug("where it broke", extra=facts, exc_info=error.__cause__)


def said_by(error: PluginError) -> str:
    """The plugin's own words, on one line; they may hold anything."""
    try:
        words = " ".join(str(error.__cause__ or "").split())
    except Exception:  # noqa: BLE001 - an exception that cannot even be shown
        return ""
    return "".join(filter(str.isprintable, words))[:_LONGEST_SAYING]


def _import(found: Found, seconds: float) -> tuple[Plugin[Any, Any], str]:
    """Its recipe, and of what kind that is."""

    def look() -> tuple[Plugin[Any, Any], str]:
        recipe = recipe_of(found)
        return recipe, _kind(recipe)

    # what it prints must not stand among the log's or a command's lines
    with redirect_stdout(sys.stderr):
        return call_aside(look, plugin=found.name, phase=Phase.LOAD, seconds=seconds)


def _kind(recipe: Plugin[Any, Any]) -> str:
    try:
        return kind_of(recipe.open)
    except Exception:  # noqa: BLE001 - annotations may hold anything; the plugin works without them
        return UNKNOWN_KIND


def _with_settings(
    record: PluginRecord,
    recipe: Plugin[Any, Any],
    table: Mapping[str, object] | None,
    seconds: float,
) -> Loaded:
    where = ("plugins", record.name)
    said = ""
    try:
        reading = read_as(
            recipe.settings_model,
            table or {},
            plugin=record.name,
            are_settings=True,
            seconds=seconds,
        )
    except PluginError as error:
        log(error)
        problems = [Problem(path_text(where), str(error))]
        said = said_by(error)
    else:
        if reading.config is not None:
            return Loaded(record, recipe, reading.config)
        problems = [Problem(path_text((*where, *path)), why) for path, why in reading.mistakes]

    words = "; ".join(map(str, problems))
    if table is None:
        # one that is installed and not used is no mistake: who names it in a room is told
        return Loaded(_with(record, PluginStatus.NEEDS_SETTINGS, words, said), recipe)
    wrong = _with(record, PluginStatus.WRONG_SETTINGS, words, said)
    return Loaded(wrong, recipe, problems=tuple(problems))


def _with(record: PluginRecord, status: PluginStatus, error: str, said: str = "") -> PluginRecord:
    return replace(record, status=status, error=error, said=said)
