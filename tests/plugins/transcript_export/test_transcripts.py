"""What is written of a meeting: which words, in which files, under which names."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.transcript_export.reading import read_lines, read_srt, read_vtt
from tests.plugins.transcript_export.telling import (
    event,
    files,
    meetings,
    names_in,
    only_folder,
    opened,
    translation,
)

pytestmark = pytest.mark.unit


async def write(directory: Path, config: dict[str, Any] | None = None, **more: Any) -> Path:  # noqa: ANN401 - as `opened` takes them
    """Write a small meeting: two people, two languages."""
    async with opened(directory, config, **more) as export:
        await export.on_transcript(event("Hello", "en"))
        await export.on_transcript(translation("Hola", "es", "Hello"))
        await export.on_transcript(event("Adiós", "es", identity="bob-id", name="Bob"))
    return only_folder(directory)


async def test_every_language_has_its_subtitles(tmp_path: Path) -> None:
    """Who reads a language finds what was said in it and what was translated to it."""
    folder = await write(tmp_path)
    assert files(tmp_path) == ["en.srt", "en.vtt", "es.srt", "es.vtt", "transcript.jsonl"]

    for cues in (read_vtt(folder / "es.vtt"), read_srt(folder / "es.srt")):
        assert [(cue.speaker, cue.text) for cue in cues] == [
            ("Speaker 1", "Hola"),
            ("Speaker 2", "Adiós"),
        ]
    assert [cue.text for cue in read_vtt(folder / "en.vtt")] == ["Hello"]


async def test_json_lines_have_everything(tmp_path: Path) -> None:
    """Each line tells whose words, in which language, when, and what they translate."""
    began = datetime.now(UTC) + timedelta(seconds=60)
    spanish = event("Hola", "es", is_translation=True, original="Hello", began=began, seconds=1.5)
    async with opened(tmp_path) as export:
        await export.on_transcript(event("Hello", "en", began=began))
        await export.on_transcript(spanish)

    original, translated = read_lines(only_folder(tmp_path) / "transcript.jsonl")
    assert "original" not in original
    assert 59 < translated.pop("begin_seconds") <= 60
    assert 60.5 < translated.pop("end_seconds") <= 61.5
    assert datetime.fromisoformat(translated.pop("began_at")) - began < timedelta(milliseconds=1)
    assert datetime.fromisoformat(translated.pop("told_at")) > began
    assert translated == {
        "utterance": "u1",
        "part": "0",
        "speaker": "Speaker 1",
        "speaker_number": 1,
        "language": "es",
        "text": "Hola",
        "is_translation": True,
        "original": "Hello",
    }


async def test_only_final_words_are_written(tmp_path: Path) -> None:
    """Partials and empty texts leave nothing behind, not even a folder."""
    async with opened(tmp_path) as export:
        await export.on_transcript(event("Hel", is_final=False))
        await export.on_transcript(event("  \n"))

    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({"formats": ["srt"]}, ["en.srt", "es.srt"]),
        ({"formats": ["jsonl"]}, ["transcript.jsonl"]),
        ({"formats": ["vtt"], "languages": ["es"]}, ["es.vtt"]),
        ({"formats": ["vtt"], "languages": ["ES", "fr"]}, ["es.vtt"]),
        ({"formats": ["vtt"], "originals": False}, ["es.vtt"]),
    ],
)
async def test_a_room_chooses_what_is_written(
    tmp_path: Path, config: dict[str, Any], names: list[str]
) -> None:
    """Formats, languages and originals are the room's."""
    await write(tmp_path, config)
    assert files(tmp_path) == names


async def test_without_originals_only_translations_are_written(tmp_path: Path) -> None:
    """Nobody's own words are anywhere in the files."""
    folder = await write(tmp_path, {"originals": False})
    assert [cue.text for cue in read_vtt(folder / "es.vtt")] == ["Hola"]
    assert [line["text"] for line in read_lines(folder / "transcript.jsonl")] == ["Hola"]
    assert "Hello" not in (folder / "transcript.jsonl").read_text()


