"""Tasks made from what a room says under `palabra`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.task.building import build_task
from palabra_agent.palabra.task.settings import TaskSettings
from palabra_agent.palabra.vocabulary import StreamType
from palabra_agent.voices import VoiceChoice
from tests.problems import mistakes_by

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")

Json: TypeAlias = dict[str, Any]


def settings(said: dict[str, Any]) -> TaskSettings:
    """Check what a room says under `palabra`."""
    return TaskSettings.model_validate(said)


def mistakes(said: dict[str, Any]) -> list[str]:
    """List what is wrong with it, in words."""
    return mistakes_by(TaskSettings, said)


def build(said: dict[str, Any], *targets: LanguageCode, partials: bool = True) -> Json:
    """Build the pipeline of an English speaker's task."""
    data: Json = build_task(
        settings(said),
        source_language=EN,
        detectable_languages=(),
        targets=targets or (ES,),
        partial_translations=partials,
        may_clone=True,
    )
    pipeline: Json = data["pipeline"]
    return pipeline


def translation(said: dict[str, Any], target: LanguageCode = ES) -> Json:
    """Build the translation of one target."""
    entry: Json = build({"translations": said}, target)["translations"][0]
    return entry


def task_of(
    said: Json,
    transport: StreamType = "webrtc",
    voices: Mapping[LanguageCode, VoiceChoice] = MappingProxyType({}),
    *,
    may_clone: bool = True,
) -> Json:
    """Build the whole task of an English speaker, who has agreed, into Spanish and German."""
    data: Json = build_task(
        settings(said),
        source_language=EN,
        detectable_languages=(),
        targets=(ES, DE),
        partial_translations=False,
        transport=transport,
        voices=voices,
        may_clone=may_clone,
    )
    return data
