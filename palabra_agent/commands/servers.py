"""The commands of those who try it at home: local servers, and all of them at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from palabra_agent.commands.console import ENV_FILE, output, run, sentences


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
        from palabra_emulator.interpreting.voices import all_markers

        for code, hz in all_markers().items():
            output.print(f"{code:8} {hz} Hz")
        return

    with sentences():
        from palabra_agent.config.settings import load_livekit_settings
        from palabra_emulator.faults.reading import load_scenario
        from palabra_emulator.options import EmulatorOptions, read_options
        from palabra_emulator.server import run_emulator

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
        livekit = load_livekit_settings(ENV_FILE)
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
                output.print(f"Palabra's emulator serves {running.url}; Ctrl-C stops it")
                await asyncio.Event().wait()

        run(serve())


def livekit(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the signalling.")] = 7880,
    node_ip: Annotated[
        str | None, typer.Option(help="Address of the media; not loopback, WebRTC ignores it.")
    ] = None,
) -> None:
    """Run a local LiveKit server in development mode."""
    with sentences():
        from palabra_agent.local.livekit_server import serve_livekit

        run(serve_livekit(port=port, node_ip=node_ip))


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
