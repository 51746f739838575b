"""Palabra's Session Storage API: sessions created, listed, shown, extended and deleted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, TypeAlias, cast

from aiohttp import web

from palabra_emulator.credentials import is_same
from palabra_emulator.journal import Journal
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.session.registry import SessionRegistry, TooManySessions
from palabra_emulator.session.session import EmulatedSession
from palabra_emulator.transports.ports import Rooms, RoomsUnavailable
from palabra_emulator.transports.websocket import STREAM_PATH

_DOCUMENTATION: Final = "https://docs.palabra.ai/docs/error_codes"
INVALID_CREDENTIALS: Final = "Unauthorized access is denied due to invalid credentials."

_ERROR_CODES_FROM: Final = 100_000
"""Palabra's numbers are unknown but for one; the emulator's own are this plus the status."""

STORAGE: Final = "/session-storage"
_MOST_SUBSCRIBERS: Final = 10
_PAGE_SIZE: Final = 50
_LARGEST_PAGE: Final = 1_000
_LONGEST_TTL_SECONDS: Final = 30 * 24 * 3600
_HIGHEST: Final = 10**9
_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, clientid, clientsecret, content-type",
    "Access-Control-Max-Age": "600",
}
_Next: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RestRefusal(Exception):
    """A request that is answered with an error."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        title: str | None = None,
        error_code: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.title = title or HTTPStatus(status).phrase
        self.error_code = _ERROR_CODES_FROM + status if error_code is None else error_code
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}


def success(content: object, *, status: int = 200) -> web.Response:
    """An answer with its content."""
    return web.json_response({"ok": True, "data": content}, status=status)


def failure(instance: str, refusal: RestRefusal) -> web.Response:
    """An answer that says what is wrong; `instance` is the path of the request."""
    problem = {
        "type": f"{_DOCUMENTATION}#{refusal.title.lower().replace(' ', '')}",
        "title": refusal.title,
        "detail": refusal.detail,
        "instance": instance,
        "status": refusal.status,
        "error_code": refusal.error_code,
    }
    envelope = {"ok": False, "errors": [problem]}
    return web.json_response(envelope, status=refusal.status, headers=refusal.headers)


async def read_object(request: web.Request) -> dict[str, object]:
    """The JSON object in a request's body; an empty body is an empty object.

    Raises:
        Refusal: It is something else.
    """
    body = await request.read()
    if not body.strip():
        return {}

    try:
        content: object = json.loads(body)
    except (ValueError, RecursionError):
        raise RestRefusal(400, "The body is not valid JSON.") from None
    if not isinstance(content, dict):
        raise RestRefusal(422, "The body must be a JSON object.")

    return {str(name): value for name, value in content.items()}


