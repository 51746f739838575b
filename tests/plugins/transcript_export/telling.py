"""How the tests of transcript-export tell it things: the plugin as a room opens it, and events."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from palabra_agent_transcript_export import ExportConfig, ExportSettings, TranscriptExport, plugin

from palabra_agent.plugin import LanguageCode, RoomInfo, Speaker, TranscriptEvent
from tests.clock import eventually
from tests.problems import mistakes_in_room

EN, ES = LanguageCode("en"), LanguageCode("es")


def read(config: Mapping[str, object]) -> ExportConfig:
    """Read a config as the host does: from JSON."""
    return plugin.config_model.model_validate_json(json.dumps(config))


def settings(directory: Path, **more: object) -> ExportSettings:
    """What the worker's operator says."""
    said = json.dumps({"directory": str(directory), **more})
    return plugin.settings_model.model_validate_json(said)


@asynccontextmanager
async def opened(
    directory: Path,
    config: Mapping[str, object] | None = None,
    *,
    room: str = "board",
    languages: Sequence[str] = ("en", "es"),
    **more: object,
) -> AsyncGenerator[TranscriptExport]:
    """Open the plugin for a room; `more` is of the operator's settings."""
    codes = tuple(map(LanguageCode, languages))
    info = RoomInfo(room, settings(directory, **more), codes)
    async with plugin.open(info, read(config or {})) as export:
        assert isinstance(export, TranscriptExport)
        yield export
    await eventually(no_thread)


def no_thread() -> bool:
    """Whether all is written: no thread of the plugin is left."""
    return all(thread.name != "transcript-export" for thread in threading.enumerate())


def event(
    text: str = "Hello",
    language: str = "en",
    *,
    identity: str = "alice-id",
    name: str = "Alice",
    is_final: bool = True,
    is_translation: bool = False,
    original: str = "",
    began: datetime | None = None,
    seconds: float = 2.0,
    utterance: str = "u1",
    part: str = "0",
) -> TranscriptEvent:
    """Words; they began now where nothing else is said, and were told some seconds later."""
    began = began or datetime.now(UTC)
    return TranscriptEvent(
        room="board",
        speaker=Speaker(identity=identity, name=name),
        utterance=utterance,
        part=part,
        language=LanguageCode(language),
        text=text,
        is_final=is_final,
        is_translation=is_translation,
        original=original,
        began_at=began,
        told_at=began + timedelta(seconds=seconds),
    )


def translation(text: str, language: str, original: str = "") -> TranscriptEvent:
    """What somebody's words were translated to."""
    return event(text, language, is_translation=True, original=original)


def only_folder(directory: Path) -> Path:
    """The folder of the one meeting that was written."""
    (folder,) = meetings(directory)
    return folder


def meetings(directory: Path) -> list[Path]:
    """The folders of all meetings, in the order of their names."""
    return sorted(directory.glob("*/*"))


def files(directory: Path) -> list[str]:
    """The names of the files of the one meeting."""
    return names_in(only_folder(directory))


def names_in(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def mistakes(config: Mapping[str, object]) -> list[str]:
    """List what is wrong with a room's config, as the room shows it."""
    return await mistakes_in_room(plugin, config, {"directory": "/nowhere"})


async def settings_mistakes(said: Mapping[str, object]) -> list[str]:
    """List what is wrong with the operator's settings, as the worker shows it."""
    return await mistakes_in_room(plugin, {}, said)
