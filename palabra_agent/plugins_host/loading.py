"""Installed plugins: found by their entry points, imported with a deadline, and checked."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any, Final, get_args, get_type_hints

from palabra_agent.capabilities.capability import AnyCapability, a_kind_of
from palabra_agent.config.wording import path_text, secret_key_in, shown
from palabra_agent.errors import Phase, PluginError, Problem
from palabra_agent.plugin import ENTRY_POINTS, Plugin, PluginConfig
from palabra_agent.plugins_host.configuring import PluginDeadlines, call_in_thread, read_as
from palabra_agent.plugins_host.records import (
    UNKNOWN_KIND,
    PluginRecord,
    PluginStatus,
    log_error,
)
from palabra_agent.texts import LONGEST_NAME, one_line

_NAME_RULE: Final = "letters, digits, `-`, `_` and `.`, at most 64, the first a letter or digit"
_USABLE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UNKNOWN: Final = "unknown"
_LONGEST_WORDS: Final = 300

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """The outcome of loading one name: at least a record of it."""

    record: PluginRecord
    recipe: Plugin[Any, Any] | None = None
    settings: PluginConfig | None = None
    """The operator's settings of it; None where they are wrong, or it has no recipe."""
    problems: tuple[Problem, ...] = ()
    """Mistakes in the operator's table of it."""


def find_plugins(entry_points: Iterable[EntryPoint] | None = None) -> dict[str, list[EntryPoint]]:
    """Find all that is installed under each name, in the order of names; imports nothing.

    Args:
        entry_points: Those to take instead of the ones that are installed.
    """
    if entry_points is None:
        entry_points = _installed()

    found: dict[str, list[EntryPoint]] = {}
    for each in sorted(entry_points, key=lambda it: (it.name, *_origin(it.dist))):
        found.setdefault(each.name, []).append(each)
    return found


def record_of(those: Sequence[EntryPoint]) -> PluginRecord:
    """Make the record of a name that has been found, and not been imported."""
    name = those[0].name
    distributions, versions = zip(*(_origin(each.dist) for each in those), strict=True)
    return PluginRecord(
        name if _USABLE_NAME.fullmatch(name) else shown(name).strip('"'),
        ", ".join(dict.fromkeys(distributions)),
        ", ".join(dict.fromkeys(versions)),
    )


def failed(
    record: PluginRecord, error: PluginError, status: PluginStatus = PluginStatus.FAILED
) -> LoadedPlugin:
    """Log and record why a plugin is not there."""
    log_error(error)
    reason = one_line(error.reason, _LONGEST_WORDS)
    return LoadedPlugin(replace(record, status=status, error=reason, said=_words_of(error)))


def ambiguity(those: Sequence[EntryPoint]) -> str:
    """Say that several entry points have one name."""
    bringing = dict.fromkeys(" ".join(_origin(each.dist)) for each in those)
    verb = "bring it" if len(bringing) > 1 else "has several entry points of this name"
    return f"{' and '.join(bringing)} {verb}, and none of them is used"


def load(
    entry_point: EntryPoint,
    table: Mapping[str, object] | None,
    capabilities: Sequence[AnyCapability],
    deadlines: PluginDeadlines,
) -> LoadedPlugin:
    """Import one entry point, check that it is a recipe, and let it read its settings.

    Args:
        entry_point: The only one of its name.
        table: The content of `[plugins.NAME]`, None where there is no such table.
        capabilities: What plugins can be asked.
        deadlines: For the import, and for reading the settings.
    """
    record = record_of([entry_point])
    name = record.name
    if not _USABLE_NAME.fullmatch(entry_point.name):
        return failed(record, PluginError(name, Phase.LOAD, f"its name may have {_NAME_RULE}"))

    def look() -> tuple[Plugin[Any, Any], str]:
        recipe = _recipe(name, entry_point.load())
        return recipe, kind_of(recipe.open, capabilities)

    try:
        # what it prints must not stand among the log's or a command's lines
        with redirect_stdout(sys.stderr):
            recipe, kind = call_in_thread(
                look, plugin=name, phase=Phase.LOAD, seconds=deadlines.each
            )
    except PluginError as error:
        return failed(record, error)

    return _with_settings(replace(record, kind=kind), recipe, table, deadlines.configure)