class SessionStorage:
    """Palabra's REST API over the emulator's sessions."""

    def __init__(
        self, options: EmulatorOptions, registry: SessionRegistry, rooms: Rooms, journal: Journal
    ) -> None:
        self._options = options
        self._registry = registry
        self._rooms = rooms
        self._journal = journal

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.middlewares.append(self._answer)
        app.on_response_prepare.append(_allow_browsers)
        app.router.add_post(f"{STORAGE}/session", self._create)
        app.router.add_post(f"{STORAGE}/sessions", self._create_old)
        app.router.add_get(f"{STORAGE}/sessions", self._list)
        app.router.add_get(f"{STORAGE}/sessions/{{id}}", self._show)
        app.router.add_delete(f"{STORAGE}/sessions/{{id}}", self._delete)
        app.router.add_post(f"{STORAGE}/sessions/{{id}}", self._extend)

    @web.middleware
    async def _answer(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        """Admit, journal, and put every refusal into its envelope."""
        if not request.path.startswith(f"{STORAGE}/"):
            return await handler(request)
        if request.method == "OPTIONS":
            return web.Response(status=204)

        try:
            self._authenticate(request)
            answer = await handler(request)
        except RestRefusal as refusal:
            answer = failure(request.path, refusal)
        except web.HTTPException as error:
            answer = failure(request.path, RestRefusal(error.status, f"{error.reason}."))

        call = {"method": request.method, "path": request.path, "status": answer.status}
        self._journal.add(request.match_info.get("id"), "rest", **call)
        return answer

    def _authenticate(self, request: web.Request) -> None:
        options, headers = self._options, request.headers
        scheme, _, key = headers.get("Authorization", "").partition(" ")
        if scheme:
            is_valid = scheme.lower() == "bearer" and is_same(key.strip(), options.api_key)
        else:
            is_valid = is_same(headers.get("ClientId", ""), options.client_id) & is_same(
                headers.get("ClientSecret", ""), options.client_secret
            )
        if not is_valid:
            raise RestRefusal(options.cred_error_status, INVALID_CREDENTIALS)

    async def _create(self, request: web.Request) -> web.Response:
        return success(await self._new_session(request), status=201)

    async def _create_old(self, request: web.Request) -> web.Response:
        """The first generation of the API: other names, and publishers in a list."""
        content = await self._new_session(request)
        old_names = {
            "publisher": [content["publisher"]],
            "room_name": content["webrtc_room_name"],
            "stream_url": content["webrtc_url"],
            "control_url": content["ws_url"],
        }
        return success(content | old_names, status=201)

    async def _new_session(self, request: web.Request) -> dict[str, object]:
        request_fields = _wrapped(await read_object(request))
        subscribers = _subscriber_count(request_fields)
        intent = request_fields.get("intent") or "api"
        if not isinstance(intent, str):
            raise RestRefusal(422, "data.intent must be a string.")

        session = await self._open(intent)
        request.match_info["id"] = session.identity.session_id  # for the journal
        names = session.identity.names
        admit = self._rooms.admit
        publisher = admit(names.room, names.client, may_publish=True)
        self._registry.allow_websocket(session, publisher)
        return {
            "id": session.identity.session_id,
            "publisher": publisher,
            "subscriber": [
                admit(names.room, f"subscriber_{names.room}_{n}", may_publish=False)
                for n in range(subscribers)
            ],
            "webrtc_room_name": names.room,
            "webrtc_url": f"http://{request.host}/livekit/",
            "ws_url": f"ws://{request.host}{STREAM_PATH}",
            "intent": intent,
            "organization": "emulator",
        }

    async def _open(self, intent: str) -> EmulatedSession:
        loop = asyncio.get_running_loop()
        answer_at = loop.time() + self._options.rest_delay_ms / 1000
        try:
            session = await self._registry.create(intent)
        except RoomsUnavailable as unavailable:
            raise RestRefusal(503, f"{unavailable}.") from None
        except TooManySessions:
            raise RestRefusal(403, "Too many parallel sessions") from None

        await asyncio.sleep(max(0.0, answer_at - loop.time()))
        return session

    async def _list(self, request: web.Request) -> web.Response:
        size = _number(request.query.get("page_size", str(_PAGE_SIZE)), "page_size", _LARGEST_PAGE)
        start = _number(request.query.get("page_token", "0"), "page_token", lowest=0)
        known = self._registry.known()
        page = [_described(session) for session in known[start : start + size]]
        content: dict[str, object] = {"sessions": page or None}
        if start + size < len(known):
            content["next_page_token"] = str(start + size)

        return success(content)

    async def _show(self, request: web.Request) -> web.Response:
        return success(_described(self._found(request)))

    async def _delete(self, request: web.Request) -> web.Response:
        self._found(request).delete()
        return web.Response(status=204)

    async def _extend(self, request: web.Request) -> web.Response:
        session = self._found(request)
        body = await read_object(request)
        seconds = _wrapped(body).get("ttl_seconds") if "data" in body else body.get("ttl_seconds")
        seconds = request.query.get("ttl_seconds") or seconds
        session.extend(_number(str(seconds), "ttl_seconds", _LONGEST_TTL_SECONDS))
        return web.Response(status=204)

    def _found(self, request: web.Request) -> EmulatedSession:
        session = self._registry.find(request.match_info["id"])
        if session is None:
            raise RestRefusal(404, "The session does not exist.")

        return session


async def _allow_browsers(request: web.Request, answer: web.StreamResponse) -> None:
    if request.path.startswith(f"{STORAGE}/"):
        answer.headers.update(_CORS)


def _wrapped(body: dict[str, object]) -> dict[str, object]:
    content = body.get("data")
    if not isinstance(content, dict):
        raise RestRefusal(422, 'The body must be an object with an object "data".')

    return cast("dict[str, object]", content)


def _subscriber_count(request_fields: dict[str, object]) -> int:
    count = request_fields.get("subscriber_count", 0)
    if isinstance(count, bool) or not isinstance(count, int):
        raise RestRefusal(422, "data.subscriber_count must be an integer.")
    if not 0 <= count <= _MOST_SUBSCRIBERS:
        raise RestRefusal(422, f"data.subscriber_count must be between 0 and {_MOST_SUBSCRIBERS}.")

    return count


def _number(text: str, name: str, highest: int = _HIGHEST, *, lowest: int = 1) -> int:
    is_readable = text.isascii() and text.isdigit() and len(text) <= len(str(_HIGHEST))
    if not is_readable or not lowest <= int(text) <= highest:
        raise RestRefusal(422, f"{name} must be an integer from {lowest} to {highest}.")

    return int(text)


def _described(session: EmulatedSession) -> dict[str, str]:
    return {
        "id": session.identity.session_id,
        "created_at": _timestamp(session.created_at),
        "updated_at": _timestamp(session.updated_at),
        "expires_at": _timestamp(session.expires_at),
    }


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
