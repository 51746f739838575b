"""Settings of the export by the worker's operator, and its config by a room."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field, PlainValidator, Strict, WithJsonSchema

from palabra_agent.plugin import PluginConfig, SpokenCode

_LONGEST_PATH: Final = 4_000
_MOST_MEGABYTES: Final = 1_000_000

FormatName: TypeAlias = Literal["jsonl", "vtt", "srt"]


def _check_directory(value: object) -> Path:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_PATH:
        raise ValueError("must be the path of a folder")

    try:
        path = Path(value).expanduser()
    except RuntimeError:
        raise ValueError("must be the path of a folder") from None

    if "\0" in value or not path.is_absolute():
        raise ValueError('must be an absolute path such as "/var/lib/transcripts"')

    return path


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("must not be empty")

    return values


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    for position, value in enumerate(values):
        if value in values[:position]:
            raise ValueError(f'"{value}" is given twice')

    return values


_Switch = Annotated[bool, Strict()]
_Directory = Annotated[Path, PlainValidator(_check_directory), WithJsonSchema({"type": "string"})]
_Megabytes = Annotated[float, Strict(), Field(gt=0, le=_MOST_MEGABYTES)]


class ExportSettings(PluginConfig):
    """Settings of the worker's operator, in `[plugins.transcript-export]`."""

    directory: _Directory
    """The folder of transcripts: an absolute path, `~` allowed. It is made where it is not there,
    for the worker's user alone. Each room gets a folder in it."""
    max_megabytes: _Megabytes = 100.0
    """The most that one meeting may write, all its files together; then nothing more is written."""
    allow_names: _Switch = True
    """Let rooms have speakers' names written; if not, they are numbered all the same."""


_OPERATORS: Final = "belongs into the worker's settings, `[plugins.transcript-export]`"


class ExportConfig(PluginConfig):
    """The transcript that a room wants."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "directory": _OPERATORS,
        "max_megabytes": _OPERATORS,
        "allow_names": _OPERATORS,
    }

    formats: Annotated[
        tuple[FormatName, ...],
        AfterValidator(_some),
        AfterValidator(_distinct),
        Field(json_schema_extra={"minItems": 1, "uniqueItems": True}),
    ] = ("jsonl", "vtt", "srt")
    """`jsonl`: one file with everything, a JSON object per line; `vtt` and `srt`: subtitles, one
    file per language."""
    languages: Annotated[tuple[SpokenCode, ...], AfterValidator(_distinct)] = ()
    """Languages that are written: `es` is every Spanish, `es-mx` only that one; empty: all."""
    names: _Switch = False
    """Write speakers by their names; else as `Speaker 1`, `Speaker 2`, in the order of their first
    words."""
    originals: _Switch = True
    """Write the words of speakers, each in their language; else only what they were translated
    to."""
