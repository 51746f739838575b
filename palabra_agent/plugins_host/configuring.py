"""Configs and settings of plugins, read by their own models: in a thread, with a deadline."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import to_json

from palabra_agent.config.plugins import PluginSchema, PluginUse, reference_template
from palabra_agent.config.problems import mistakes_of
from palabra_agent.config.wording import Path
from palabra_agent.errors import Phase, PluginError
from palabra_agent.plugin import Plugin, PluginConfig
from palabra_agent.plugins_host.records import log_error

T = TypeVar("T")

REST_SECONDS: Final = 60.0
"""The time in which a plugin that hung is not asked the same kind of question."""

_MOST_KEPT: Final = 100

_MOST_GOING_ON: Final = 3
"""Readings of one plugin that may go on past their deadline before it is asked nothing more."""


@dataclass(frozen=True, slots=True)
class PluginDeadlines:
    """Deadlines for plugins at what cannot be awaited, in seconds."""

    each: float = 3.0
    """For one plugin to load."""
    total: float = 8.0
    """For all of them to load."""
    configure: float = 1.0
    """For one to read its config or settings, each time."""


DEFAULT_DEADLINES: Final = PluginDeadlines()


@dataclass(frozen=True, slots=True)
class ConfiguredPlugin:
    """A plugin that is ready to be opened; equal ones are the same plugin to a room."""

    name: str
    """The entry point's, as room configs use it."""
    recipe: Plugin[Any, Any]
    config: PluginConfig
    """The room's config of it."""
    settings: PluginConfig
    """The operator's settings of it."""


@dataclass(frozen=True, slots=True)
class ConfigReading:
    """The result of reading what was written for a plugin: a config, or every mistake in it."""

    config: PluginConfig | None = None
    mistakes: tuple[tuple[Path, str], ...] = ()
    """Paths within what was written."""


