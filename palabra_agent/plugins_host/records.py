"""Records of the installed plugins for people, and of what went wrong with one, for the log."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from palabra_agent.errors import PluginError

UNKNOWN_KIND: Final = "plugin"
"""The kind of a plugin whose recipe was not read, or does not tell what it opens."""

_KINDS_LIMIT: Final = 20
"""Kinds of errors that are told apart; a plugin may have any number."""

logger = logging.getLogger(__name__)


class PluginStatus(StrEnum):
    """The state of an installed plugin, which decides if a room may have it."""

    READY = "ready"
    NOT_ALLOWED = "not allowed"
    """The worker's `allowed_plugins` leave it out; it was not even imported."""
    FAILED = "failed to load"
    AMBIGUOUS = "two distributions have this name"
    """Neither is used, and neither was imported."""
    WRONG_SETTINGS = "wrong settings"
    """The worker's settings of it are wrong."""
    NEEDS_SETTINGS = "needs settings"
    """The worker's settings do not mention it, and it cannot do without."""


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One name in the group of entry points."""

    name: str
    """As room configs use it."""
    distribution: str
    """Name of the installed package that brings it, several where there are several."""
    version: str
    kind: str = UNKNOWN_KIND
    """The capabilities that its recipe is annotated with: `voice policy`, or several such words."""
    status: PluginStatus = PluginStatus.READY
    error: str = ""
    """The mistake, in a sentence without anything that the plugin itself said."""
    said: str = ""
    """The plugin's own words on it: for the operator's terminal, not for logs or rooms."""

    @property
    def is_ready(self) -> bool:
        """True where rooms may have it."""
        return self.status is PluginStatus.READY

    @property
    def is_broken(self) -> bool:
        """True where it, or its settings, should be mended."""
        return self.status in _BROKEN

    def __str__(self) -> str:
        words = f"{self.name}: {self.status}"
        words += f": {self.error}" if self.error else ""
        return f"{words} ({self.said})" if self.said else words


_BROKEN: Final = frozenset(
    {PluginStatus.FAILED, PluginStatus.AMBIGUOUS, PluginStatus.WRONG_SETTINGS}
)


def log_error(error: PluginError) -> None:
    """Log an error of loading or configuring, without the plugin's own words."""
    logger.warning("a plugin broke", extra=_facts(error))
    if error.__cause__ is not None:
        logger.debug("where it broke", extra=_facts(error), exc_info=error.__cause__)


class ErrorLog:
    """Logs the errors of one plugin in one room: each kind once, and its number at the end."""

    def __init__(self, on_error: Callable[[PluginError], None]) -> None:
        self._on_error = on_error
        """Told every error; its cause is the plugin's own, where there is one."""
        self._counts: Counter[str] = Counter()

    def note(self, error: PluginError, *, level: int = logging.WARNING) -> None:
        """Log an error, unless there was one of its kind."""
        self._on_error(error)
        kind = f"{error.phase}: {error.reason}"
        if kind not in self._counts and len(self._counts) >= _KINDS_LIMIT:
            kind = "others"

        self._counts[kind] += 1
        if self._counts[kind] == 1:
            logger.log(level, "a plugin was passed over", extra=_facts(error))

        # the words of the error itself may hold a name: for those alone who debug
        logger.debug("a plugin was passed over", extra=_facts(error), exc_info=error.__cause__)

    def sum_up(self, plugin: str) -> None:
        """Log the number of errors of each kind that came more than once."""
        for kind, count in self._counts.items():
            if count > 1:
                facts = {"plugin": plugin, "kind": kind, "count": count}
                logger.warning("a plugin was passed over more than once", extra=facts)


def _facts(error: PluginError) -> dict[str, str]:
    return {"plugin": error.plugin, "phase": error.phase.value, "reason": error.reason}
