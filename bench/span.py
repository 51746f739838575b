"""How far interpretations lag behind talks that are given slowly, fast and too fast.

Three speakers say the same sentences at once, each in a room of their own, at their own rate. The
emulator says each sentence in Spanish in the time that its words take, a fifth more of them: at the
first rate it keeps up, at the second it must speak faster, at the third the fastest is too slow.
Spans are measured as interpreters measure them, sentence by sentence, at the ears of a listener.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rich.progress import Progress

from bench.figures import Figure, of_column, percentile
from bench.meetings import (
    ROOM_CONFIG,
    Journal,
    dispatch,
    join_speaker,
    read_journal,
    sessions,
    until_session,
)
from bench.onsets import Stopwatch, open_stopwatch
from bench.own_palabra import OwnEmulator, open_own_emulator
from bench.sounds import Sound, whole
from bench.spans import Interpreted, Noted, interpreted, offset, slope
from palabra_agent.audio.tones import tone
from palabra_agent.local.people import SimulatedPerson
from palabra_agent.local.services import LocalServices
from palabra_agent.palabra.task.sections import TranslationQueueConfig

MINUTES: Final = 2.0
LONG_MINUTES: Final = 60.0
RATES: Final = (1.0, 1.25, 1.5)

WORDS: Final = ((6, 7), (10, 12), (8, 10), (7, 8), (9, 11))
"""The words of each sentence and of its translation."""
_WORDS_PER_SECOND: Final = 2.5
"""The emulator's; speakers at rate 1 have the same."""
PAUSE_SECONDS: Final = 0.8
"""After each sentence, at rate 1: a fifth of the talk."""
_GAP_SECONDS: Final = 0.3
"""Sentences are further apart, and interpretations too."""
_CONFIRMING_SECONDS: Final = 0.4
"""Shorter than the shortest pause."""
_LATENCY_MS: Final = 800.0
"""From the end of a sentence to its interpretation, where none waits before it."""
_FLAT_MS: Final = 500.0
"""An offset that is held grows by no more."""
_QUIET_SECONDS: Final = 4.0
"""So much later than the last sound the interpretation of a talk is over."""
_MICROPHONE: Final = "microphone"
_CHANNEL: Final = "translation_es"


@dataclass(frozen=True, slots=True)
class _Talk:
    """One speaker at their rate, heard in the meeting and at Palabra."""

    rate: float
    speaker: SimulatedPerson
    session: str
    here: Stopwatch
    there: Stopwatch
    said: list[Sound] = field(default_factory=list[Sound])

    async def give(self, seconds: float) -> None:
        """Say sentence after sentence in time."""
        began, place = time.monotonic(), 0.0
        while place < seconds:
            words, _ = WORDS[len(self.said) % len(WORDS)]
            length = sentence_length(words, self.rate)
            await asyncio.sleep(max(0.0, began + place - time.monotonic()))
            spoken = await self.speaker.say(tone(300, length, amplitude=0.5))
            self.said.append(Sound(spoken.started, spoken.ended))
            place += length + PAUSE_SECONDS / self.rate

    async def until_interpreted(self) -> None:
        """Wait until nothing more comes."""
        while time.monotonic() - self._last_heard < _QUIET_SECONDS:  # noqa: ASYNC110 - time passes
            await asyncio.sleep(0.5)

    @property
    def _last_heard(self) -> float:
        heard = self.here.sounds(_CHANNEL)
        return max(self.said[-1].ended, heard[-1].ended if heard else 0.0)

    def sentences(self, journal: Journal) -> list[Interpreted]:
        """All that were heard to their ends."""
        return interpreted(
            self.said,
            whole(self.there.sounds(_MICROPHONE), _GAP_SECONDS),
            whole(self.there.sounds(_CHANNEL), _GAP_SECONDS),
            whole(self.here.sounds(_CHANNEL), _GAP_SECONDS),
            _notes(journal, self.session),
        )


async def measure_span(
    stage: LocalServices, progress: Progress, minutes: float = MINUTES
) -> list[Figure]:
    """Let three speakers talk at once, and measure how far their interpretations lag."""
    script = stage.worker.log_path.parent / "talk.json"
    script.write_text(json.dumps({"sentences": [translated(*it) for it in WORDS]}))
    words = ("--script", str(script), "--latency-ms", f"{_LATENCY_MS:g}")
    own_time = ("--option", "speech_length=text")
    async with open_own_emulator(stage, *words, *own_time) as own, AsyncExitStack() as stack:
        talks = [await stack.enter_async_context(_open_talk(own, rate)) for rate in RATES]
        async with asyncio.TaskGroup() as group:
            for talk in talks:
                group.create_task(talk.give(minutes * 60), name=f"talk at {talk.rate:g}")
            group.create_task(_show(progress, minutes * 60), name="progress")
        for talk in talks:
            await talk.until_interpreted()
        journal = await read_journal(own.stage)

    figures: list[Figure] = []
    for talk in talks:
        figures += of_column(f"{talk.rate:g}×", _figures(talk, journal))

    return figures


