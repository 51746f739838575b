"""The LiveKit server's API: a client, whether it lets us in, participants, their subscriptions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from google.protobuf.message import DecodeError
from livekit import api, rtc
from livekit.protocol.models import ParticipantInfo

from palabra_agent.config.settings import LiveKitSettings
from palabra_agent.errors import MeetingError
from palabra_agent.meeting.attributes import STATE_ATTRIBUTE
from palabra_agent.network import lead_sdk, proxy_for, proxy_refusal, reason_of, way_to
from palabra_agent.texts import one_line

_ANSWER_SECONDS: Final = 5.0
_REFUSED: Final = (" 401 ", " 403 ")
"""Of a token, in the words of LiveKit's SDK."""
_POLL_SECONDS: Final = 0.25
_NOT_FOUND: Final = 404
_TOO_MANY_REQUESTS: Final = 429
_NOT_IMPLEMENTED: Final = 501
_LONGEST_MESSAGE: Final = 300


logger = logging.getLogger(__name__)


class ServerUnreachable(MeetingError):
    """The LiveKit server does not answer, or not yet: asking again may help."""


@asynccontextmanager
async def server_api(livekit: LiveKitSettings, *, seconds: float) -> AsyncGenerator[api.LiveKitAPI]:
    """Have a client of the server's API for the length of a block.

    Args:
        livekit: The server.
        seconds: How long the block may take.

    Raises:
        SetupError: The environment names a proxy that is none for us.
        ServerUnreachable: There is no answer, or one that says that there is none at the moment.
        MeetingError: The server refused, or it is no LiveKit server.
    """
    async with _client(livekit) as server, _answering(livekit, seconds):
        yield server


@asynccontextmanager
async def _client(livekit: LiveKitSettings) -> AsyncGenerator[api.LiveKitAPI]:
    async with aiohttp.ClientSession(proxy=proxy_for(livekit.url)) as http:
        secret = livekit.api_secret.get_secret_value()
        yield api.LiveKitAPI(livekit.url, livekit.api_key, secret, session=http)


@asynccontextmanager
async def _answering(livekit: LiveKitSettings, seconds: float) -> AsyncGenerator[None]:
    """Say in words what goes wrong while the server is asked; raises what `server_api` does."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except api.ServerError as error:
        raise _refused(livekit, error) from None
    except TimeoutError:
        raise ServerUnreachable(
            f"LiveKit at {livekit.url} did not answer within {seconds:g} s{way_to(livekit.url)}"
        ) from None
    except (aiohttp.ClientError, OSError) as error:
        reason = reason_of(error, livekit.url)
        raise ServerUnreachable(f"LiveKit cannot be reached at {livekit.url}: {reason}") from None
    except DecodeError:
        raise MeetingError(f"what answers at {livekit.url} is no LiveKit server") from None


async def check_livekit(livekit: LiveKitSettings) -> None:
    """Ask the server for something that needs good credentials and costs nothing.

    Raises:
        ServerUnreachable: There is no answer, or one that says that there is none at the moment.
        MeetingError: The credentials were refused, or it is no LiveKit server.
    """
    async with server_api(livekit, seconds=_ANSWER_SECONDS) as server:
        await server.room.list_rooms(api.ListRoomsRequest(names=["-"]))


async def hidden_participants(livekit: LiveKitSettings, room: str) -> tuple[str, ...] | None:
    """Ask for the identities of those in a room whom no participant sees; None: no answer."""
    asked = api.ListParticipantsRequest(room=room)
    with suppress(MeetingError):
        async with server_api(livekit, seconds=_ANSWER_SECONDS) as server:
            listed = await server.room.list_participants(asked)
            return tuple(sorted(it.identity for it in listed.participants if it.permission.hidden))

    return None


class RoomSubscriptions:
    """The subscriptions of a room's participants, changed by its server; a failure is logged."""

    def __init__(self, livekit: LiveKitSettings, room: str, server: api.LiveKitAPI) -> None:
        self._livekit = livekit
        self._room = room
        self._server = server

    async def subscribe(self, identity: str, track_sids: Sequence[str]) -> None:
        """Subscribe a participant to tracks."""
        await self._update(identity, track_sids, subscribe=True)

    async def unsubscribe(self, identity: str, track_sids: Sequence[str]) -> None:
        """Undo a participant's subscriptions to tracks."""
        await self._update(identity, track_sids, subscribe=False)

    async def _update(self, identity: str, track_sids: Sequence[str], *, subscribe: bool) -> None:
        request = api.UpdateSubscriptionsRequest(
            room=self._room, identity=identity, track_sids=track_sids, subscribe=subscribe
        )
        try:
            async with _answering(self._livekit, _ANSWER_SECONDS):
                await self._server.room.update_subscriptions(request)
        except MeetingError:
            # its text may name the participant, who may have left as well
            logger.info("the server did not change a participant's subscriptions")


@asynccontextmanager
async def open_subscriptions(
    livekit: LiveKitSettings, room: str
) -> AsyncGenerator[RoomSubscriptions]:
    """Change subscriptions in a room for the length of a block, over connections that stay."""
    async with _client(livekit) as server:
        yield RoomSubscriptions(livekit, room, server)


