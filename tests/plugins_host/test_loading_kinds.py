"""Of what kind a recipe is, as far as annotations tell."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import pytest

from palabra_agent.capabilities import ALL
from palabra_agent.plugin import (
    Capability,
    RoomInfo,
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
        (open_listener, "transcript listener"),
        (print, "plugin"),
    ],
)
def test_the_kind_is_what_is_annotated(opener: Opening, kind: str) -> None:
    """What is opened is named by its capabilities; nothing is claimed that is not said."""
    assert kind_of(opener, ALL) == kind
