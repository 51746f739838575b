"""An utterance on its way: texts in order, latency, interruptions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal

import pytest

from tests.palabra_emulator.client import ALL_TEXTS, task
from tests.palabra_emulator.talk import QUIET, Talk, hush, kinds, sentence, voice

pytestmark = pytest.mark.unit

LONG: Final = sentence(
    en="We have looked at every single number of the last year, and most of them are good. "
    "Then we went on, and found out why that is so.",
    es="Hemos mirado cada uno de los números del año pasado, y casi todos son buenos. "
    "Luego seguimos, y averiguamos por qué es así.",
)
"""Seventeen words and eleven, which take 6.8 and 4.4 seconds."""


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


@pytest.mark.parametrize(
    ("queue", "tempos"),
    [
        (
            {"desired_queue_level_ms": 8_000, "max_queue_level_ms": 25_000, "max_tempo": 3},
            [2.5, 1.25],
        ),
        ({"max_queue_level_ms": 25_000, "min_tempo": "1.15", "max_tempo": "1.15"}, [1.15, 1.15]),
        ({"max_queue_level_ms": 25_000, "max_tempo": 2, "auto_tempo": False}, [1.0, 1.0]),
        ({"max_queue_level_ms": 25_000, "min_tempo": 9, "max_tempo": 9}, [3.0, 3.0]),
        ({}, [1.45, 1.45]),
    ],
)
def test_queued_speech_is_spoken_faster(queue: dict[str, object], tempos: list[float]) -> None:
    """Twenty seconds wait when the first of two begins, and ten when the second does."""
    talk = Talk()
    talk.start(task("en", "es", translation_queue_configs={"es": queue}))
    for _ in tempos:
        talk.say("tts_task", text="uno " * 25, language="es")
    talk.wait(22.0)
    spoken = [entry.data for entry in talk.journal.entries() if entry.event == "spoke"]

    assert [entry["tempo"] for entry in spoken] == tempos


@pytest.mark.parametrize(("length", "seconds"), [("original", 1.5), ("text", 4.0)])
def test_speech_lasts_as_its_words_take_if_so_chosen(
    length: Literal["original", "text"], seconds: float
) -> None:
    """Ten words take four seconds, however fast the speaker said them."""
    talk = Talk(replace(QUIET, speech_length=length), [sentence(en="Fast.", es="uno " * 10)])
    talk.start(task("en", "es"))
    talk.hear(voice(1.5), hush(0.85))

    queued = talk.session.pipeline.levels(talk.clock.now)["es"][0]
    assert queued / 1000 == pytest.approx(seconds, abs=0.2)


def texts(messages: list[dict[str, Any]], kind: str) -> list[tuple[str, str]]:
    """The ids and texts of all messages of a type."""
    found = [it["data"]["transcription"] for it in messages if it["message_type"] == kind]
    return [(it["transcription_id"], it["text"]) for it in found]


@pytest.mark.parametrize("id_style", ["hex16", "hex16_part"])
def test_a_long_sentence_comes_in_parts(id_style: Literal["hex16", "hex16_part"]) -> None:
    """The first is told, translated and spoken while the speaker is still speaking."""
    talk = Talk(replace(QUIET, id_style=id_style), [LONG])
    talk.start(task("en", "es", allowed_message_types=[*ALL_TEXTS, "tts_text"]))
    early = talk.hear(voice(8.5))
    late = talk.hear(voice(2.3), hush(2.0))
    utterance = texts(early, "partial_transcription")[0][0]
    english, spanish = LONG.text("en").split(" Then "), LONG.text("es").split(" Luego ")

    assert texts(early, "validated_transcription") == [(f"{utterance}_part_0", english[0])]
    for kind in ("translated_transcription", "tts_text"):
        assert texts(early, kind) == [(f"{utterance}_part_0", spanish[0])]
        assert texts(late, kind) == [(f"{utterance}_part_1", f"Luego {spanish[1]}")]
    assert texts(late, "validated_transcription") == [(f"{utterance}_part_1", f"Then {english[1]}")]
    assert {it for it, _ in texts(early + late, "partial_transcription")} == {utterance}
    assert texts(late, "partial_transcription")[-1][1].startswith("Then we went on")
    assert talk.session.pipeline.levels(talk.clock.now)["es"][0] > 0

    parts = [
        it["data"]["transcription"] for it in early + late if "translated" in it["message_type"]
    ]
    expected = [0, 1] if id_style == "hex16" else [None, None]
    assert [it.get("translation_part_id") for it in parts] == expected
    first, second = [it["segments"][0] for it in parts]
    assert first["end"] == second["start"]
    assert second["end"] - first["start"] == pytest.approx(10.8, abs=0.05)


def test_a_long_sentence_is_whole_where_it_may_not_be_split() -> None:
    """Without the splitter nothing is told in full before the speaker has finished."""
    settings = task("en", "es")
    settings["pipeline"]["transcription"]["sentence_splitter"] = {"enabled": False}
    talk = Talk(sentences=[LONG])
    talk.start(settings)

    assert set(kinds(talk.hear(voice(10.8)))) == {"partial_transcription"}
    ended = talk.hear(hush(2.0))
    assert [text for _, text in texts(ended, "validated_transcription")] == [LONG.text("en")]
    assert [text for _, text in texts(ended, "translated_transcription")] == [LONG.text("es")]


def test_the_splitters_rules_are_the_tasks() -> None:
    """What `advanced` says counts: here a part may have three seconds, or end with any word."""
    settings = task("en", "es")
    settings["pipeline"]["transcription"]["sentence_splitter"] = {
        "advanced": {"force_split_min_characters": 10, "force_split_min_seconds": "3"}
    }
    talk = Talk(sentences=[LONG])
    talk.start(settings)
    parts = texts(talk.hear(voice(10.8), hush(2.0)), "validated_transcription")

    assert [len(text.split()) for _, text in parts] == [8, 8, 8, 4]


def test_an_interrupted_language_drops_the_parts_that_follow() -> None:
    """Parts of one sentence are interrupted together."""
    talk = Talk(sentences=[LONG])
    talk.start(task("en", "es", "de"))
    talk.hear(voice(8.5))
    talk.say("interrupt_task", languages=["es"])
    talk.hear(voice(2.3), hush(2.0))

    assert translated(talk) == ["es", "de", "de"]


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
