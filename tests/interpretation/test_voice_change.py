"""When a speaker's voice may change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.interpretation.voice_change import VoiceChange
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Transcript
from palabra_agent.voices import FixedVoice, VoiceChoice
from tests.fakes import transcript, translated

pytestmark = pytest.mark.unit

ES, DE, FR = LanguageCode("es"), LanguageCode("de"), LanguageCode("fr")
ALL = (ES, DE)
A, B, C = FixedVoice("a"), FixedVoice("b"), FixedVoice("c")
PARTIAL, FINAL = transcript("hel", is_final=False), transcript("hello")
APART, PATIENCE, LOST = 2.0, 10.0, 5.0
SLACK = 1e-5

Voices: TypeAlias = Mapping[LanguageCode, VoiceChoice]
Story: TypeAlias = list[tuple[float, Transcript | None, Voices | None]]
"""Pauses, and after each what is said, and what is wanted from then on."""


class Look(NamedTuple):
    """A moment at which the voices were asked for."""

    now: float
    before: Voices
    after: Voices
    wanted: Voices
    is_under_way: bool
    """Whether a sentence is."""


def voices(es: VoiceChoice | None, de: VoiceChoice | None) -> Voices:
    """Make the voices of the two targets; None is the default."""
    return {target: voice for target, voice in ((ES, es), (DE, de)) if voice is not None}


def original(utterance: str, *, is_final: bool) -> Transcript:
    """Make words of an utterance."""
    return transcript(identifier=utterance, is_final=is_final)


choices = st.sampled_from([None, A, B, C])
wishes = st.builds(voices, choices, choices)
words = st.builds(original, st.sampled_from(["t1", "t2"]), is_final=st.booleans())
moments = st.lists(
    st.tuples(st.floats(min_value=0, max_value=4), st.none() | words, st.none() | wishes),
    max_size=60,
)


def test_the_first_voices_hold_at_once() -> None:
    """Whoever begins has their voices, even if they speak already."""
    change = VoiceChange()
    change.hear(PARTIAL, 0.0)
    assert change.voices({ES: A}, 0.1, ALL) == {ES: A}
    assert math.isinf(change.due)


def test_a_change_waits_for_the_end_of_the_sentence() -> None:
    """From the first partial until the final original the voice stays what it is."""
    change = VoiceChange()
    change.voices({ES: A}, 0.0, ALL)
    change.hear(PARTIAL, 10.0)
    assert change.voices({ES: B}, 10.5, ALL) == {ES: A}

    change.hear(PARTIAL, 12.0)
    change.hear(translated("ho", "es", is_final=False), 12.5)
    change.hear(translated("hola", "es"), 12.5)
    assert change.voices({ES: B}, 13.0, ALL) == {ES: A}

    change.hear(FINAL, 13.5)
    assert change.due <= 13.5
    assert change.voices({ES: B}, 13.5, ALL) == {ES: B}
    assert math.isinf(change.due)


def test_in_a_pause_a_change_holds_at_once() -> None:
    """Where nobody speaks and nothing changed lately there is nothing to wait for."""
    change = VoiceChange()
    change.voices({ES: A}, 0.0, ALL)
    assert change.voices({ES: B}, 0.1, ALL) == {ES: B}


def test_changes_are_two_seconds_apart() -> None:
    """A second change waits until two seconds have passed since the first."""
    change = VoiceChange()
    change.voices({ES: A}, 0.0, ALL)
    change.voices({ES: B}, 5.0, ALL)
    assert change.voices({ES: C}, 5.5, ALL) == {ES: B}
    assert change.due == 7.0
    assert change.voices({ES: C}, change.due, ALL) == {ES: C}


def test_somebody_who_never_pauses_gets_their_voice() -> None:
    """After ten seconds the change is made in mid-sentence."""
    change = VoiceChange()
    change.voices({ES: A}, 0.0, ALL)
    for second in range(20, 30):
        change.hear(PARTIAL, float(second))
        assert change.voices({ES: B}, float(second), ALL) == {ES: A}

    assert change.due == 30.0
    change.hear(PARTIAL, 30.0)
    assert change.voices({ES: B}, 30.0, ALL) == {ES: B}


def test_a_lost_sentence_is_over() -> None:
    """A sentence that never becomes final holds nothing up for longer than five seconds."""
    change = VoiceChange()
    change.voices({ES: A}, 0.0, ALL)
    change.hear(PARTIAL, 10.0)
    change.voices({ES: B}, 11.0, ALL)
    assert change.due == 15.0
    assert change.voices({ES: B}, 15.0, ALL) == {ES: B}


def test_one_of_two_sentences_under_way_is_not_over() -> None:
    """Where two utterances overlap both must be final."""
    change = VoiceChange()
    change.voices({ES: A}, 0.0, ALL)
    change.hear(transcript(identifier="t1", is_final=False), 10.0)
    change.hear(transcript(identifier="t2", is_final=False), 10.0)
    change.hear(transcript(identifier="t1"), 11.0)
    assert change.voices({ES: B}, 11.0, ALL) == {ES: A}

    change.hear(transcript(identifier="t2"), 12.0)
    assert change.voices({ES: B}, 12.0, ALL) == {ES: B}


def test_a_change_that_is_taken_back_is_none() -> None:
    """What is wanted again as it is does not count, and the next wish waits anew."""
    change = VoiceChange()
    change.voices({ES: A}, 0.0, ALL)
    change.hear(PARTIAL, 10.0)
    change.voices({ES: B}, 10.0, ALL)
    assert change.voices({ES: A}, 12.0, ALL) == {ES: A}
    assert math.isinf(change.due)

    change.hear(FINAL, 13.0)
    assert change.voices({ES: C}, 13.0, ALL) == {ES: C}


def test_an_added_target_has_its_voice_at_once() -> None:
    """A language that was not there waits for nothing; those that were there go on waiting."""
    change = VoiceChange()
    change.voices({ES: A}, 0.0, (ES,))
    change.hear(PARTIAL, 10.0)
    assert change.voices({ES: B, DE: C}, 10.0, ALL) == {ES: A, DE: C}
    assert change.voices({ES: B, DE: C}, 11.0, (*ALL, FR)) == {ES: A, DE: C}
    # the default voice is a voice as well
    assert change.voices({ES: B, DE: C, FR: A}, 12.0, (*ALL, FR)) == {ES: A, DE: C}


def test_a_target_that_is_gone_waits_for_nothing() -> None:
    """Dropped languages have no voice; when they come back they begin anew."""
    change = VoiceChange()
    change.voices({ES: A, DE: A}, 0.0, ALL)
    change.hear(PARTIAL, 10.0)
    assert change.voices({DE: A}, 10.0, (DE,)) == {DE: A}
    assert math.isinf(change.due)
    assert change.voices({ES: B, DE: A}, 11.0, ALL) == {ES: B, DE: A}


def test_the_default_voice_waits_like_any_other() -> None:
    """To lose a voice is a change, and so is to get one after the default."""
    change = VoiceChange()
    change.voices({ES: A}, 0.0, ALL)
    change.hear(PARTIAL, 10.0)
    assert change.voices({DE: A}, 10.0, ALL) == {ES: A}

    change.hear(FINAL, 11.0)
    assert change.voices({DE: A}, 11.0, ALL) == {DE: A}


@given(moments)
def test_changes_are_never_too_close(story: Story) -> None:
    """Whatever is said and wanted, two changes are at least two seconds apart."""
    changed_at = [look.now for look in lived_through(story) if look.before != look.after]
    assert all(later - earlier >= APART - SLACK for earlier, later in pairwise(changed_at))


@given(moments)
def test_every_wish_is_fulfilled_in_time(story: Story) -> None:
    """Nobody has other voices than they are to have for longer than ten seconds."""
    since = math.inf
    for look in lived_through(story):
        since = math.inf if look.after == look.wanted else min(since, look.now)
        assert look.now - since < PATIENCE


@given(moments)
def test_sentences_are_left_whole(story: Story) -> None:
    """A change in mid-sentence comes after ten seconds of waiting, and never before."""
    since = math.inf
    for look in lived_through(story):
        since = min(since, look.now) if look.before != look.wanted else math.inf
        if look.is_under_way and look.before != look.after:
            assert look.now - since >= PATIENCE - SLACK


@given(moments)
def test_only_what_is_wanted_is_heard(story: Story) -> None:
    """A change leads to what is wanted at the time, in all targets at once."""
    for look in lived_through(story):
        assert look.after in (look.before, look.wanted)


def lived_through(story: Story) -> list[Look]:
    """Live through a story, looking again whenever it is due."""
    change, wanted, now = VoiceChange(), dict[LanguageCode, VoiceChoice]({ES: A}), 0.0
    held: Voices = change.voices(wanted, now, ALL)
    looks: list[Look] = []
    heard_at: dict[str, float] = {}

    def look() -> None:
        nonlocal held
        before, held = held, change.voices(wanted, now, ALL)
        is_under_way = any(now < at + LOST - SLACK for at in heard_at.values())
        looks.append(Look(now, before, held, wanted, is_under_way))

    for pause, said, wish in [*story, (30.0, None, None)]:
        then = now + pause
        while change.due <= then:
            now = max(now, change.due)
            look()
            assert change.due > now

        now = then
        if said is not None:
            change.hear(said, now)
            heard_at.pop(said.transcription_id, None)
            if not said.is_final:
                heard_at[said.transcription_id] = now

        wanted = wanted if wish is None else dict(wish)
        look()

    assert held == wanted
    return looks
