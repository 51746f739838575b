"""The sections of the room config, field by field: types, defaults and ranges."""

from __future__ import annotations

from typing import Annotated, Literal

from palabra_agent.config.codes import SourceCode
from palabra_agent.config.fields import (
    Between,
    ConfigModel,
    Number,
    Switch,
    Whole,
)


class SpeakerOverride(ConfigModel):
    """What is known of a speaker beforehand."""

    source_language: SourceCode | None = None
    """The language that they speak, or `auto`; left out: as for everybody."""
    interpret: Switch = True
    """Whether they are interpreted at all."""


class CaptionSettings(ConfigModel):
    """Captions on `lk.transcription`."""

    enabled: Switch = True
    """Whether there are any."""
    partials: Switch = True
    """Show sentences while they are spoken, translated ones too."""


class ChatSettings(ConfigModel):
    """Finished sentences as chat messages."""

    enabled: Switch = True
    """Whether there are any."""
    audience: Literal["language", "everyone", "original"] = "language"
    """Who gets which: each their language; everybody all; everybody the original."""
    commands: Switch = True
    """Whether chat commands are answered; there are none in this version."""


class Limits(ConfigModel):
    """What a room may use."""

    max_speakers: Annotated[Whole, Between(1)] = 20
    """How many are interpreted at a time: first come, first served."""
    max_languages: Annotated[Whole, Between(1)] = 8
    """How many `languages` may be offered."""
    idle_pause_seconds: Annotated[Number, Between(0, 3_600)] | None = 20.0
    """Silence after which a speaker's Palabra session is paused, and its bill; null: never."""
    silent_output_seconds: Annotated[Number, Between(3, 3_600)] | None = 12.0
    """So much speech without a word or a sound in answer, and a new session takes over; null:
    never."""
    linger_seconds: Annotated[Number, Between(0, 300)] = 5.0
    """How long a speaker who disappeared keeps session, voice and channel."""
    max_minutes: Annotated[Number, Between(0.001, 44_640)] | None = None
    """When the interpreter leaves; null: never."""
