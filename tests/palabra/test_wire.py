"""Recorded and documented frames of Palabra's, read as they should be.

The rows are the project's own, and those of the folder that `PALABRA_WIRE` names: where that is not
set they are left out, and the report's first lines say so. Each key of an expectation is compared,
or the row fails.
"""

from __future__ import annotations

import base64
import json
from itertools import groupby

import pytest

from palabra_agent.errors import ConfigError
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol import commands
from palabra_agent.palabra.protocol.commands import Command
from palabra_agent.palabra.transports.port import Disconnected
from palabra_agent.palabra.transports.websocket import join_websocket
from palabra_agent.session import InterpretationStarted
from tests.clock import eventually

from .transports.stream_peer import TOKEN, stream_peer
from .wire.emulated import REPLY_KEYS, command_facts, is_valid_task, reply_differences
from .wire.playback import Playback, outcome_differences
from .wire.reading import fact_differences, facts_of, read
from .wire.rows import FILES, Json, Row, recorded, rows

pytestmark = pytest.mark.unit

FRAMES = rows("frames")
SINGLE = [row for row in FRAMES if row.get("seq") is None and row["direction"] == "server"]
COMMANDS = [row for row in FRAMES if row["direction"] == "client"]
ES = LanguageCode("es")


def sequences() -> list[list[Row]]:
    """The rows that belong together, in their order."""
    belonging = [row for row in FRAMES if row.get("seq") is not None]
    by_name = groupby(belonging, key=lambda row: (row.name.partition("-")[0], row["seq"]))
    return [sorted(group, key=lambda row: row["n"]) for _, group in by_name]


async def is_played(row: Row) -> bool:
    """Whether sound that comes over a WebSocket can be heard, the row's context being as it is."""
    context: Json = row.get("context") or {}
    expects_speech = context.get("output_stream", {}) is not None
    async with (
        stream_peer() as peer,
        join_websocket(peer.url, TOKEN, expects_speech=expects_speech) as transport,
    ):
        await eventually(lambda: peer.connection)
        await peer.socket.send_str(json.dumps(row["frame"]))
        await peer.socket.close()
        events = transport.events()
        told = [await anext(events)]
        while not isinstance(told[-1], Disconnected):
            told.append(await anext(events))

    return any(isinstance(event, InterpretationStarted) for event in told)


def name_of(row: Row) -> str:
    """Name a row in the report."""
    return row.name


@pytest.mark.parametrize("file", FILES)
def test_the_rows_are_there(file: str) -> None:
    """The project has rows of every kind, and so has the folder that is named, if one is."""
    origins = {row.name.partition("-")[0] for row in rows(file)}

    assert origins == ({"own"} if recorded() is None else {"own", "wire"})


@pytest.mark.parametrize("row", SINGLE, ids=name_of)
async def test_a_frame_is_read(row: Row) -> None:
    """A frame means what its row says, in every field that the row names."""
    facts = facts_of(read(row))
    if "deliver" in row["expect"]:
        facts["deliver"] = await is_played(row)
    wrong = [fact_differences(expected, facts) for expected in row.alternatives]

    assert [] in wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("row", COMMANDS, ids=name_of)
def test_the_emulator_reads_a_command(row: Row) -> None:
    """A command of some client's means to the emulator what its row says, and is answered so."""
    if row.get("seq") is not None and "valid" in row["expect"]:
        assert is_valid_task(row["frame"]["data"]) is row["expect"]["valid"]
        return

    facts = command_facts(row)
    expected = {
        key: value
        for key, value in row["expect"].items()
        if key not in REPLY_KEYS | {"sequence", "not_before_ms"}
    }

    assert fact_differences(expected, facts) == []
    assert reply_differences(row["expect"], facts["replies"]) == []


@pytest.mark.parametrize("row", COMMANDS, ids=name_of)
def test_we_say_a_command_in_the_same_way(row: Row) -> None:
    """Whatever of a command we can say at all, we say as its row does."""
    try:
        said = our_words(row["frame"])
    except (ConfigError, ValueError):
        # what Palabra does not take we refuse to say
        assert row["expect"]["valid"] is False
        return

    assert said is None or json.loads(said.encode()) == row["frame"]


def our_words(frame: Json) -> Command | None:
    """Say what a frame says with our own commands; None for what we never say."""
    data: Json = frame["data"]
    match frame["message_type"]:
        case "set_task":
            return commands.set_task(data)
        case "get_task" if data:
            return commands.get_task(exclude_hidden=data["exclude_hidden"])
        case "pause_task":
            return commands.pause_task()
        case "end_task" if data.get("force") is not False:
            return commands.end_task(
                force=data.get("force", False), eos_timeout=data.get("eos_timeout")
            )
        case "interrupt_task":
            every = [it for it in data["languages"] if it != commands.EVERY_LANGUAGE]
            return commands.interrupt_task(every, pause=data["pause_task"])
        case "tts_task":
            translate = data["translate_text"]
            return commands.tts_task(
                data["text"], data["language"], targets=[ES], translate=translate
            )
        case "input_audio_data":
            sound = base64.b64decode(data["data"], validate=True)
            return commands.input_audio_data(sound)
        case _:
            return None


@pytest.mark.parametrize("belonging", sequences(), ids=lambda it: f"{it[0].name}…{len(it)}")
def test_a_conversation_goes_as_it_should(belonging: list[Row]) -> None:
    """Frames that belong together come to what their last row says, each read as its own says."""
    playback = Playback()
    playback.prepare(belonging)
    wrong: list[str] = []
    for row in belonging:
        facts = playback.play(row)
        found = []
        for alternative in row.alternatives:
            expected = {key: value for key, value in alternative.items() if key != "sequence"}
            found.append(fact_differences(expected, facts))
        if [] not in found:
            wrong.append(f"{row.name}: {found}")

    wrong += outcome_differences(belonging[-1]["expect"].get("sequence", {}), playback)
    assert not wrong, "\n".join(wrong)
