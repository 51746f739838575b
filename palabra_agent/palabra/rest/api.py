"""Palabra's session API over HTTP: create, list, show, extend and delete sessions.

A request is sent again only where that can help: after a failed connection or a failure of
Palabra's own, at most twice. An answer to a deletion is final. Sessions of ours that could not be
deleted are remembered, and deleted first when Palabra says that there are too many; those of others
are never touched.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import aiohttp

from palabra_agent.addresses import mistake_of, plain_mistake
from palabra_agent.errors import ApiError, ConfigError, ErrorClass, PalabraError, Problem
from palabra_agent.network import proxy_for
from palabra_agent.palabra.rest.answers import (
    SessionInfo,
    SessionPage,
    SessionTicket,
    id_of,
    info_of,
    page_of,
    ticket_of,
)
from palabra_agent.palabra.rest.requests import (
    ApiKey,
    ApiRequest,
    AppCredentials,
    Credentials,
    RequestSender,
)
from palabra_agent.palabra.vocabulary import StreamType

__all__ = [
    "ApiKey",
    "AppCredentials",
    "Credentials",
    "PalabraApi",
    "SessionInfo",
    "SessionPage",
    "SessionTicket",
    "open_api",
]

RETRY_PAUSES: Final = (0.5, 1.0)
"""Seconds before the second try and before the third."""

_CREATE_SECONDS: Final = 15.0
_SHORT_SECONDS: Final = 5.0
_REMEMBERED: Final = 100
_DELETED_AT_ONCE: Final = 20
_ROOM_SECONDS: Final = 2.0
"""The longest wait of a new session for the old ones to go."""

_NOT_IN_HEADERS: Final = re.compile(r"[\r\n\0]")

_TOO_MANY_SESSIONS: Final = frozenset({403, 409, 429})
"""Statuses that may mean a cap on parallel sessions; it was never seen."""


class PalabraApi:
    """The REST side of Palabra for one set of credentials.

    Args:
        base_url: `https://api.palabra.ai`, or an emulator's.
        credentials: Of either kind; the other is never tried instead.
        http: Stays open as long as this is used.
        retry_pauses: Seconds before each further try.
        allow_plain: Whether sessions may be at addresses without TLS, beyond this machine.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        http: aiohttp.ClientSession,
        *,
        retry_pauses: tuple[float, ...] = RETRY_PAUSES,
        allow_plain: bool = False,
    ) -> None:
        self._sender = RequestSender(base_url, credentials, http)
        self._retry_pauses = retry_pauses
        self._allow_plain = allow_plain
        self._undeleted: dict[str, None] = {}

    async def create_session(self, transport: StreamType = "webrtc") -> SessionTicket:
        """Create a session; nothing is billed until a task runs in it.

        Args:
            transport: The one that the ticket must allow; the other address may be missing.

        Raises:
            ApiError: Palabra refused, or answered without what a session needs.
            Unreachable: Palabra did not answer in time.
        """
        body = {"data": {"intent": "api", "subscriber_count": 0, "publisher_can_subscribe": True}}
        request = ApiRequest(
            "POST",
            "/session-storage/session",
            _CREATE_SECONDS,
            body=body,
            pauses=self._retry_pauses,
        )
        try:
            answer = await self._sender.send(request)
        except ApiError as error:
            if error.status == 404:
                # older servers say so to a client id that they do not know
                raise _wrong_credentials(error) from None
            if not _may_lack_room(error) or not await self._make_room():
                raise
            answer = await self._sender.send(replace(request, pauses=()))

        try:
            return ticket_of(answer, transport, allow_plain=self._allow_plain)
        except ApiError:
            await self._discard(id_of(answer))
            raise

    async def list_sessions(
        self, *, page_size: int | None = None, page_token: str | None = None
    ) -> SessionPage:
        """List the account's sessions; free of charge, so it also checks the credentials.

        Raises:
            ApiError: Palabra refused.
            Unreachable: Palabra did not answer in time.
        """
        query = {"page_size": str(page_size)} if page_size is not None else {}
        if page_token is not None:
            query["page_token"] = page_token

        request = ApiRequest(
            "GET",
            "/session-storage/sessions",
            _SHORT_SECONDS,
            query=query,
            pauses=self._retry_pauses,
        )
        return page_of(await self._sender.send(request))

    async def get_session(self, session_id: str) -> SessionInfo:
        """Show one session.

        Raises:
            ApiError: Palabra refused; `not_found` where it is gone.
            Unreachable: Palabra did not answer in time.
        """
        request = ApiRequest(
            "GET",
            _path(session_id),
            _SHORT_SECONDS,
            pauses=self._retry_pauses,
            secret=session_id,
        )
        return info_of(await self._sender.send(request))

    async def extend_session(self, session_id: str, *, ttl_seconds: int) -> None:
        """Let a session live so many seconds from now on, connected or not.

        Raises:
            ApiError: Palabra refused.
            Unreachable: Palabra did not answer in time.
        """
        # one page of the documentation has it in the query, another one in the body
        request = ApiRequest(
            "POST",
            _path(session_id),
            _SHORT_SECONDS,
            query={"ttl_seconds": str(ttl_seconds)},
            body={"data": {"ttl_seconds": ttl_seconds}},
            secret=session_id,
        )
        await self._sender.send(request)

    async def delete_session(self, session_id: str) -> None:
        """Delete one of our own sessions; one that could not be deleted is remembered.

        Raises:
            ApiError: Palabra refused; one that is gone already counts as deleted.
            Unreachable: Palabra did not answer in time.
        """
        self._remember(session_id)
        request = ApiRequest(
            "DELETE",
            _path(session_id),
            _SHORT_SECONDS,
            secret=session_id,
        )
        try:
            await self._sender.send(request)
        except ApiError as error:
            if error.status != 404:
                raise

        self._undeleted.pop(session_id, None)

    def _remember(self, session_id: str) -> None:
        self._undeleted[session_id] = None
        while len(self._undeleted) > _REMEMBERED:
            del self._undeleted[next(iter(self._undeleted))]

    async def _make_room(self) -> bool:
        """Delete the sessions of ours that are left over; returns whether there was any."""
        left = tuple(self._undeleted)[-_DELETED_AT_ONCE:]
        with suppress(TimeoutError):
            async with asyncio.timeout(_ROOM_SECONDS), asyncio.TaskGroup() as group:
                for session_id in left:
                    group.create_task(self._discard(session_id), name="delete a session")

        return any(session_id not in self._undeleted for session_id in left)

    async def _discard(self, session_id: str | None) -> None:
        """Delete a session that cannot be joined, if it is known; its own refusal says enough."""
        if session_id is not None:
            with suppress(PalabraError):
                await self.delete_session(session_id)


