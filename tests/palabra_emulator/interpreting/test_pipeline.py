"""An utterance on its way: texts in order, latency, interruptions."""

from __future__ import annotations

import pytest

from tests.palabra_emulator.client import ALL_TEXTS, task
from tests.palabra_emulator.talk import Talk, hush, kinds, voice

pytestmark = pytest.mark.unit


def test_utterance_is_told_in_order() -> None:
    """Partials grow, the final text follows the silence, translations come after the latency."""
    talk = Talk()
    talk.start(task("en", "es", "it", allowed_message_types=ALL_TEXTS))
    messages = talk.hear(voice(2.0), hush(1.2))

    told = [(m["message_type"], m["data"]["transcription"]["language"]) for m in messages]
    bodies = [message["data"]["transcription"] for message in messages]
    assert told[-3:] == [
        ("validated_transcription", "en"),
        ("translated_transcription", "es"),
        ("translated_transcription", "it"),
    ]
    assert set(told[:-3]) == {("partial_transcription", "en")}
    assert 7 <= len(told) - 3 <= 8
    assert len({body["transcription_id"] for body in bodies}) == 1
    assert len(bodies[0]["transcription_id"]) == 16
    assert bodies[-1]["translation_part_id"] == 0
    assert bodies[-1]["text"] == f"[it] {bodies[-3]['text']}"
    segment = bodies[-3]["segments"][0]
    assert segment["end"] - segment["start"] == pytest.approx(2.0, abs=0.05)
    assert set(segment) == {"text", "start", "end", "start_timestamp", "end_timestamp", "words"}


def test_latency_counts_from_the_end_of_the_sound() -> None:
    """Translations come 800 ms after the sound ended, a little after the confirming silence."""
    talk = Talk()
    talk.start(task("en", "es"))
    soon = kinds(talk.hear(voice(1.0), hush(0.75)))
    later = kinds(talk.hear(hush(0.15)))

    assert soon[-1] == "validated_transcription"
    assert later == ["translated_transcription"]


def test_partial_translations_need_both_switches() -> None:
    """They come when the target asks for them and the message type is allowed."""
    settings = task("en", "es", "de", allowed_message_types=ALL_TEXTS)
    settings["pipeline"]["translations"][1]["translate_partial_transcriptions"] = True
    talk = Talk()
    talk.start(settings)
    messages = talk.hear(voice(1.0))
    languages = {
        message["data"]["transcription"]["language"]
        for message in messages
        if message["message_type"] == "partial_translated_transcription"
    }

    assert languages == {"de"}


def test_interrupt_drops_one_language() -> None:
    """An interruption of one target leaves the others speaking."""
    talk = Talk()
    talk.start(task("en", "es", "de"))
    talk.hear(voice(2.0), hush(1.0))
    talk.say("interrupt_task", languages=["es"])
    levels = talk.session.pipeline.levels(talk.clock.now)

    assert levels["es"][0] == 0
    assert levels["de"][0] > 1000


def test_interrupt_drops_the_phrase_under_way() -> None:
    """Interrupted globally, a phrase is never confirmed; the next one is heard as usual."""
    talk = Talk()
    talk.start(task("en", "es"))
    talk.hear(voice(1.0))
    talk.say("interrupt_task", languages=["global"], pause_task=False)

    assert "validated_transcription" not in kinds(talk.hear(hush(1.0)))
    assert "validated_transcription" in kinds(talk.hear(voice(0.5), hush(1.0)))


def translated(talk: Talk) -> list[str]:
    """The languages of what was translated so far."""
    entries = talk.journal.entries()
    return [str(entry.data["language"]) for entry in entries if entry.event == "translated"]


def test_interrupting_a_language_drops_its_part_of_the_phrase_under_way() -> None:
    """The phrase goes on for the others, and is neither told nor spoken in that one."""
    talk = Talk()
    talk.start(task("en", "es", "de"))
    talk.hear(voice(1.0))
    talk.say("interrupt_task", languages=["es"])
    talk.hear(voice(0.5), hush(1.0))
    talk.hear(hush(2.0))
    talk.wait(3.0)
    assert translated(talk) == ["de"]

    talk.hear(voice(1.0), hush(2.0))
    talk.wait(3.0)
    assert sorted(translated(talk)[1:]) == ["de", "es"]
