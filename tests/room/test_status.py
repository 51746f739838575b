"""The answer of `palabra.status`: numbers, for any participant and any payload."""

from __future__ import annotations

import asyncio
import time

import pytest

from palabra_agent.interpretation.plan import Plan
from palabra_agent.interpretation.ports import ChannelKey
from palabra_agent.interpretation.progress import Progress
from palabra_agent.languages import LanguageCode
from palabra_agent.meeting.rpc import Call
from palabra_agent.room.status import StatusReport
from palabra_agent.room.stops import Stops
from palabra_agent.session import Brief
from tests.clock import in_jumping_time, passing

pytestmark = pytest.mark.unit

EN, ES = LanguageCode("en"), LanguageCode("es")


def room() -> Progress:
    """A room in which Ann is interpreted for Bob, and Cid waits."""
    progress = Progress()
    progress.plan = Plan(
        {"ann": Brief(EN, (ES,))},
        {ChannelKey(ES): frozenset({"bob"})},
        languages=(ES,),
        left_out=("cid",),
    )
    return progress


@pytest.mark.parametrize("payload", ["", "{}", "{", '{"language": "xx"}', "[" * 20_000])
@in_jumping_time
async def test_any_participant_gets_numbers(payload: str) -> None:
    """Without a name, whatever they wrote; what was not measured is left out."""
    assert await StatusReport(room(), Stops()).status(Call("bob", payload)) == {
        "interpreted": 1,
        "waiting": 1,
        "channels": [{"language": "es", "speakers": 1, "listeners": 1, "lag_seconds": 0.0}],
        "stops": {"count": 0},
    }


@in_jumping_time
async def test_a_speaker_is_told_how_many_listen() -> None:
    """In the same answer, beside the rest."""
    assert (await StatusReport(room(), Stops()).status(Call("ann", "")))["listeners"] == 1


@in_jumping_time
async def test_an_empty_room_has_no_channels() -> None:
    """Before anything goes on, and when all have left."""
    empty = {"interpreted": 0, "waiting": 0, "channels": [], "stops": {"count": 0}}
    assert await StatusReport(Progress(), Stops()).status(Call("ann", "")) == empty


@in_jumping_time
async def test_the_spans_are_told_in_seconds() -> None:
    """While it still sounds, too: then it is said how long ago the speaker ended."""
    progress, now = room(), asyncio.get_running_loop().time()
    for ago in (9.0, 8.0):
        progress.spans.speak("ann", [ES], now - ago)
    for ago in (6.0, 0.5):
        progress.spans.interpret("ann", ES, now - ago)

    (told,) = (await StatusReport(progress, Stops()).status(Call("bob", "")))["channels"]
    assert told["lag_seconds"] == pytest.approx(8, abs=0.2)
    assert told["ear_voice_span"] == {"start": {"count": 1, "p50": 3.06, "p90": 3.06}}
    await passing(5)
    (told,) = (await StatusReport(progress, Stops()).status(Call("bob", "")))["channels"]
    assert told["lag_seconds"] == 0
    assert told["ear_voice_span"]["end"] == {"count": 1, "p50": 7.5, "p90": 7.5}


@in_jumping_time
async def test_the_stops_of_the_process_are_told_with_their_lengths() -> None:
    """The longest, and the last with the time since then: a machine may have recovered."""
    stops, now = Stops(), time.monotonic()
    for late, ended_at in ((0.31, now - 90), (0.25, now - 12)):
        assert stops.note(late, busy=0.01, now=ended_at)

    told = (await StatusReport(room(), stops).status(Call("bob", "")))["stops"]
    assert told == {"count": 2, "longest": 0.31, "last": 0.25, "seconds_ago": 12}
