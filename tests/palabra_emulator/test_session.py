"""What a session answers and when it ends, with a clock that the test moves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest

from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import tone
from palabra_emulator.interpreting.playout import SPEECH_RATE
from palabra_emulator.interpreting.utterances import HEARING_RATE
from palabra_emulator.journal import Journal
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import load_script
from palabra_emulator.session.command_handler import CommandHandler
from palabra_emulator.session.session import EmulatedSession, new_identity
from palabra_emulator.session.task import TaskRules

from .client import ALL_TEXTS, decoded, task
from .fakes import OPTIONS, Clock

pytestmark = pytest.mark.unit

QUIET = replace(OPTIONS, queue_map_hz=0.0)


class Talk:
    """A session that the test is the client, the clock and the voice of."""

    def __init__(self, options: EmulatorOptions = QUIET) -> None:
        self.clock = Clock()
        self.journal = Journal()
        identity = new_identity(0, "api")
        self.session = EmulatedSession(
            identity, options, load_script(), self.journal, clock=self.clock
        )
        self.conversation = CommandHandler(self.session, options, TaskRules(), clock=self.clock)

    def say(self, message_type: str, **data: object) -> list[dict[str, Any]]:
        """Send a command; what comes back at once."""
        payload = json.dumps({"message_type": message_type, "data": data}).encode()
        self.conversation.receive(payload)
        return self.posted()

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        """Let time pass in small steps; what comes meanwhile."""
        for _ in range(round(seconds / 0.05)):
            self.clock.advance(0.05)
            self._speak()
            self.session.tick()
            self.conversation.tick()
            self.session.sound_due()

        return self.posted()

    def hear(self, *sounds: Pcm) -> list[dict[str, Any]]:
        """Let the session hear some sound in real time; what comes meanwhile."""
        sound = np.concatenate(sounds)
        for start in range(0, sound.size, HEARING_RATE // 20):
            self.clock.advance(0.05)
            self._speak()
            self.session.input_arrived()
            self.session.hear(sound[start : start + HEARING_RATE // 20])
            self.session.tick()
            self.session.sound_due()

        return self.posted()

    def start(self, settings: dict[str, Any]) -> None:
        """Have a running task."""
        self.session.client_joined()
        self.say("set_task", **settings)
        self.wait(0.6)

    def posted(self) -> list[dict[str, Any]]:
        """What the session has said since the last question."""
        messages: list[dict[str, Any]] = []
        while (payload := self.session.outbox.take()) is not None:
            messages.append(decoded(payload))

        return messages

    def _speak(self) -> None:
        while not self.session.speech_wanted.empty():
            pending = self.session.speech_wanted.get_nowait()
            samples = round(pending.span.seconds * SPEECH_RATE)
            pending.pcm = np.ones(samples, np.int16)


def voice(seconds: float) -> Pcm:
    """Speech for the session to hear."""
    return tone(300, seconds, rate=HEARING_RATE)


def hush(seconds: float) -> Pcm:
    """Silence for the session to hear."""
    return np.zeros(round(seconds * HEARING_RATE), np.int16)


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    """The types of messages."""
    return [message["message_type"] for message in messages]


def codes(messages: list[dict[str, Any]]) -> list[str]:
    """The codes of errors and warnings."""
    return [message["data"]["code"] for message in messages]


def test_task_is_found_only_once_it_runs() -> None:
    """Polling says NOT_FOUND before and while the task starts, then the task, running."""
    talk = Talk(replace(QUIET, rate_limits="off"))
    before = talk.say("get_task")
    accepted = talk.say("set_task", **task("en", "es"))
    starting = talk.say("get_task")
    started = talk.wait(0.6)
    shown = talk.say("get_task", exclude_hidden=True)

    assert before[0]["data"] == {
        "code": "NOT_FOUND",
        "desc": "No active task found",
        "param": None,
    }
    assert accepted == []
    assert codes(starting) == ["NOT_FOUND"]
    assert started[0]["data"] == {
        "command": "set_task",
        "event": "started",
        "task_status": "running",
    }
    assert shown[0]["message_type"] == "current_task"
    assert shown[0]["data"]["task_status"] == "running"
    assert set(shown[0]["data"]) >= {"input_stream", "output_stream", "pipeline"}


def test_events_of_later_tasks() -> None:
    """The same again is unchanged, another is an update, any after a pause resumes."""
    talk = Talk(replace(QUIET, rate_limits="off"))
    talk.start(task("en", "es"))
    events = [
        talk.say(*command)[0]["data"]["event"]
        if isinstance(command, tuple)
        else talk.say("set_task", **command)[0]["data"]["event"]
        for command in (
            task("en", "es"),
            task("en", "de"),
            ("pause_task",),
            task("en", "de"),
            ("interrupt_task",),
        )
    ]

    assert events == ["unchanged", "updated", "paused", "resumed", "interrupted"]
    assert talk.session.wanted_tracks == ("de",)


def test_rejected_task_changes_nothing() -> None:
    """A refused update leaves the running task as it was."""
    talk = Talk(replace(QUIET, rate_limits="off"))
    talk.start(task("en", "es"))
    refused = talk.say("set_task", **task("en", "vn"))

    assert codes(refused) == ["VALIDATION_ERROR"]
    assert talk.session.wanted_tracks == ("es",)
    assert talk.session.state == "running"


@pytest.mark.parametrize(
    ("dialect", "acknowledges", "polls"),
    [("legacy", False, True), ("legacy+ack", True, True), ("ack-only", True, False)],
)
def test_dialects(
    dialect: Literal["legacy", "legacy+ack", "ack-only"], acknowledges: bool, polls: bool
) -> None:
    """Each dialect tells readiness in its own ways and in no other."""
    talk = Talk(replace(QUIET, dialect=dialect, rate_limits="off"))
    talk.say("set_task", **task("en", "es"))

    assert ("task_status" in kinds(talk.wait(0.6))) is acknowledges
    assert ("current_task" in kinds(talk.say("get_task"))) is polls


@pytest.mark.parametrize(
    "payload",
    [
        b"hello",
        b"[]",
        b"{}",
        b'{"message_type": ""}',
        b'{"message_type": "flush_task", "data": {}}',
        b'{"message_type": "input_audio_data", "data": {"data": ""}}',
        b"\xff\xfe",
        b"[" * 50_000,
    ],
)
def test_unknown_packets_are_answered_alike(payload: bytes) -> None:
    """The live server has one answer to everything that it does not know."""
    talk = Talk()
    talk.conversation.receive(payload)
    answer = talk.posted()[0]["data"]

    assert answer["code"] == "VALIDATION_ERROR"
    assert answer["desc"] == "Message should contain non-empty message_type field"


def test_older_name_of_interrupt_is_a_switch() -> None:
    """`flush_task` interrupts where it is accepted."""
    talk = Talk(replace(QUIET, flush_task=True))
    talk.start(task("en", "es"))

    assert talk.say("flush_task")[0]["data"]["event"] == "interrupted"


def test_rate_limits_refuse_without_executing() -> None:
    """A second `set_task` within two seconds is refused; `get_task` has a bucket of its own."""
    talk = Talk()
    talk.start(task("en", "es"))
    refused = talk.say("set_task", **task("en", "de"))
    polled = talk.say("get_task")
    talk.wait(1.5)
    accepted = talk.say("set_task", **task("en", "de"))

    assert codes(refused) == ["RATE_LIMIT_EXCEEDED"]
    assert kinds(polled) == ["current_task"]
    assert accepted[0]["data"]["event"] == "updated"
    outcomes = [e.data["outcome"] for e in talk.journal.entries() if e.event == "command"]
    assert outcomes == ["ok", "rate_limited", "ok", "ok"]


def test_shared_buckets_count_together() -> None:
    """As a switch, set and get share one bucket."""
    talk = Talk(replace(QUIET, rate_limits="shared"))
    talk.start(task("en", "es"))

    assert codes(talk.say("get_task")) == ["RATE_LIMIT_EXCEEDED"]


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


def test_tts_task_speaks_a_text() -> None:
    """A text is acknowledged with an id that its translations carry; wrong targets are refused."""
    talk = Talk()
    talk.start(task("en", "es", "de"))
    queued = talk.say("tts_task", text="Hola", language="es", translate_text=False)
    refused = talk.say("tts_task", text="Ciao", language="it", translate_text=False)
    too_long = talk.say("tts_task", text="a" * 2049, language="es")
    told = talk.wait(1.0)

    transcription_id = queued[0]["data"]["transcription_id"]
    assert queued[0]["data"]["event"] == "queued"
    assert codes(refused) == codes(too_long) == ["VALIDATION_ERROR"]
    assert [m["data"]["transcription"]["transcription_id"] for m in told] == [transcription_id]
    assert told[0]["data"]["transcription"]["text"] == "Hola"


def test_tts_task_translates_for_all() -> None:
    """With `translate_text`, every target gets its own words."""
    talk = Talk()
    talk.start(task("en", "es", "it"))
    sentence = "Our next meeting is on Thursday at ten o'clock."
    talk.say("tts_task", text=sentence, language="en", translate_text=True)
    told = {
        m["data"]["transcription"]["language"]: m["data"]["transcription"]["text"]
        for m in talk.wait(1.0)
    }

    assert told == {
        "es": "Nuestra próxima reunión es el jueves a las diez.",
        "it": f"[it] {sentence}",
    }


def test_queue_map_is_bare_and_regular() -> None:
    """Once a second from the beginning: empty while nothing is queued, else every target."""
    talk = Talk(OPTIONS)
    idle = talk.wait(3.0)
    talk.start(task("en", "es", "de"))
    talk.hear(voice(2.0), hush(1.0))
    busy = [message for message in talk.wait(1.0) if "message_type" not in message]

    assert [message for message in idle if message == {}] == [{}] * 3
    assert busy[0]["es"]["max_queue_level_ms"] == 20000
    assert busy[0]["es"]["current_queue_level_ms"] > 0
    assert set(busy[0]) == {"es", "de"}


def test_unknown_voices_are_warned_about() -> None:
    """A voice that does not exist brings a warning; the task starts all the same."""
    settings = task("en", "es", "bn")
    settings["pipeline"]["translations"][0]["speech_generation"] = {"voice_id": "nobody"}
    talk = Talk()
    warnings = talk.say("set_task", **settings)

    assert codes(warnings) == ["VOICE_NOT_FOUND"] * 2
    assert warnings[0]["data"]["message"] == (
        "Voice ID 'nobody' is not available, using default voice"
    )
    assert kinds(talk.wait(0.6)) == ["task_status"]


def test_missing_input_ends_a_running_session() -> None:
    """Ten seconds without input bring SERVICE_TIMEOUT; a pause is as long as it likes."""
    talk = Talk()
    talk.start(task("en", "es"))
    talk.say("pause_task")
    paused = talk.wait(20.0)
    talk.say("set_task", **task("en", "es"))
    almost = talk.wait(9.9)
    timed_out = talk.wait(0.2)

    assert paused == almost == []
    assert timed_out[0]["data"] == {
        "code": "SERVICE_TIMEOUT",
        "desc": "No input audio received for 10s. "
        "Use the pause_task command for intentional pauses.",
        "param": None,
    }
    assert talk.session.end_reason == "service timeout"
    assert talk.session.farewell_seconds > 0


def test_end_waits_for_the_tail_and_the_quiet() -> None:
    """The tail is told and spoken, then so much quiet passes, then the stream ends."""
    talk = Talk()
    talk.start(task("en", "es"))
    talk.hear(voice(1.0))
    confirmed = kinds(talk.say("end_task", force=False, eos_timeout=2))
    spoken = kinds(talk.wait(3.0))
    state = talk.session.state
    ended = kinds(talk.wait(1.0))

    assert confirmed == ["validated_transcription"]
    assert spoken == ["translated_transcription"]
    assert state == "running"
    assert ended == ["end_of_stream"]
    assert talk.session.state == "ended"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("eos", ["eos"]),
        ("end_of_stream", ["end_of_stream"]),
        ("both", ["eos", "end_of_stream"]),
    ],
)
def test_end_has_the_chosen_name(
    name: Literal["eos", "end_of_stream", "both"], expected: list[str]
) -> None:
    """An end without a task is an end too, and named as chosen."""
    talk = Talk(replace(QUIET, eos_name=name))
    talk.session.client_joined()

    assert kinds(talk.say("end_task") + talk.wait(0.1)) == expected


def test_commands_that_need_a_task() -> None:
    """Without a task they answer NOT_FOUND."""
    talk = Talk()
    for command in ("pause_task", "interrupt_task"):
        assert codes(talk.say(command)) == ["NOT_FOUND"]
    assert codes(talk.say("tts_task", text="x", language="es")) == ["NOT_FOUND"]


def test_client_is_waited_for() -> None:
    """A client may be away for the grace period, and ends its session by staying away."""
    talk = Talk()
    talk.start(task("en", "es"))
    talk.say("pause_task")
    talk.session.client_left()
    talk.wait(4.5)
    talk.session.client_joined()
    talk.wait(10)
    back = talk.session.state
    talk.session.client_left()
    talk.wait(5.1)

    assert back == "paused"
    assert talk.session.end_reason == "client left"


def test_client_that_never_comes() -> None:
    """A session that nobody joins ends after its time, which can be extended."""
    talk = Talk(replace(QUIET, unjoined_ttl_s=5.0))
    talk.wait(4.0)
    talk.session.extend(5.0)
    talk.wait(4.0)
    assert talk.session.state == "created"

    talk.wait(1.2)
    assert talk.session.end_reason == "never joined"


def test_bill_is_running_time() -> None:
    """Only a running task is charged, not a pause, and nothing after the end."""
    talk = Talk()
    talk.start(task("en", "es"))
    talk.wait(2.0)
    talk.say("pause_task")
    talk.wait(5.0)
    talk.say("set_task", **task("en", "es"))
    talk.wait(1.0)
    talk.session.end("test")
    talk.wait(5.0)

    assert talk.session.billed_seconds == pytest.approx(3.1, abs=0.11)


@pytest.mark.parametrize(("mode", "share"), [("never", 0.0), ("always", 1.0)])
def test_double_encoding(mode: Literal["never", "always"], share: float) -> None:
    """`data` is JSON within JSON always or never, as chosen; the bare map never is."""
    talk = Talk(replace(QUIET, double_encode=mode))
    talk.start(task("en", "es"))
    talk.say("get_task")
    talk.conversation.receive(b"{}")
    payload = talk.session.outbox.take()
    assert payload is not None

    assert isinstance(json.loads(payload)["data"], str) is bool(share)
