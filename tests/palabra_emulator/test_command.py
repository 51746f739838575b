"""The command line tells what is wrong."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, chdir
from pathlib import Path

import pytest
from typer.testing import CliRunner

from palabra_agent.__main__ import app
from palabra_agent.errors import ConfigError, NativePanic
from palabra_emulator.__main__ import main
from palabra_emulator.options import read_livekit_access
from tests.environment import environment

pytestmark = pytest.mark.unit


def test_command_line_tells_every_mistake(tmp_path: Path) -> None:
    """`emulator` refuses wrong options and scenarios before it serves anything."""
    scenario = tmp_path / "wrong.toml"
    scenario.write_text('[[faults]]\nfault = "F17"\nvariant = "remove"\n', encoding="utf-8")
    wrong_option = CliRunner().invoke(app, ["emulator", "--option", "dialect=old"])
    wrong_scenario = CliRunner().invoke(app, ["emulator", "--scenario", str(scenario)])

    assert (wrong_option.exit_code, wrong_option.stdout) == (1, "")
    assert wrong_option.stderr == (
        'palabra-agent: dialect: must be "legacy", "legacy+ack" or "ack-only", not "old"\n'
    )
    assert (wrong_scenario.exit_code, wrong_scenario.stdout) == (1, "")
    assert wrong_scenario.stderr == (
        f'palabra-agent: {scenario}: faults[0].variant: must be "removed", "room_deleted", '
        '"server_shutdown" or "signal_drop", not "remove"; did you mean "removed"?\n'
    )


def test_markers_of_languages_and_voices_are_listed() -> None:
    """`--markers` has a line for each, the voices that were chosen included."""
    shown = CliRunner().invoke(app, ["emulator", "--markers", "--option", "voices=nova,orion"])
    lines = shown.stdout.splitlines()

    assert shown.exit_code == 0
    assert "es-mx    500 Hz" in lines
    assert [line.split()[0] for line in lines[-5:]] == [
        *("default_low", "default_high", "(cloned)"),
        *("nova", "orion"),
    ]


def test_it_starts_by_itself_and_tells_every_mistake(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`python -m palabra_emulator` has the same options, and names the variables that it needs."""
    with (
        chdir(tmp_path),
        environment({"LIVEKIT_API_KEY": "key"}),
        pytest.raises(SystemExit) as ended,
    ):
        main(["--option", "keep_sids=false"])

    assert ended.value.code == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(": is not set")[0] for line in lines] == [
        "palabra_emulator: LIVEKIT_URL",
        "palabra_emulator: LIVEKIT_API_SECRET",
    ]


def test_address_of_livekit_is_checked(tmp_path: Path) -> None:
    """What is no address is refused; a `.env` file counts where the environment says nothing."""
    env_file = tmp_path / ".env"
    env_file.write_text("LIVEKIT_URL=livekit\nLIVEKIT_API_KEY=key\nLIVEKIT_API_SECRET=secret\n")
    address = "LIVEKIT_URL: must be an address that begins with https://, wss://, http://, ws://"
    with environment({}), pytest.raises(ConfigError, match=address):
        read_livekit_access(env_file)

    with environment({"LIVEKIT_URL": "ws://127.0.0.1:7880/"}):
        assert read_livekit_access(env_file) == {
            "livekit_url": "ws://127.0.0.1:7880",
            "livekit_api_key": "key",
            "livekit_api_secret": "secret",
        }


SERVING = """
import sys, threading
from palabra_emulator.__main__ import main
from tests.native_panic import give_up

def obey():
    if sys.stdin.readline() == "give up\\n":
        give_up()

threading.Thread(target=obey, daemon=True).start()
main(["--port", "0"])
"""
"""The emulator, whose SDK gives up when it is told to."""


@asynccontextmanager
async def serving() -> AsyncGenerator[asyncio.subprocess.Process]:
    """Have an emulator that serves, in a process of its own."""
    livekit = {f"LIVEKIT_{name}": "ws://127.0.0.1:9" for name in ("URL", "API_KEY", "API_SECRET")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVING),
        env={**os.environ, **livekit},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = await process.stdout.readline()
        assert line.startswith(b"Palabra's emulator serves"), await process.communicate()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_native_panic_is_no_good_end() -> None:
    """The SDK sends the signal with which an operator stops it; the end says which it was."""
    async with serving() as process:
        _, said = await process.communicate(b"give up\n")

    assert process.returncode == 1
    lines = said.decode().splitlines()
    assert lines[0] == "FFI Panic:  timed out waiting for ReadyForRoomEventRequest"
    assert lines[-1] == f"palabra_emulator: {NativePanic()}"
    assert "Traceback" not in said.decode()


async def test_a_wanted_stop_is_a_good_end() -> None:
    """From another process, SIGTERM means no more than that it is time to go."""
    async with serving() as process:
        process.terminate()
        _, said = await process.communicate()

    assert (process.returncode, said) == (0, b"")
