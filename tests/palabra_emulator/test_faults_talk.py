"""What faults do to a session's answers and texts, with a clock that the test moves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from palabra_emulator.faults.catalogue import JunkPacket, MistakenTask, OddTexts, WrongPace
from palabra_emulator.faults.immediate_faults import ImmediateFaults
from palabra_emulator.faults.injection import FaultInjector
from palabra_emulator.faults.reading import read_fault
from palabra_emulator.faults.signalling import undisturbed
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import load_script
from palabra_emulator.session.command_handler import CommandHandler
from palabra_emulator.session.session import EmulatedSession, new_identity
from palabra_emulator.session.task import TaskRules
from palabra_emulator.transports.ports import TransportKind

from .client import ALL_TEXTS, task
from .fakes import FakeRooms
from .test_session import QUIET, Talk, codes, hush, kinds, voice

pytestmark = pytest.mark.unit

SETTINGS: Final = task("en", "es", "de", allowed_message_types=ALL_TEXTS)
LENIENT: Final = replace(QUIET, rate_limits="off")


class FaultyTalk(Talk):
    """A session with faults."""

    def __init__(self, *wishes: dict[str, Any], options: EmulatorOptions = LENIENT) -> None:
        super().__init__(options)
        self.injector = FaultInjector(self.journal, self.clock)
        for wish in wishes:
            self.arm(**wish)
        self.session = EmulatedSession(
            new_identity(0, "api"),
            options,
            load_script(),
            self.journal,
            injector=self.injector,
            clock=self.clock,
        )
        self.conversation = CommandHandler(self.session, options, TaskRules(), clock=self.clock)
        self.rooms = FakeRooms()
        self.striking = ImmediateFaults(
            self.injector, lambda: [self.session], self.rooms, undisturbed()
        )

    def arm(self, **wish: object) -> None:
        """Let something go wrong."""
        self.injector.arm(read_fault(wish))

    async def strike(self, **wish: object) -> list[dict[str, Any]]:
        """Let something go wrong at once; what comes of it."""
        self.arm(**wish)
        await self.striking.look()
        return self.posted()

    def utterance(self) -> list[dict[str, Any]]:
        """Say something to the session, and wait until it is translated."""
        return self.hear(voice(1.5), hush(2.0))


def running(*wishes: dict[str, Any], options: EmulatorOptions = LENIENT) -> FaultyTalk:
    """A session that runs, with faults."""
    talk = FaultyTalk(*wishes, options=options)
    talk.start(SETTINGS)
    talk.posted()
    return talk


def bodies(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The texts of a kind."""
    return [it["data"]["transcription"] for it in messages if it.get("message_type") == kind]


def test_readiness_may_wait_for_polls() -> None:
    """F9: NOT_FOUND so many times and no acknowledgement, then the task runs."""
    talk = FaultyTalk({"fault": "F9", "polls": 3})
    talk.session.client_joined()
    assert talk.say("set_task", **SETTINGS) == []
    assert talk.wait(30) == []
    for _ in range(3):
        assert codes(talk.say("get_task")) == ["NOT_FOUND"]
    assert kinds(talk.wait(0.1)) == ["task_status"]
    assert kinds(talk.say("get_task")) == ["current_task"]


def test_readiness_may_be_late_or_never_come() -> None:
    """F9: after `delay_ms`, or not at all."""
    late = FaultyTalk({"fault": "F9", "variant": "late", "delay_ms": 4000})
    late.session.client_joined()
    late.say("set_task", **SETTINGS)
    assert late.wait(3.9) == []
    assert kinds(late.wait(0.2)) == ["task_status"]

    never = FaultyTalk({"fault": "F9", "variant": "never"})
    never.session.client_joined()
    never.say("set_task", **SETTINGS)
    assert [codes(never.say("get_task")) for _ in range(50)] == [["NOT_FOUND"]] * 50
    assert never.wait(60) == []


