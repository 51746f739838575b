"""What the log says of one plugin's failures: each kind once, the rest as a number at the end."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

from palabra_agent.errors import PluginError

_KINDS_LIMIT: Final = 20
"""Kinds that are told apart; a plugin may have any number."""

logger = logging.getLogger(__name__)


class FailureLog:
    """Writes down what one plugin does wrong, and never a word of what it said itself."""

    def __init__(self, on_failure: Callable[[PluginError], None]) -> None:
        self._on_failure = on_failure
        """Told every failure; its cause is the plugin's own error, where there is one."""
        self._counts: Counter[str] = Counter()

    def note(self, failure: PluginError, *, level: int = logging.WARNING) -> None:
        """Write a failure down, unless one of its kind was before."""
        self._on_failure(failure)
        kind = f"{failure.phase}: {failure.reason}"
        if kind not in self._counts and len(self._counts) >= _KINDS_LIMIT:
            kind = "others"

        self._counts[kind] += 1
        if self._counts[kind] == 1:
            logger.log(level, "a plugin was passed over", extra=_facts(failure))

        # the words of the error itself may hold a name: for those alone who debug
        logger.debug("a plugin was passed over", extra=_facts(failure), exc_info=failure.__cause__)

    def sum_up(self, plugin: str) -> None:
        """Write down how often it failed, where that was more than once."""
        for kind, count in self._counts.items():
            if count > 1:
                facts = {"plugin": plugin, "kind": kind, "count": count}
                logger.warning("a plugin was passed over more than once", extra=facts)


def _facts(failure: PluginError) -> dict[str, str]:
    return {"plugin": failure.plugin, "phase": str(failure.phase), "reason": failure.reason}
