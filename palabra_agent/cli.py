"""The commands: what people type, and how they are told what went wrong. No logic."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Coroutine, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from palabra_agent import __version__
from palabra_agent.errors import ConfigError, PalabraAgentError, SetupError
from palabra_agent.failures import single_failure

app = typer.Typer(
    help="The simultaneous interpreter that every LiveKit room can call.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
_output = Console(highlight=False, soft_wrap=True)

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Settings in TOML: [worker], [room], [[rooms]].")
]
AgentName = Annotated[
    str | None,
    typer.Option(
        help="What a dispatch asks for (PALABRA_AGENT_NAME); empty joins every new room.",
        show_default="palabra-interpreter",
    ),
]


def main() -> None:
    """Run the command line."""
    app()


@app.callback(invoke_without_command=True)
def _root(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        _output.print(__version__)
        raise typer.Exit


@app.command()
def start(
    agent_name: AgentName = None,
    config: ConfigFile = None,
    port: Annotated[
        int | None, typer.Option(help="Health server; 0 for any.", show_default="8081")
    ] = None,
    drain_seconds: Annotated[
        int | None,
        typer.Option(help="How long running rooms may go on after SIGTERM.", show_default="1800"),
    ] = None,
) -> None:
    """Run the production worker: it waits to be dispatched into rooms."""
    with _sentences():
        from palabra_agent.settings import load_settings

        settings = load_settings(
            env=_environment(),
            config_file=config,
            agent_name=agent_name,
            port=port,
            drain_seconds=drain_seconds,
        )
        from palabra_agent.worker import run_worker, set_up_logging

        set_up_logging()
        asyncio.run(run_worker(settings))


@app.command()
def dispatch(
    room: Annotated[str, typer.Argument(help="The room's name.")],
    config: Annotated[
        str, typer.Option(help="The room config: JSON, or @file.json.", metavar="JSON")
    ] = "",
    agent_name: AgentName = None,
    *,
    wait: Annotated[bool, typer.Option(help="Wait until the interpreter is there.")] = True,
    replace: Annotated[
        bool, typer.Option("--replace", help="Send away an interpreter that is there already.")
    ] = False,
) -> None:
    """Ask the worker into a room."""
    with _sentences():
        from palabra_agent.dispatching import open_dispatcher
        from palabra_agent.metadata import check_metadata, read_config_argument
        from palabra_agent.settings import DEFAULT_AGENT_NAME, load_livekit_settings

        env = _environment()
        metadata = read_config_argument(config)
        for problem in check_metadata(metadata):
            _errors.print(
                f"palabra-agent: warning: {problem}; the worker's own settings may allow it"
            )
        livekit = load_livekit_settings(env)
        if agent_name is None:
            agent_name = env.get("PALABRA_AGENT_NAME", DEFAULT_AGENT_NAME)

        async def ask() -> None:
            async with open_dispatcher(livekit, agent_name) as dispatcher:
                asked = await dispatcher.dispatch(room, metadata, replace=replace)
                _output.print(asked.dispatch_id)
                if wait:
                    await dispatcher.wait_for_arrival(asked)
                    _errors.print(f"the interpreter is in room {room}")

        asyncio.run(ask())


@app.command()
def emulator(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any.")] = 8090,
    client_id: Annotated[str, typer.Option(help="Accepted client id.")] = "local",
    client_secret: Annotated[str, typer.Option(help="Accepted client secret.")] = "local",  # noqa: S107 - made for everybody to know
    script: Annotated[
        Path | None, typer.Option(help="Sentences and their translations, JSON.")
    ] = None,
    voice: Annotated[
        Literal["marker", "espeak"], typer.Option(help="Tones that tests recognise, or speech.")
    ] = "marker",
    latency_ms: Annotated[
        int, typer.Option(min=0, help="From the words to their translation.")
    ] = 800,
    auto_language: Annotated[str, typer.Option(help="What `auto` hears.")] = "en",
    scenario: Annotated[
        Path | None, typer.Option(help="Faults armed from the start on, JSON or TOML.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="Any option by its name; repeatable.", metavar="NAME=VALUE"),
    ] = None,
    *,
    markers: Annotated[
        bool, typer.Option("--markers", help="List the tone of each language, and end.")
    ] = False,
) -> None:
    """Run a local Palabra, for development, demos and tests."""
    if markers:
        from palabra_agent.emulator.markers import all_markers

        for code, hz in all_markers().items():
            _output.print(f"{code:8} {hz} Hz")
        return

    with _sentences():
        from palabra_agent.emulator.faults.scenario import load_scenario
        from palabra_agent.emulator.option_reading import read_options
        from palabra_agent.emulator.options import EmulatorOptions
        from palabra_agent.emulator.server import run_emulator
        from palabra_agent.settings import load_livekit_settings

        chosen: dict[str, Any] = {
            "host": host,
            "port": port,
            "client_id": client_id,
            "client_secret": client_secret,
            "voice": voice,
            "latency_ms": latency_ms,
            "auto_language": auto_language,
        }
        chosen |= read_options(option or [])
        orders = load_scenario(scenario) if scenario is not None else ()
        livekit = load_livekit_settings(_environment())
        options = EmulatorOptions(
            livekit_url=livekit.url,
            livekit_api_key=livekit.api_key,
            livekit_api_secret=livekit.api_secret.get_secret_value(),
            script=script,
            scenario=orders,
            **chosen,
        )

        async def serve() -> None:
            async with run_emulator(options) as running:
                _output.print(f"Palabra's emulator serves {running.url}; Ctrl-C stops it")
                await asyncio.Event().wait()

        _run(serve())


@app.command()
def livekit(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the signalling.")] = 7880,
    node_ip: Annotated[
        str | None, typer.Option(help="Address of the media; not loopback, WebRTC ignores it.")
    ] = None,
) -> None:
    """Run a local LiveKit server in development mode."""
    with _sentences():
        from palabra_agent.local.livekit_server import serve_livekit

        _run(serve_livekit(port=port, node_ip=node_ip))


@app.command()
def demo(
    *,
    check: Annotated[
        bool,
        typer.Option("--check", help="End when every listener has heard and read a translation."),
    ] = False,
    isolated: Annotated[
        bool, typer.Option("--isolated", help="Run in a network namespace of its own.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Hold the meeting once instead of until Ctrl-C.")
    ] = False,
) -> None:
    """Show it all at once: servers, worker, and a meeting in two languages, live."""
    with _sentences():
        from palabra_agent.local.demo import DemoOptions, run_demo

        raise typer.Exit(run_demo(DemoOptions(check=check, isolated=isolated, once=once)))


@app.command()
def check(
    config: Annotated[
        str | None, typer.Option(help="A room config: JSON, or @file.json.", metavar="JSON")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(help="The worker's settings in TOML, as for `start --config`.")
    ] = None,
) -> None:
    """Say whether this installation can work; exit code 0 or 1."""

    async def look() -> bool:
        from palabra_agent.checkup import examine

        is_good = True
        async for finding in examine(_environment(), settings, config):
            sign = "[green]✓[/]" if finding.is_good else "[red]✗[/]"
            first, *rest = finding.details
            _output.print(f"{sign} {finding.subject}: ", end="")
            _output.print(first, markup=False)
            for line in rest:
                _output.print(f"    {line}", markup=False)
            is_good = is_good and finding.is_good
        return is_good

    with _sentences():
        if not asyncio.run(look()):
            raise typer.Exit(1)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the room config."""
    from palabra_agent.room_config import room_config_schema

    # not the console's: it would read the patterns in it as colours
    typer.echo(json.dumps(room_config_schema(), indent=2))


@app.command()
def plugins() -> None:
    """List the plugins; not available in this version."""
    with _sentences():
        raise SetupError("`plugins` is not available in this version")


def _environment() -> Mapping[str, str]:
    from palabra_agent.settings import merged_environment

    return merged_environment(Path(".env"), os.environ)


def _run(serving: Coroutine[Any, Any, None]) -> None:
    """Run something until it ends, or until SIGTERM or Ctrl-C, which are good ends."""

    async def until_told() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(serving)
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)

    with suppress(KeyboardInterrupt), single_failure():
        asyncio.run(until_told())


@contextmanager
def _sentences() -> Generator[None]:
    """Tell people what is wrong in sentences, and end with exit code 1."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            _errors.print(f"palabra-agent: {problem}")
    except PalabraAgentError as error:
        _errors.print(f"palabra-agent: {error}")
    else:
        return

    raise typer.Exit(1)