def test_rejection_has_either_form() -> None:
    """F10: the text of the validator's exception, or its list; the task stays as it was."""
    talk = running(
        {"fault": "F10", "at_seconds": 0.1},
        {"fault": "F10", "at_seconds": 0.1, "variant": "list", "loc": ["a", 0], "msg": "is bad"},
    )
    before = talk.session.task

    (message,) = talk.say("set_task", **task("en", "fr"))
    assert message["data"]["code"] == "VALIDATION_ERROR"
    assert message["data"]["desc"].startswith("ValidationError(model='SetTaskRequestMessage', ")
    assert "'segment_confirmation_silence_threshold'" in message["data"]["desc"]
    (message,) = talk.say("set_task", **task("en", "fr"))
    assert message["data"]["desc"] == [
        {"loc": ["a", 0], "msg": "is bad", "type": "value_error.number.not_ge"}
    ]
    assert talk.session.task is before


MISTAKES: Final = {
    "threshold": "ensure this value is greater than or equal to 0.3",
    "levels": "`max_queue_level_ms` must be greater than `desired_queue_level_ms`",
    "source": "'transcription', 'source_language'",
    "target": "'translations', 0, 'target_language'",
    "missing_source": "'source_language'), 'msg': 'field required'",
    "missing_target": "'target_language'), 'msg': 'field required'",
    "missing_translations": "'translations'), 'msg': 'field required'",
    "content_type": "permitted: 'audio'",
    "stream_type": "'loc': ('input_stream', 'source', 'type')",
    "type_mismatch": "'loc': ('output_stream', 'target', 'type')",
    "cloning_timbre": "voice_cloning",
}


@pytest.mark.parametrize("transport", ["webrtc", "ws"])
@pytest.mark.parametrize("mistake", MistakenTask.variants)
def test_certain_mistakes_have_the_validators_words(mistake: str, transport: TransportKind) -> None:
    """F11: what the validator itself says, about that mistake alone."""
    talk = FaultyTalk({"fault": "F11", "variant": mistake})
    talk.session.client_joined()
    talk.conversation.begin(transport)
    (message,) = talk.say("set_task", **SETTINGS)

    assert message["data"]["code"] == "VALIDATION_ERROR"
    assert MISTAKES[mistake] in message["data"]["desc"]
    assert message["data"]["desc"].count("'loc'") == 1
    assert talk.session.task is None


def test_commands_may_be_called_too_frequent() -> None:
    """F12: the code and text that were wished for; the command is not executed."""
    talk = running({"fault": "F12", "command": "tts_task", "code": "429", "detail": "slow down"})

    assert kinds(talk.say("get_task")) == ["current_task"]
    (message,) = talk.say("tts_task", text="Hello", language="es")
    assert message["data"] == {"code": "429", "desc": "slow down", "param": None}
    assert kinds(talk.say("tts_task", text="Hello", language="es")) == ["task_status"]


async def test_service_timeout_ends_the_session() -> None:
    """F13: the error, 0.26 s, and the client is put out."""
    talk = running()
    (message,) = await talk.strike(fault="F13")

    assert message["data"]["code"] == "SERVICE_TIMEOUT"
    assert message["data"]["desc"].startswith("No input audio received for 10s.")
    assert talk.session.end_reason == "service timeout"
    assert talk.session.farewell_seconds == pytest.approx(0.26)


async def test_warnings_end_nothing() -> None:
    """F14 and F15: a warning each, and the session runs on."""
    talk = running()

    (voice_warning,) = await talk.strike(fault="F14", voice_id="x")
    assert voice_warning == {
        "message_type": "warning",
        "data": {
            "code": "VOICE_NOT_FOUND",
            "message": "Voice ID 'x' is not available, using default voice",
        },
    }
    for variant in WrongPace.variants:
        (warning,) = await talk.strike(fault="F15", variant=variant)
        assert warning["data"]["code"] == variant
        assert warning["data"]["message"].startswith("Audio stream")
    assert talk.session.state == "running"


