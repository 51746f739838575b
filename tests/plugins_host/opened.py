"""Plugins for tests: one that can be told in words how to behave, and the ways to configure it."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

from palabra_agent.plugin import (
    LanguageCode,
    NoSettings,
    Plugin,
    PluginConfig,
    RoomInfo,
    Speaker,
    Speech,
    Timbre,
    TranscriptEvent,
    VoiceAnswer,
    VoiceRequest,
)
from palabra_agent.plugins_host.configuring import ConfiguredPlugin

STUBBORN_SECONDS: Final = 1.0


class Config(PluginConfig):
    """Whatever tells two entries apart."""

    label: str = ""


@dataclass
class Diary:
    """What happened to plugins, in order."""

    entries: list[str] = field(default_factory=list[str])


class Policy:
    """Chooses voices by a function."""

    def __init__(self, choose: Callable[[VoiceRequest], object]) -> None:
        self._choose = choose

    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        """Answer what the function returns, or what comes of awaiting it."""
        return cast("VoiceAnswer", await _awaited(self._choose(request)))


class Listener:
    """Notes what it is told, after whatever a function does."""

    def __init__(self, hear: Callable[[TranscriptEvent], object] = lambda event: None) -> None:
        self.heard: list[TranscriptEvent] = []
        self._hear = hear

    async def on_transcript(self, event: TranscriptEvent) -> None:
        """Hear an event."""
        await _awaited(self._hear(event))
        self.heard.append(event)


class Estimator:
    """Estimates by a function."""

    def __init__(self, estimate: Callable[[Speech], object]) -> None:
        self._estimate = estimate

    async def estimate_timbre(self, speech: Speech) -> Timbre | None:
        """Answer what the function returns, or what comes of awaiting it."""
        return cast("Timbre | None", await _awaited(self._estimate(speech)))


def opening(
    opened: object, diary: Diary | None = None, *, closes: Callable[[], object] = lambda: None
) -> Callable[[RoomInfo[Any], Config], AbstractAsyncContextManager[Any]]:
    """Make a well-behaved opener, which notes opening and closing; closing may be spoilt."""

    @asynccontextmanager
    async def open_it(room: RoomInfo[Any], config: Config) -> AsyncGenerator[Any]:
        if diary is not None:
            diary.entries.append(f"open {config.label}")
        try:
            yield opened
        finally:
            await _awaited(closes())
            if diary is not None:
                diary.entries.append(f"close {config.label}")

    return open_it


def configured(opener: Callable[..., Any], name: str = "it", label: str = "") -> ConfiguredPlugin:
    """Configure a plugin, whatever its opener is."""
    return ConfiguredPlugin(name, Plugin(Config, opener), Config(label=label or name), NoSettings())


def choosing(
    answer: object, name: str = "it", label: str = "", diary: Diary | None = None
) -> ConfiguredPlugin:
    """Configure a plugin that chooses always the same."""
    return configured(opening(Policy(lambda request: answer), diary), name, label)


def choosing_by(choose: Callable[[VoiceRequest], object], name: str = "it") -> ConfiguredPlugin:
    """Configure a plugin that chooses by a function."""
    return configured(opening(Policy(choose)), name)


def listening(listener: Listener, name: str = "it") -> ConfiguredPlugin:
    """Configure a plugin that listens."""
    return configured(opening(listener), name)


def estimating(estimate: Callable[[Speech], object], name: str = "it") -> ConfiguredPlugin:
    """Configure a plugin that estimates by a function."""
    return configured(opening(Estimator(estimate)), name)


def asking(*, unavailable: Collection[str] = ()) -> VoiceRequest:
    """Ask for alice's voice."""
    return VoiceRequest(
        room="r",
        speaker=Speaker(identity="alice", name="Alice"),
        target_language=LanguageCode("es"),
        unavailable=frozenset(unavailable),
    )


async def _awaited(came: object) -> object:
    return await came if inspect.iscoroutine(came) else came


async def never() -> None:
    """Hang, but heed a cancellation."""
    await asyncio.Event().wait()


async def heed_nothing(entered: Callable[[], None] = lambda: None) -> None:
    """Hang, and heed no cancellation until a second after the first, however many there are."""
    entered()
    now, ends_at = asyncio.get_running_loop().time, math.inf
    while now() < ends_at:
        try:
            async with asyncio.timeout_at(None if math.isinf(ends_at) else ends_at):
                await never()
        except asyncio.CancelledError:
            ends_at = min(ends_at, now() + STUBBORN_SECONDS)
        except TimeoutError:
            raise asyncio.CancelledError from None
