"""Faults of a running session: it breaks, talks nonsense, or falls silent."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.session import Transcript
from tests.clock import eventually

from .harness import DE, ES, Scene, faulty_room, people_come
from .story import CALM, lost_and_found

pytestmark = pytest.mark.unit

_ATTENTIVE = SilenceLimits(silent_output_seconds=0.9)
_WAYS = (
    "duplicates",
    "late_partial",
    "no_end_timestamp",
    "null_end_timestamp",
    "no_words",
    "part_ids",
    "no_segments",
    "no_language",
)
_CLOSED = "Palabra closed the connection"


def notices(scene: Scene) -> list[tuple[str, str]]:
    """What the log says of messages that are no words: their kind and code."""
    return [(it["kind"], it["code"]) for it in scene.logged("palabra sent a notice")]


def finals(scene: Scene) -> list[Transcript]:
    """The final captions that the listener got."""
    said = (it.transcript for it in scene.meeting.captions)
    return [it for it in said if it.is_final and it.language == ES]


@pytest.mark.parametrize(
    ("fault", "wish", "why"),
    [
        (
            "F13",
            {},
            "Palabra heard no audio for too long (No input audio received for 10s. "
            "Use the pause_task command for intentional pauses.)",
        ),
        ("F17", {}, f"{_CLOSED}, as it goes away (1001)"),
        ("F17", {"close_code": 1006}, "the connection broke off (1006)"),
        ("F17", {"variant": "signal_drop"}, "the connection broke off (1006)"),
    ],
)
async def test_a_lost_session_is_followed_by_another(
    caplog: pytest.LogCaptureFixture, fault: str, wish: dict[str, Any], why: str
) -> None:
    """F13 and F17: the track stays, the room says why it is silent, and is interpreted again."""
    async with faulty_room(caplog) as scene:
        people_come(scene)
        await scene.runs()
        await scene.strikes(fault, **wish)
        await scene.reads()
        assert scene.story() == lost_and_found(why)


async def test_session_after_session_may_be_lost(caplog: pytest.LogCaptureFixture) -> None:
    """F17 for ever: the pauses between the tries grow."""
    async with faulty_room(caplog) as scene:
        await scene.arm("F17", times=0, every_seconds=0.05)
        people_come(scene)
        await eventually(lambda: len(scene.events("created")) == 3)
        starts = [it.time for it in scene.events("created")]
        pauses = [after - before for before, after in pairwise(starts)]
        assert all(pause >= least for pause, least in zip(pauses, (0.25, 0.5), strict=True))
        assert {line.partition(" (")[0] for line in scene.story().log} == {
            f"interpretation of a speaker interrupted: the Palabra session was lost: {_CLOSED}, "
            "as it goes away"
        }


@pytest.mark.parametrize(
    ("fault", "wish"),
    [
        ("F18", {}),
        ("F21", {"variant": "republished"}),
        ("F22", {"seconds": 60}),
    ],
)
async def test_what_is_none_of_peoples_business_goes_unnoticed(
    caplog: pytest.LogCaptureFixture, fault: str, wish: dict[str, Any]
) -> None:
    """F18, F21, F22: everything goes on, and nobody is told anything."""
    async with faulty_room(caplog) as scene:
        people_come(scene)
        await scene.runs()
        await scene.strikes(fault, **wish)
        await scene.reads()
        assert (scene.story(), notices(scene)) == (CALM, [])


async def test_packets_without_sense_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    """F20: each kind is one line of the log, with the type that nobody knows and nothing else."""
    variants = ("non_json", "array", "no_type", "unknown_type", "bad_data", "huge", "binary", "cut")
    async with faulty_room(caplog) as scene:
        people_come(scene)
        await scene.runs()
        for variant in (*variants, *variants, "empty"):
            await scene.strikes("F20", variant=variant)
        await scene.reads()
        assert scene.story() == CALM
        assert notices(scene) == [("unread", "malformed"), ("unread", "emulated_novelty")]

    [account] = scene.logged("uplink closed")
    assert account["unread_messages"] == 2 * len(variants)


async def test_warnings_are_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """F15: one line each, with Palabra's code."""
    codes = ["AUDIO_STREAM_TOO_FAST", "AUDIO_STREAM_TOO_SLOW", "AUDIO_STREAM_STALLED"]
    async with faulty_room(caplog) as scene:
        people_come(scene)
        await scene.runs()
        for code in codes:
            await scene.strikes("F15", variant=code)
        await scene.reads()
        assert scene.story() == CALM
        assert notices(scene) == [("warning", code) for code in codes]


