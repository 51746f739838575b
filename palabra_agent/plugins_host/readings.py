"""What plugins make of the entries of rooms: each entry read once, by none that hung lately."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from palabra_agent.config.plugins import PluginUse
from palabra_agent.errors import Phase, PluginError
from palabra_agent.plugin import PluginConfig
from palabra_agent.plugins_host.aside import Late, call_aside
from palabra_agent.plugins_host.configuring import Reading, read_as
from palabra_agent.plugins_host.loading import log
from palabra_agent.plugins_host.rests import Rest

_MOST_KEPT: Final = 100

T = TypeVar("T")


class Readings:
    """Reads what rooms write for plugins, and remembers what was good."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        """Read nothing yet.

        Args:
            seconds: How long a plugin may take, each time.
            now: Tells the time in seconds.
        """
        self._seconds = seconds
        self._now = now
        self._good: dict[tuple[str, str], PluginConfig] = {}
        """The last used is the last."""
        self._rests: defaultdict[str, Rest] = defaultdict(Rest)

    def read(self, use: PluginUse, model: type[PluginConfig]) -> Reading:
        """Read an entry; what holds already stays good, whatever the plugin does meanwhile.

        Raises:
            PluginError: The plugin broke, or rests.
        """
        key = (use.name, json.dumps(use.config))
        config = self._good.pop(key, None)
        if config is None:
            reading = self._ask(
                use.name,
                partial(read_as, model, use.config, plugin=use.name, seconds=self._seconds),
            )
            config = reading.config
            if config is None:
                return reading

        self._good[key] = config
        if len(self._good) > _MOST_KEPT:
            del self._good[next(iter(self._good))]
        return Reading(config)

    def are_equal(self, name: str, one: PluginConfig, other: PluginConfig) -> bool:
        """Whether a plugin finds two of its configs equal."""
        if one is other:
            return True

        def compare() -> bool:
            return call_aside(
                lambda: bool(one == other),
                plugin=name,
                phase=Phase.CONFIGURE,
                seconds=self._seconds,
            )

        try:
            return self._ask(name, compare)
        except PluginError:
            return False

    def _ask(self, name: str, question: Callable[[], T]) -> T:
        """Ask a plugin something; one that hung is left alone for a while."""
        rest, asked = self._rests[name], self._now()
        if rest.lasts(asked):
            reason = (
                f"it took longer than {self._seconds:.2g} s, "
                f"and is asked again in {rest.ends - asked:.0f} s"
            )
            raise PluginError(name, Phase.CONFIGURE, reason)

        try:
            answer = question()
        except PluginError as error:
            log(error)
            if isinstance(error.__cause__, Late):
                rest.begin(asked, self._now())
            raise

        rest.end()
        return answer