async def test_lost_task_is_not_found_until_it_is_set_again() -> None:
    """F16: no tracks, nothing said, NOT_FOUND; the next `set_task` starts anew."""
    talk = running()
    assert await talk.strike(fault="F16") == []

    assert not talk.session.wanted_tracks
    assert talk.utterance() == []
    assert codes(talk.say("get_task")) == ["NOT_FOUND"]
    talk.say("set_task", **SETTINGS)
    (status,) = talk.wait(0.6)
    assert status["data"]["event"] == "started"
    assert talk.session.wanted_tracks == ("es", "de")


async def test_closed_room_ends_the_session_without_a_word() -> None:
    """F17: the session is over, for the reason that the journal gets."""
    talk = running()

    assert await talk.strike(fault="F17", variant="room_deleted") == []
    assert talk.session.end_reason == "closed by F17"
    assert talk.session.faults.spares_client
    assert talk.session.farewell_seconds == 0


async def test_socket_has_nothing_to_resume() -> None:
    """F18: passed over for a WebSocket; the journal says so."""
    talk = running()
    talk.conversation.begin("ws")
    await talk.strike(fault="F18")

    assert not talk.session.faults.is_cut
    assert talk.journal.entries()[-1].data == {"fault": "F18", "action": "passed over"}


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
    talk = FaultyTalk({"fault": "F19", "variant": "reordered"})
    talk.start(task("en", "es"))
    talk.posted()

    talk.utterance()
    assert kinds(talk.say("get_task")) == ["translated_transcription", "current_task"]


JUNK: Final[dict[str, object]] = {
    "array": list,
    "empty": {},
    "no_type": dict,
    "unknown_type": dict,
    "bad_data": dict,
    "huge": dict,
}


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


async def test_overflow_shows_in_the_queue_map() -> None:
    """F22: the level is reported above its maximum, then trimmed; the oldest is dropped."""
    talk = running(options=replace(LENIENT, queue_map_hz=1.0))
    await talk.strike(fault="F22", seconds=30)
    maps = [it for it in talk.wait(3.0) if "es" in it]
    levels = [it["es"]["current_queue_level_ms"] for it in maps]

    assert max(levels) > 20_000
    assert levels[-1] <= 10_000
    assert any(entry.event == "dropped" for entry in talk.journal.entries())


def test_end_may_be_ignored() -> None:
    """F23: nothing comes, and the session runs on."""
    talk = running({"fault": "F23"})

    assert talk.say("end_task") == []
    talk.hear(hush(5.0))
    assert talk.session.state == "running"
    talk.say("end_task")
    assert kinds(talk.wait(1.0)) == ["end_of_stream"]


@pytest.mark.parametrize(
    ("variant", "refused"), [("pause", [1]), ("resume", [2]), ("either", [1, 2])]
)
def test_pause_and_resume_may_race(variant: str, refused: list[int]) -> None:
    """F24: an error, and the session stays as it was."""
    talk = running({"fault": "F24", "variant": variant, "times": 0})
    if 1 in refused:
        assert codes(talk.say("pause_task")) == ["RATE_LIMIT_EXCEEDED"]
        assert talk.session.state == "running"
        talk.session.pause()
    else:
        assert kinds(talk.say("pause_task")) == ["task_status"]
    talk.posted()

    answer = talk.say("set_task", **SETTINGS)
    if 2 in refused:
        assert codes(answer) == ["RATE_LIMIT_EXCEEDED"]
        assert talk.session.state == "paused"
    else:
        assert talk.session.state == "running"


async def test_deaf_session_answers_and_says_nothing() -> None:
    """F26: commands are answered, speech is not heard."""
    talk = running()
    await talk.strike(fault="F26", variant="deaf")

    assert talk.utterance() == []
    assert kinds(talk.say("get_task")) == ["current_task"]
    assert talk.session.state == "running"