async def test_a_missing_voice_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """F14: however often Palabra repeats it."""
    async with faulty_room(caplog) as scene:
        people_come(scene)
        await scene.runs()
        await scene.arm("F14", times=5, every_seconds=0.05)
        await eventually(lambda: len(scene.struck) == 5)
        await scene.reads()
        assert scene.story() == CALM
        assert notices(scene) == [("warning", "VOICE_NOT_FOUND")]


async def test_words_come_once_whatever_way_they_come(caplog: pytest.LogCaptureFixture) -> None:
    """F19: each utterance is read once, by everybody in their language, and nothing after it."""
    async with faulty_room(caplog) as scene:
        people_come(scene)
        for variant in _WAYS:
            await scene.strikes("F19", variant=variant)
            await scene.reads()

        translated = len(scene.events("translated"))
        texts = [it.text for it in finals(scene)]
        assert scene.story() == CALM
        assert len(texts) == len(set(texts)) == translated

        for segment in {it.segment_id for it in scene.meeting.captions}:
            last = [it for it in scene.meeting.captions if it.segment_id == segment][-1]
            is_under_way = last is scene.meeting.captions[-1]
            assert last.transcript.is_final or is_under_way


async def test_languages_may_overtake_each_other(caplog: pytest.LogCaptureFixture) -> None:
    """F19: everybody reads what is said in their language, whichever comes first."""
    async with faulty_room(caplog, offered=(ES, DE)) as scene:
        await scene.arm("F19", variant="reordered", times=0)
        people_come(scene)
        scene.meeting.person_joins("clara", microphone=None, listen="de")
        await scene.reads(DE, more=2)
        await eventually(lambda: scene.captions(ES) >= 2)
        assert scene.story() == CALM
        said = [it.transcript for it in scene.meeting.captions]
        languages = [it.language for it in said if it.is_translation and it.is_final]
        assert languages[:4] == [DE, ES] * 2


@pytest.mark.parametrize("variant", ["no_output", "deaf"])
async def test_a_session_that_fell_silent_is_relieved(
    caplog: pytest.LogCaptureFixture, variant: str
) -> None:
    """F26: the next one is ready before the old one goes; the room never notices, it is counted."""
    async with faulty_room(caplog, limits=_ATTENTIVE) as scene:
        people_come(scene)
        await scene.runs()
        await scene.strikes("F26", variant=variant)
        await scene.reads()
        await eventually(lambda: scene.asked()["delete"] == 1)
        expected = replace(CALM, asked={"create": 2, "set_task": 2, "end_task": 1, "delete": 1})
        assert scene.story() == replace(expected, log=["a silent session was replaced"])

        old, new = (it.session for it in scene.events("created"))
        order = [(it.event, it.session) for it in scene.journal if it.event in {"running", "ended"}]
        assert order == [("running", old), ("running", new), ("ended", old)]

    [bill] = scene.logged("interpretation billed")
    assert (bill["sessions"], bill["reliefs"]) == (2, 1)


async def test_a_silent_session_that_breaks_meanwhile_is_relieved_as_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """F26, then F17: who was to relieve it takes over, without a pause."""
    async with faulty_room(caplog, limits=_ATTENTIVE, ready_delay_ms=500) as scene:
        people_come(scene)
        await scene.runs()
        await scene.strikes("F26")
        await eventually(lambda: len(scene.events("created")) == 2)
        await scene.strikes("F17", session=0)
        await scene.reads()
        asked = {"create": 2, "set_task": 2, "delete": 1}
        assert scene.story() == replace(CALM, asked=asked)
