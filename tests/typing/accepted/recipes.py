"""Every way to write a recipe that both checkers must let through."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import assert_type

from pydantic import SecretStr

from palabra_agent.plugin import (
    ClonedVoice,
    FixedVoice,
    NoSettings,
    Passed,
    Plugin,
    PluginConfig,
    RoomInfo,
    Speech,
    Timbre,
    TimbreEstimator,
    TimbreMatchedVoice,
    TranscriptEvent,
    TranscriptListener,
    VoiceAnswer,
    VoiceChoice,
    VoicePolicy,
    VoiceRequest,
)


class Config(PluginConfig):
    voice: str = "default_high"


class Settings(PluginConfig):
    folder: Path = Path()
    key: SecretStr = SecretStr("")


class Explicit(VoicePolicy):
    """Says what it can do, which is the recommended way."""

    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        return FixedVoice("default_high")


class Structural:
    """Has the method, and says nothing; its answer is narrower than it may be."""

    async def choose_voice(self, request: VoiceRequest) -> FixedVoice:
        return FixedVoice("default_high")


class NeverChooses:
    async def choose_voice(self, request: VoiceRequest) -> Passed | None:
        return Passed("it is Sunday") if request.current is None else None


class AllThree(VoicePolicy, TranscriptListener, TimbreEstimator):
    async def choose_voice(self, request: VoiceRequest) -> VoiceChoice | None:
        if request.speaker.timbre is None:
            return TimbreMatchedVoice(low="my_low")
        return ClonedVoice() if request.target_language == "es" else None

    async def on_transcript(self, event: TranscriptEvent) -> None:
        assert_type(event.is_final, bool)

    async def estimate_timbre(self, speech: Speech) -> Timbre | None:
        return Timbre(pitch_hz=120.0) if speech.seconds > 1 else None


@asynccontextmanager
async def open_explicit(room: RoomInfo, config: Config) -> AsyncGenerator[Explicit]:
    yield Explicit()


@asynccontextmanager
async def open_without_settings(
    room: RoomInfo[NoSettings], config: Config
) -> AsyncGenerator[Structural]:
    yield Structural()


@asynccontextmanager
async def open_with_settings(room: RoomInfo[Settings], config: Config) -> AsyncGenerator[AllThree]:
    assert_type(room.settings, Settings)
    assert_type(room.settings.folder, Path)
    assert_type(config.voice, str)
    yield AllThree()


@asynccontextmanager
async def open_with_any_config(
    room: RoomInfo, config: PluginConfig
) -> AsyncGenerator[NeverChooses]:
    yield NeverChooses()


class Opened(VoicePolicy):
    """Is its own context manager."""

    def __init__(self, room: RoomInfo, config: Config) -> None:
        self.voice = config.voice

    async def __aenter__(self) -> Opened:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        return FixedVoice(self.voice)


def open_one_of_two(
    room: RoomInfo, config: Config
) -> AbstractAsyncContextManager[Explicit | NeverChooses]:
    return open_explicit(room, config) if config.voice else open_with_any_config(room, config)


explicit = Plugin(Config, open_explicit)
without_settings = Plugin(Config, open_without_settings, example={"voice": "default_low"})
with_settings = Plugin(Config, open_with_settings, settings_model=Settings, example={})
with_any_config = Plugin(Config, open_with_any_config)
own_context = Plugin(Config, Opened)
one_of_two = Plugin(Config, open_one_of_two)
announcing = Plugin(Config, open_explicit, announce=lambda room, config: config.voice)
with_both = Plugin(
    Config,
    open_with_settings,
    settings_model=Settings,
    announce=lambda room, config: str(room.settings.folder) if config.voice else None,
)

assert_type(explicit, Plugin[Config, NoSettings])
assert_type(with_settings, Plugin[Config, Settings])
assert_type(announcing, Plugin[Config, NoSettings])
assert_type(with_both, Plugin[Config, Settings])
assert_type(with_settings.config_model, type[Config])
assert_type(with_settings.settings_model, type[Settings])
