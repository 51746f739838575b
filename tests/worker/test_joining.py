"""Who is the interpreter of a room: identities, comebacks, and what is known after an expulsion."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import api
from livekit.api.access_token import Claims
from livekit.protocol.models import ParticipantInfo

from palabra_agent.config.settings import WorkerSettings, load_settings
from palabra_agent.meeting.attributes import STATE_ATTRIBUTE
from palabra_agent.worker.joining import (
    MOST_COMEBACKS,
    Superseded,
    identities_after_expulsion,
    identity_for_comeback,
    is_of_family,
    registered_identity,
    serve_despite_guests,
)
from tests.clock import HANG_SECONDS
from tests.environment import environment

pytestmark = pytest.mark.unit

FIRST = "interpreter"


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (FIRST, True),
        (f"{FIRST}-2", True),
        (f"{FIRST}-17", True),
        (f"{FIRST}-", False),
        (f"{FIRST}-2b", False),
        (f"{FIRST}-2-2", False),
        (f"{FIRST}2", False),
        ("interpreters", False),
        ("2", False),
        ("", False),
    ],
)
def test_the_interpreter_s_identities_are_known(identity: str, *, expected: bool) -> None:
    """The first, and numbered ones."""
    assert is_of_family(identity, FIRST) is expected


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([], f"{FIRST}-2"),
        ([FIRST, "alice", f"{FIRST}-3"], f"{FIRST}-2"),
        ([FIRST, f"{FIRST}-2", f"{FIRST}-3"], f"{FIRST}-4"),
    ],
)
def test_a_comeback_expels_no_participant(taken: list[str], expected: str) -> None:
    """It takes the first identity that is free."""
    assert identity_for_comeback(FIRST, taken) == expected


async def serve(*outcomes: Sequence[str] | None) -> list[tuple[str, str]]:
    """Serve a room in which this happens; the identities it was served under, and those taken."""
    served: list[tuple[str, str]] = []
    left = list(outcomes)

    async def serve_as(identity: str, taken: str) -> Sequence[str] | None:
        served.append((identity, taken))
        return left.pop(0)

    await serve_despite_guests(FIRST, serve_as)
    return served


async def test_a_room_is_served_under_one_identity_as_a_rule() -> None:
    """Its end ends it."""
    assert await serve(None) == [(FIRST, "")]


async def test_an_expelled_interpreter_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    """Under an identity that is free, and the log names the one that was taken."""
    served = await serve([FIRST, f"{FIRST}-2"], [FIRST, f"{FIRST}-2", f"{FIRST}-3"], None)

    assert served == [(FIRST, ""), (f"{FIRST}-3", FIRST), (f"{FIRST}-4", f"{FIRST}-3")]
    assert [vars(it)["identity"] for it in caplog.records] == [FIRST, f"{FIRST}-3"]


async def test_a_guest_who_keeps_on_makes_no_endless_loop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The interpreter stays away in the end, and the log says so."""
    served = await serve(*[[FIRST]] * (1 + MOST_COMEBACKS))

    assert len(served) == 1 + MOST_COMEBACKS
    last = caplog.records[-1]
    assert (last.levelno, last.getMessage()) == (
        logging.ERROR,
        "the interpreter was expelled 6 times, and stays away",
    )


def settings_for(url: str) -> WorkerSettings:
    """A worker's settings for a LiveKit at an address."""
    variables = {
        "LIVEKIT_URL": url,
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": "s" * 40,
        "PALABRA_API_KEY": "key",
    }
    with environment(variables):
        return load_settings()


GUEST, AGENT = ParticipantInfo.Kind.STANDARD, ParticipantInfo.Kind.AGENT
OURS = "palabra-interpreter"


def who(
    identity: str, kind: ParticipantInfo.Kind, sid: str = "PA_other", *, shows: bool = True
) -> ParticipantInfo:
    """A participant as LiveKit lists it; it may show what interpreters do."""
    attributes = {STATE_ATTRIBUTE: "live"} if shows else {}
    return ParticipantInfo(sid=sid, identity=identity, kind=kind, attributes=attributes)


@asynccontextmanager
async def room_with(*answers: Sequence[ParticipantInfo]) -> AsyncGenerator[WorkerSettings]:
    """A LiveKit that lists these participants, one answer after the other, the last for ever."""
    left = list(answers)

    async def listing(_: web.Request) -> web.Response:
        those = left.pop(0) if len(left) > 1 else left[0]
        answer = api.ListParticipantsResponse(participants=those)
        return web.Response(body=answer.SerializeToString())

    app = web.Application()
    app.router.add_post("/twirp/livekit.RoomService/ListParticipants", listing)
    async with TestServer(app) as server:
        yield settings_for(str(server.make_url("")).rstrip("/"))


CLAIMS = Claims(kind="agent", video=api.VideoGrants(room="board"))
ME = who(OURS, AGENT, "PA_me")


@pytest.mark.parametrize(
    "guest",
    [who(OURS, GUEST), who(OURS, GUEST, shows=False), who(OURS, AGENT, shows=False)],
)
async def test_a_guest_who_took_the_identity_is_told_from_an_interpreter(
    guest: ParticipantInfo,
) -> None:
    """Whatever attributes they set; the list may be late, and hold the expelled one yet."""
    others = [who("alice", GUEST, shows=False), who(f"{OURS}-2", GUEST)]
    async with room_with([ME], [ME, guest, *others]) as settings:
        found = await identities_after_expulsion(settings, CLAIMS, OURS, "PA_me", HANG_SECONDS)

    assert found == [OURS, "alice", f"{OURS}-2"]


@pytest.mark.parametrize("identity", [OURS, f"{OURS}-2"])
async def test_a_newer_interpreter_is_left_to_it(identity: str) -> None:
    """Under whichever of the identities it came."""
    newer = who(identity, AGENT)
    async with room_with([], [newer, who("alice", GUEST)]) as settings:
        with pytest.raises(Superseded, match="a newer interpreter joined the room"):
            await identities_after_expulsion(settings, CLAIMS, OURS, "PA_me", HANG_SECONDS)


async def test_an_interpreter_of_another_house_is_no_newer_one() -> None:
    """A worker whose settings name another identity has its own place in the room."""
    other = who("house-interpreter", AGENT)
    async with room_with([who(OURS, GUEST), other]) as settings:
        found = await identities_after_expulsion(settings, CLAIMS, OURS, "PA_me", HANG_SECONDS)

    assert found == [OURS, "house-interpreter"]


async def test_a_guest_who_left_at_once_keeps_no_interpreter_away() -> None:
    """There is no newer interpreter: that is all it takes to come back."""
    async with room_with([ME]) as settings:
        assert await identities_after_expulsion(settings, CLAIMS, OURS, "PA_me") == []


def test_no_participant_has_the_identity_of_a_job() -> None:
    """LiveKit's server would end the job with such a participant."""
    settings = settings_for("ws://127.0.0.1:9")

    assert not is_of_family(registered_identity(settings, "AJ_x2"), settings.identity)
