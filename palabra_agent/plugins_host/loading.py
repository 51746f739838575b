"""Installed plugins: found by their entry points, imported with a deadline, and checked."""

from __future__ import annotations

import inspect
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, distributions
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from palabra_agent.capabilities.capability import AnyCapability, a_kind_of
from palabra_agent.config.wording import listed, path_text, secret_key_in, shown
from palabra_agent.errors import Phase, PluginError, Problem
from palabra_agent.languages import did_you_mean
from palabra_agent.plugin import ENTRY_POINTS, Plugin, PluginConfig
from palabra_agent.plugins_host.configuring import PluginDeadlines, call_in_thread, read_as
from palabra_agent.plugins_host.records import (
    UNKNOWN_KIND,
    PluginRecord,
    PluginStatus,
    log_error,
)

_NAME_RULE: Final = "letters, digits, `-`, `_` and `.`, at most 64, the first a letter or digit"
_USABLE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UNKNOWN: Final = "unknown"
_LONGEST_GUESS: Final = 60
_LONGEST_SAYING: Final = 300

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """One entry point, and the distribution that brings it."""

    name: str
    entry_point: EntryPoint
    distribution: str
    version: str

    @property
    def is_usable(self) -> bool:
        """True where a room config can name it."""
        return _USABLE_NAME.fullmatch(self.name) is not None

    @property
    def shown_name(self) -> str:
        """The name as it may be printed."""
        return self.name if self.is_usable else shown(self.name).strip('"')


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """The outcome of loading one name: at least a record of it."""

    record: PluginRecord
    recipe: Plugin[Any, Any] | None = None
    settings: PluginConfig | None = None
    """The operator's settings of it; None where they are wrong, or it has no recipe."""
    problems: tuple[Problem, ...] = ()
    """Mistakes in the operator's table of it."""


def find_plugins(
    entry_points: Iterable[EntryPoint] | None = None,
) -> dict[str, list[InstalledPlugin]]:
    """Find all that is installed under each name, in the order of names; imports nothing.

    Args:
        entry_points: Those to take instead of the ones that are installed.
    """
    found: dict[str, list[InstalledPlugin]] = {}
    for each in _installed() if entry_points is None else entry_points:
        if each.group == ENTRY_POINTS:
            plugin = InstalledPlugin(each.name, each, *_origin(each.dist))
            found.setdefault(each.name, []).append(plugin)
    return {
        name: sorted(those, key=lambda each: (each.distribution, each.version))
        for name, those in sorted(found.items())
    }


def not_installed(name: str, installed: Sequence[str]) -> str:
    """Say that no plugin has this name, and what was probably meant."""
    words = f"{shown(name)} is not installed"
    hint = did_you_mean(name[:_LONGEST_GUESS], installed)
    if hint:
        return f"{words}{hint}"
    return f"{words}; installed are {listed(installed)}" if installed else f"{words}; no plugin is"


def load(
    found: InstalledPlugin,
    table: Mapping[str, object] | None,
    capabilities: Sequence[AnyCapability],
    deadlines: PluginDeadlines,
) -> LoadedPlugin:
    """Import one entry point, check that it is a recipe, and let it read its settings.

    Args:
        found: The entry point.
        table: The content of `[plugins.NAME]`, None where there is no such table.
        capabilities: What plugins can be asked.
        deadlines: For the import, and for reading the settings.
    """
    record = PluginRecord(found.shown_name, found.distribution, found.version)

    def look() -> tuple[Plugin[Any, Any], str]:
        recipe = _recipe_of(found)
        return recipe, kind_of(recipe.open, capabilities)

    try:
        if not found.is_usable:
            raise PluginError(record.name, Phase.LOAD, f"its name may have {_NAME_RULE}")
        # what it prints must not stand among the log's or a command's lines
        with redirect_stdout(sys.stderr):
            recipe, kind = call_in_thread(
                look, plugin=found.name, phase=Phase.LOAD, seconds=deadlines.each
            )
    except PluginError as error:
        log_error(error)
        return LoadedPlugin(
            replace(record, status=PluginStatus.FAILED, error=error.reason, said=_words_of(error))
        )

    return _with_settings(replace(record, kind=kind), recipe, table, deadlines.configure)


def left_out(
    found: Sequence[InstalledPlugin], status: PluginStatus, reason: str = ""
) -> LoadedPlugin:
    """Record a name that is not even imported; a reason is logged."""
    name = found[0].shown_name
    if reason:
        log_error(PluginError(name, Phase.LOAD, reason))

    return LoadedPlugin(
        PluginRecord(
            name,
            ", ".join(dict.fromkeys(each.distribution for each in found)),
            ", ".join(dict.fromkeys(each.version for each in found)),
            status=status,
            error=reason,
        )
    )


def ambiguity(found: Sequence[InstalledPlugin]) -> str:
    """Say that several entry points have one name."""
    bringing = dict.fromkeys(f"{each.distribution} {each.version}" for each in found)
    verb = "bring it" if len(bringing) > 1 else "has several entry points of this name"
    return f"{' and '.join(bringing)} {verb}, and none of them is used"


