"""Hidden participants: asked for while the room wants some of them to read along, else never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import api

from palabra_agent.concurrency import Watched
from palabra_agent.config.settings import LiveKitSettings, load_livekit_settings
from palabra_agent.interpretation.settings import InterpretationSettings, Regime, WritingRules
from palabra_agent.languages import LanguageCode
from palabra_agent.room.hidden_participants import looking_for_hidden
from tests.environment import environment

pytestmark = pytest.mark.unit

LISTED = api.ListParticipantsResponse(
    participants=[
        api.ParticipantInfo(identity="alice"),
        api.ParticipantInfo(identity="EG_2", permission=api.ParticipantPermission(hidden=True)),
        api.ParticipantInfo(identity="EG_1", permission=api.ParticipantPermission(hidden=True)),
    ]
)
PLAIN = InterpretationSettings(Regime((LanguageCode("es"),)))


class NotedMeeting:
    """A meeting that is told who is hidden in it."""

    def __init__(self) -> None:
        self.hidden: list[tuple[str, ...]] = []
        self.was_told = asyncio.Event()

    def note_hidden(self, identities: Sequence[str]) -> None:
        """Learn who is there."""
        self.hidden.append(tuple(identities))
        self.was_told.set()


def reading_along(*also_to: str) -> InterpretationSettings:
    """A room in which others than people read captions."""
    return replace(PLAIN, rules=WritingRules(also_to=also_to))


@asynccontextmanager
async def livekit(
    *statuses: int,
) -> AsyncGenerator[tuple[LiveKitSettings, asyncio.Queue[str]]]:
    """A LiveKit server that lists two hidden participants, and the requests that it got.

    Args:
        statuses: Of its first answers; those after them are good.
    """
    asked, coming = asyncio.Queue[str](), iter(statuses)

    async def serve(request: web.Request) -> web.Response:
        asked.put_nowait(request.path)
        return web.Response(status=next(coming, 200), body=LISTED.SerializeToString())

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        variables = {"LIVEKIT_URL": url, "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 40}
        with environment(variables):
            settings = load_livekit_settings()
        yield settings, asked


async def test_a_pattern_finds_those_whom_nobody_sees() -> None:
    """The server knows its recorders; people are no concern of this."""
    meeting = NotedMeeting()
    async with (
        livekit() as (settings, _),
        looking_for_hidden(meeting, Watched(reading_along("EG_*")), settings, "board"),
    ):
        await meeting.was_told.wait()

    assert meeting.hidden == [("EG_1", "EG_2")]


@pytest.mark.parametrize("also_to", [(), ("auditor",)])
async def test_the_server_is_not_asked_for_names_in_full(also_to: tuple[str, ...]) -> None:
    """A room that wants none, or names each, costs LiveKit nothing until it says otherwise."""
    meeting, wanted = NotedMeeting(), Watched(reading_along(*also_to))
    async with (
        livekit() as (settings, asked),
        looking_for_hidden(meeting, wanted, settings, "board"),
    ):
        await asyncio.sleep(0)
        assert asked.empty()

        wanted.set(reading_along("EG_*"))
        await meeting.was_told.wait()

    assert asked.qsize() == 1


async def test_a_server_that_refuses_is_asked_again() -> None:
    """Its refusal ends no meeting and tells nothing of who is there."""
    meeting = NotedMeeting()
    async with (
        livekit(500) as (settings, asked),
        looking_for_hidden(
            meeting, Watched(reading_along("EG_*")), settings, "board", pause_seconds=0.01
        ),
    ):
        await meeting.was_told.wait()

    assert asked.qsize() >= 2
    assert meeting.hidden[0] == ("EG_1", "EG_2")
