"""The commands `start` and `dispatch`: run the worker, and ask it into a room."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final, Literal

import typer

from palabra_agent.commands.console import (
    ENV_FILE,
    SettingsFileOfStart,
    errors,
    keep_plugins_out_of_the_log,
    output,
    read_config_argument,
    sentences,
)

_DEFAULT_NAME: Final = "palabra-interpreter"
"""As the settings say, which take long to import."""


def start(
    agent_name: Annotated[
        str | None,
        typer.Option(
            help="Name that a dispatch asks for (PALABRA_AGENT_NAME); empty joins every new room.",
            show_default=_DEFAULT_NAME,
        ),
    ] = None,
    settings: SettingsFileOfStart = None,
    host: Annotated[
        str | None,
        typer.Option(help="Health server: an IP address.", show_default="all of this machine's"),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Health server; 0 for any.", show_default="8081")
    ] = None,
    drain_seconds: Annotated[
        int | None,
        typer.Option(
            help="Seconds that running rooms may go on after SIGTERM.", show_default="1800"
        ),
    ] = None,
    log_level: Annotated[
        Literal["debug", "info", "warning"],
        typer.Option(
            help="Least level that is logged; debug: others' words too, which may hold tokens."
        ),
    ] = "info",
) -> None:
    """Run the production worker: it waits to be dispatched into rooms."""
    with sentences():
        from palabra_agent.config.settings import load_settings
        from palabra_agent.plugins_host.catalog import load_plugins

        # each process of a job loads them again, and logs what does not load
        keep_plugins_out_of_the_log()
        loaded = load_settings(
            config_file=settings,
            env_file=ENV_FILE,
            agent_name=agent_name,
            host=host,
            port=port,
            drain_seconds=drain_seconds,
            plugins=load_plugins,
        )
        from palabra_agent.worker.log import set_up_logging
        from palabra_agent.worker.server import run_worker

        set_up_logging(log_level.upper())
        asyncio.run(run_worker(loaded))


def dispatch(
    room: Annotated[str, typer.Argument(help="The room's name.")],
    config: Annotated[
        str, typer.Option(help="The room config: JSON, or @file.json.", metavar="JSON")
    ] = "",
    agent_name: Annotated[
        str | None,
        typer.Option(
            help="The worker's name (PALABRA_AGENT_NAME), as for `start`.",
            show_default=_DEFAULT_NAME,
        ),
    ] = None,
    *,
    wait: Annotated[bool, typer.Option(help="Wait until the interpreter is there.")] = True,
    replace: Annotated[
        bool, typer.Option("--replace", help="Send away an interpreter that is there already.")
    ] = False,
) -> None:
    """Ask the worker into a room."""
    with sentences():
        from palabra_agent.commands.dispatcher import (
            check_metadata,
            open_dispatcher,
            plugins_named_in,
        )
        from palabra_agent.config.settings import (
            DEFAULT_AGENT_NAME,
            load_agent_name,
            load_livekit_settings,
        )
        from palabra_agent.plugins_host.catalog import load_plugins

        keep_plugins_out_of_the_log()
        metadata = read_config_argument(config)
        plugins = load_plugins(allowed=plugins_named_in(metadata))
        for problem in check_metadata(metadata, plugins):
            errors.print(f"palabra-agent: warning: {problem}")
        livekit = load_livekit_settings(ENV_FILE)
        if agent_name is None:
            agent_name = load_agent_name(ENV_FILE)
        if agent_name is None:
            agent_name = DEFAULT_AGENT_NAME

        async def ask() -> None:
            async with open_dispatcher(livekit, agent_name) as dispatcher:
                asked = await dispatcher.dispatch(room, metadata, replace=replace)
                output.print(asked.dispatch_id)
                if wait:
                    await dispatcher.wait_for_arrival(asked)
                    errors.print(f"the interpreter is in room {room}")
                    if remark := await dispatcher.remark(room):
                        errors.print(f"palabra-agent: warning: {remark}")

        asyncio.run(ask())
