"""The talks of the benchmark in virtual time: what the emulator makes of them with our own task."""

from __future__ import annotations

import statistics
from dataclasses import replace
from itertools import cycle

import pytest

from bench.span import PAUSE_SECONDS, WORDS, sentence_length, task_settings, translated
from palabra_agent.palabra.task.sections import TranslationQueueConfig
from tests.palabra_emulator.client import task
from tests.palabra_emulator.talk import QUIET, Talk, hush, sentence, voice

pytestmark = pytest.mark.unit

MINUTES = 10
LEAD_MS = 450
"""Handed out ahead, beside the queue."""


def levels_of_a_talk(rate: float) -> tuple[list[list[int]], float]:
    """What waits to be spoken after each sentence, by minutes, and what was dropped."""
    queue = TranslationQueueConfig().model_dump(exclude_none=True)
    settings = task("en", "es", translation_queue_configs={"global": queue})
    settings["pipeline"]["transcription"] |= task_settings()
    script = [sentence(**translated(*words)) for words in WORDS]
    talk = Talk(replace(QUIET, speech_length="text"), script)
    talk.start(settings)
    began, words = talk.clock.now, cycle(WORDS)
    minutes: list[list[int]] = [[] for _ in range(MINUTES)]
    while (passed := talk.clock.now - began) < MINUTES * 60:
        talk.hear(voice(sentence_length(next(words)[0], rate)), hush(PAUSE_SECONDS / rate))
        levels = talk.session.pipeline.levels(talk.clock.now)
        minutes[int(passed // 60)].append(levels["es"][0] if levels else 0)

    dropped = [it.data["ms"] for it in talk.journal.entries() if it.event == "dropped"]
    return minutes, sum(ms for ms in dropped if isinstance(ms, int))


@pytest.mark.parametrize(("rate", "most_ms"), [(1.0, 2_000), (1.25, 7_000)])
def test_a_speaker_is_followed_for_ten_minutes(rate: float, most_ms: int) -> None:
    """What waits after ten minutes is what waited after one, and nothing was dropped."""
    minutes, dropped_ms = levels_of_a_talk(rate)
    first, last = (statistics.median(minutes[number][-len(WORDS) :]) for number in (0, -1))

    assert dropped_ms == 0
    assert last <= first + 500
    assert max(max(levels) for levels in minutes) <= most_ms


def test_a_speaker_who_is_too_fast_loses_sentences_and_no_more_time() -> None:
    """The queue is full now and then, and what is dropped is counted."""
    minutes, dropped_ms = levels_of_a_talk(1.5)

    assert dropped_ms > 10_000
    assert max(max(levels) for levels in minutes) <= 20_000 + LEAD_MS
    assert max(minutes[-1]) > 6_000