def kind_of(opener: object, capabilities: Sequence[AnyCapability]) -> str:
    """Name the capabilities that an opener is annotated to give, such as `voice policy`.

    They are looked for in `AsyncGenerator[…]` and the like. What it really gives shows only when it
    is opened: an opener that does not say it is of the kind `plugin`.
    """
    try:
        (opened, *_) = get_args(get_type_hints(opener)["return"])
    except Exception:  # noqa: BLE001 - annotations may hold anything; the plugin works without them
        return UNKNOWN_KIND

    kinds = [
        re.sub(r"(?<!^)(?=[A-Z])", " ", it.protocol.__name__).lower()
        for it in capabilities
        if isinstance(opened, type) and issubclass(opened, it.protocol)
    ]
    return ", ".join(kinds) or UNKNOWN_KIND


def _installed() -> Iterator[EntryPoint]:
    """Yield the entry points of plugins; a distribution that cannot be read hides no other."""
    seen: set[str] = set()
    for distribution in distributions():
        name, _ = _origin(distribution)
        spelt = re.sub(r"[-_.]+", "-", name).lower()
        # of two on the path, the first is the one that is imported
        if spelt in seen and name != _UNKNOWN:
            continue

        seen.add(spelt)
        try:
            yield from distribution.entry_points.select(group=ENTRY_POINTS)
        except Exception as error:  # noqa: BLE001 - the file may hold anything
            facts = {"distribution": name, "phase": "load", "error": type(error).__name__}
            logger.warning("the entry points of a distribution cannot be read", extra=facts)


def _origin(distribution: Distribution | None) -> tuple[str, str]:
    """Give the name and version of a distribution, as far as they can be read."""
    if distribution is None:
        return _UNKNOWN, _UNKNOWN

    try:
        metadata = distribution.metadata
        said = (str(metadata[key] or "") for key in ("Name", "Version"))
        name, version = (one_line(it, LONGEST_NAME) or _UNKNOWN for it in said)
    except Exception:  # noqa: BLE001 - the file may hold anything, and its plugin may work
        return _UNKNOWN, _UNKNOWN

    return name, version


def _recipe(name: str, named: object) -> Plugin[Any, Any]:
    """Check that an entry point names a recipe, with models that can be used.

    Raises:
        PluginError: It does not.
    """
    if not isinstance(named, Plugin):
        what = f"the class {named.__name__}" if isinstance(named, type) else a_kind_of(named)
        reason = f"its entry point must name a `Plugin(…)`, not {what}"
        raise PluginError(name, Phase.LOAD, reason)

    recipe: Plugin[Any, Any] = named
    for field in ("config_model", "settings_model"):
        model: object = getattr(recipe, field)
        if not (isinstance(model, type) and issubclass(model, PluginConfig)):
            reason = f"its `{field}` must be a subclass of `PluginConfig`"
            raise PluginError(name, Phase.LOAD, reason)

    secret = secret_key_in(recipe.config_model)
    if secret is not None:
        reason = (
            f"its `config_model` asks rooms for a secret, `{secret}`, "
            "which belongs in its `settings_model`"
        )
        raise PluginError(name, Phase.LOAD, reason)
    return recipe


def _with_settings(
    record: PluginRecord,
    recipe: Plugin[Any, Any],
    table: Mapping[str, object] | None,
    seconds: float,
) -> LoadedPlugin:
    where, said = ("plugins", record.name), ""
    problems: tuple[Problem, ...]
    try:
        reading = read_as(
            recipe.settings_model,
            table or {},
            plugin=record.name,
            are_settings=True,
            seconds=seconds,
        )
    except PluginError as error:
        log_error(error)
        problems = (Problem(path_text(where), str(error)),)
        said = _words_of(error)
    else:
        if reading.config is not None:
            return LoadedPlugin(record, recipe, reading.config)
        problems = tuple(Problem(path_text((*where, *path)), why) for path, why in reading.mistakes)

    # one that is installed and not used is no mistake: a room that names it is told
    is_used = table is not None
    status = PluginStatus.WRONG_SETTINGS if is_used else PluginStatus.NEEDS_SETTINGS
    record = replace(record, status=status, error="; ".join(map(str, problems)), said=said)
    return LoadedPlugin(record, recipe, problems=problems if is_used else ())


def _words_of(error: PluginError) -> str:
    """Give the plugin's own words, on one line."""
    return one_line(str(error.__cause__ or ""), _LONGEST_WORDS)
