"""transcript-export in a room: told what is said by the code that tells it in real ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from palabra_agent_transcript_export import plugin
from palabra_agent_transcript_export.writer import DirectoryNotWritableError

from palabra_agent.testing import Entry, RoomConfigError, simulated_room
from tests.clock import eventually
from tests.plugins.transcript_export.reading import read_lines, read_vtt
from tests.plugins.transcript_export.telling import files, meetings, no_thread, only_folder

pytestmark = pytest.mark.unit


def entry(directory: Path, **config: object) -> Entry:
    """The plugin, writing into a directory."""
    return Entry(plugin, config, {"directory": str(directory)})


async def test_a_meeting_is_written(tmp_path: Path) -> None:
    """Two people, two languages: each language has everything that could be read in it."""
    async with simulated_room(entry(tmp_path, names=True), languages=["en", "es"]) as room:
        room.join("a-1", name="Alice", source_language="en")
        room.join("b-1", name="Bob", source_language="es")
        await room.say("a-1", "Hello", translations={"es": "Hola"}, is_final=False)
        await room.say("a-1", "Hello Bob", translations={"es": "Hola Bob"})
        await room.say("b-1", "Buenos días", translations={"en": "Good morning"})

    await eventually(no_thread)
    folder = only_folder(tmp_path)
    spanish, english = read_vtt(folder / "es.vtt"), read_vtt(folder / "en.vtt")
    assert [(c.speaker, c.text) for c in spanish] == [("Alice", "Hola Bob"), ("Bob", "Buenos días")]
    assert [(c.speaker, c.text) for c in english] == [
        ("Alice", "Hello Bob"),
        ("Bob", "Good morning"),
    ]
    lines = read_lines(folder / "transcript.jsonl")
    assert [line["text"] for line in lines if line["is_translation"]] == [
        "Hola Bob",
        "Good morning",
    ]
    assert len({line["utterance"] for line in lines}) == 2
    assert room.failures == []


async def test_people_are_told_where_their_names_are_written(tmp_path: Path) -> None:
    """Not where they are numbered, because of the room or of the operator."""
    settings = {"directory": str(tmp_path), "allow_names": False}
    async with simulated_room(Entry(plugin, {"names": True}, settings)) as room:
        assert list(room.announced) == []
        await room.reconfigure(entry(tmp_path, names=False))
        assert list(room.announced) == []
        await room.reconfigure(entry(tmp_path, names=True))
        assert list(room.announced) == [
            "What is said here is written down, with the names of the speakers."
        ]


async def test_words_that_were_told_last_are_written(tmp_path: Path) -> None:
    """What is said in the last moment of a room is in the files when it has ended."""
    async with simulated_room(entry(tmp_path)) as room:
        room.join("alice", source_language="en")
        await room.say("alice", "the last words")

    await eventually(no_thread)
    (line,) = read_lines(only_folder(tmp_path) / "transcript.jsonl")
    assert line["text"] == "the last words"


async def test_a_changed_config_begins_a_new_folder(tmp_path: Path) -> None:
    """What was written before stays as it is."""
    async with simulated_room(entry(tmp_path, formats=["jsonl"])) as room:
        room.join("alice", source_language="en")
        await room.say("alice", "before")
        await room.reconfigure(entry(tmp_path, formats=["vtt"]))
        await room.say("alice", "after")

    await eventually(no_thread)
    names = {name for folder in meetings(tmp_path) for name in map(str, folder.iterdir())}
    assert sorted(Path(name).name for name in names) == ["en.vtt", "transcript.jsonl"]


async def test_a_directory_that_cannot_be_leaves_the_room_alone(tmp_path: Path) -> None:
    """The room goes on without a transcript."""
    (tmp_path / "file").touch()
    async with simulated_room(entry(tmp_path / "file" / "below")) as room:
        room.join("alice", source_language="en")
        await room.say("alice", "unwritten")

    (failure,) = room.failures
    assert failure.phase.value == "open"
    assert isinstance(failure.__cause__, DirectoryNotWritableError)


async def test_without_a_directory_a_room_is_refused() -> None:
    """Where the operator says nothing, no room can have a transcript, and is told so."""
    with pytest.raises(RoomConfigError, match="the worker's settings do not say what it needs"):
        async with simulated_room(Entry(plugin)):
            raise AssertionError("open")


async def test_a_region_is_written_for_its_listeners(tmp_path: Path) -> None:
    """English is told in the one English that the room offers."""
    offered = ["en-us", "es-mx"]
    async with simulated_room(entry(tmp_path, formats=["srt"]), languages=offered) as room:
        room.join("alice", source_language="en")
        await room.say("alice", "Hello", translations={"es-mx": "Hola"})

    await eventually(no_thread)
    assert files(tmp_path) == ["en-us.srt", "es-mx.srt"]
