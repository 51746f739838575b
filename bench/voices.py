"""What choosing voices costs: a full room, several plugins, and one of them that hangs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from rich.progress import Progress

from bench.figures import Figure
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.interpretation.voice_assignments import InterpretedSpeaker
from palabra_agent.languages import LanguageCode
from palabra_agent.local.services import LocalServices
from palabra_agent.plugin import (
    FixedVoice,
    NoSettings,
    Passed,
    Plugin,
    PluginConfig,
    RoomInfo,
    Speaker,
    VoiceAnswer,
    VoicePolicy,
    VoiceRequest,
)
from palabra_agent.plugins_host.chain import PluginChain, open_chain
from palabra_agent.plugins_host.configuring import ConfiguredPlugin

_RUNS: Final = 50
_HANGING_RUNS: Final = 3
_AIM_MS: Final = 10.0
_HANGING_AIM_MS: Final = 1050.0
"""Its deadline, once, and what the rest costs."""
_LANGUAGES: Final = tuple(map(LanguageCode, "es de fr it pt ja zh ko".split()))
_PEOPLE: Final = tuple(
    Speaker(identity=f"speaker-{number}", name=f"Speaker {number}", attributes={"a": "b"})
    for number in range(20)
)
_SPEAKERS: Final = tuple(InterpretedSpeaker(speaker, _LANGUAGES) for speaker in _PEOPLE)
_LOAD: Final = f"{len(_PEOPLE)} speakers × {len(_LANGUAGES)} languages"


async def measure_voices(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Measure in this process alone: no sound, no network."""
    task = progress.add_task("voices", total=2 * _RUNS + _HANGING_RUNS)

    async def runs(
        count: int, run: Callable[[], Coroutine[Any, Any, Sequence[float]]]
    ) -> list[Sequence[float]]:
        times: list[Sequence[float]] = []
        for _ in range(count):
            times.append(await run())
            progress.advance(task)

        return times

    asked = await runs(_RUNS, _asking)
    decided = await runs(_RUNS, _assigning)
    hanging = await runs(_HANGING_RUNS, _asking_one_that_hangs)
    return [
        Figure(f"voices of {_LOAD}, 3 plugins", "ms", _first(asked), _AIM_MS),
        Figure("the same, from their coming to the last decision", "ms", _first(decided)),
        Figure("the same, one plugin hangs: first time", "ms", _first(hanging), _HANGING_AIM_MS),
        Figure("the same, one plugin hangs: again", "ms", tuple(it[1] for it in hanging), _AIM_MS),
    ]


def _first(runs: Sequence[Sequence[float]]) -> tuple[float, ...]:
    return tuple(run[0] for run in runs)


async def _asking() -> list[float]:
    async with open_chain("bench", [*_plugins(_Passes(), _Passes(), _Chooses())]) as chain:
        return [await _ask_all(chain)]


async def _asking_one_that_hangs() -> list[float]:
    async with open_chain("bench", [*_plugins(_Passes(), _Hangs(), _Chooses())]) as chain:
        return [await _ask_all(chain), await _ask_all(chain)]


async def _ask_all(chain: PluginChain) -> float:
    others = {person.identity: dict.fromkeys(_LANGUAGES, _VOICE) for person in _PEOPLE}
    began = time.perf_counter()
    for speaker in _PEOPLE:
        for language in _LANGUAGES:
            request = VoiceRequest(
                room="bench", speaker=speaker, target_language=language, others=others
            )
            verdict = await chain.choose_voice(request)
            assert verdict.choice is not None

    return (time.perf_counter() - began) * 1000


async def _assigning() -> list[float]:
    async with open_chain("bench", [*_plugins(_Passes(), _Passes(), _Chooses())]) as chain:
        assigner, changed = VoiceAssigner(chain), asyncio.Event()
        began = time.perf_counter()
        assigner.follow(_SPEAKERS)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(assigner.run(changed.set), name="assigner")
            while not all(assigner.voices_of(who.identity, _LANGUAGES) for who in _PEOPLE):
                await changed.wait()
                changed.clear()

            elapsed = time.perf_counter() - began
            running.cancel()

        return [elapsed * 1000]


_VOICE: Final = FixedVoice("default_low")


class _Passes(VoicePolicy):
    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        return Passed("no rule fits") if request.speaker.timbre is None else _VOICE


class _Hangs(VoicePolicy):
    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        await asyncio.Event().wait()
        return None


class _Chooses(VoicePolicy):
    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        return _VOICE


def _plugins(*policies: VoicePolicy) -> list[ConfiguredPlugin]:
    return [_plugin(policy) for policy in policies]


def _plugin(policy: VoicePolicy) -> ConfiguredPlugin:
    @asynccontextmanager
    async def open_policy(
        room: RoomInfo[NoSettings], config: PluginConfig
    ) -> AsyncGenerator[VoicePolicy]:
        yield policy

    return ConfiguredPlugin(
        "policy", Plugin(PluginConfig, open_policy), PluginConfig(), NoSettings()
    )