async def test_languages_hold_for_json_lines_too(tmp_path: Path) -> None:
    """A language that is not wanted is in no file; a region is part of its language."""
    async with opened(tmp_path, {"languages": ["es"]}, languages=["es-mx", "fr"]) as export:
        for language in ("es-mx", "fr"):
            await export.on_transcript(translation("…", language))

    folder = only_folder(tmp_path)
    assert [line["language"] for line in read_lines(folder / "transcript.jsonl")] == ["es-mx"]
    assert files(tmp_path) == ["es-mx.srt", "es-mx.vtt", "transcript.jsonl"]


@pytest.mark.parametrize(
    ("offered", "spoken", "name"),
    [
        (["en-us", "es"], "en", "en-us.vtt"),
        (["en", "en-us"], "en", "en.vtt"),
        (["en-gb", "en-us"], "en", "en.vtt"),
        (["es"], "yue", "yue.vtt"),
        (["es"], "", "und.vtt"),
        (["es"], "../../etc/Es", "etces.vtt"),
    ],
)
async def test_originals_go_where_their_readers_look(
    tmp_path: Path, offered: list[str], spoken: str, name: str
) -> None:
    """English goes into the file of the one English that the room offers; else into its own."""
    async with opened(tmp_path, {"formats": ["vtt"]}, languages=offered) as export:
        await export.on_transcript(event("Hello", spoken))

    assert files(tmp_path) == [name]


async def test_names_are_not_written_unasked(tmp_path: Path) -> None:
    """Neither names nor identities are anywhere, and numbers stay with their people."""
    async with opened(tmp_path) as export:
        for identity in ("alice-id", "bob-id", "alice-id"):
            await export.on_transcript(event(identity=identity, name=identity.removesuffix("-id")))

    folder = only_folder(tmp_path)
    speakers = [line["speaker"] for line in read_lines(folder / "transcript.jsonl")]
    assert speakers == ["Speaker 1", "Speaker 2", "Speaker 1"]
    for path in folder.iterdir():
        assert "alice" not in path.read_text()


async def test_names_are_written_where_a_room_says_so(tmp_path: Path) -> None:
    """Names as they are at the moment; whoever has none is numbered; never an identity."""
    async with opened(tmp_path, {"names": True}) as export:
        for name in ("Alice", "Al\nice <b>", "\t"):
            await export.on_transcript(event(name=name))

    folder = only_folder(tmp_path)
    assert [cue.speaker for cue in read_vtt(folder / "en.vtt")] == [
        "Alice",
        "Al ice <b>",
        "Speaker 1",
    ]
    assert [cue.speaker for cue in read_srt(folder / "en.srt")][1] == "Al ice ‹b›"
    assert "alice-id" not in (folder / "transcript.jsonl").read_text()


async def test_who_has_no_name_is_numbered(tmp_path: Path) -> None:
    """The host calls them by their identity, which may be an address: it is not written."""
    async with opened(tmp_path, {"names": True}) as export:
        await export.on_transcript(event(identity="a@example.org", name="a@example.org"))
        await export.on_transcript(event(name="\u202eAlice\u2066"))

    lines = read_lines(only_folder(tmp_path) / "transcript.jsonl")
    assert [line["speaker"] for line in lines] == ["Speaker 1", "Alice"]


async def test_what_nobody_can_read_is_not_written(tmp_path: Path) -> None:
    """Words that are control characters alone would be an empty cue."""
    async with opened(tmp_path) as export:
        await export.on_transcript(event("\0\u2028\x7f"))

    assert meetings(tmp_path) == []


async def test_a_language_that_nobody_knows_has_the_standards_name(tmp_path: Path) -> None:
    """Such words are in files of their own, and the JSON lines say it alike."""
    async with opened(tmp_path, {"formats": ["jsonl", "srt"]}) as export:
        await export.on_transcript(event(language=""))

    assert files(tmp_path) == ["transcript.jsonl", "und.srt"]
    (line,) = read_lines(only_folder(tmp_path) / "transcript.jsonl")
    assert line["language"] == "und"


async def test_the_operator_may_forbid_names(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A room that asks for names then gets numbers, and the log says so."""
    caplog.set_level(logging.INFO)
    folder = await write(tmp_path, {"names": True}, allow_names=False)
    assert {cue.speaker for cue in read_vtt(folder / "es.vtt")} == {"Speaker 1", "Speaker 2"}
    assert "a transcript is written without names" in caplog.text
