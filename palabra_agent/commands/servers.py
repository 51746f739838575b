"""The commands `emulator`, `livekit` and `demo`: local servers, and all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Annotated, ParamSpec

import typer

from palabra_agent.commands.console import sentences
from palabra_agent.concurrency import run_until_stopped
from palabra_emulator.command import emulator as run_emulator

P = ParamSpec("P")


def _in_sentences(command: Callable[P, None]) -> Callable[P, None]:
    """The same command, which tells what is wrong as the others do."""

    @wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> None:
        with sentences():
            command(*args, **options)

    return run


emulator = _in_sentences(run_emulator)


def livekit(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the signalling.")] = 7880,
    node_ip: Annotated[
        str | None, typer.Option(help="Address of the media; not loopback, WebRTC ignores it.")
    ] = None,
) -> None:
    """Run a local LiveKit server in development mode."""
    with sentences():
        from palabra_agent.local.livekit_server import serve_livekit

        run_until_stopped(serve_livekit(port=port, node_ip=node_ip))


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
    with sentences():
        from palabra_agent.local.demo import DemoOptions, run_demo

        raise typer.Exit(run_demo(DemoOptions(check=check, isolated=isolated, once=once)))
