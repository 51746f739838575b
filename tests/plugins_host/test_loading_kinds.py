"""Of what kind a recipe is, as far as annotations tell."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Self, TypeAlias

import pytest

from palabra_agent.capabilities import ALL
from palabra_agent.plugin import (
    Capability,
    RoomInfo,
    Speech,
    Timbre,
    TranscriptListener,
    VoicePolicy,
)
from palabra_agent.plugins_host.loading import kind_of
from tests.good_plugins.diary import Diary, open_diary
from tests.good_plugins.voices import Config, Voices, open_voices

pytestmark = pytest.mark.unit


Opening: TypeAlias = Callable[..., object]


class Both(Voices, Diary):
    """Chooses and listens."""


class Ear:
    """Estimates without saying that it is one: what counts is what it can do."""

    async def estimate_timbre(self, speech: Speech) -> Timbre | None:
        """Estimate nothing."""
        return None


class Opener:
    """A context manager that is a class, and gives itself."""

    async def __aenter__(self) -> Ear:
        """Give an ear."""
        return Ear()

    async def __aexit__(self, *_: object) -> None:
        """Nothing to do."""


class SelfOpener(Ear):
    """Is what it gives."""

    async def __aenter__(self) -> Self:
        """Give itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to do."""


@asynccontextmanager
async def open_both(room: RoomInfo, config: Config) -> AsyncGenerator[Both]:
    """Open one of two capabilities."""
    yield Both(config)


@asynccontextmanager
async def open_protocol(room: RoomInfo, config: Config) -> AsyncGenerator[VoicePolicy]:
    """Open what is only said to choose."""
    yield Voices(config)


@asynccontextmanager
async def open_any(room: RoomInfo, config: Config) -> AsyncGenerator[Capability]:
    """Open any capability."""
    yield Voices(config)


@asynccontextmanager
async def open_alternatives(room: RoomInfo, config: Config) -> AsyncGenerator[Voices | Both]:
    """Open something that chooses in any case."""
    yield Voices(config)


def open_ear(room: RoomInfo, config: Config) -> Opener:
    """Open without a generator."""
    return Opener()


def open_listener(
    room: RoomInfo, config: Config
) -> AbstractAsyncContextManager[TranscriptListener]:
    """Open without a generator, too."""
    raise AssertionError("only its annotations are looked at")


@pytest.mark.parametrize(
    ("opener", "kind"),
    [
        (open_voices, "voice policy"),
        (open_diary, "transcript listener"),
        (open_both, "voice policy, transcript listener"),
        (open_protocol, "voice policy"),
        (open_any, "plugin"),
        (open_alternatives, "voice policy"),
        (open_ear, "timbre estimator"),
        (open_listener, "transcript listener"),
        (Opener, "timbre estimator"),
        (SelfOpener, "timbre estimator"),
        (print, "plugin"),
    ],
)
def test_the_kind_is_what_is_annotated(opener: Opening, kind: str) -> None:
    """What is opened is named by its capabilities; nothing is claimed that is not said."""
    assert kind_of(opener, ALL) == kind
