"""One room from its dispatch to its end: meeting, plugins, Palabra and interpretation together.

A room whose config is wrong is told so, in its chat and in the interpreter's attributes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from livekit import rtc

from palabra_agent.concurrency import TimeIsUp, TimeLimit, Watched, errors_in
from palabra_agent.config.ceilings import RoomCeilings
from palabra_agent.config.room import RoomConfig, known_keys
from palabra_agent.config.settings import WorkerSettings
from palabra_agent.errors import MeetingError, Problem, RoomConfigError
from palabra_agent.failures import log_failure
from palabra_agent.interpretation.leakage import LeakageGuard
from palabra_agent.interpretation.ports import LONGEST_ERROR, Meeting, Notice, RoomState, RoomStatus
from palabra_agent.interpretation.progress import Progress
from palabra_agent.interpretation.room import interpret_room
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.interpretation.wishes import Wishes
from palabra_agent.meeting.meeting import LiveKitMeeting, open_meeting
from palabra_agent.meeting.phones import open_keypads
from palabra_agent.meeting.rpc import RpcMethods, open_methods
from palabra_agent.palabra.rest.api import ApiKey, AppCredentials, PalabraApi, open_api
from palabra_agent.palabra.sessions import PalabraSessions
from palabra_agent.plugins_host.catalog import PluginCatalog
from palabra_agent.plugins_host.chain import PluginChain, open_chain
from palabra_agent.room.configuration import (
    CONFIGURE,
    ConfigChange,
    ConfiguredParts,
    RoomConfiguration,
    log_cuts,
    read_config,
    warn_of,
)
from palabra_agent.room.explanation import EXPLAIN, Explanations
from palabra_agent.room.hidden_participants import looking_for_hidden
from palabra_agent.room.settings import interpretation_settings_of, session_settings_of
from palabra_agent.room.status import STATUS, StatusReport
from palabra_agent.room.stops import Stops, counting_stops
from palabra_agent.room.wishes import LANGUAGES, LISTEN, SPEAK, WishMethods
from palabra_agent.texts import one_line
from palabra_agent.worker.livekit_api import open_subscriptions

_METHODS: Final = (CONFIGURE, EXPLAIN, LISTEN, SPEAK, LANGUAGES, STATUS)
_LONGEST_SECONDS: Final = 30.0
_ANNOUNCED_SECONDS: Final = 2.5
"""A participant without a track is shown to the others this long after it joined."""
_READING_SECONDS: Final = 5.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class RoomPast:
    """What an interpreter goes on with that comes back to its room."""

    config: RoomConfig | None = None
    """The one that held last; None where there was none yet."""
    began: float | None = None
    """When the interpretation began, by the clock of the event loop."""


@dataclass(frozen=True, slots=True)
class DispatchedRoom:
    """A room that the worker was dispatched into, and has joined."""

    connection: rtc.Room
    name: str
    metadata: str
    """The dispatch's: the room config, as JSON."""
    settings: WorkerSettings
    plugins: PluginCatalog
    past: RoomPast
    greeting: str = ""
    """Said in the chat at first."""

    @property
    def ceilings(self) -> RoomCeilings:
        """What its metadata and its organisers may not exceed or touch."""
        return self.settings.ceilings_of(self.name, self.plugins.with_settings)


@dataclass(frozen=True, slots=True)
class _OpenRoom:
    """A room whose config is good, with everything open that belongs to it."""

    dispatched: DispatchedRoom
    first: ConfigChange
    """The config that holds at first."""
    methods: RpcMethods
    meeting: LiveKitMeeting
    chain: PluginChain
    stops: Stops


async def serve_room(room: DispatchedRoom) -> None:
    """Interpret the room until it ends, or tell it what is wrong with its config."""
    async with (
        open_methods(room.connection, _METHODS) as methods,
        open_subscriptions(room.settings.livekit, room.name) as subscriptions,
    ):
        try:
            # plugins check their own part, and may take their time
            first = await asyncio.to_thread(_first_config, room)
        except RoomConfigError as error:
            methods.refuse_with(refusal_sentence(error))
            async with open_meeting(room.connection, (), (), subscriptions) as meeting:
                await refuse(meeting, error, known_keys(error.problems))
            return

        config = first.config
        async with (
            open_chain(room.name, first.plugins, config.languages) as chain,
            open_meeting(
                room.connection, config.languages, config.microphone_sources, subscriptions
            ) as meeting,
        ):
            with counting_stops() as stops:
                await _interpret(_OpenRoom(room, first, methods, meeting, chain, stops))


def _first_config(room: DispatchedRoom) -> ConfigChange:
    """The config that holds at first: the dispatch's, unless the room has had one already.

    Raises:
        RoomConfigError: with every mistake and its path.
    """
    plugins, held = room.plugins, room.past.config
    if held is not None:
        return ConfigChange(held, plugins=plugins.configure(held.plugins))

    layers = room.settings.room_layers(room.name)
    return read_config(room.metadata, layers, plugins, room.ceilings)