async def check_registration(livekit: LiveKitSettings) -> None:
    """Open the connection over which a worker registers, as a worker does, and register nothing.

    Raises:
        ServerUnreachable: It cannot be opened.
    """
    parts = urlsplit(livekit.url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    url = parts._replace(scheme=scheme, path=f"{parts.path.rstrip('/')}/agent").geturl()
    token = api.AccessToken(livekit.api_key, livekit.api_secret.get_secret_value())
    headers = {"Authorization": f"Bearer {token.with_grants(api.VideoGrants(agent=True)).to_jwt()}"}
    try:
        async with (
            asyncio.timeout(_ANSWER_SECONDS),
            aiohttp.ClientSession(proxy=proxy_for(url)) as http,
            http.ws_connect(url, headers=headers),
        ):
            pass
    except TimeoutError:
        reason = f"not within {_ANSWER_SECONDS:g} s{way_to(url)}"
    except aiohttp.WSServerHandshakeError as error:
        reason = f"HTTP {error.status}; a proxy must let WebSockets pass"
        reason = proxy_refusal(error.status, url) or reason
    except (aiohttp.ClientError, OSError) as error:
        reason = reason_of(error, url)
    else:
        return

    raise ServerUnreachable(f"LiveKit answers, but no worker can register at {url}: {reason}")


async def check_rooms(livekit: LiveKitSettings) -> None:
    """Have LiveKit's SDK ask for a room with a token that grants none: a refusal is a good answer.

    Nothing is joined, and nothing is billed. Sound takes ways of its own, which are not tried.

    Raises:
        ServerUnreachable: The SDK gets no answer.
    """
    token = api.AccessToken(livekit.api_key, livekit.api_secret.get_secret_value())
    nothing = token.with_identity("check").with_grants(api.VideoGrants()).to_jwt()
    room = rtc.Room()
    lead_sdk(livekit.url)
    reason = "the connection failed"
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await room.connect(livekit.url, nothing)
        await room.disconnect()
    except TimeoutError:
        reason = f"not within {_ANSWER_SECONDS:g} s"
    except rtc.ConnectError as error:
        # its text may hold the token
        if any(status in str(error) for status in _REFUSED):
            return
    else:
        return

    raise ServerUnreachable(
        f"LiveKit answers, but no room can be joined at {livekit.url}: {reason}"
        f"{way_to(livekit.url)}"
    )


async def interpreter_comes(livekit: LiveKitSettings, room: str, *, seconds: float) -> bool:
    """Wait until an interpreter is in a room; False if none is there in time."""
    found = await participants_when(
        livekit, room, lambda those: any(map(is_interpreter, those)), seconds=seconds
    )
    return any(map(is_interpreter, found))


async def participants_when(
    livekit: LiveKitSettings,
    room: str,
    holds: Callable[[Sequence[ParticipantInfo]], bool],
    *,
    seconds: float,
) -> Sequence[ParticipantInfo]:
    """List a room's participants as soon as something holds of them, else as they were last."""
    found: Sequence[ParticipantInfo] = ()
    with suppress(MeetingError):
        async with server_api(livekit, seconds=seconds) as server:
            while True:
                with suppress(api.ServerError):
                    found = await participants_in(server, room)
                    if holds(found):
                        break

                await asyncio.sleep(_POLL_SECONDS)

    return found


async def remove_participants(
    livekit: LiveKitSettings, room: str, identities: Iterable[str]
) -> None:
    """Send participants away; those who have left by themselves meanwhile are gone as well."""
    for identity in identities:
        asked = api.RoomParticipantIdentity(room=room, identity=identity)
        with suppress(MeetingError):
            async with server_api(livekit, seconds=_ANSWER_SECONDS) as server:
                await server.room.remove_participant(asked)


async def participants_in(server: api.LiveKitAPI, room: str) -> Sequence[ParticipantInfo]:
    """List the participants of a room; none where there is no room.

    Raises:
        api.ServerError: The server refused to say.
    """
    try:
        listed = await server.room.list_participants(api.ListParticipantsRequest(room=room))
    except api.ServerError as error:
        if error.status == _NOT_FOUND:
            return []
        raise

    return listed.participants


def is_interpreter(who: ParticipantInfo) -> bool:
    """Tell an interpreter, of kind AGENT and showing how it is doing, from all other participants.

    The kind stands in the token, so that no participant can choose it; the identity tells nothing.
    """
    return who.kind == ParticipantInfo.Kind.AGENT and STATE_ATTRIBUTE in who.attributes


def _refused(livekit: LiveKitSettings, error: api.ServerError) -> MeetingError:
    """Put a refusal of the server's API, or of a proxy before it, into a sentence."""
    if refusal := proxy_refusal(error.status, livekit.url):
        return ServerUnreachable(f"LiveKit cannot be reached at {livekit.url}: {refusal}")

    if error.status in {401, 403}:
        return MeetingError(
            f"LiveKit at {livekit.url} refused the credentials: check LIVEKIT_API_KEY and "
            "LIVEKIT_API_SECRET"
        )

    message = one_line(error.message, _LONGEST_MESSAGE)
    if _is_passing(error.status):
        reason = message or f"HTTP {error.status}"
        return ServerUnreachable(f"LiveKit at {livekit.url} is not available: {reason}")

    if not message:
        return MeetingError(f"{livekit.url} answered HTTP {error.status}: is it a LiveKit server?")

    return MeetingError(f"LiveKit at {livekit.url} answered: {message}")


def _is_passing(status: int) -> bool:
    """Tell whether a proxy answers so while its server starts or has too much to do."""
    return status == _TOO_MANY_REQUESTS or (status >= 500 and status != _NOT_IMPLEMENTED)
