"""A voice policy whose config uses whatever pydantic offers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import time
from enum import Enum
from typing import Annotated, Literal

from pydantic import AnyHttpUrl, BaseModel, Field, SecretStr, field_validator, model_validator

from palabra_agent.plugin import (
    FixedVoice,
    Plugin,
    PluginConfig,
    RoomInfo,
    VoiceAnswer,
    VoicePolicy,
    VoiceRequest,
)


class Mood(Enum):
    """How voices sound."""

    CALM = "calm"
    LIVELY = "lively"


class Pool(PluginConfig):
    """Voices to deal from."""

    ids: list[str] = Field(min_length=2, max_length=3)
    """At least two."""


class Ladder(PluginConfig):
    """Voices by height."""

    steps: dict[Annotated[str, Field(min_length=2)], int]


class High(BaseModel):
    """Told by its kind, and not even one of our own models."""

    kind: Literal["high"]
    hz: int


class Low(BaseModel):
    """The other kind."""

    kind: Literal["low"]
    hz: Annotated[int, Field(multiple_of=10)]


class Config(PluginConfig):
    """Which voices there are."""

    voice: str = "default_high"
    """Id of the voice."""
    other: str | Pool | Ladder = "default_low"
    """What everybody else has."""
    pitch: float = Field(default=1.0, gt=0, lt=4)
    steps: int = Field(default=3, ge=1, le=9)
    mood: Mood = Mood.CALM
    size: Literal["small", "big", 7] = "small"
    often: Annotated[int, Field(gt=3)] | Literal["never"] = "never"
    code: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    title: Annotated[str, Field(min_length=2, max_length=10)] = "none"
    since: time | None = None
    page: AnyHttpUrl | None = None
    range: Annotated[High | Low, Field(discriminator="kind")] | None = None
    names: frozenset[str] = frozenset()
    token: str = ""
    """Looks like a credential, and is not shown."""

    @field_validator("voice")
    @classmethod
    def _known(cls, voice: str) -> str:
        match voice:
            case "nobody":
                raise ValueError("there is no such voice.\nAsk somebody.")
            case "nothing":
                raise AssertionError
            case "surprise":
                raise KeyError(voice)
            case "exit":
                raise SystemExit(3)
            case _:
                return voice

    @model_validator(mode="after")
    def _together(self) -> Config:
        if self.steps == 9 and self.pitch == 3:
            raise ValueError(f"nine steps are too many for a pitch of {self.pitch:g}")
        if self.token == "let me in":
            raise ValueError(f"{self.token} is no good token")
        return self


class Settings(PluginConfig):
    """What the operator says."""

    limit: int = Field(default=5, gt=0)
    api_token: SecretStr = SecretStr("")
    webhooks: list[SecretStr] = Field(default=[])
    door: str = "open"

    @field_validator("api_token", mode="before")
    @classmethod
    def _talkative(cls, value: object) -> object:
        if value == "hunter2hunter2":
            raise ValueError(f"{value} is everybody's token")
        return value

    @model_validator(mode="before")
    @classmethod
    def _more_talkative(cls, value: object) -> object:
        if isinstance(value, dict) and ("door", "shut") in value.items():
            raise ValueError(f"the door is shut for {value}")
        return value


class Voices(VoicePolicy):
    """Chooses one voice."""

    def __init__(self, config: Config) -> None:
        self._choice = FixedVoice(config.voice)

    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        """Choose it."""
        return self._choice


@asynccontextmanager
async def open_voices(room: RoomInfo[Settings], config: Config) -> AsyncGenerator[Voices]:
    """Open it for a room."""
    yield Voices(config)


plugin = Plugin(
    Config, open_voices, settings_model=Settings, example={"voice": "default_low", "steps": 2}
)
