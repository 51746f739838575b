"""The overlay: fields that a room wants laid over its finished task, unchecked but for a few.

The languages, the transport and the shape of the task stay as they are said elsewhere: the rest of
this package relies on them. So the overlay may not hold them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias, cast

from pydantic import JsonValue
from pydantic_core import PydanticCustomError

from palabra_agent.config.documents import lay_over
from palabra_agent.config.fields import Refusal, check_target, refusal, repeated
from palabra_agent.config.wording import Path, shown
from palabra_agent.languages import spell_target

Json: TypeAlias = dict[str, JsonValue]

_EVERY_TARGET: Final = "default"
"""Key of the overlay's `translations` that holds for every target."""

_TRANSPORT: Final = "is not said here but by `palabra.transport` and `palabra.websocket`"
_LANGUAGES: Final = "languages are not said here but by the room config"
_FIXED: Final[Mapping[Path, str]] = {
    **{("input_stream", "source", name): _TRANSPORT for name in ("type", "format")},
    **{("input_stream", "source", name): _TRANSPORT for name in ("sample_rate", "channels")},
    **{("output_stream", "target", name): _TRANSPORT for name in ("type", "format")},
    ("pipeline", "transcription", "source_language"): _LANGUAGES,
    ("pipeline", "transcription", "detectable_languages"): _LANGUAGES,
}
"""Fields that the overlay may not hold."""

_OBJECTS: Final[Sequence[Path]] = (
    ("input_stream",),
    ("input_stream", "source"),
    ("output_stream",),
    ("output_stream", "target"),
    ("pipeline",),
    ("pipeline", "preprocessing"),
    ("pipeline", "transcription"),
    ("pipeline", "translation_queue_configs"),
)
"""Objects that it may only add to, not replace."""

_ENTRIES: Final[Path] = ("pipeline", "translations")


def overlay_mistakes(said: Mapping[str, JsonValue], *, has_speech: bool) -> list[Refusal]:
    """List everything that may not be laid over a task."""
    mistakes: list[Refusal] = [
        (path, refusal(reason)) for path, reason in _FIXED.items() if _at(said, path) is not _ABSENT
    ]
    for path in _OBJECTS:
        value = _at(said, path)
        if value is not _ABSENT and not isinstance(value, dict):
            mistakes.append((path, refusal(f"must be an object, not {shown(value)}")))
    if "output_stream" in said and not has_speech:
        reason = "`palabra.speech: false` leaves nothing that this could be laid over"
        mistakes.append((("output_stream",), refusal(reason)))

    return [*mistakes, *_entry_mistakes(_at(said, _ENTRIES))]


def laid_over(task: Json, said: Mapping[str, JsonValue]) -> Json:
    """Lay the overlay over a task: objects merge, everything else is replaced."""
    pipeline = said.get("pipeline")
    if not isinstance(pipeline, dict):
        return cast("Json", lay_over(task, said))

    by_target = {
        key if key == _EVERY_TARGET else spell_target(key): entry
        for key, entry in cast("dict[str, Json]", pipeline.get("translations") or {}).items()
    }
    rest = {key: value for key, value in pipeline.items() if key != "translations"}
    merged = cast("Json", lay_over(task, {**said, "pipeline": rest}))
    inner = cast("dict[str, list[Json]]", merged["pipeline"])
    inner["translations"] = [_with_overlay(entry, by_target) for entry in inner["translations"]]
    return merged


def _with_overlay(entry: Json, by_target: Mapping[str, Json]) -> Json:
    merged: Mapping[str, JsonValue] = entry
    for key in (_EVERY_TARGET, str(entry["target_language"])):
        merged = lay_over(merged, by_target.get(key, {}))
    return dict(merged)


def _entry_mistakes(entries: object) -> Iterator[Refusal]:
    if entries is _ABSENT:
        return
    if not isinstance(entries, dict):
        reason = f'must be an object whose keys are targets, or "default", not {shown(entries)}'
        yield _ENTRIES, refusal(reason)
        return
    for code in repeated(map(spell_target, entries)):
        yield _ENTRIES, refusal(f"{shown(code)} is given twice, in two spellings")
    for key, entry in cast("Json", entries).items():
        at = (*_ENTRIES, key)
        try:
            _ = key == _EVERY_TARGET or check_target(key)
        except PydanticCustomError as mistake:
            yield at, mistake
        if not isinstance(entry, dict):
            yield at, refusal(f"must be an object, not {shown(entry)}")
        elif "target_language" in entry:
            yield (*at, "target_language"), refusal(_LANGUAGES)


class _Absent:
    """Stands for a value that is not there, which `None` cannot."""


_ABSENT: Final = _Absent()


def _at(said: Mapping[str, JsonValue], path: Path) -> JsonValue | _Absent:
    here: JsonValue | _Absent = dict(said)
    for key in path:
        if not isinstance(here, dict) or key not in here:
            return _ABSENT
        here = here[str(key)]
    return here
