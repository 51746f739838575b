"""Recipes that do not fit together: rejected where they are made."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from pydantic import BaseModel

from palabra_agent.plugin import (
    FixedVoice,
    Plugin,
    PluginConfig,
    RoomInfo,
    VoiceAnswer,
    VoicePolicy,
    VoiceRequest,
)


class Config(PluginConfig):
    voice: str = "default_high"


class OtherConfig(PluginConfig):
    voice: str = "default_low"


class Settings(PluginConfig):
    key: str = ""


class OtherSettings(PluginConfig):
    key: str = ""


class LooseConfig(BaseModel):
    voice: str = "default_high"


class Policy(VoicePolicy):
    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        return FixedVoice("default_high")


class AnswersWithAnId:
    async def choose_voice(self, request: VoiceRequest) -> str:
        return "default_high"


class IsNotAsync:
    def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        return FixedVoice("default_high")


class IsMisspelt:
    async def chose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        return FixedVoice("default_high")


@asynccontextmanager
async def open_policy(room: RoomInfo, config: Config) -> AsyncGenerator[Policy]:
    yield Policy()


@asynccontextmanager
async def open_with_settings(room: RoomInfo[Settings], config: Config) -> AsyncGenerator[Policy]:
    yield Policy()


@asynccontextmanager
async def open_id(room: RoomInfo, config: Config) -> AsyncGenerator[AnswersWithAnId]:
    yield AnswersWithAnId()


@asynccontextmanager
async def open_sync(room: RoomInfo, config: Config) -> AsyncGenerator[IsNotAsync]:
    yield IsNotAsync()


@asynccontextmanager
async def open_misspelt(room: RoomInfo, config: Config) -> AsyncGenerator[IsMisspelt]:
    yield IsMisspelt()


@asynccontextmanager
async def open_nothing(room: RoomInfo, config: Config) -> AsyncGenerator[None]:
    yield None


@asynccontextmanager
async def open_without_config(room: RoomInfo) -> AsyncGenerator[Policy]:
    yield Policy()


@contextmanager
def open_in_the_wrong_world(room: RoomInfo, config: Config) -> Generator[Policy]:
    yield Policy()


@asynccontextmanager
async def open_loosely(room: RoomInfo, config: LooseConfig) -> AsyncGenerator[Policy]:
    yield Policy()


async def open_undecorated(room: RoomInfo, config: Config) -> AsyncGenerator[Policy]:
    yield Policy()


def open_at_once(room: RoomInfo, config: Config) -> Policy:
    return Policy()


returns_an_id = Plugin(Config, open_id)  # error: recipe
is_not_async = Plugin(Config, open_sync)  # error: recipe
is_misspelt = Plugin(Config, open_misspelt)  # error: recipe
has_no_capability = Plugin(Config, open_nothing)  # error: recipe
other_config = Plugin(OtherConfig, open_policy)  # error: recipe
no_config = Plugin(Config, open_without_config)  # error: recipe
no_config_model = Plugin(LooseConfig, open_loosely)  # error: recipe
config_not_a_model = Plugin(Config(), open_policy)  # error: recipe
other_settings = Plugin(Config, open_with_settings, settings_model=OtherSettings)  # error: recipe
forgotten_settings = Plugin(Config, open_with_settings)  # error: recipe
sync_context = Plugin(Config, open_in_the_wrong_world)  # error: recipe
undecorated = Plugin(Config, open_undecorated)  # error: recipe
not_a_context = Plugin(Config, open_at_once)  # error: recipe
nothing_to_open = Plugin(Config)  # error: recipe
misspelt_option = Plugin(Config, open_policy, exmaple={"voice": "x"})  # error: recipe
example_as_text = Plugin(Config, open_policy, example="voice")  # error: recipe
