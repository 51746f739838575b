"""What a session answers and when it ends, with a clock that the test moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from tests.palabra_emulator.client import task
from tests.palabra_emulator.fakes import (
    OPTIONS,
)
from tests.palabra_emulator.talk import QUIET, Talk, hush, kinds, voice

pytestmark = pytest.mark.unit


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


def test_quiet_before_the_end_counts_from_the_command() -> None:
    """`eos_timeout` is waited out even where nothing was ever said."""
    talk = Talk()
    talk.start(task("en", "es"))
    talk.say("end_task", eos_timeout=4)

    talk.wait(3.5)
    assert not talk.session.is_over
    talk.wait(1.0)
    assert talk.session.end_reason == "end_task"


def test_session_that_is_over_stays_over() -> None:
    """No fault and no late command gives an ended session a state again."""
    talk = Talk()
    talk.start(task("en", "es"))
    talk.session.end("closed")

    talk.session.lose_task()
    talk.say("pause_task")
    talk.say("set_task", **task("en", "de"))
    talk.wait(2.0)

    assert talk.session.state == "ended"
    assert "task lost" not in [entry.event for entry in talk.journal.entries()]


async def test_session_that_is_over_keeps_no_speech() -> None:
    """Packets that nobody took and speech that nobody hears are not kept for ten minutes."""
    talk = Talk()
    talk.start(task("en", "es"))
    talk.say("tts_task", text="Hola", language="es")
    talk.session.outbox.push(b"{}")
    talk.session.end("over")

    talk.session.release()

    assert talk.posted() == []
    assert talk.session.pipeline.is_drained(talk.clock())
    assert talk.session.speech_wanted.empty()
