"""Palabra's session API over HTTP: create, list and delete sessions, and what its refusals mean."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast
from urllib.parse import quote, urlsplit

import aiohttp

from palabra_agent.errors import ApiError, PalabraError, Unreachable
from palabra_agent.network_errors import reason_of

_CREATE_SECONDS: Final = 15.0
_SHORT_SECONDS: Final = 5.0
_LONGEST_DETAIL: Final = 200

_Json: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """A client id and secret, from app.palabra.ai."""

    client_id: str
    client_secret: str = field(repr=False)

    def headers(self) -> dict[str, str]:
        """What authorises a request."""
        return {"ClientId": self.client_id, "ClientSecret": self.client_secret}


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the newer platform, from platform.palabra.ai."""

    key: str = field(repr=False)

    def headers(self) -> dict[str, str]:
        """What authorises a request."""
        return {"Authorization": f"Bearer {self.key}"}


Credentials: TypeAlias = AppCredentials | ApiKey


@dataclass(frozen=True, slots=True)
class SessionTicket:
    """A created session and what is needed to join it. Hosts change: they come from here only."""

    id: str = field(repr=False)
    token: str = field(repr=False)
    webrtc_url: str


class PalabraApi:
    """The REST side of Palabra for one set of credentials."""

    def __init__(
        self, base_url: str, credentials: Credentials, http: aiohttp.ClientSession
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = credentials.headers()
        self._http = http

    async def create_session(self) -> SessionTicket:
        """Create a session; nothing is billed until a task runs in it.

        Raises:
            ApiError: Palabra refused, or answered without what a session needs.
            Unreachable: Palabra did not answer in time.
        """
        body = {"data": {"intent": "api", "subscriber_count": 0, "publisher_can_subscribe": True}}
        status, answer = await self._request(
            "POST", "/session-storage/session", _CREATE_SECONDS, json=body
        )
        data = answer.get("data")
        ticket = cast("_Json", data) if isinstance(data, dict) else {}
        fields = [ticket.get(key) for key in ("id", "publisher", "webrtc_url")]
        found = [value for value in fields if isinstance(value, str) and value]
        if len(found) != len(fields):
            await self._discard(fields[0])
            raise ApiError(status, "the answer lacks what a session needs")

        return SessionTicket(*found)

    async def list_sessions(self) -> int:
        """Count our sessions; free of charge, so it also checks the credentials.

        Raises:
            ApiError: Palabra refused.
            Unreachable: Palabra did not answer in time.
        """
        _, answer = await self._request("GET", "/session-storage/sessions", _SHORT_SECONDS)
        data = answer.get("data")
        sessions = cast("_Json", data).get("sessions") if isinstance(data, dict) else data
        return len(cast("list[object]", sessions)) if isinstance(sessions, list) else 0

    async def delete_session(self, session_id: str) -> None:
        """Delete one of our own sessions.

        Raises:
            ApiError: Palabra refused; one that is gone already counts as deleted.
            Unreachable: Palabra did not answer in time.
        """
        path = f"/session-storage/sessions/{quote(session_id, safe='')}"
        try:
            await self._request("DELETE", path, _SHORT_SECONDS)
        except ApiError as error:
            if error.status != 404:
                raise

    async def _discard(self, session_id: object) -> None:
        """Delete a session that nobody can join, if it is known; its own refusal says enough."""
        if isinstance(session_id, str) and session_id:
            with suppress(PalabraError):
                await self.delete_session(session_id)

    async def _request(
        self, method: str, path: str, seconds: float, json: _Json | None = None
    ) -> tuple[int, _Json]:
        """Ask once; a success needs the envelope's `ok` as well as the status."""
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._http.request(
                method,
                self._base_url + path,
                headers=self._headers,
                json=json,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                answer = await _read(response)
        except TimeoutError:
            raise Unreachable(self._host, f"no answer within {seconds:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(self._host, reason_of(error)) from None

        if response.status >= 300 or answer.get("ok") is False:
            raise _refusal(response.status, answer)

        return response.status, answer

    @property
    def _host(self) -> str:
        return urlsplit(self._base_url).netloc


@asynccontextmanager
async def open_api(base_url: str, credentials: Credentials) -> AsyncGenerator[PalabraApi]:
    """Keep connections to Palabra's API for the length of a block."""
    async with aiohttp.ClientSession() as http:
        yield PalabraApi(base_url, credentials, http)


async def _read(response: aiohttp.ClientResponse) -> _Json:
    if response.status == 204:
        return {}

    try:
        answer: object = await response.json(content_type=None)
    except (ValueError, UnicodeDecodeError):
        return {}

    return cast("_Json", answer) if isinstance(answer, dict) else {"data": answer}


def _refusal(status: int, answer: _Json) -> ApiError:
    """Read the error envelope: the detail of its first entry, else its title."""
    errors = answer.get("errors") or answer.get("error") or answer.get("detail")
    first = errors[0] if isinstance(errors, list) and errors else errors
    entry = cast("_Json", first) if isinstance(first, dict) else {"detail": first}
    detail = entry.get("detail") or entry.get("title") or entry.get("message") or "no reason given"
    code = entry.get("error_code")
    # a success that is none: asking again changes nothing
    status = status if status >= 300 else 400
    return ApiError(status, str(detail)[:_LONGEST_DETAIL], code if isinstance(code, int) else None)