def call_in_thread(
    call: Callable[[], T],
    *,
    plugin: str,
    phase: Phase,
    seconds: float,
    on_late: Callable[[threading.Thread], None] = lambda thread: None,
) -> T:
    """Return the result of a call that may hang: its thread is left behind then.

    Args:
        call: Is called.
        plugin: Name of the plugin whose code it is.
        phase: Of that plugin.
        seconds: The deadline.
        on_late: Given the thread that is left behind.

    Raises:
        PluginError: It raised anything at all, which is the cause; or it did not end in time, and
            the cause is a `TimeoutError`.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - a plugin may even call sys.exit
            future.set_exception(error)

    thread = threading.Thread(target=run, name=f"plugin {phase}", daemon=True)
    thread.start()
    try:
        error = future.exception(seconds)
    except TimeoutError as late:
        on_late(thread)
        raise PluginError(plugin, phase, f"it takes longer than {seconds:.2g} s") from late

    if isinstance(error, PluginError):
        raise error
    if error is not None:
        raise PluginError(plugin, phase, _reason(error)) from error
    return future.result()


def read_as(
    model: type[PluginConfig],
    written: Mapping[str, object],
    *,
    plugin: str,
    are_settings: bool = False,
    seconds: float = DEFAULT_DEADLINES.configure,
    on_late: Callable[[threading.Thread], None] = lambda thread: None,
) -> ConfigReading:
    """Let a plugin's model check what was written for it.

    Args:
        model: The model.
        written: The content of TOML or JSON.
        plugin: Name of the plugin.
        are_settings: True for the operator's settings, which may hold credentials.
        seconds: The deadline.
        on_late: Given the thread that is left behind where that has passed.

    Raises:
        PluginError: The model broke, which is something else than to refuse.
    """

    def read() -> ConfigReading:
        # as JSON, so that a strict model takes a list for a tuple and a string for a date
        text = to_json(written, inf_nan_mode="constants")
        try:
            config: object = model.model_validate_json(text)
        except ValidationError as error:
            mistakes = mistakes_of(error, model, written, are_settings=are_settings)
            return ConfigReading(mistakes=tuple(mistakes))

        # a validator that forgets to return `self` gives None
        if not isinstance(config, model):
            raise PluginError(plugin, Phase.CONFIGURE, "its config model gives something else")
        return ConfigReading(config)

    return call_in_thread(
        read, plugin=plugin, phase=Phase.CONFIGURE, seconds=seconds, on_late=on_late
    )


class ConfigReader:
    """Reads the entries of rooms, remembers the good ones, and leaves alone an entry that hung.

    A config that is slow to read says nothing of others: they are read as ever, unless so many
    readings of their plugin go on that more of them would hold up the process.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        """Read nothing yet.

        Args:
            seconds: The deadline for a plugin, each time.
            now: Tells the time in seconds.
        """
        self._seconds = seconds
        self._now = now
        self._good: dict[tuple[str, str], ConfigReading] = {}
        """The last used is the last."""
        self._rest_ends: dict[tuple[str, str], float] = {}
        """By entry that hung; the last is the last that hung."""
        self._going_on: dict[str, list[threading.Thread]] = {}
        """By plugin, the readings that were left behind."""

    def read(self, use: PluginUse, model: type[PluginConfig]) -> ConfigReading:
        """Read an entry; a good one stays good, whatever the plugin does meanwhile.

        Paths are those within the entry; that the plugin broke, or rests, is a mistake of it, too.
        """
        key = (use.name, json.dumps(use.config))
        reading = self._good.pop(key, None) or self._ask(key, use, model)
        if reading.config is not None:
            self._good[key] = reading
            if len(self._good) > _MOST_KEPT:
                del self._good[next(iter(self._good))]
        return reading

    def _ask(
        self, key: tuple[str, str], use: PluginUse, model: type[PluginConfig]
    ) -> ConfigReading:
        late = f"it took longer than {self._seconds:.2g} s"
        rest = self._rest_ends.get(key, -math.inf) - self._now()
        if rest > 0:
            again = f"{late}, and is asked again in {rest:.0f} s"
            return _not_read(PluginError(use.name, Phase.CONFIGURE, again))
        if self._is_busy(use.name):
            again = f"{late} with {_MOST_GOING_ON} configs, and is asked again when it has read one"
            return _not_read(PluginError(use.name, Phase.CONFIGURE, again))

        left_behind = self._going_on.setdefault(use.name, [])
        try:
            reading = read_as(
                model,
                use.config,
                plugin=use.name,
                seconds=self._seconds,
                on_late=left_behind.append,
            )
        except PluginError as error:
            log_error(error)
            if isinstance(error.__cause__, TimeoutError):
                self._let_rest(key)
            return _not_read(error)

        mistakes = ((("config", *path), why) for path, why in reading.mistakes)
        return ConfigReading(reading.config, tuple(mistakes))

    def _is_busy(self, plugin: str) -> bool:
        """Tell if too many readings that were left behind have not come to an end."""
        going_on = [it for it in self._going_on.get(plugin, ()) if it.is_alive()]
        self._going_on[plugin] = going_on
        return len(going_on) >= _MOST_GOING_ON

    def _let_rest(self, key: tuple[str, str]) -> None:
        self._rest_ends.pop(key, None)
        self._rest_ends[key] = self._now() + REST_SECONDS
        if len(self._rest_ends) > _MOST_KEPT:
            del self._rest_ends[next(iter(self._rest_ends))]


def _not_read(error: PluginError) -> ConfigReading:
    return ConfigReading(mistakes=(((), str(error)),))


def plugin_schema(name: str, recipe: Plugin[Any, Any]) -> PluginSchema:
    """Make the JSON Schema of a plugin's config; anything goes where its model has none."""

    def make() -> Mapping[str, Any]:
        made: Mapping[str, Any] = recipe.config_model.model_json_schema(
            ref_template=reference_template(name)
        )
        return made

    try:
        schema = call_in_thread(
            make, plugin=name, phase=Phase.CONFIGURE, seconds=DEFAULT_DEADLINES.configure
        )
        is_good = read_as(recipe.config_model, recipe.example, plugin=name).config is not None
    except PluginError as error:
        # a model may check what no schema can say; it still checks
        log_error(error)
        return PluginSchema(name, {"type": "object"})

    return PluginSchema(name, schema, recipe.example if is_good else {})


def _reason(error: BaseException) -> str:
    """Say what was raised, without its words: they may hold what other people must not know."""
    match error:
        case ModuleNotFoundError(name=str(module)):
            return f'it needs the module "{module}", which is not installed'
        case AttributeError(name=str(missing), obj=ModuleType() as module):
            return f'there is no "{missing}" in the module "{module.__name__}"'
        case _:
            return f"it raises {type(error).__name__}"