@asynccontextmanager
async def open_palabra(settings: WorkerSettings) -> AsyncGenerator[PalabraApi]:
    """Open Palabra's API with the worker's credentials."""
    palabra = settings.palabra
    credentials = (
        ApiKey(palabra.api_key.get_secret_value())
        if palabra.api_key
        else AppCredentials(palabra.client_id, palabra.client_secret.get_secret_value())
    )
    allow_plain = palabra.allow_plain_addresses
    async with open_api(palabra.api_url, credentials, allow_plain=allow_plain) as api:
        yield api


async def _interpret(room: _OpenRoom) -> None:
    """Interpret until the end of the room or of its time; a failure is shown in the room."""
    meeting, config = room.meeting, room.first.config
    warn_of(config)
    if room.dispatched.greeting:
        meeting.texts.put(Notice(room.dispatched.greeting))
    tell_of_cuts(meeting, room.first.cuts)
    past = room.dispatched.past
    if past.began is None:
        past.began = asyncio.get_running_loop().time()
    limit = TimeLimit(config.limits.max_minutes, past.began)
    try:
        async with limit, open_palabra(room.dispatched.settings) as api:
            sessions = PalabraSessions(api, session_settings_of(config))
            await _interpret_as_configured(room, sessions, limit)
    except* TimeIsUp:
        minutes = limit.minutes or 0
        _give_up(meeting, f"The interpretation ends: it was limited to {minutes:g} minutes")
    except* MeetingError as errors:
        logger.error("the interpretation failed: %s", errors_in(errors)[0])  # noqa: TRY400 - said
        _give_up(meeting, "The interpretation ends: the room does not let it work")
    except* Exception as errors:  # noqa: BLE001 - the room must see its end, whatever brought it
        log_failure(logger, "the interpretation failed", errors)
        _give_up(meeting, "The interpretation ends: it failed")


async def _interpret_as_configured(
    room: _OpenRoom, sessions: PalabraSessions, limit: TimeLimit
) -> None:
    """Interpret a room whose config may change meanwhile."""
    dispatched, config, plugins = room.dispatched, room.first.config, room.chain
    voices, leakage = VoiceAssigner(plugins), LeakageGuard()
    interpretation = Watched(interpretation_settings_of(config))
    parts = ConfiguredParts(interpretation, sessions, plugins, room.meeting, limit)
    explanations = Explanations(
        voices,
        room.meeting.sounds_of,
        leakage.objection_to,
        interpretation,
        lambda identity: configuration.is_organiser(identity),  # noqa: PLW0108 - made after this
    )
    configuration = RoomConfiguration(
        config,
        parts,
        dispatched.plugins,
        dispatched.settings.organisers,
        ceilings=dispatched.ceilings,
        remarks=explanations.not_cloned,
    )
    wishes, progress = Wishes(), Progress()
    choosing = WishMethods(wishes, interpretation)
    methods = {
        CONFIGURE: configuration.configure,
        EXPLAIN: explanations.explain,
        **choosing.methods,
        STATUS: StatusReport(progress, room.stops).status,
    }
    livekit = dispatched.settings.livekit
    try:
        async with (
            room.methods.serving(methods),
            looking_for_hidden(room.meeting, interpretation, livekit, dispatched.name),
        ):
            with open_keypads(dispatched.connection, choosing.on_number):
                await interpret_room(
                    room.meeting,
                    interpretation,
                    sessions.open,
                    plugins,
                    voices,
                    leakage,
                    wishes,
                    progress,
                )
    finally:
        dispatched.past.config = configuration.config


def tell_of_cuts(meeting: Meeting, cuts: Sequence[Problem]) -> None:
    """Tell what the dispatch asked for above the operator's ceilings."""
    log_cuts(cuts)
    if cuts:
        sentence = f"This room has limits: {'; '.join(map(str, cuts))}"
        meeting.texts.put(Notice(one_line(sentence, LONGEST_ERROR)))


def _give_up(meeting: LiveKitMeeting, sentence: str) -> None:
    """Tell the room why it has no interpreter any more."""
    meeting.texts.put(Notice(sentence))
    meeting.show(RoomStatus(RoomState.FAILED, error=sentence))


async def refuse(meeting: Meeting, error: RoomConfigError, keys: Sequence[str]) -> None:
    """Tell the people in a room what is wrong with its config, and give them time to read it.

    Waits for the first person who can be written to, for 30 s at most.

    Args:
        meeting: The room.
        error: The mistakes in its config.
        keys: The config's keys that are wrong, for the log: a whole path may hold an identity.
    """
    sentence = refusal_sentence(error)
    logger.error("room config refused", extra={"mistakes": len(error.problems), "keys": keys})
    meeting.show(RoomStatus(RoomState.FAILED, error=sentence))
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            async for view in meeting.views():
                if any(person.is_reachable for person in view.people):
                    break
            else:
                return
    except TimeoutError:
        logger.info("no person came to read why the room has no interpreter")
        return

    meeting.texts.put(Notice(sentence))
    waited = asyncio.get_running_loop().time() - began
    await asyncio.sleep(max(_ANNOUNCED_SECONDS - waited, 0) + _READING_SECONDS)


def refusal_sentence(error: RoomConfigError) -> str:
    """Say what is wrong, short enough for an attribute and a chat message."""
    text = f"No interpretation, the room's configuration is wrong: {error}"
    return one_line(text, LONGEST_ERROR)
