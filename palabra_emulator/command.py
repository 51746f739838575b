"""The command line of the emulator, alone and as `palabra-agent emulator`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer


def emulator(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any.")] = 8090,
    client_id: Annotated[str, typer.Option(help="Accepted client id.")] = "local",
    client_secret: Annotated[str, typer.Option(help="Accepted client secret.")] = "local",  # noqa: S107 - no secret: the default of a local server
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
        bool, typer.Option("--markers", help="List the tones of all languages and voices.")
    ] = False,
) -> None:
    """Run a local Palabra, for development, demos and tests."""
    from palabra_agent.audio.event_path import prefer_short_path
    from palabra_agent.concurrency import run_until_stopped
    from palabra_emulator.faults.reading import load_scenario
    from palabra_emulator.options import read_livekit_access, read_options
    from palabra_emulator.server import run_emulator

    options = read_options(
        option or [],
        host=host,
        port=port,
        client_id=client_id,
        client_secret=client_secret,
        voice=voice,
        latency_ms=latency_ms,
        auto_language=auto_language,
        script=script,
    )
    if markers:
        _list_markers(options.voices)
        return

    faults = load_scenario(scenario) if scenario is not None else ()
    options = replace(options, **read_livekit_access(Path(".env")), scenario=faults)

    async def serve() -> None:
        async with run_emulator(options) as running:
            typer.echo(f"Palabra's emulator serves {running.url}; Ctrl-C stops it")
            await asyncio.Event().wait()

    prefer_short_path()
    run_until_stopped(serve())


def _list_markers(voices: Iterable[str]) -> None:
    from palabra_emulator.interpreting.markers import all_markers, voice_markers

    for code, hz in all_markers().items():
        typer.echo(f"{code:8} {hz} Hz")
    for voice, hz in voice_markers(voices).items():
        typer.echo(f"{voice:12} {hz} Hz")
