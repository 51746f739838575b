"""Asking the worker into a room: the check of its config, and who counts as the interpreter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import api
from livekit.protocol.agent import Job, JobState, JobStatus
from livekit.protocol.models import ParticipantInfo

from palabra_agent.commands.dispatcher import (
    Dispatcher,
    check_metadata,
    open_dispatcher,
    plugins_named_in,
)
from palabra_agent.config.settings import load_livekit_settings
from palabra_agent.errors import MeetingError, RoomConfigError
from palabra_agent.interpretation.ports import RoomState
from palabra_agent.meeting.attributes import ERROR_ATTRIBUTE, STATE_ATTRIBUTE
from tests.clock import in_jumping_time
from tests.environment import environment
from tests.plugins_host.installed import broken, catalog_of, entry

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
    at_work: list[str] = field(default_factory=list[str])
    """Those of the dispatches whose jobs LiveKit calls running, which it does for ever."""
    removed: list[str] = field(default_factory=list[str])
    removes: bool = True
    """Whether it heeds a removal; a server may be slow or refuse."""
    answers: bool = True
    """Whether it says that a dispatch was deleted; LiveKit fails at that now and then."""
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
        """All dispatches."""
        running = api.AgentDispatchState(jobs=[Job(state=JobState(status=JobStatus.JS_RUNNING))])
        return [
            api.AgentDispatch(
                id=it,
                agent_name=NAME,
                room=room_name,
                state=running if it in self.at_work else None,
            )
            for it in self.dispatches
        ]

    async def create_dispatch(self, request: api.CreateAgentDispatchRequest) -> api.AgentDispatch:
        """Add a dispatch."""
        self.dispatches.append(f"AD_{len(self.dispatches)}")
        self.on_dispatch()
        return api.AgentDispatch(id=self.dispatches[-1], agent_name=request.agent_name)

    async def delete_dispatch(self, dispatch_id: str, room_name: str) -> None:
        """Drop a dispatch; a dead worker does not hear of it."""
        assert room_name == ROOM
        self.dispatches.remove(dispatch_id)
        if not self.answers:
            raise api.ServerError("internal", "size mismatch", status=500)

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

    asked = await dispatcher.dispatch(ROOM, "", replace=True)
    await dispatcher.wait_for_arrival(asked)

    assert [it.sid for it in livekit.people] == ["PA_dead", "PA_new"]
    assert livekit.dispatches == [asked.dispatch_id]


@in_jumping_time
async def test_an_answer_that_fails_stands_in_no_one_s_way() -> None:
    """What was asked for is done all the same."""
    livekit = FakeLiveKit([], ["AD_old"], answers=False)
    asked = await livekit.dispatcher().dispatch(ROOM, "", replace=True)

    assert livekit.dispatches == [asked.dispatch_id] == ["AD_0"]


@in_jumping_time
async def test_one_that_gives_up_is_told_with_its_reason() -> None:
    """The reason that the new interpreter shows is in the sentence."""
    livekit = FakeLiveKit()
    reason = "the config\n is\x1b[2J wrong"
    failed = interpreter("PA_new", RoomState.FAILED, **{ERROR_ATTRIBUTE: reason})
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


@in_jumping_time
async def test_an_interpreter_on_its_way_is_waited_for() -> None:
    """A job that runs and is not seen yet has a moment to come; then the room is left alone."""
    livekit = FakeLiveKit([], ["AD_old"], at_work=["AD_old"])
    starting = interpreter("PA_old", RoomState.STARTING)
    asyncio.get_running_loop().call_later(1.5, livekit.people.append, starting)

    with pytest.raises(MeetingError, match="--replace sends it away first"):
        await livekit.dispatcher().dispatch(ROOM, "")

    assert livekit.dispatches == ["AD_old"]


@in_jumping_time
async def test_a_job_whose_interpreter_is_gone_keeps_no_other_away() -> None:
    """LiveKit calls it running for ever; the room has none, and the new one is waited for."""
    livekit = FakeLiveKit([], ["AD_old"], at_work=["AD_old"])
    livekit.on_dispatch = lambda: livekit.people.append(interpreter("PA_new", RoomState.LIVE))
    dispatcher = livekit.dispatcher()
    await dispatcher.wait_for_arrival(await dispatcher.dispatch(ROOM, ""))

    assert len(livekit.dispatches) == 2


@in_jumping_time
async def test_an_interpreter_that_gave_up_keeps_no_other_away() -> None:
    """It is only there to be read, and is not taken for the one that was asked."""
    livekit = FakeLiveKit([interpreter("PA_old", RoomState.FAILED)], ["AD_old"])
    livekit.on_dispatch = lambda: livekit.people.append(interpreter("PA_new", RoomState.LIVE))
    dispatcher = livekit.dispatcher()
    await dispatcher.wait_for_arrival(await dispatcher.dispatch(ROOM, ""))

    assert livekit.removed == []


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        (ParticipantInfo.Kind.STANDARD, {}),
        (ParticipantInfo.Kind.STANDARD, {STATE_ATTRIBUTE: "live"}),
        (ParticipantInfo.Kind.AGENT, {}),
    ],
)
@in_jumping_time
async def test_whoever_takes_the_interpreter_s_identity_is_no_interpreter(
    kind: ParticipantInfo.Kind, attributes: dict[str, str]
) -> None:
    """One is an agent, and shows how it is doing; any other under its name changes nothing."""
    other = ParticipantInfo(sid="PA_other", identity=NAME, kind=kind, attributes=attributes)
    livekit = FakeLiveKit([other], ["AD_old"], at_work=["AD_old"])
    await livekit.dispatcher().dispatch(ROOM, "")

    assert len(livekit.dispatches) == 2


@in_jumping_time
async def test_a_guest_under_the_interpreter_s_identity_is_named() -> None:
    """Where the room has an interpreter all the same, and where none comes."""
    guest = ParticipantInfo(sid="PA_guest", identity=NAME)
    poser = ParticipantInfo(identity="eve\x1b[2J", attributes={STATE_ATTRIBUTE: "live"})
    mine = interpreter("PA_old", RoomState.LIVE)
    mine.identity = f"{NAME}-2"
    livekit = FakeLiveKit([guest, poser, mine, ParticipantInfo(identity="alice")])
    named = (
        f"who seems to be the interpreter in room {ROOM} and is not: eve, {NAME}; give no app a "
        "token for such an identity"
    )
    assert await livekit.dispatcher().remark(ROOM) == named

    with pytest.raises(MeetingError) as caught:
        await livekit.dispatcher().dispatch(ROOM, "")
    assert str(caught.value).endswith(f"sends it away first; {named}")

    livekit.people.remove(mine)
    asked = await livekit.dispatcher().dispatch(ROOM, "")
    with pytest.raises(MeetingError) as caught:
        await livekit.dispatcher().wait_for_arrival(asked)
    assert str(caught.value).endswith(f"see its `load_threshold`; {named}")


NO_PLUGINS = catalog_of()
PLUGINS = catalog_of(entry("voices"), entry("diary"), broken("no_recipe"))
MAY_ALLOW = "; the worker's own settings may allow it"
NOT_OFFERED = '"fr-eu" is not among the languages, which are '


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"languages": ["de"], "default_listen": "de"},
        {"always_on": ["de"]},
        {"default_listen": "es"},
    ],
)
def test_a_good_config_is_not_remarked_on(said: dict[str, object]) -> None:
    """What holds with the built-in defaults needs no warning."""
    assert check_metadata(json.dumps(said), NO_PLUGINS) == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"default_listen": "fr-eu"}, f"default_listen: {NOT_OFFERED}"),
        ({"default_listen": "FR_EU"}, f"default_listen: {NOT_OFFERED}"),
        ({"always_on": ["fr-eu"], "default_listen": "de"}, f"always_on: {NOT_OFFERED}"),
        ({"limits": {"max_speakers": 5000}}, "limits.max_speakers: cut from 5000 to 100"),
        ({"palabra": {"undocumented": {"x": 1}}}, "palabra.undocumented: is locked"),
        (
            {"always_on": ["en", "es", "de", "fr", "it", "pt", "pl", "nl", "sv"]},
            "always_on: 9 languages",
        ),
    ],
)
def test_what_the_worker_may_allow_is_a_warning(said: dict[str, object], words: str) -> None:
    """A `[room]` of the worker's that offers other languages, or more, makes it right."""
    (problem,) = check_metadata(json.dumps(said), NO_PLUGINS)

    assert words in str(problem)
    assert str(problem).endswith(MAY_ALLOW)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"languages": ["en"], "default_listen": "de"}, "de"),
        ({"always_on": ["de", "fr"], "limits": {"max_languages": 1}}, "2 languages (de, fr)"),
        ({"default_listen": "klingon"}, "klingon"),
        ({"default_listen": 5}, "5"),
        ({"always_on": "de", "default_listen": "de"}, "always_on"),
        ({"languages": None, "default_listen": "de"}, "languages"),
        ({"langauges": ["es"], "default_listen": "de"}, "langauges: unknown key"),
        ({"limits": 3}, "limits"),
        ([], "must be a JSON object"),
    ],
)
def test_what_no_worker_allows_is_refused(said: object, words: str) -> None:
    """Such a mistake is told alone: what might be right is not said beside it."""
    with pytest.raises(RoomConfigError) as caught:
        check_metadata(json.dumps(said), NO_PLUGINS)

    assert words in str(caught.value)
    assert "which are en, es" not in str(caught.value)


