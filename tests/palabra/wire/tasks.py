"""A row's task in our own settings, and the task that these make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel, JsonValue

from palabra_agent.languages import AUTO, base, normalise
from palabra_agent.palabra.task.building import build_task
from palabra_agent.palabra.task.sections import Transcription, Translation, TranslationQueueConfig
from palabra_agent.palabra.task.settings import MessageType, TaskSettings

from .emulated import transport_of
from .rows import Json

_LANGUAGES: Final = frozenset({"source_language", "detectable_languages", "target_language"})
_OURS: Final = ("transcription", "translations", "translation_queue_configs")


def rebuilt(data: Mapping[str, Any]) -> Json:
    """Say a task with our settings, the unknown parts of it as undocumented, and build it again."""
    pipeline, source = data["pipeline"], data["input_stream"]["source"]
    heard, unheard = _split(Transcription, pipeline["transcription"])
    undocumented: Json = {"transcription": unheard} if unheard else {}
    translations: Json = {}
    for entry in pipeline["translations"]:
        code = normalise(entry["target_language"])
        translations[code], unknown = _split(Translation, entry)
        if unknown:
            undocumented.setdefault("translations", {})[code] = unknown

    said: Json = {"transcription": heard, "translations": translations}
    queues = pipeline.get("translation_queue_configs", {})
    said["translation_queue_configs"] = {
        key: _split(TranslationQueueConfig, config)[0] for key, config in queues.items()
    }
    types = pipeline.get("allowed_message_types")
    if types is not None and set(types) <= set(get_args(MessageType)):
        said["allowed_message_types"] = types
    elif types is not None:
        undocumented["allowed_message_types"] = types
    if "preprocessing" in pipeline:
        said["preprocessing"] = pipeline["preprocessing"]

    said["undocumented"] = {"pipeline": undocumented, **_around(data)} if undocumented else {}
    said["undocumented"] |= _around(data)
    said["speech"] = data.get("output_stream") is not None
    said["websocket"] = _formats(data)
    spoken = pipeline["transcription"]
    return build_task(
        TaskSettings.model_validate(said),
        source_language=normalise(spoken["source_language"]),
        detectable_languages=[normalise(it) for it in spoken.get("detectable_languages", [])],
        targets=[normalise(it["target_language"]) for it in pipeline["translations"]],
        partial_translations=False,
        transport="ws" if source["type"] == "ws" else "webrtc",
        may_clone=True,
    )


def lost(said: JsonValue, made: JsonValue, path: tuple[str | int, ...] = ()) -> list[str]:
    """List what only a row's task says, but for spellings that mean the same."""
    if isinstance(said, dict) and isinstance(made, dict):
        return [
            words
            for key, value in said.items()
            for words in (
                lost(value, made[key], (*path, key))
                if key in made
                else [f"{(*path, key)} is missing"]
            )
            # null, and a field that is left out, are the same to the server
            if value is not None or key in made
        ]
    if isinstance(said, list) and isinstance(made, list) and path[-1:] == ("translations",):
        return [
            words
            for place, (one, other) in enumerate(zip(said, made, strict=True))
            for words in lost(one, other, (*path, place))
        ]
    if path[-1:] == ("type",) and said == "livekit":
        said = "webrtc"
    if path[-1:] == ("source_language",) and isinstance(said, str) and said != AUTO:
        said = base(said)
    # with a cloned voice there is no id, and only `auto` reads what may be detected
    if (path[-1], made) in [("voice_id", None), ("detectable_languages", [])]:
        return []

    return [] if said == made else [f"{path}: {said!r}, ours {made!r}"]


def _split(model: type[BaseModel], said: Mapping[str, Any]) -> tuple[Json, Json]:
    """The fields that a section of our settings has, and those that it has not."""
    known = {key: value for key, value in said.items() if key in model.model_fields}
    rest = {key: said[key] for key in said if key not in known and key not in _LANGUAGES}
    return known, rest


def _around(data: Mapping[str, Any]) -> Json:
    """List the fields beside the pipeline, or at the streams, that belong to neither."""
    beside = {key: data[key] for key in data if key == "translation_queue_configs"}
    target: Json = (data.get("output_stream") or {}).get("target", {})
    odd = {key: target[key] for key in target if key not in {"type", "format"}}
    return {**beside, **({"output_stream": {"target": odd}} if odd else {})}


def _formats(data: Mapping[str, Any]) -> Json:
    if transport_of(data) != "ws":
        return {}

    source = data["input_stream"]["source"]
    formats = {key: source[key] for key in ("format", "sample_rate", "channels") if key in source}
    target: Json = (data.get("output_stream") or {}).get("target", {})
    return formats | ({"output_format": target["format"]} if "format" in target else {})
