"""All that plugin authors import: the recipe, the capabilities, and their facts.

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

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Generic, overload

from typing_extensions import TypeVar

from palabra_agent.capabilities import ALL, Capability
from palabra_agent.capabilities.capability import Passed
from palabra_agent.capabilities.timbre import Speech, TimbreEstimator
from palabra_agent.capabilities.transcript import TranscriptEvent, TranscriptListener
from palabra_agent.capabilities.voice import VoiceAnswer, VoicePolicy, VoiceRequest
from palabra_agent.config.fields import ConfigModel as PluginConfig
from palabra_agent.config.fields import SpokenCode, TargetCode, check_spoken, check_target
from palabra_agent.languages import (
    LanguageCode,
    base,
    find_source,
    find_target,
    match,
    nearest,
    normalise,
    same_language,
    spell_target,
)
from palabra_agent.texts import one_line, shown_name
from palabra_agent.voices import (
    CONSENT_ATTRIBUTE,
    ClonedVoice,
    FixedVoice,
    Speaker,
    Timbre,
    TimbreMatchedVoice,
    VoiceChoice,
    voice_ids,
)

__all__ = [
    "CAPABILITIES",
    "CONSENT_ATTRIBUTE",
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
    "find_source",
    "find_target",
    "match",
    "nearest",
    "normalise",
    "one_line",
    "same_language",
    "shown_name",
    "spell_target",
    "voice_ids",
]

ENTRY_POINTS: Final = "palabra_agent.plugins"
"""The group of entry points; the name in it is the one that room configs use."""

CAPABILITIES: Final = tuple(capability.protocol for capability in ALL)
"""The protocols of all capabilities."""


class NoSettings(PluginConfig):
    """The settings of a plugin that has none."""


ConfigT = TypeVar("ConfigT", bound=PluginConfig)
SettingsT = TypeVar("SettingsT", bound=PluginConfig, default=Any)


@dataclass(frozen=True)
class RoomInfo(Generic[SettingsT]):
    """The room that a plugin is opened for."""

    name: str
    """The room's name, which the creator of the room chose: do not trust it as a path."""
    settings: SettingsT
    """Settings of the plugin by the worker's operator, in `[plugins.NAME]`: secrets, folders, and
    anything else a room must not choose. `NoSettings()` where the recipe names no model."""
    languages: tuple[LanguageCode, ...] = ()
    """The targets that listeners may ask for when the plugin is opened."""


_AnyConfigT = TypeVar("_AnyConfigT", bound=PluginConfig)


@dataclass(frozen=True, init=False)
class Plugin(Generic[ConfigT, SettingsT]):
    """A recipe: the models of what a plugin may be told, and the function that opens it."""

    config_model: type[ConfigT]
    """Model of what a room config may say of the plugin."""
    open: Callable[[RoomInfo[SettingsT], ConfigT], AbstractAsyncContextManager[Capability]]
    """Opens it for one room; closed when the room ends or its config drops or changes it."""
    settings_model: type[SettingsT]
    """Model of what the worker's operator may say of it."""
    example: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """A config as a room might write it; shown by `palabra-agent schema`."""
    announce: Callable[[RoomInfo[SettingsT], ConfigT], str | None] | None = None
    """Says what the people of a room are told while it is open there; None for nothing."""

    @overload
    def __init__(
        self: Plugin[_AnyConfigT, NoSettings],
        config_model: type[_AnyConfigT],
        open: Callable[
            [RoomInfo[NoSettings], _AnyConfigT], AbstractAsyncContextManager[Capability]
        ],
        *,
        example: Mapping[str, Any] | None = None,
        announce: Callable[[RoomInfo[NoSettings], _AnyConfigT], str | None] | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        config_model: type[ConfigT],
        open: Callable[[RoomInfo[SettingsT], ConfigT], AbstractAsyncContextManager[Capability]],
        *,
        settings_model: type[SettingsT],
        example: Mapping[str, Any] | None = None,
        announce: Callable[[RoomInfo[SettingsT], ConfigT], str | None] | None = None,
    ) -> None: ...

    def __init__(
        self,
        config_model: type[PluginConfig],
        open: Callable[[RoomInfo[Any], Any], AbstractAsyncContextManager[Capability]],  # noqa: A002 - the field's name
        *,
        settings_model: type[PluginConfig] = NoSettings,
        example: Mapping[str, Any] | None = None,
        announce: Callable[[RoomInfo[Any], Any], str | None] | None = None,
    ) -> None:
        """Write a recipe.

        Args:
            config_model: What a room config may say of the plugin.
            open: Given the room and its config, opens the plugin as an async context manager.
            settings_model: What the worker's operator may say of it, in `[plugins.NAME]`.
            example: A config as a room might write it.
            announce: Given the same as `open`, says in a sentence what people must know while the
                plugin is open, such as that it writes down who says what; None for nothing.
        """
        for name, value in {
            "config_model": config_model,
            "open": open,
            "settings_model": settings_model,
            "example": dict(example or {}),
            "announce": announce,
        }.items():
            object.__setattr__(self, name, value)