def test_text_that_is_no_json_is_refused() -> None:
    """A slip of the pen is an error, not a warning."""
    with pytest.raises(RoomConfigError, match="is not JSON"):
        check_metadata("{", NO_PLUGINS)


@pytest.mark.parametrize(
    ("uses", "warnings"),
    [
        ([{"name": "voices", "config": {"steps": 2}}], []),
        # whether the worker says what it needs is not known here
        ([{"name": "diary"}], []),
        (
            [{"name": "voice", "config": {"any": 1}}, {"name": "zebra"}],
            [
                'plugins[0].name: "voice" is not installed, did you mean "voices"? '
                "the worker may have it",
                'plugins[1].name: "zebra" is not installed; installed are diary, no_recipe, '
                "voices; the worker may have it",
            ],
        ),
        (
            [{"name": "no_recipe"}],
            [
                'plugins[0].name: "no_recipe" failed to load: its entry point must name a '
                "`Plugin(…)`, not a dict; the worker may have it"
            ],
        ),
    ],
)
def test_what_only_the_worker_may_have_is_a_warning(
    uses: list[dict[str, object]], warnings: list[str]
) -> None:
    """A plugin that is not here may be there; its config cannot be checked, its shape is."""
    said = {"plugins": uses, "limits": {"max_speakers": 5000}}
    problems = check_metadata(json.dumps(said), PLUGINS)

    assert [str(problem) for problem in problems] == [
        f"limits.max_speakers: cut from 5000 to 100, the operator's ceiling{MAY_ALLOW}",
        *warnings,
    ]


