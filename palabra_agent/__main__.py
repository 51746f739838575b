"""The command line: collects the commands, which stand in `commands/` by subject."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from palabra_agent import __version__
from palabra_agent.commands.console import output
from palabra_agent.commands.installation import check, plugins, schema
from palabra_agent.commands.servers import demo, emulator, livekit
from palabra_agent.commands.worker import dispatch, start

app = typer.Typer(
    help="The simultaneous interpreter that every LiveKit room can call.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in (start, dispatch, emulator, livekit, demo, check, schema, plugins):
    app.command()(_command)


def main() -> None:
    """Run the command line."""
    if isinstance(sys.stdout, TextIOWrapper):
        # a terminal that lacks a character shall show the rest
        sys.stdout.reconfigure(errors="replace")
    app()


@app.callback(invoke_without_command=True)
def _root(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        output.print(__version__)
        raise typer.Exit


if __name__ == "__main__":
    main()
