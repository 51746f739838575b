"""REST requests that are answered by a fault, instead of being executed or afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeAlias, cast

from aiohttp import web

from palabra_emulator.api.session_storage import INVALID_CREDENTIALS, RestRefusal
from palabra_emulator.faults.injection import FaultInjector, SessionFaults, TriggeredFault

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
        """What faults do to it."""
        ...

    def expire(self) -> None:
        """Be over and unknown, before anybody came."""
        ...


class RestFaults:
    """Stands between the REST API and its requests."""

    def __init__(
        self,
        injection: FaultInjector,
        find: Callable[[str], ExpiringSession | None],
        invalid_credentials_status: int,
    ) -> None:
        self._injection = injection
        self._find = find
        self._invalid_credentials_status = invalid_credentials_status

    def add_to(self, app: web.Application) -> None:
        """Stand there; the API itself, which admits and journals, must stand in front of it."""
        app.middlewares.append(self.meet)

    @web.middleware
    async def meet(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        """Answer a request, rightly or not."""
        what = _kind(request)
        if what is None:
            return await handler(request)

        session = self._session(request)
        stroke = self._injection.strike(
            "request",
            session.faults if session is not None else None,
            fits=lambda stroke: _fits(stroke, what),
            request=what,
        )
        if stroke is not None:
            return await self._strike(stroke, request, handler)

        answer = await handler(request)
        created = self._session(request) if what == "create" else None
        if created is not None and created.faults.strike_once("creation", {"F7"}) is not None:
            created.expire()
        return answer

    def _session(self, request: web.Request) -> ExpiringSession | None:
        session_id = request.match_info.get("id")
        return self._find(session_id) if session_id is not None else None

    async def _strike(
        self, stroke: TriggeredFault, request: web.Request, handler: _Next
    ) -> web.StreamResponse:
        match stroke.fault:
            case "F1":
                status = cast("int | None", stroke.params["status"])
                raise RestRefusal(status or self._invalid_credentials_status, INVALID_CREDENTIALS)
            case "F2":
                detail, title = "Insufficient balance", "Forbidden resource"
                raise RestRefusal(403, detail, title=title, error_code=100_050)
            case "F3" | "F4":
                raise _refusal(stroke, stroke.whole("status"), stroke.text("detail"))
            case _:
                return await _fail(stroke, request, handler)


async def _fail(stroke: TriggeredFault, request: web.Request, handler: _Next) -> web.StreamResponse:
    variant = stroke.variant
    if variant.isdigit():
        detail = cast("str | None", stroke.params.get("detail"))
        raise _refusal(stroke, int(variant), detail or _DETAILS[int(variant)])

    delay_ms = cast("int | None", stroke.params.get("delay_ms"))
    if variant in {"timeout", "dropped"}:
        hanging = _HANGING_SECONDS if delay_ms is None else delay_ms / 1000
        await asyncio.sleep(hanging if variant == "timeout" else 0)
        return _dropped(request)

    answer = await handler(request)
    if variant == "slow":
        await asyncio.sleep(_SLOW_SECONDS if delay_ms is None else delay_ms / 1000)
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


def _refusal(stroke: TriggeredFault, status: int, detail: str) -> RestRefusal:
    return RestRefusal(
        status,
        detail,
        error_code=cast("int | None", stroke.params.get("error_code")),
        retry_after=cast("int | None", stroke.params.get("retry_after")),
    )


def _kind(request: web.Request) -> str | None:
    """Which request of the REST API this is; nothing for others."""
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


def _fits(stroke: TriggeredFault, what: str) -> bool:
    match stroke.fault:
        case "F1" | "F5":
            return stroke.params["request"] in {what, "any"}
        case "F25":
            return what == "delete"
        case _:
            return what == "create"
