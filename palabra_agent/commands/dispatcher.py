"""Asks the worker into a room: checks the config, dispatches, and waits for the arrival."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Final

from livekit import api
from livekit.protocol.agent import JobStatus
from livekit.protocol.models import ParticipantInfo

from palabra_agent.config.ceilings import Ceilings
from palabra_agent.config.documents import read_object
from palabra_agent.config.plugins import PluginUse
from palabra_agent.config.room import parse_room_config
from palabra_agent.config.settings import DEFAULT_IDENTITY, LiveKitSettings
from palabra_agent.config.wording import Path, listed
from palabra_agent.errors import MeetingError, Problem, RoomConfigError
from palabra_agent.interpretation.ports import LONGEST_ERROR, RoomState
from palabra_agent.languages import TARGET_LANGUAGES, find_target
from palabra_agent.meeting.attributes import ERROR_ATTRIBUTE, STATE_ATTRIBUTE
from palabra_agent.plugins_host.catalog import PluginCatalog
from palabra_agent.texts import LONGEST_NAME, one_line
from palabra_agent.worker.joining import is_of_family
from palabra_agent.worker.livekit_api import is_interpreter, participants_in, server_api

ARRIVAL_SECONDS: Final = 10.0
_STARTING_SECONDS: Final = 3.0
_LEAVING_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.2
_LONGEST_SECONDS: Final = 30.0
_LONGEST_REASON: Final = 300
_ROOM_IS_GONE: Final = frozenset({404, 503})
_MAY_ALLOW: Final = "the worker's own settings may allow it"
_MAY_HAVE: Final = "the worker may have it"
_USUAL_CEILINGS: Final = Ceilings().in_room(())
_AT_WORK: Final = frozenset({JobStatus.JS_PENDING, JobStatus.JS_RUNNING})


def plugins_named_in(metadata: str) -> tuple[str, ...]:
    """The names that a room config gives to plugins, as far as they can be read."""
    try:
        said, _ = read_object(metadata)
    except RoomConfigError:
        return ()
    uses = said.get("plugins")
    if not isinstance(uses, list):
        return ()
    names = (use.get("name") for use in uses if isinstance(use, dict))
    return tuple(name for name in names if isinstance(name, str))


def check_metadata(metadata: str, plugins: PluginCatalog) -> Sequence[Problem]:
    """Check a room config as far as that goes without knowing the worker's own settings.

    Args:
        metadata: JSON.
        plugins: Those that are installed here; the worker may have others.

    Returns:
        The mistakes that there are if the worker is as this installation, with the defaults.

    Raises:
        RoomConfigError: It is wrong whatever the worker's settings are.
    """
    known = _InstalledHere(plugins)
    problems: Sequence[Problem] = ()
    try:
        config = parse_room_config(metadata, plugins=known, ceilings=_USUAL_CEILINGS)
        said, _ = read_object(metadata)
        problems = _USUAL_CEILINGS.cuts(said)
    except RoomConfigError as error:
        layers = [_most_fitting_settings(metadata)]
        config = parse_room_config(metadata, layers=layers, plugins=known)
        problems = error.problems

    return [
        *(replace(each, reason=_but(each.reason, _MAY_ALLOW)) for each in problems),
        *(
            Problem(f"plugins[{index}].name", _but(objection, _MAY_HAVE))
            for index, use in enumerate(config.plugins)
            if (objection := known.objection(use)) is not None
        ),
    ]


def _but(reason: str, hope: str) -> str:
    return f"{reason} {hope}" if reason.endswith("?") else f"{reason}; {hope}"


@dataclass(frozen=True, slots=True)
class _InstalledHere:
    """Asks the plugins that are installed here; the worker might have others."""

    catalog: PluginCatalog

    def mistakes(self, use: PluginUse) -> Sequence[tuple[Path, str]]:
        return self.catalog.config_mistakes(use)

    def are_same(self, one: PluginUse, other: PluginUse) -> bool:
        return self.catalog.are_same(one, other)

    def is_installed(self, name: str) -> bool:
        return self.catalog.is_installed(name)

    def settings_problems(self) -> Sequence[Problem]:
        return ()

    def objection(self, use: PluginUse) -> str | None:
        if self.catalog.has_recipe(use.name):
            return None
        return self.catalog.objection(use.name)


def _most_fitting_settings(metadata: str) -> dict[str, object]:
    """The `[room]` of a worker that suits a room config best, where the config leaves it open."""
    said, _ = read_object(metadata)
    always_on = said.get("always_on")
    named = [*(always_on if isinstance(always_on, list) else ()), said.get("default_listen")]
    codes = dict.fromkeys(find_target(code) for code in named if isinstance(code, str))
    languages = [code for code in codes if code is not None]
    return {
        "languages": languages or ["en"],
        "limits": {"max_languages": len(TARGET_LANGUAGES)},
    }


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A worker that was asked into a room."""

    room: str
    dispatch_id: str
    replaced: frozenset[str] = frozenset()
    """Earlier interpreters, by sid, which are leaving and not the one to wait for."""


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """One worker's name on one LiveKit server."""

    server: api.LiveKitAPI
    agent_name: str

    async def dispatch(self, room: str, metadata: str, *, replace: bool = False) -> Dispatched:
        """Ask the worker into a room.

        Args:
            room: The room's name; it is created where it does not exist.
            metadata: The room config as JSON, already checked.
            replace: Send an interpreter that is there away first.

        Raises:
            MeetingError: There is one already, and it is not to be replaced; or no room is named.
        """
        if not room:
            raise MeetingError("the room's name must not be empty")

        dispatches = await self.dispatches(room)
        if not replace and await self._is_interpreted(room, dispatches):
            there = f"room {room} has an interpreter already; --replace sends it away first"
            raise MeetingError("; ".join(filter(None, (there, await self.remark(room)))))

        earlier = await self.interpreters(room)
        if replace:
            for old in dispatches:
                await self._delete(old.id, room)
            await self._until_gone(room)

        request = api.CreateAgentDispatchRequest(
            agent_name=self.agent_name, room=room, metadata=metadata
        )
        created = await self.server.agent_dispatch.create_dispatch(request)
        return Dispatched(room, created.id, frozenset(old.sid for old in earlier))

    async def _delete(self, dispatch_id: str, room: str) -> None:
        """Delete a dispatch; whether its interpreter goes is to be seen."""
        try:
            await self.server.agent_dispatch.delete_dispatch(dispatch_id, room)
        except api.ServerError as error:
            # LiveKit has done it, and fails at its answer where the job in it changes meanwhile
            if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise

    async def wait_for_arrival(self, asked: Dispatched) -> None:
        """Wait until the interpreter that was asked is ready in the room.

        Raises:
            MeetingError: It did not come in time, or refused; the sentence says why, most likely.
        """
        try:
            await _ask_until(partial(self._has_arrived, asked), ARRIVAL_SECONDS)
        except TimeoutError:
            reasons = (await self._why_absent(asked), await self.remark(asked.room))
            raise MeetingError("; ".join(filter(None, reasons))) from None

    async def dispatches(self, room: str) -> list[api.AgentDispatch]:
        """The dispatches of our worker in a room; other agents' are left alone."""
        # asked for the dispatches of a room that is not there, LiveKit waits 3 s and fails
        rooms = await self.server.room.list_rooms(api.ListRoomsRequest(names=[room]))
        if not rooms.rooms:
            return []

        try:
            listed = await self.server.agent_dispatch.list_dispatch(room)
        except api.ServerError as error:
            if error.status in _ROOM_IS_GONE:
                return []
            raise

        return [dispatch for dispatch in listed if dispatch.agent_name == self.agent_name]

    async def interpreters(self, room: str) -> list[ParticipantInfo]:
        """The interpreters in a room: one as a rule, none where there is no room."""
        return list(filter(is_interpreter, await participants_in(self.server, room)))

    async def remark(self, room: str) -> str:
        """A sentence on those in a room who have what only an interpreter should have, if any."""
        there = await participants_in(self.server, room)
        firsts = {DEFAULT_IDENTITY, *(_first(it.identity) for it in filter(is_interpreter, there))}
        pretenders = [
            one_line(who.identity, LONGEST_NAME)
            for who in there
            if not is_interpreter(who)
            and (
                STATE_ATTRIBUTE in who.attributes
                or any(is_of_family(who.identity, first) for first in firsts)
            )
        ]
        if not pretenders:
            return ""

        return (
            f"who seems to be the interpreter in room {room} and is not: "
            f"{listed(sorted(pretenders))}; give no app a token for such an identity"
        )

    async def _is_interpreted(self, room: str, dispatches: Sequence[api.AgentDispatch]) -> bool:
        """Tell whether an interpreter works in a room, or is on its way there.

        LiveKit calls a job running until its dispatch is deleted, also one that has ended; so one
        counts only if its interpreter is there, or comes within the time that a start takes.
        """

        async def is_there() -> bool:
            return any(map(_is_working, await self.interpreters(room)))

        if await is_there():
            return True

        if not any(map(_is_at_work, dispatches)):
            return False

        try:
            await _ask_until(is_there, _STARTING_SECONDS)
        except TimeoutError:
            return False

        return True

    async def _until_gone(self, room: str) -> None:
        """Wait until no interpreter is in a room; remove one that died without leaving."""

        async def is_gone() -> bool:
            return not await self.interpreters(room)

        try:
            await _ask_until(is_gone, _LEAVING_SECONDS)
        except TimeoutError:
            for old in await self.interpreters(room):
                await self._remove(room, old.identity)

    async def _remove(self, room: str, identity: str) -> None:
        # refused where they have left by themselves meanwhile
        with suppress(api.ServerError):
            await self.server.room.remove_participant(
                api.RoomParticipantIdentity(room=room, identity=identity)
            )

    async def _has_arrived(self, asked: Dispatched) -> bool:
        found = await self.interpreters(asked.room)
        interpreter = next((who for who in found if who.sid not in asked.replaced), None)
        if interpreter is None:
            return False

        state = interpreter.attributes[STATE_ATTRIBUTE]
        if state == RoomState.FAILED:
            said = interpreter.attributes.get(ERROR_ATTRIBUTE, "")
            reason = one_line(said, LONGEST_ERROR) or "no reason given"
            raise MeetingError(f"the interpreter came to room {asked.room} and gave up: {reason}")

        return state != RoomState.STARTING

    async def _why_absent(self, asked: Dispatched) -> str:
        late = f"no interpreter came to room {asked.room} within {ARRIVAL_SECONDS:g} s"
        jobs = [
            job.state
            for dispatch in await self.dispatches(asked.room)
            if dispatch.id == asked.dispatch_id
            for job in dispatch.state.jobs
        ]
        if not jobs:
            return (
                f"{late}: no worker took it. Is `palabra-agent start` running on this server, with"
                f' the agent name "{self.agent_name}"? One that is full takes none either: see its'
                " `load_threshold`"
            )

        if jobs[-1].status == JobStatus.JS_FAILED:
            reason = one_line(jobs[-1].error, _LONGEST_REASON) or "see the log of the worker"
            return f"{late}: its job failed ({reason})"

        return f"{late}: a worker took it and is not ready yet; see its log"


@asynccontextmanager
async def open_dispatcher(livekit: LiveKitSettings, agent_name: str) -> AsyncGenerator[Dispatcher]:
    """Talk to a LiveKit server's dispatch service for the length of a block.

    Raises:
        MeetingError: It cannot be reached, or refuses.
    """
    if not agent_name:
        raise MeetingError(
            "a worker with an empty agent name joins every new room by itself; there is nothing to"
            " dispatch"
        )

    async with server_api(livekit, seconds=_LONGEST_SECONDS) as server:
        yield Dispatcher(server, agent_name)


async def _ask_until(holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - the server only answers
            await asyncio.sleep(_POLL_SECONDS)


def _is_at_work(dispatch: api.AgentDispatch) -> bool:
    return any(job.state.status in _AT_WORK for job in dispatch.state.jobs)


def _first(identity: str) -> str:
    """The identity that an interpreter had before it came back under this one."""
    return re.sub(r"-\d+$", "", identity)


def _is_working(interpreter: ParticipantInfo) -> bool:
    """Tell whether an interpreter is not about to leave."""
    return interpreter.attributes[STATE_ATTRIBUTE] != RoomState.FAILED