def _figures(talk: _Talk, journal: Journal) -> list[Figure]:
    sentences = talk.sentences(journal)
    ends = [it.end_span for it in sentences]
    starts = [it.start_span for it in sentences]
    ours = [it.ours for it in sentences]
    dropped = sum(entry["data"]["ms"] for entry in journal.of(talk.session, "dropped"))
    return [
        _ms("from end to end", ends),
        _ms("from end to end, p90", [percentile(ends, 0.9)]),
        _ms("from start to start", starts),
        _ms("from start to start, p90", [percentile(starts, 0.9)]),
        _ms("Palabra's own in it, at the end", [it.palabra for it in sentences]),
        _ms("without it: ours and the network", ours),
        _ms("growth in a minute", [slope(sentences, ends)]),
        _ms("growth in a minute, without Palabra's own", [slope(sentences, ours)]),
        *_offsets(talk, sentences),
        Figure("dropped by Palabra's queue", "ms", (float(dropped),)),
        Figure("sentences heard", "", (float(len(sentences)),)),
        Figure("sentences said", "", (float(len(talk.said)),)),
    ]


def _offsets(talk: _Talk, sentences: Sequence[Interpreted]) -> list[Figure]:
    """The offset early and late; the ending offset is that of the very last sentence."""
    first = offset(sentences, talk.said[0].began + 60, len(WORDS))
    last = offset(sentences, talk.said[-1].ended, len(WORDS))
    queue = TranslationQueueConfig()
    is_held = talk.rate < RATES[-1]
    most = first * 1000 + _FLAT_MS if is_held else queue.max_queue_level_ms + _LATENCY_MS
    return [
        _ms("offset after one minute", [first]),
        replace(_ms("offset after the last minute", [last]), aim=round(most)),
        _ms("ending offset of the talk", [it.end_span for it in sentences[-1:]]),
    ]


def _ms(what: str, seconds: Sequence[float]) -> Figure:
    return Figure(what, "ms", tuple(it * 1000 for it in seconds))


def _notes(journal: Journal, session: str) -> dict[str, Noted]:
    """The times of each sentence that was spoken, by its id."""
    heard = {it["data"]["transcription_id"]: it for it in journal.of(session, "utterance")}
    spoken = {it["data"]["transcription_id"]: it for it in journal.of(session, "spoke")}
    return {
        name: Noted(journal.time_of(heard[name]), journal.time_of(spoken[name]))
        for name in heard.keys() & spoken.keys()
    }


async def _show(progress: Progress, seconds: float) -> None:
    task = progress.add_task("ear–voice span", total=seconds)
    while not progress.finished:
        await asyncio.sleep(1)
        progress.advance(task)


@asynccontextmanager
async def _open_talk(own: OwnEmulator, rate: float) -> AsyncGenerator[_Talk]:
    """Have a room with a speaker, a listener and an interpreter."""
    room, services = f"bench-span-{rate:g}", own.stage
    known = {it["id"] for it in await sessions(services)}
    async with (
        join_speaker(services, room, 0) as speaker,
        open_stopwatch(services.livekit, room, lambda track: track == _CHANNEL) as here,
    ):
        await dispatch(services, room, _config(), own.agent_name)
        session = await until_session(
            services, lambda it: it["state"] == "running" and it["id"] not in known
        )
        async with open_stopwatch(services.livekit, str(session["room"])) as there:
            yield _Talk(rate, speaker, str(session["id"]), here, there)


def translated(words: int, others: int) -> dict[str, str]:
    """A sentence of the script: so many words in English, and so many in Spanish."""
    return {"en": " ".join(["word"] * words), "es": " ".join(["palabra"] * others)}


def sentence_length(words: int, rate: float) -> float:
    """The seconds in which a speaker says a sentence."""
    return words / _WORDS_PER_SECOND / rate


def task_settings() -> dict[str, Any]:
    """What Palabra must be told to hear the ends of sentences; the rest is as usual."""
    return {"segment_confirmation_silence_threshold": _CONFIRMING_SECONDS}


def _config() -> dict[str, Any]:
    return {**ROOM_CONFIG, "palabra": {"transcription": task_settings()}}
