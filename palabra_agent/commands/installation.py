"""The commands `check`, `schema` and `plugins`: tell what is there, and whether it can work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from palabra_agent.commands.console import (
    ENV_FILE,
    SettingsFile,
    errors,
    keep_plugins_out_of_the_log,
    keep_the_sdk_out_of_the_log,
    output,
    sentences,
)

if TYPE_CHECKING:
    from palabra_agent.plugins_host.records import PluginRecord

_WIDE: Final = 2_000


def check(
    config: Annotated[
        str | None, typer.Option(help="A room config: JSON, or @file.json.", metavar="JSON")
    ] = None,
    settings: SettingsFile = None,
) -> None:
    """Say whether this installation can work; exit code 0 or 1."""

    async def look() -> bool:
        from palabra_agent.commands.checkup import examine

        is_good = True
        async for finding in examine(settings, config, env_file=ENV_FILE):
            first, *rest = finding.details
            output.print(f"{_sign(is_good=finding.is_good)} {finding.subject}: ", end="")
            output.print(first, markup=False)
            for line in rest:
                output.print(f"    {line}", markup=False)
            is_good = is_good and finding.is_good
        return is_good

    keep_plugins_out_of_the_log()
    keep_the_sdk_out_of_the_log()
    with sentences():
        if not asyncio.run(look()):
            raise typer.Exit(1)


def _sign(*, is_good: bool) -> str:
    if output.options.ascii_only:
        return "[green]good[/]" if is_good else "[red]wrong[/]"
    return "[green]✓[/]" if is_good else "[red]✗[/]"


def schema() -> None:
    """Print the JSON Schema of the room config, with what installed plugins may be told."""
    from palabra_agent.config.room import room_config_schema
    from palabra_agent.plugins_host.catalog import load_plugins

    keep_plugins_out_of_the_log()
    whole = room_config_schema(load_plugins().schemas())
    # not the console's: it would read the patterns in it as colours
    typer.echo(json.dumps(whole, indent=2))


def plugins(settings: SettingsFile = None) -> None:
    """List the plugins that are installed, and what is wrong with those that cannot be used."""
    from palabra_agent.config.settings import load_plugin_settings
    from palabra_agent.plugins_host.catalog import load_plugins

    keep_plugins_out_of_the_log()
    with sentences():
        catalog = load_plugins(*load_plugin_settings(settings))
        records = catalog.records
        for problem in catalog.missing:
            errors.print(f"palabra-agent: {problem}")
        if not records:
            output.print("no plugins are installed")
            return

        # a program that reads the lines must find each of them whole
        console = output if output.is_terminal else Console(width=_WIDE)
        console.print(_table(records))
        for record in records:
            if record.error:
                output.print(Text(str(record)))


def _table(records: Sequence[PluginRecord]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "distribution", "version", "kind", "status"):
        table.add_column(heading, overflow="fold")
    for record in records:
        style = "" if record.is_ready else "red"
        cells = (record.name, record.distribution, record.version, record.kind, record.status)
        table.add_row(*map(Text, cells), style=style)
    return table
