"""Whose own voice is imitated, by a brief and the settings, and what is told of it."""

from __future__ import annotations

import logging

import pytest

from palabra_agent.interpretation.cloning import ClonedSpeakers, Cloning, cloning_of
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Brief
from palabra_agent.voices import ClonedVoice, FixedVoice, VoiceChoice

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")


@pytest.mark.parametrize(
    ("voices", "cloned", "expected"),
    [
        ({}, set[LanguageCode](), set[LanguageCode]()),
        ({}, {ES}, {ES}),
        ({ES: ClonedVoice()}, set[LanguageCode](), {ES}),
        ({ES: FixedVoice("anna")}, {ES, DE}, {DE}),
        ({}, {LanguageCode("fr")}, set[LanguageCode]()),
    ],
)
def test_plugins_and_settings_ask_for_it(
    voices: dict[LanguageCode, VoiceChoice], cloned: set[LanguageCode], expected: set[LanguageCode]
) -> None:
    """A plugin's choice wins; with consent it is done, without it is withheld."""
    brief = Brief(EN, (ES, DE), voices)
    agreed = Brief(EN, (ES, DE), voices, may_clone=True)

    assert cloning_of(agreed, cloned) == Cloning(done=frozenset(expected))
    assert cloning_of(brief, cloned) == Cloning(withheld=frozenset(expected))


def test_each_beginning_and_end_is_logged_without_names(caplog: pytest.LogCaptureFixture) -> None:
    """And that it is withheld, once."""
    caplog.set_level(logging.INFO)
    speakers, both = ClonedSpeakers(), frozenset({ES, DE})
    for cloning in (
        Cloning(withheld=both),
        Cloning(withheld=both),
        Cloning(done=both),
        Cloning(done=frozenset({ES})),
    ):
        speakers.note("ann-secret", "Ann Secret", cloning)
    speakers.forget("ann-secret")

    assert [(it.getMessage(), vars(it)["languages"]) for it in caplog.records] == [
        ("voice cloning withheld for want of consent", ["de", "es"]),
        ("voice cloning begins", ["de", "es"]),
        ("voice cloning ends", ["de"]),
        ("voice cloning ends", ["es"]),
    ]
    assert "secret" not in "".join(str(vars(it)) for it in caplog.records).lower()


def test_a_speaker_who_changes_their_mind_all_the_time_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is not told is counted when they leave."""
    caplog.set_level(logging.INFO)
    speakers = ClonedSpeakers()
    for _ in range(100):
        for cloning in (Cloning(done=frozenset({ES})), Cloning()):
            speakers.note("ann", "Ann", cloning)
    speakers.forget("ann")

    assert len(caplog.records) == 21
    assert vars(caplog.records[-1])["count"] == 180


def test_people_are_told_whose_voice_it_is() -> None:
    """Of those whose voice is imitated, not of those who did not agree."""
    speakers = ClonedSpeakers()
    speakers.note("ann", "Ann", Cloning(done=frozenset({ES})))
    speakers.note("bob", "Bob", Cloning(withheld=frozenset({ES})))
    ((key, announcement),) = speakers.announcements()

    assert key == "voice of ann"
    assert announcement.begins == "The voice of Ann is imitated in interpretations, as they agreed."
    assert announcement.ends == "The voice of Ann is not imitated any more."