def _installed() -> Iterator[EntryPoint]:
    """Yield the entry points of every distribution; one that cannot be read is passed over."""
    seen: set[str] = set()
    for distribution in distributions():
        name, _ = _origin(distribution)
        if name != _UNKNOWN:
            # as installers spell it; of two on the path, the first is the one that is imported
            spelt = re.sub(r"[-_.]+", "-", name).lower()
            if spelt in seen:
                continue
            seen.add(spelt)
        try:
            yield from distribution.entry_points
        except Exception as error:  # noqa: BLE001 - one broken distribution must not hide the others
            facts = {"distribution": name, "phase": "load", "error": type(error).__name__}
            logger.warning("the entry points of a distribution cannot be read", extra=facts)


def _origin(distribution: Distribution | None) -> tuple[str, str]:
    """Give name and version, as far as the metadata can be read."""
    if distribution is None:
        return _UNKNOWN, _UNKNOWN
    try:
        metadata = distribution.metadata
        return str(metadata["Name"] or _UNKNOWN), str(metadata["Version"] or _UNKNOWN)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, its plugin may work
        return _UNKNOWN, _UNKNOWN


def _recipe_of(found: InstalledPlugin) -> Plugin[Any, Any]:
    """Import what an entry point names, and check that it is a recipe.

    Raises:
        PluginError: It is none. What the import itself raises is let through.
    """
    named = _named_object(found)
    if not isinstance(named, Plugin):
        what = f"the class {named.__name__}" if isinstance(named, type) else a_kind_of(named)
        reason = f"its entry point must name a `Plugin(…)`, not {what}"
        raise PluginError(found.name, Phase.LOAD, reason)

    recipe: Plugin[Any, Any] = named
    objection = _objection(recipe)
    if objection is not None:
        raise PluginError(found.name, Phase.LOAD, objection)
    return recipe


def _named_object(found: InstalledPlugin) -> object:
    """Do as `EntryPoint.load` does, with words for what is not there."""
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


def _objection(recipe: Plugin[Any, Any]) -> str | None:
    """Check what the constructor does not: an author's type checker does."""
    for field in ("config_model", "settings_model"):
        model: object = getattr(recipe, field)
        if not (isinstance(model, type) and issubclass(model, PluginConfig)):
            return f"its `{field}` must be a subclass of `PluginConfig`"
    opener: object = recipe.open
    if not callable(opener):
        return f"its `open` must be a function, not {a_kind_of(opener)}"
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


def kind_of(opener: object, capabilities: Sequence[AnyCapability]) -> str:
    """Name the capabilities that an opener is annotated to give, such as `voice policy`.

    What it really gives shows only when it is opened: an opener without annotations, or with one
    that leaves the capability open, is of the kind `plugin`.
    """
    try:
        opened = _opened_by(opener)
    except Exception:  # noqa: BLE001 - annotations may hold anything; the plugin works without them
        return UNKNOWN_KIND

    members = get_args(opened) if get_origin(opened) in {Union, UnionType} else (opened,)
    kinds = [
        re.sub(r"(?<!^)(?=[A-Z])", " ", it.protocol.__name__).lower()
        for it in capabilities
        if all(isinstance(member, type) and issubclass(member, it.protocol) for member in members)
    ]
    return ", ".join(kinds) or UNKNOWN_KIND


def _opened_by(opener: object) -> object:
    """Find what stands in `AsyncGenerator[…]` and the like, or what a class says it enters to."""
    function = getattr(opener, "__aenter__", None) if isinstance(opener, type) else opener
    given = get_type_hints(inspect.unwrap(function)).get("return") if callable(function) else None
    if isinstance(opener, type):
        return given if isinstance(given, type) else opener

    arguments = get_args(given)
    if arguments:
        return arguments[0]
    return _opened_by(given) if isinstance(given, type) else None


def _words_of(error: PluginError) -> str:
    """Give the plugin's own words, on one line; they may hold anything."""
    try:
        words = " ".join(str(error.__cause__ or "").split())
    except Exception:  # noqa: BLE001 - an exception that cannot even be shown
        return ""
    return "".join(filter(str.isprintable, words))[:_LONGEST_SAYING]


def _with_settings(
    record: PluginRecord,
    recipe: Plugin[Any, Any],
    table: Mapping[str, object] | None,
    seconds: float,
) -> LoadedPlugin:
    where, model = ("plugins", record.name), recipe.settings_model
    said = ""
    try:
        reading = read_as(
            model, table or {}, plugin=record.name, are_settings=True, seconds=seconds
        )
    except PluginError as error:
        log_error(error)
        problems = [Problem(path_text(where), str(error))]
        said = _words_of(error)
    else:
        if reading.config is not None:
            return LoadedPlugin(record, recipe, reading.config)
        problems = [Problem(path_text((*where, *path)), why) for path, why in reading.mistakes]

    record = replace(record, error="; ".join(map(str, problems)), said=said)
    if table is None:
        # one that is installed and not used is no mistake: a room that names it is told
        return LoadedPlugin(replace(record, status=PluginStatus.NEEDS_SETTINGS), recipe)
    record = replace(record, status=PluginStatus.WRONG_SETTINGS)
    return LoadedPlugin(record, recipe, problems=tuple(problems))
