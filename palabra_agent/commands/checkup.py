"""A check-up of this installation: one question after the other, each answered in a line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from palabra_agent.addresses import PLAIN_ALLOWED
from palabra_agent.commands.console import read_config_argument
from palabra_agent.config.room import NO_CEILINGS
from palabra_agent.config.settings import WorkerSettings, load_settings
from palabra_agent.errors import (
    ApiError,
    ConfigError,
    ErrorClass,
    PalabraAgentError,
    SettingsError,
    SetupError,
)
from palabra_agent.plugins_host.catalog import PluginCatalog, load_plugins
from palabra_agent.room.composition import open_palabra
from palabra_agent.room.configuration import read_config
from palabra_agent.worker.livekit_api import check_livekit, check_registration, check_rooms
from palabra_agent.worker.proxies import proxy_notes


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check-up."""

    subject: str
    is_good: bool
    details: tuple[str, ...]


async def examine(
    config_file: Path | None,
    room_config: str | None,
    *,
    env_file: Path | None = None,
    load: Callable[..., PluginCatalog] = load_plugins,
) -> AsyncIterator[Finding]:
    """Look at settings, proxies, LiveKit, Palabra, the plugins and a room config, in this order.

    What needs good settings is left out where they are wrong.

    Args:
        config_file: The worker's settings.
        room_config: JSON, or `@file.json`; None to look at none.
        env_file: Lies below the environment.
        load: Loads the plugins.
    """
    settings: WorkerSettings | None = None
    loaded: list[PluginCatalog] = []

    def remember(
        tables: Mapping[str, Mapping[str, object]], allowed: Sequence[str] | None
    ) -> PluginCatalog:
        loaded.append(load(tables, allowed))
        return loaded[0]

    try:
        settings = load_settings(config_file=config_file, env_file=env_file, plugins=remember)
        yield Finding("settings", is_good=True, details=_of_settings(settings))
    except SettingsError as error:
        yield _bad("settings", error)

    if settings is not None:
        for finding in _proxies(settings):
            yield finding
        yield await _livekit(settings)
        yield await _palabra(settings)

    # a file that cannot be read says nothing of plugins
    catalog = loaded[0] if loaded else load()
    yield _plugins(catalog)

    if room_config is not None:
        yield _room_config(room_config, settings, catalog)


def _of_settings(settings: WorkerSettings) -> tuple[str, ...]:
    if not settings.palabra.allow_plain_addresses:
        return ("complete",)

    return ("complete", f"{PLAIN_ALLOWED} lets addresses be without TLS")


def _proxies(settings: WorkerSettings) -> Sequence[Finding]:
    """What is to be known of proxies, if there are any."""
    try:
        notes = proxy_notes(settings)
    except SetupError as error:
        return [_bad("proxies", error)]

    return [Finding("proxies", is_good=True, details=notes)] if notes else []


async def _livekit(settings: WorkerSettings) -> Finding:
    try:
        await check_livekit(settings.livekit)
        await check_registration(settings.livekit)
        await check_rooms(settings.livekit)
    except PalabraAgentError as error:
        return _bad("LiveKit", error)

    return Finding("LiveKit", is_good=True, details=(f"lets us in at {settings.livekit.url}",))


async def _palabra(settings: WorkerSettings) -> Finding:
    try:
        async with open_palabra(settings) as palabra:
            count = len(await palabra.list_sessions())
    except ApiError as error:
        is_ours = error.error_class in {ErrorClass.CREDENTIALS, ErrorClass.NOT_FOUND}
        hint = "; check the PALABRA_… credentials" if is_ours else ""
        return Finding("Palabra", is_good=False, details=(f"{error}{hint}",))
    except PalabraAgentError as error:
        return _bad("Palabra", error)

    where = f"lets us in at {settings.palabra.api_url}, {count} sessions open"
    return Finding("Palabra", is_good=True, details=(where,))


def _plugins(catalog: PluginCatalog) -> Finding:
    """List the plugins; one that is not allowed, or has no settings yet, is no failure."""
    records = catalog.records
    if not records:
        return Finding("plugins", is_good=True, details=("none installed",))

    ready = ", ".join(record.name for record in records if record.is_ready)
    others = (record for record in records if not record.is_ready)
    return Finding(
        "plugins",
        is_good=not any(record.is_broken for record in records),
        details=(f"ready: {ready or 'none'}", *map(str, others)),
    )


def _room_config(argument: str, settings: WorkerSettings | None, catalog: PluginCatalog) -> Finding:
    """Read a room config as the worker would in a room that no `[[rooms]]` is about."""
    layers, ceilings = [], NO_CEILINGS
    if settings is not None:
        layers, ceilings = [settings.room], settings.ceilings_of("", catalog.with_settings)
    try:
        metadata = read_config_argument(argument)
        change = read_config(metadata, layers, catalog, ceilings)
    except ConfigError as error:
        return _bad("room config", error)

    offered = ", ".join(change.config.languages)
    details = (f"valid; offers {offered}", *map(str, change.cuts))
    return Finding("room config", is_good=True, details=details)


def _bad(subject: str, error: PalabraAgentError) -> Finding:
    problems = error.problems if isinstance(error, ConfigError) else (error,)
    return Finding(subject, is_good=False, details=tuple(map(str, problems)))