@asynccontextmanager
async def open_api(
    base_url: str,
    credentials: Credentials,
    *,
    retry_pauses: tuple[float, ...] = RETRY_PAUSES,
    allow_plain: bool = False,
) -> AsyncGenerator[PalabraApi]:
    """Keep connections to Palabra's API for the length of a block.

    Args:
        base_url: `https://api.palabra.ai`, or an emulator's.
        credentials: Of either kind.
        retry_pauses: Seconds before each further try.
        allow_plain: Whether addresses without TLS are asked, beyond this machine: this one, and
            those of sessions.

    Raises:
        ConfigError: The address or the credentials are such that no request can be made of them.
        SetupError: The environment names a proxy that is none for us.
    """
    if mistakes := [*_mistakes(base_url, credentials, allow_plain=allow_plain)]:
        raise ConfigError(mistakes)

    async with aiohttp.ClientSession(proxy=proxy_for(base_url)) as http:
        yield PalabraApi(
            base_url, credentials, http, retry_pauses=retry_pauses, allow_plain=allow_plain
        )


def _mistakes(base_url: str, credentials: Credentials, *, allow_plain: bool) -> Iterator[Problem]:
    mistake = mistake_of(base_url, ("https", "http"))
    mistake = mistake or (None if allow_plain else plain_mistake(base_url))
    if mistake is not None:
        yield Problem("", f"Palabra's address {mistake}")
    if any(_NOT_IN_HEADERS.search(value) for value in credentials.headers().values()):
        yield Problem("", "Palabra's credentials must hold no line break")


def _path(session_id: str) -> str:
    return f"/session-storage/sessions/{quote(session_id, safe='')}"


def _may_lack_room(error: ApiError) -> bool:
    return error.status in _TOO_MANY_SESSIONS and not error.is_about_balance


def _wrong_credentials(error: ApiError) -> ApiError:
    return ApiError(error.status, error.detail, error.error_code, ErrorClass.CREDENTIALS)
