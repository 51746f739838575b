"""Messages spoilt by a fault."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from palabra_emulator.faults.catalogue import JunkPacket, OddTexts
from palabra_emulator.faults.injection import FaultInjector, SessionFaults
from palabra_emulator.faults.message_faults import MessageFaults
from palabra_emulator.faults.reading import read_fault
from palabra_emulator.journal import Journal
from tests.palabra_emulator.client import task
from tests.palabra_emulator.fakes import (
    Clock,
)
from tests.palabra_emulator.talk import LENIENT, Talk, kinds, running

pytestmark = pytest.mark.unit

JUNK: Final[dict[str, object]] = {
    "array": list,
    "empty": {},
    "no_type": dict,
    "unknown_type": dict,
    "bad_data": dict,
    "huge": dict,
}


def bodies(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The texts of a kind."""
    return [it["data"]["transcription"] for it in messages if it.get("message_type") == kind]


@pytest.mark.parametrize("variant", OddTexts.variants)
def test_texts_of_one_utterance_are_distorted(variant: str) -> None:
    """F19: one utterance comes as wished, the next as ever."""
    talk = running({"fault": "F19", "variant": variant})
    distorted = talk.utterance()
    plain = talk.utterance()
    validated, usual = (bodies(it, "validated_transcription") for it in (distorted, plain))
    translated = bodies(distorted, "translated_transcription")
    languages = [it.get("language") for it in translated]

    assert len(usual) == 1
    assert {*usual[0]} == {"transcription_id", "language", "text", "segments"}
    assert usual[0]["segments"][0]["end_timestamp"] > 0
    match variant:
        case "duplicates":
            assert validated == [validated[0]] * 2
            assert languages == ["es", "es", "de", "de"]
        case "late_partial":
            after = kinds(distorted)[kinds(distorted).index("validated_transcription") + 1]
            assert after == "partial_transcription"
        case "reordered":
            assert languages == ["de", "es"]
            assert [it["language"] for it in bodies(plain, "translated_transcription")] == [
                "es",
                "de",
            ]
        case "no_end_timestamp":
            assert "end_timestamp" not in validated[0]["segments"][0]
        case "null_end_timestamp":
            assert validated[0]["segments"][0]["end_timestamp"] is None
        case "no_words":
            assert "words" not in validated[0]["segments"][0]
        case "part_ids":
            base = bodies(distorted, "partial_transcription")[0]["transcription_id"]
            assert validated[0]["transcription_id"] == f"{base}_part_0"
            assert "translation_part_id" not in translated[0]
        case "no_segments":
            assert "segments" not in validated[0]
        case _:
            assert languages == [None, None]


def test_single_translation_is_not_held_back_for_ever() -> None:
    """F19: with nobody to change places with, a translation comes with the next message."""
    talk = Talk(LENIENT, faults=[{"fault": "F19", "variant": "reordered"}])
    talk.start(task("en", "es"))
    talk.posted()

    talk.utterance()
    assert kinds(talk.say("get_task")) == ["translated_transcription", "current_task"]


@pytest.mark.parametrize("variant", JunkPacket.variants)
async def test_senseless_packets_are_sent_as_they_are(variant: str) -> None:
    """F20: one packet of the kind, and the session runs on."""
    talk = running()
    talk.arm(fault="F20", variant=variant, size=5000)
    await talk.striking.look()
    packet = talk.session.outbox.take()
    assert packet is not None

    match variant:
        case "binary" | "cut" | "non_json":
            with pytest.raises(ValueError, match=r"."):
                json.loads(packet)
        case "array":
            assert isinstance(json.loads(packet), list)
        case "empty":
            assert packet == b"{}"
        case "huge":
            assert len(packet) == 5000
        case "bad_data":
            data = json.loads(packet)["data"]
            with pytest.raises(ValueError, match=r"."):
                json.loads(data)
        case _:
            assert isinstance(json.loads(packet), dict)
    assert talk.session.state == "running"


def test_doubled_texts_leave_the_sound_alone() -> None:
    """F19 `duplicates`: a client on a WebSocket hears every chunk once, the last one too."""
    journal, clock = Journal(), Clock()
    injector = FaultInjector(journal, clock)
    injector.arm(read_fault({"fault": "F19", "variant": "duplicates"}))
    distort = MessageFaults(SessionFaults("a", 0, injector))
    text = {"transcription": {"transcription_id": "1", "language": "es", "text": "Hola"}}
    sound = {"transcription_id": "1", "language": "es", "last_chunk": True, "data": ""}

    assert len(distort({"message_type": "validated_transcription", "data": text})) == 2
    assert len(distort({"message_type": "output_audio_data", "data": sound})) == 1
