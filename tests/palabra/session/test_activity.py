"""When a session pauses, what it is billed, and when Palabra's silence is suspicious."""

from __future__ import annotations

import math

import pytest

from palabra_agent.palabra.session.activity import (
    Activity,
    BillingMeter,
    Interruption,
    Observation,
    SilenceLimits,
    UnansweredSpeech,
)
from tests.fakes import frame, transcript, translated

pytestmark = pytest.mark.unit

LOUD, QUIET = frame(4000), frame(0)
LOUD_MS = LOUD.duration_ms


def idle_after(seconds: float, now: float = 0) -> Activity:
    """Begin the activity of a session that pauses after so much silence."""
    return Activity(SilenceLimits(idle_pause_seconds=seconds), now)


def say_word(activity: Activity, now: float) -> list[Observation]:
    """Say a short word; return what follows from its end."""
    return [activity.hear(LOUD, now) for _ in range(3)][-1]


def test_a_pause_is_due_after_a_silence() -> None:
    """Counted from the last word, or from the beginning."""
    activity = idle_after(20, now=100)
    assert activity.pause_due_at() == 120
    say_word(activity, 110)

    assert activity.pause_due_at() == 130


def test_without_a_limit_there_are_no_pauses() -> None:
    """Not even when muted."""
    activity = idle_after(math.inf)
    activity.mute(is_muted=True)

    assert activity.pause_due_at() == math.inf


def test_in_a_pause_no_other_is_due() -> None:
    """There is nothing to wait for."""
    activity = idle_after(20)
    activity.pause()

    assert activity.is_paused
    assert activity.pause_due_at() == math.inf


def test_a_word_ends_a_pause_and_a_click_does_not() -> None:
    """Sixty milliseconds in a row are a word; it is told once that it came."""
    activity = idle_after(20)
    activity.pause()
    heard = [activity.hear(it, 50) for it in (LOUD, LOUD, QUIET, LOUD, LOUD, LOUD, LOUD)]

    assert heard == [[], [], [], [], [], [Observation.FIRST_WORD], []]
    assert not activity.is_paused
    assert activity.pause_due_at() == 70


def test_noise_below_speech_puts_off_no_pause() -> None:
    """A room is never quite silent."""
    activity = idle_after(20)
    for second in range(20):
        activity.hear(frame(300), second)

    assert activity.pause_due_at() == 20


def test_what_was_said_is_waited_for() -> None:
    """An open sentence puts a pause off, for ten seconds at most; then two quiet ones must pass."""
    activity = idle_after(0)
    say_word(activity, 10)
    activity.read(transcript("hel", is_final=False), 11)
    assert activity.pause_due_at() == 20
    activity.read(transcript("hello"), 12)
    assert activity.pause_due_at() == 14
    activity.read(translated("hola", "es"), 13)
    assert activity.pause_due_at() == 15
    activity.listen(16)
    assert activity.pause_due_at() == 18


def test_a_muted_speaker_says_nothing_more() -> None:
    """So only what they said before is waited for; when they unmute, silence counts again."""
    activity = idle_after(60)
    say_word(activity, 10)
    activity.mute(is_muted=True)
    assert activity.pause_due_at() == 12
    activity.mute(is_muted=False)
    assert activity.pause_due_at() == 70


def test_a_sentence_that_a_pause_cut_off_is_forgotten() -> None:
    """It will not be confirmed any more, and must not count after the pause."""
    activity = idle_after(0)
    activity.read(transcript("hel", is_final=False), 1)
    activity.pause()
    say_word(activity, 100)

    assert activity.pause_due_at() == 100


def test_the_translation_of_a_text_is_waited_for() -> None:
    """As that of a sentence is; a text ends a pause, and one that a pause cut off is forgotten."""
    activity = idle_after(0)
    activity.speak(10)
    assert activity.pause_due_at() == 20
    activity.read(translated("hol", "es", is_final=False), 11)
    assert activity.pause_due_at() == 20
    activity.read(translated("hola", "es"), 12)
    assert activity.pause_due_at() == 14
    activity.speak(30)
    activity.pause()
    activity.wake(100)
    assert not activity.is_paused
    assert activity.pause_due_at() == 100


def test_what_was_held_until_palabra_heard_is_waited_for() -> None:
    """Resuming may take longer than the idle time: the word comes first."""
    activity = idle_after(1)
    activity.pause()
    say_word(activity, 10)
    activity.resume(14)

    assert activity.pause_due_at() == 16


def test_speech_that_is_sent_late_counts_when_it_is_sent() -> None:
    """What was held while Palabra was resumed must be confirmed as well."""
    activity = idle_after(5)
    say_word(activity, 10)
    activity.send(LOUD, 14)
    activity.send(LOUD, 13)
    activity.send(QUIET, 18)

    assert activity.pause_due_at() == 19


