"""Texts that a client gets: which, in which language, under which ids."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from tests.palabra_emulator.client import task
from tests.palabra_emulator.talk import QUIET, Talk, hush, kinds, sentence, voice

pytestmark = pytest.mark.unit


def test_only_allowed_texts_are_told() -> None:
    """The list filters texts; without it the three usual types come."""
    talk = Talk()
    talk.start(task("en", "es", allowed_message_types=["translated_transcription"]))

    assert set(kinds(talk.hear(voice(1.0), hush(1.0)))) == {"translated_transcription"}


def test_detected_language_is_the_first_that_may_be() -> None:
    """With `auto` the first detectable language is heard, else the emulator's own choice."""
    settings = task("auto", "en")
    settings["pipeline"]["transcription"]["detectable_languages"] = ["de", "fr"]
    listed, unlisted = Talk(), Talk(replace(QUIET, auto_language="fr"))
    listed.start(settings)
    unlisted.start(task("auto", "en"))

    first = listed.hear(voice(0.5), hush(0.75))[-1]["data"]["transcription"]
    second = unlisted.hear(voice(0.5), hush(0.75))[-1]["data"]["transcription"]
    assert first["language"] == "de"
    assert first["text"].startswith("Guten Morgen")
    assert second["language"] == "fr"


_CHANGING: Final = [
    sentence("en", en="Hello.", es="Hola."),
    sentence("es-mx", en="Bye.", es="Adiós."),
    sentence(en="Yes.", es="Sí."),
]


def detected(talk: Talk) -> tuple[str, str, str]:
    """Say the next sentence: its language as Palabra tells it, its text, its translation."""
    messages = talk.hear(voice(0.6), hush(1.2))
    bodies = [message["data"]["transcription"] for message in messages]
    said, translated = bodies[-2:]
    assert {body["language"] for body in bodies[:-1]} == {said["language"]}
    return said["language"], said["text"], translated["text"]


def test_detected_language_follows_the_script() -> None:
    """With `auto`, a sentence that is said in a language is heard in it, partials included."""
    talk = Talk(sentences=_CHANGING)
    talk.start(task("auto", "es"))

    assert [detected(talk) for _ in range(4)] == [
        ("en", "Hello.", "Hola."),
        ("es", "Adiós.", "Adiós."),
        ("en", "Yes.", "Sí."),
        ("en", "Hello.", "Hola."),
    ]


def test_a_language_that_may_not_be_detected_is_taken_for_another() -> None:
    """Where the task lists languages, all else is heard as the first of them."""
    settings = task("auto", "en")
    settings["pipeline"]["transcription"]["detectable_languages"] = ["fr", "es"]
    talk = Talk(sentences=_CHANGING)
    talk.start(settings)

    assert [detected(talk)[0] for _ in range(3)] == ["fr", "es", "fr"]


@pytest.mark.parametrize(
    ("verification", "mark"),
    [
        ({"auto_transcription_correction": True}, "[corrected] "),
        (
            {"auto_transcription_correction": True, "transcription_correction_style": "formal"},
            "[corrected: formal] ",
        ),
        (
            {"auto_transcription_correction": True, "transcription_correction_style": None},
            "[corrected] ",
        ),
        ({"transcription_correction_style": "formal"}, ""),
        ({}, ""),
    ],
)
def test_corrected_texts_are_marked(verification: dict[str, object], mark: str) -> None:
    """What was recognised and what it is translated into are left as they are."""
    settings = task("en", "es")
    settings["pipeline"]["transcription"]["verification"] = verification
    talk = Talk(sentences=[sentence(en="Good morning.", es="Buenos días.")])
    talk.start(settings)
    messages = talk.hear(voice(1.0), hush(1.2))

    partial, *_, validated, translated = [it["data"]["transcription"]["text"] for it in messages]
    assert partial == "Good"
    assert validated == f"{mark}Good morning."
    assert translated == "Buenos días."


def test_same_language_is_left_as_it_is() -> None:
    """A target in the source's language repeats the text."""
    talk = Talk()
    talk.start(task("en", "en-us"))
    texts = {m["data"]["transcription"]["text"] for m in talk.hear(voice(0.5), hush(1))[-2:]}

    assert len(texts) == 1


def test_parts_may_be_in_the_id() -> None:
    """As a switch, final texts carry the part in their id, as servers of 2025 did."""
    talk = Talk(replace(QUIET, id_style="hex16_part"))
    talk.start(task("en", "es"))
    bodies = [m["data"]["transcription"] for m in talk.hear(voice(0.6), hush(1.0))]

    base_id = bodies[0]["transcription_id"]
    assert [body["transcription_id"] for body in bodies[-2:]] == [f"{base_id}_part_0"] * 2
    assert all("translation_part_id" not in body for body in bodies)


def test_validated_texts_may_come_twice() -> None:
    """With certainty chosen, each final text is sent twice, and nothing else is."""
    talk = Talk(replace(QUIET, duplicate_validated=1.0))
    talk.start(task("en", "es"))
    told = kinds(talk.hear(voice(0.5), hush(1.0)))

    assert told.count("validated_transcription") == 2
    assert told.count("translated_transcription") == 1
