"""REST requests that are answered by a fault, instead of being executed or afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeAlias

from aiohttp import web

from palabra_emulator.api.session_storage import INVALID_CREDENTIALS, RestRefusal
from palabra_emulator.faults.catalogue import (
    AccountFull,
    BodyRefused,
    CredentialsRefused,
    DeletionFails,
    Fault,
    NoBalance,
    RestFailure,
    SessionExpired,
)
from palabra_emulator.faults.injection import FaultInjector, SessionFaults

_NO_ANSWER: Final = 444
"""In the journal: the connection was dropped."""
_SLOW_SECONDS: Final = 5.0
_HANGING_SECONDS: Final = 60.0
_DETAILS: Final = {
    402: "Insufficient funds",
    404: "The session does not exist.",
    429: "Too many requests",
    500: "Internal server error",
    502: "Bad gateway",
    503: "Service unavailable",
    504: "Gateway timeout",
}
_HTML: Final = "<html><body><h1>It works!</h1></body></html>"

_Next: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ExpiringSession(Protocol):
    """A session, as far as this module is concerned."""

    @property
    def faults(self) -> SessionFaults:
        """The faults that are meant for it."""
        ...

    def expire(self) -> None:
        """Be over and unknown, before its client came."""
        ...


class RestFaults:
    """Stands between the REST API and its requests."""

    def __init__(
        self,
        injector: FaultInjector,
        find: Callable[[str], ExpiringSession | None],
        invalid_credentials_status: int,
    ) -> None:
        self._injector = injector
        self._find = find
        self._invalid_credentials_status = invalid_credentials_status

    def add_to(self, app: web.Application) -> None:
        """Intercept its requests; the API itself, which admits and journals, must come first."""
        app.middlewares.append(self.intercept)

    @web.middleware
    async def intercept(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        """Answer a request, rightly or not."""
        what = _kind(request)
        if what is None:
            return await handler(request)

        session = self._session(request)
        fault = self._injector.trigger(
            "request",
            session.faults if session is not None else None,
            Fault,
            fits=lambda fault: _fits(fault, what),
            request=what,
        )
        if fault is not None:
            return await self._answer(fault, request, handler)

        answer = await handler(request)
        created = self._session(request) if what == "create" else None
        if created is not None and created.faults.trigger_once("creation", SessionExpired):
            created.expire()
        return answer

    def _session(self, request: web.Request) -> ExpiringSession | None:
        session_id = request.match_info.get("id")
        return self._find(session_id) if session_id is not None else None

    async def _answer(
        self, fault: Fault, request: web.Request, handler: _Next
    ) -> web.StreamResponse:
        match fault:
            case CredentialsRefused(status=status):
                raise RestRefusal(status or self._invalid_credentials_status, INVALID_CREDENTIALS)
            case NoBalance():
                detail, title = "Insufficient balance", "Forbidden resource"
                raise RestRefusal(403, detail, title=title, error_code=100_050)
            case AccountFull(status=status, detail=detail):
                number, pause = fault.error_code, fault.retry_after
                raise RestRefusal(status, detail, error_code=number, retry_after=pause)
            case BodyRefused(status=status, detail=detail):
                raise RestRefusal(status, detail)
            case RestFailure() | DeletionFails():
                return await _fail(fault, request, handler)
            case _:
                raise AssertionError(f"{fault.id} is not about requests")


async def _fail(
    fault: RestFailure | DeletionFails, request: web.Request, handler: _Next
) -> web.StreamResponse:
    variant = fault.variant
    if variant.isdigit():
        own, pause = (
            (fault.detail, fault.retry_after) if isinstance(fault, RestFailure) else (None, None)
        )
        raise RestRefusal(int(variant), own or _DETAILS[int(variant)], retry_after=pause)

    if variant in {"timeout", "dropped"}:
        hanging = _HANGING_SECONDS if fault.delay_ms is None else fault.delay_ms / 1000
        await asyncio.sleep(hanging if variant == "timeout" else 0)
        return _dropped(request)

    answer = await handler(request)
    if variant == "slow":
        await asyncio.sleep(_SLOW_SECONDS if fault.delay_ms is None else fault.delay_ms / 1000)
        return answer

    return _spoilt(variant, answer)


def _spoilt(variant: str, answer: web.StreamResponse) -> web.Response:
    """An answer that says less than it should, or something else."""
    if variant == "non_json":
        return web.Response(status=answer.status, text=_HTML, content_type="text/html")
    if variant == "ok_false":
        body: dict[str, Any] = {"ok": False, "error": "Internal error"}
        return web.json_response(body, status=answer.status)

    text = answer.text if isinstance(answer, web.Response) else None
    body = json.loads(text) if text else {}
    if isinstance(body.get("data"), dict):
        body["data"].pop("publisher", None)
    return web.json_response(body, status=answer.status)


def _dropped(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()

    return web.Response(status=_NO_ANSWER)


def _kind(request: web.Request) -> str | None:
    """The request's name in the REST API; nothing for others."""
    if not request.path.startswith("/session-storage/"):
        return None

    match request.method, "id" in request.match_info:
        case "POST", False:
            return "create"
        case "POST", True:
            return "extend"
        case "DELETE", True:
            return "delete"
        case "GET", is_one:
            return "show" if is_one else "list"
        case _:
            return None


def _fits(fault: Fault, what: str) -> bool:
    match fault:
        case CredentialsRefused(request=wanted) | RestFailure(request=wanted):
            return wanted in {what, "any"}
        case DeletionFails():
            return what == "delete"
        case _:
            return what == "create"