@pytest.mark.parametrize(
    ("uses", "mistake"),
    [
        ([{"name": "voices", "config": {"steps": 0}}], "plugins[0].config.steps: must be at least"),
        ([{"name": "diary", "config": {"day": []}}], "plugins[0].config.day: unknown key, did you"),
        ([{"name": "voices"}, {"name": "voices"}], 'plugins[1]: "voices" is named twice with the'),
        ([{"name": "zebra", "config": 5}], "plugins[0].config: must be an object, not 5"),
    ],
)
def test_a_plugin_that_is_here_is_asked(uses: list[dict[str, object]], mistake: str) -> None:
    """What its own model refuses is wrong, whatever the worker's settings are."""
    with pytest.raises(RoomConfigError) as caught:
        check_metadata(json.dumps({"plugins": uses}), PLUGINS)

    (problem,) = caught.value.problems
    assert str(problem).startswith(mistake)


@pytest.mark.parametrize(
    ("metadata", "names"),
    [
        ('{"plugins": [{"name": "a"}, {"name": "b"}, {"name": 5}, {}, 7, "c"]}', ("a", "b")),
        ('{"plugins": {"name": "a"}}', ()),
        ("{}", ()),
        ("", ()),
        ("[", ()),
    ],
)
def test_the_plugins_that_are_named_can_be_told(metadata: str, names: tuple[str, ...]) -> None:
    """Only these need be imported; what cannot be read names none."""
    assert plugins_named_in(metadata) == names


async def test_another_kind_of_server_is_told_in_a_sentence() -> None:
    """Who dispatches at the wrong address learns so, and reads no decoder's error."""

    async def greet(_: web.Request) -> web.Response:
        return web.Response(text="hello, I am a web server")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", greet)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        with environment(
            {"LIVEKIT_URL": url, "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 40}
        ):
            livekit = load_livekit_settings()
        with pytest.raises(MeetingError) as caught:
            async with open_dispatcher(livekit, NAME) as dispatcher:
                await dispatcher.dispatch(ROOM, "{}")

    assert str(caught.value) == f"what answers at {url} is no LiveKit server"
