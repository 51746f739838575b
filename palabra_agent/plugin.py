"""What plugin authors import, and nothing else: the recipe, the capabilities, and their facts.

A plugin is a recipe: a config model, and a function that opens it for a room. What it opens has one
or more capabilities. An entry point in the group `palabra_agent.plugins` names the recipe:

    class Config(PluginConfig):
        voice: str = "default_high"

    class OneVoice(VoicePolicy):
        def __init__(self, config: Config) -> None:
            self.choice = FixedVoice(config.voice)

        async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
            return self.choice

    @asynccontextmanager
    async def open_one_voice(room: RoomInfo, config: Config) -> AsyncGenerator[OneVoice]:
        yield OneVoice(config)

    plugin = Plugin(Config, open_one_voice)

`docs/plugins.md` has the whole story; `palabra_agent.testing` what tests need.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import (
    Any,
    Final,
    Generic,
    Protocol,
    TypeAlias,
    overload,
    runtime_checkable,
)

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypeVar

from palabra_agent.config.fields import ConfigModel as PluginConfig
from palabra_agent.config.fields import SpokenCode, TargetCode, check_spoken, check_target
from palabra_agent.languages import LanguageCode, base, match, normalise, same_language
from palabra_agent.voices import (
    ClonedVoice,
    FixedVoice,
    Passed,
    Speaker,
    Timbre,
    TimbreMatchedVoice,
    VoiceChoice,
    VoiceRequest,
    voice_ids,
)

__all__ = [
    "CAPABILITIES",
    "ENTRY_POINTS",
    "Capability",
    "ClonedVoice",
    "FixedVoice",
    "LanguageCode",
    "NoSettings",
    "Passed",
    "Plugin",
    "PluginConfig",
    "RoomInfo",
    "Speaker",
    "Speech",
    "SpokenCode",
    "TargetCode",
    "Timbre",
    "TimbreEstimator",
    "TimbreMatchedVoice",
    "TranscriptEvent",
    "TranscriptListener",
    "VoiceAnswer",
    "VoiceChoice",
    "VoicePolicy",
    "VoiceRequest",
    "base",
    "check_spoken",
    "check_target",
    "match",
    "normalise",
    "same_language",
    "voice_ids",
]

ENTRY_POINTS: Final = "palabra_agent.plugins"
"""The group of entry points; the name in it is the one that room configs use."""

VoiceAnswer: TypeAlias = VoiceChoice | Passed | None
"""A voice; or None, or `Passed` with a reason, to leave the choice to the next plugin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptEvent:
    """Words that somebody said, or what they were translated to."""

    room: str
    """Name of the room."""
    speaker: Speaker
    """Whose words these are."""
    utterance: str
    """The same for an utterance's partials, its final text and all its translations."""
    part: str
    """Which part of a split utterance, `0` being the first; empty where it is whole."""
    language: LanguageCode
    """Language of the text."""
    text: str
    """The whole text so far, not an addition."""
    is_final: bool
    is_translation: bool
    original: str
    """The words that a translation translates; empty where they are not known."""
    began_at: datetime
    """When the utterance began to be heard, in UTC."""
    told_at: datetime
    """When these words came, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """A few seconds of one speaker's voice, pauses left out."""

    speaker: Speaker
    samples: NDArray[np.int16]
    """Mono; read-only."""
    sample_rate: int
    """Samples per second: 48000."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.sample_rate


@runtime_checkable
class VoicePolicy(Protocol):
    """Chooses voices."""

    @abstractmethod
    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        """Choose the voice of a speaker in a language, or pass.

        Asked for each speaker and language, and again whenever the facts change. Whoever gives the
        same answer to the same facts keeps voices steady.
        """
        ...


@runtime_checkable
class TranscriptListener(Protocol):
    """Is told what is said."""

    @abstractmethod
    async def on_transcript(self, event: TranscriptEvent) -> None:
        """Take note of words; called in order, one at a time."""
        ...


@runtime_checkable
class TimbreEstimator(Protocol):
    """Hears how a speaker's own voice sounds."""

    @abstractmethod
    async def estimate_timbre(self, speech: Speech) -> Timbre | None:
        """Estimate the timbre, or None where this speech does not tell: more will follow.

        What takes the processor more than a millisecond belongs into a thread. An estimate becomes
        a fact in every later `VoiceRequest` on that speaker.
        """
        ...


Capability: TypeAlias = VoicePolicy | TranscriptListener | TimbreEstimator
"""What an opened plugin must have at least one of."""

CAPABILITIES: Final = (VoicePolicy, TranscriptListener, TimbreEstimator)


class NoSettings(PluginConfig):
    """What the worker may say of a plugin without settings: nothing."""


ConfigT = TypeVar("ConfigT", bound=PluginConfig)
SettingsT = TypeVar("SettingsT", bound=PluginConfig, default=Any)


@dataclass(frozen=True)
class RoomInfo(Generic[SettingsT]):
    """The room that a plugin is opened for."""

    name: str
    """The room's name, as whoever made the room chose it: do not trust it as a path."""
    settings: SettingsT
    """What the worker's operator says of the plugin, in `[plugins.NAME]`: secrets, folders, and
    whatever else a room must not choose. `NoSettings()` where the recipe names no model."""
    languages: tuple[LanguageCode, ...] = ()
    """The targets that listeners may ask for when the plugin is opened."""


_AnyConfigT = TypeVar("_AnyConfigT", bound=PluginConfig)


@dataclass(frozen=True, init=False)
class Plugin(Generic[ConfigT, SettingsT]):
    """A recipe: what a plugin may be told, and how it is opened for a room."""

    config_model: type[ConfigT]
    """What a room config may say of it."""
    open: Callable[[RoomInfo[SettingsT], ConfigT], AbstractAsyncContextManager[Capability]]
    """Opens it for one room; closed when the room ends or its config drops or changes it."""
    settings_model: type[SettingsT]
    """What the worker's operator may say of it."""
    example: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """A config as a room might write it; shown by `palabra-agent schema`."""

    @overload
    def __init__(
        self: Plugin[_AnyConfigT, NoSettings],
        config_model: type[_AnyConfigT],
        open: Callable[
            [RoomInfo[NoSettings], _AnyConfigT], AbstractAsyncContextManager[Capability]
        ],
        *,
        example: Mapping[str, Any] | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        config_model: type[ConfigT],
        open: Callable[[RoomInfo[SettingsT], ConfigT], AbstractAsyncContextManager[Capability]],
        *,
        settings_model: type[SettingsT],
        example: Mapping[str, Any] | None = None,
    ) -> None: ...

    def __init__(
        self,
        config_model: type[PluginConfig],
        open: Callable[[RoomInfo[Any], Any], AbstractAsyncContextManager[Capability]],  # noqa: A002 - the field's name
        *,
        settings_model: type[PluginConfig] = NoSettings,
        example: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a recipe.

        Args:
            config_model: What a room config may say of the plugin.
            open: Given the room and its config, opens the plugin as an async context manager.
            settings_model: What the worker's operator may say of it, in `[plugins.NAME]`.
            example: A config as a room might write it.
        """
        for name, value in {
            "config_model": config_model,
            "open": open,
            "settings_model": settings_model,
            "example": dict(example or {}),
        }.items():
            object.__setattr__(self, name, value)
