"""HTTP requests to Palabra's session API: authorised, bounded, sent again where that can help.

That is where the connection failed, or Palabra itself did, and for a limited number of times.
aiohttp does its part unasked: a GET or DELETE whose connection fails is sent again at once, once.
No text that leaves here holds credentials, a token or a session's id.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import aiohttp

from palabra_agent.errors import ApiError, ErrorClass, Unreachable
from palabra_agent.network import proxy_refusal, reason_of, way_to
from palabra_agent.palabra.rest.answers import ApiAnswer, refusal_of

_LONGEST_PAUSE: Final = 10.0
"""A longer `Retry-After` is left to the caller."""
_LARGEST_ANSWER: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """A client id and secret, from app.palabra.ai."""

    client_id: str
    client_secret: str = field(repr=False)

    def headers(self) -> dict[str, str]:
        """Make the headers that authorise a request."""
        return {"ClientId": self.client_id, "ClientSecret": self.client_secret}

    @property
    def secret(self) -> str:
        """The part that no text may tell."""
        return self.client_secret


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the newer platform, from platform.palabra.ai."""

    key: str = field(repr=False)

    def headers(self) -> dict[str, str]:
        """Make the headers that authorise a request."""
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def secret(self) -> str:
        """The part that no text may tell."""
        return self.key


Credentials: TypeAlias = AppCredentials | ApiKey


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request, with the patience for its answer."""

    method: str
    path: str
    seconds: float
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, Any] | None = None
    pauses: tuple[float, ...] = ()
    """Seconds before each further try."""
    secret: str = ""
    """The session's id, which no text may tell."""


class RequestSender:
    """Sends requests to Palabra with one set of credentials."""

    def __init__(
        self, base_url: str, credentials: Credentials, http: aiohttp.ClientSession
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._credentials = credentials
        self._http = http

    async def send(self, request: ApiRequest) -> ApiAnswer:
        """Send a request, and again after each pause where that can help.

        Raises:
            ApiError: Palabra refused.
            Unreachable: Palabra did not answer in time.
        """
        for pause in request.pauses:
            try:
                return await self._send_once(request)
            except Unreachable as error:
                if error.error_class is ErrorClass.TIMEOUT:
                    raise
            except ApiError as error:
                patience = error.retry_after_seconds or 0.0
                if not _may_help(error, patience):
                    raise
                pause = max(pause, patience)  # noqa: PLW2901 - as long as Palabra asks for

            await asyncio.sleep(pause)

        return await self._send_once(request)

    async def _send_once(self, request: ApiRequest) -> ApiAnswer:
        timeout = aiohttp.ClientTimeout(total=request.seconds)
        try:
            async with self._http.request(
                request.method,
                self._base_url + request.path,
                params=request.query,
                headers=self._credentials.headers(),
                json=request.body,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                answer = await _read(response)
        except TimeoutError:
            reason = f"no answer within {request.seconds:g} s{way_to(self._base_url)}"
            raise Unreachable(self._host, reason, ErrorClass.TIMEOUT) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(self._host, reason_of(error, self._base_url)) from None

        if refusal := proxy_refusal(answer.status, self._base_url):
            raise Unreachable(self._host, refusal)

        if not answer.is_success:
            raise refusal_of(answer, (self._credentials.secret, request.secret))

        return answer

    @property
    def _host(self) -> str:
        return urlsplit(self._base_url).netloc


def _may_help(error: ApiError, patience: float) -> bool:
    """Tell whether sending it again may help, after as long a wait as Palabra wants."""
    is_passing = error.status >= 500 or (error.status == 429 and patience > 0)
    return is_passing and patience <= _LONGEST_PAUSE


async def _read(response: aiohttp.ClientResponse) -> ApiAnswer:
    """Read an answer that has a reasonable size."""
    body = bytearray()
    async for piece in response.content.iter_chunked(65_536):
        body += piece
        if len(body) > _LARGEST_ANSWER:
            break

    retry_after = response.headers.get("Retry-After", "")
    try:
        content: object = json.loads(body) if body.strip() else None
    except (ValueError, RecursionError):
        return ApiAnswer(response.status, None, is_readable=False, retry_after=retry_after)

    return ApiAnswer(response.status, content, retry_after=retry_after)
