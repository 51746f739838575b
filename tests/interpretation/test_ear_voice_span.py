"""Ear–voice spans: how speech and translated sound are paired, and what is left out."""

from __future__ import annotations

import pytest

from palabra_agent.interpretation.ear_voice_span import EarVoiceSpans, Quantiles
from palabra_agent.languages import LanguageCode

pytestmark = pytest.mark.unit

ES, DE = LanguageCode("es"), LanguageCode("de")
TICK = 0.02


class Speech:
    """Spans that hear a room by the clock."""

    def __init__(self) -> None:
        self.spans = EarVoiceSpans()

    def says(self, since: float, until: float, *, words: bool = True, who: str = "ann") -> None:
        """Let a speaker speak; Palabra hears words in it or not."""
        for at in ticks(since, until):
            self.spans.speak(who, (ES, DE), at)
        if words:
            self.spans.tell(who)

    def sounds(
        self, since: float, until: float, language: LanguageCode = ES, *, who: str = "ann"
    ) -> None:
        """Let an interpretation sound."""
        for at in ticks(since, until):
            self.spans.interpret(who, language, at)

    def ends(self, now: float) -> Quantiles | None:
        """The spans at the end, in Spanish."""
        return rounded(self.spans.ends(ES, now))

    @property
    def starts(self) -> Quantiles | None:
        """The spans at the start, in Spanish."""
        return rounded(self.spans.starts(ES))


def ticks(since: float, until: float) -> list[float]:
    """The times of the frames of a sound."""
    return [since + number * TICK for number in range(round((until - since) / TICK) + 1)]


def rounded(spans: Quantiles | None) -> Quantiles | None:
    """Spans to the tenth of a second."""
    return spans and Quantiles(spans.count, round(spans.p50, 1), round(spans.p90, 1))


def test_a_sentence_has_two_spans() -> None:
    """From word to word at its start, at once, and at its end, when both have been quiet."""
    room = Speech()
    room.says(0, 3)
    room.sounds(2, 6)

    assert room.starts == Quantiles(1, 2.1, 2.1)
    assert room.ends(7.9) is None
    assert room.ends(8.1) == Quantiles(1, 3, 3)
    assert room.spans.starts(DE) is room.spans.ends(DE, 8.1) is None


def test_a_late_interpretation_belongs_to_what_was_said() -> None:
    """However long both were quiet before, and in several pieces."""
    room = Speech()
    room.says(0, 2)
    room.sounds(9, 10)
    room.sounds(13, 14)
    room.says(20, 21)

    assert room.starts == Quantiles(1, 9.1, 9.1)
    assert room.ends(20) == Quantiles(1, 12, 12)


def test_speech_that_goes_on_has_no_end_before_it_is_caught_up_with() -> None:
    """Sentences without a long pause are one passage, from the first to the last."""
    room = Speech()
    for second in range(0, 40, 4):
        room.says(second, second + 3)
        room.sounds(second + 2, second + 5.5)

    assert room.starts == Quantiles(1, 2.1, 2.1)
    assert room.ends(42) is None
    assert room.ends(44) == Quantiles(1, 2.5, 2.5)


def test_noise_without_words_is_not_waited_for() -> None:
    """A cough long before a sentence does not make it late; after it nothing can be told."""
    room = Speech()
    room.says(0, 0.5, words=False)
    room.says(10, 12)
    room.sounds(11, 13)
    room.says(14, 14.5, words=False)

    assert room.starts == Quantiles(1, 1.1, 1.1)
    assert room.ends(30) is None


def test_what_was_never_interpreted_has_no_spans() -> None:
    """After 20 s the next sentence is another passage, and later sound is of something else."""
    room = Speech()
    room.sounds(0, 1)
    room.says(5, 6)
    room.says(27, 28)
    room.sounds(29, 30)
    room.sounds(55, 60)

    assert room.starts == Quantiles(1, 2.1, 2.1)
    assert room.ends(90) == Quantiles(1, 2, 2)


def test_speakers_and_languages_do_not_mix() -> None:
    """Who speaks meanwhile changes nothing; a language has the spans of all its speakers."""
    room = Speech()
    room.says(0, 3)
    room.says(1, 9, who="bob")
    room.sounds(2, 5)
    room.sounds(4, 12, who="bob")
    room.sounds(2, 8, DE)

    assert room.starts == Quantiles(2, 2.1, 3.1)
    assert room.ends(20) == Quantiles(2, 2, 3)
    assert rounded(room.spans.ends(DE, 20)) == Quantiles(1, 5, 5)


def test_the_last_fifty_count_and_stay_when_their_speaker_leaves() -> None:
    """Ranks are by nearest rank: each is a span that was measured."""
    room = Speech()
    for number in range(60):
        second = number * 30.0
        lag = 1.0 if number < 10 else float(number % 10 + 2)
        room.says(second, second + 1)
        room.sounds(second + lag, second + 1 + lag)
    room.spans.forget("ann")

    assert room.ends(0) == Quantiles(50, 6, 10)
    assert room.starts == Quantiles(50, 6.1, 10.1)
    room.sounds(1800, 1801)
    assert room.ends(1900) == Quantiles(50, 6, 10)


@pytest.mark.parametrize(
    ("now", "lag"),
    [(2.5, 0), (4.5, 1.5), (6, 3), (9, 6), (9.9, 6.9), (10.1, 0)],
)
def test_a_language_lags_while_it_sounds_after_its_speaker(now: float, lag: float) -> None:
    """From a second after their last word until a second after its last sound."""
    room = Speech()
    room.says(0, min(now, 3))
    if now > 5:
        room.sounds(5, min(now, 9))

    assert room.spans.lag(ES, now) == pytest.approx(lag, abs=0.05)
    assert room.spans.lag(LanguageCode("fr"), now) == 0


def test_what_palabra_heard_no_words_in_is_not_waited_for() -> None:
    """Neither a cough, nor words for longer than Palabra lets them wait."""
    room = Speech()
    room.says(0, 1, words=False)
    assert room.spans.lag(ES, 5) == 0
    room.spans.tell("ann")
    assert room.spans.lag(ES, 5) == pytest.approx(4)
    assert room.spans.lag(ES, 22) == 0