def test_unanswered_speech_is_noticed() -> None:
    """A third of the limit is worth a question; after all of it the silence is suspicious."""
    activity = Activity(SilenceLimits(silent_output_seconds=6), now=0)
    observed = {
        count: observations
        for count in range(1, 301)
        if (observations := activity.send(LOUD, count / 50))
    }

    assert observed == {
        100: [Observation.UNANSWERED],
        300: [Observation.UNANSWERED, Observation.SUSPICIOUS],
    }


def test_any_answer_ends_a_suspicious_silence_once() -> None:
    """Words, sound and a queue that fills are answers; what was not suspected does not end."""
    activity = Activity(SilenceLimits(silent_output_seconds=1), now=0)
    ended: list[bool] = []
    for answer in (
        activity.answer,
        lambda: activity.read(transcript(), 1),
        lambda: activity.listen(1),
    ):
        ended.append(answer())
        while Observation.SUSPICIOUS not in activity.send(LOUD, 1):
            pass
        ended.append(answer())

    assert ended == [False, True] * 3


def test_what_is_not_sent_needs_no_answer() -> None:
    """Such as what is remembered in a pause, or held while Palabra does not hear."""
    activity = Activity(SilenceLimits(silent_output_seconds=0.02), now=0)

    assert [activity.hear(LOUD, 1) for _ in range(200)] == [[]] * 200
    assert activity.send(QUIET, 1) == []


def speech_until_too_much(unanswered: UnansweredSpeech) -> float:
    """Speak until it is too much; return for how many seconds."""
    return next(count for count in range(1, 100_000) if unanswered.add(LOUD_MS)) / 50


def test_a_pause_that_the_caller_wants_begins_when_all_is_told() -> None:
    """Also in a session that never pauses by itself; then it is as before."""
    activity = Activity(SilenceLimits(), 0)
    say_word(activity, 10)
    assert activity.pause_due_at() == math.inf
    activity.hold()
    assert activity.pause_due_at() == 12
    activity.read(transcript(is_final=False), 11)
    assert activity.pause_due_at() == 20
    activity.read(transcript(), 13)
    assert activity.pause_due_at() == 15

    activity.pause()
    activity.release(30)
    assert not activity.is_paused
    assert activity.pause_due_at() == math.inf


def test_the_silence_before_the_caller_resumes_is_not_counted() -> None:
    """The speaker has as long to begin as after any word."""
    activity = idle_after(5)
    activity.hold()
    activity.pause()
    activity.release(30)

    assert activity.pause_due_at() == 35


def test_speech_without_an_answer_is_too_much() -> None:
    """After the limit, and each time after twice as much, up to five minutes."""
    unanswered = UnansweredSpeech(4)
    seconds = [speech_until_too_much(unanswered) for _ in range(9)]

    assert seconds == [4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_an_answer_lets_counting_begin_anew() -> None:
    """Only speech since the last answer counts."""
    unanswered = UnansweredSpeech(4)
    assert not any(unanswered.add(LOUD_MS) for _ in range(199))
    unanswered.answer()

    assert speech_until_too_much(unanswered) == 4


def test_silence_needs_no_answer() -> None:
    """A pause may be as long as it likes."""
    unanswered = UnansweredSpeech(4)

    assert not any(unanswered.add(0) for _ in range(10_000))


def test_without_a_limit_nothing_is_too_much() -> None:
    """Infinity means never."""
    unanswered = UnansweredSpeech(math.inf)

    assert not any(unanswered.add(LOUD_MS) for _ in range(10_000))


def test_only_running_time_is_billed() -> None:
    """However often the meter is told what it knows."""
    meter = BillingMeter()
    for is_running, now in [(False, 1.0), (True, 2), (True, 3), (False, 5), (False, 9), (True, 10)]:
        meter.observe(is_running=is_running, now=now)

    assert meter.seconds(10) == 3
    assert meter.seconds(14.5) == 7.5


def test_the_bill_begins_with_the_request() -> None:
    """Palabra charges from when it was told to run the task, which it confirms later."""
    meter = BillingMeter()
    meter.observe(is_running=True, now=5, since=4)

    assert meter.seconds(6) == 2


def test_what_did_not_run_after_all_is_not_billed() -> None:
    """A task that was told to run, and says that it did not, has cost nothing since."""
    meter = BillingMeter()
    meter.observe(is_running=True, now=1)
    meter.observe(is_running=False, now=2)
    meter.observe(is_running=True, now=5)
    meter.take_back()
    meter.observe(is_running=False, now=8)

    assert meter.seconds(9) == 1


def test_an_interruption_lasts_while_anything_comes() -> None:
    """Two seconds of nothing end it; on a connection that is up, nothing is waited for."""
    interruption = Interruption()
    interruption.receive(1)
    assert interruption.ends_at == math.inf
    interruption.begin(10)
    interruption.receive(11)
    assert interruption.ends_at == 13
    interruption.end()
    assert interruption.ends_at == math.inf
