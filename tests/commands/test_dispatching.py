"""Who counts as the interpreter that was asked for, with a LiveKit server that only remembers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest
from livekit import api
from livekit.protocol.models import ParticipantInfo

from palabra_agent.commands.dispatching import Dispatcher
from palabra_agent.errors import MeetingError
from palabra_agent.interpretation.ports import RoomState
from palabra_agent.meeting.attributes import ERROR_ATTRIBUTE, STATE_ATTRIBUTE
from tests.clock import in_jumping_time

pytestmark = pytest.mark.unit

ROOM = "room"
NAME = "palabra-interpreter"


def interpreter(sid: str, state: RoomState, **attributes: str) -> ParticipantInfo:
    """An interpreter as LiveKit lists it."""
    return ParticipantInfo(
        sid=sid,
        identity=NAME,
        kind=ParticipantInfo.Kind.AGENT,
        attributes={STATE_ATTRIBUTE: state.value, **attributes},
    )


@dataclass
class FakeLiveKit:
    """The services of one server with one room, as far as a dispatcher asks them."""

    people: list[ParticipantInfo] = field(default_factory=list[ParticipantInfo])
    dispatches: list[str] = field(default_factory=list[str])
    removed: list[str] = field(default_factory=list[str])
    removes: bool = True
    """Whether it heeds a removal; a server may be slow or refuse."""
    on_dispatch: Callable[[], None] = lambda: None
    """What a new dispatch brings about."""

    @property
    def room(self) -> FakeLiveKit:
        """The service of rooms."""
        return self

    @property
    def agent_dispatch(self) -> FakeLiveKit:
        """The service of dispatches."""
        return self

    async def list_rooms(self, _: api.ListRoomsRequest) -> api.ListRoomsResponse:
        """The one room."""
        return api.ListRoomsResponse(rooms=[api.Room(name=ROOM)])

    async def list_participants(
        self, _: api.ListParticipantsRequest
    ) -> api.ListParticipantsResponse:
        """Everybody who is there, or whom the server still believes to be."""
        return api.ListParticipantsResponse(participants=self.people)

    async def list_dispatch(self, room_name: str) -> list[api.AgentDispatch]:
        """All dispatches; no job of any is known."""
        return [api.AgentDispatch(id=it, agent_name=NAME, room=room_name) for it in self.dispatches]

    async def create_dispatch(self, request: api.CreateAgentDispatchRequest) -> api.AgentDispatch:
        """Add a dispatch."""
        self.dispatches.append(f"AD_{len(self.dispatches)}")
        self.on_dispatch()
        return api.AgentDispatch(id=self.dispatches[-1], agent_name=request.agent_name)

    async def delete_dispatch(self, dispatch_id: str, room_name: str) -> None:
        """Drop a dispatch; a dead worker does not hear of it."""
        assert room_name == ROOM
        self.dispatches.remove(dispatch_id)

    async def remove_participant(self, who: api.RoomParticipantIdentity) -> None:
        """Remove somebody."""
        self.removed.append(who.identity)
        if not self.removes:
            raise api.ServerError("unavailable", "come back later", status=503)
        self.people = [it for it in self.people if it.identity != who.identity]

    def dispatcher(self) -> Dispatcher:
        """A dispatcher that talks to this server."""
        return Dispatcher(cast("api.LiveKitAPI", self), NAME)


@pytest.mark.parametrize("state", [RoomState.LIVE, RoomState.FAILED])
@pytest.mark.parametrize("removes", [True, False])
@in_jumping_time
async def test_a_dead_interpreter_is_not_the_new_one(state: RoomState, *, removes: bool) -> None:
    """One that is listed after its worker's death is removed, and not waited for successfully."""
    livekit = FakeLiveKit([interpreter("PA_dead", state)], ["AD_old"], removes=removes)
    dispatcher = livekit.dispatcher()
    asked = await dispatcher.dispatch(ROOM, "", replace=True)

    assert livekit.removed == [NAME]
    with pytest.raises(MeetingError, match=r"no worker took it.* is full .*`load_threshold`"):
        await dispatcher.wait_for_arrival(asked)


@in_jumping_time
async def test_the_new_one_arrives_beside_the_dead_one() -> None:
    """Whoever was there before does not hide who came."""
    livekit = FakeLiveKit([interpreter("PA_dead", RoomState.FAILED)], removes=False)
    livekit.on_dispatch = lambda: livekit.people.append(interpreter("PA_new", RoomState.LIVE))
    dispatcher = livekit.dispatcher()

    await dispatcher.wait_for_arrival(await dispatcher.dispatch(ROOM, "", replace=True))


@in_jumping_time
async def test_one_that_gives_up_is_told_with_its_reason() -> None:
    """The reason that the new interpreter shows is in the sentence."""
    livekit = FakeLiveKit()
    failed = interpreter("PA_new", RoomState.FAILED, **{ERROR_ATTRIBUTE: "the config is wrong"})
    livekit.on_dispatch = lambda: livekit.people.append(failed)
    dispatcher = livekit.dispatcher()
    asked = await dispatcher.dispatch(ROOM, "")

    with pytest.raises(MeetingError, match="gave up: the config is wrong"):
        await dispatcher.wait_for_arrival(asked)


async def test_a_room_without_a_name_is_not_asked_into() -> None:
    """LiveKit would take the dispatch, and no worker could ever join."""
    livekit = FakeLiveKit()
    with pytest.raises(MeetingError, match="the room's name must not be empty"):
        await livekit.dispatcher().dispatch("", "")

    assert livekit.dispatches == []


@in_jumping_time
async def test_an_interpreted_room_is_left_alone() -> None:
    """Without `--replace` nothing is asked for, and nobody is sent away."""
    livekit = FakeLiveKit([interpreter("PA_old", RoomState.LIVE)], ["AD_old"])

    with pytest.raises(MeetingError, match="--replace sends it away first"):
        await livekit.dispatcher().dispatch(ROOM, "")

    assert (livekit.dispatches, livekit.removed) == (["AD_old"], [])
