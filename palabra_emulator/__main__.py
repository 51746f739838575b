"""The emulator by itself: `python -m palabra_emulator`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from palabra_agent.errors import ConfigError, PalabraAgentError
from palabra_emulator.command import emulator


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line; what is wrong is told in sentences, with exit code 1.

    Args:
        words: Its arguments; those of the process by default.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(emulator)
    try:
        app(words, prog_name="python -m palabra_emulator")
    except PalabraAgentError as error:
        problems = error.problems if isinstance(error, ConfigError) else (error,)
        for problem in problems:
            typer.echo(f"palabra_emulator: {problem}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
