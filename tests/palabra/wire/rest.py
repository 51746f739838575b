"""A server that gives a row's answer, and what our client makes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

from aiohttp import web

from palabra_agent.errors import ApiError, ErrorClass, Unreachable
from palabra_agent.palabra.rest.answers import SessionInfo, SessionPage, SessionTicket
from palabra_agent.palabra.rest.api import ApiKey, PalabraApi, open_api
from tests.palabra.rest.server import SessionApiServer, answering, asked

from .rows import Row, Rule, differences

_SESSIONS: Final = "/session-storage/sessions"


@dataclass
class Outcome:
    """The outcome of a row."""

    palabra: SessionApiServer
    result: object = None
    error: ApiError | Unreachable | None = None
    seconds: float = 0.0


async def ask(row: Row) -> Outcome:
    """Have our client ask as the row does, and be answered so."""
    hangs = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        # a session that is of no use is deleted, which is not the row's own request
        if request.method == "DELETE" and row["request"]["method"] != "DELETE":
            return web.Response(status=204)

        status, content = row["response"]["status"], row["response"]["body"]
        if status is None:
            if "bounded_s" in row["expect"]:
                await hangs.wait()
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        text = content if isinstance(content, str) else json.dumps(content)
        return web.Response(status=status, text=text if content is not None else None)

    async with answering(answer) as palabra:
        outcome, time = Outcome(palabra), asyncio.get_running_loop().time
        async with open_api(palabra.url, ApiKey("plbr_key")) as api:
            began = time()
            try:
                outcome.result = await _request(api, row)
            except (ApiError, Unreachable) as error:
                outcome.error = error
            outcome.seconds = time() - began
        hangs.set()

    return outcome


async def _request(api: PalabraApi, row: Row) -> object:
    method, target = row["request"]["method"], row["request"]["path"]
    path, _, query = target.partition("?")
    session_id = unquote(path.removeprefix(_SESSIONS).removeprefix("/"))
    match method:
        case "GET" if session_id:
            return await api.get_session(session_id)
        case "GET":
            return await api.list_sessions()
        case "DELETE":
            await api.delete_session(session_id)
            return None
        case "POST" if path.startswith(f"{_SESSIONS}/"):
            seconds = query.partition("=")[2] or row["request"]["body"]["data"]["ttl_seconds"]
            await api.extend_session(session_id, ttl_seconds=int(seconds))
            return None
        case _:
            ticket = await api.create_session(row["expect"].get("for_transport", "webrtc"))
            if "delete_path" in row["expect"]:
                await api.delete_session(ticket.id)
            return ticket


def outcome_differences(expected: Mapping[str, Any], outcome: Outcome) -> list[str]:
    """Where our client came to something else than the row says."""
    return differences(expected, outcome, _RULES)


def _kind(value: str, outcome: Outcome, _: Mapping[str, Any]) -> bool:
    error, result = outcome.error, outcome.result
    is_bad = error is not None and error.error_class is ErrorClass.BAD_ANSWER
    match value:
        case "session":
            return isinstance(result, SessionTicket)
        case "session_list":
            return isinstance(result, SessionPage)
        case "session_info":
            return isinstance(result, SessionInfo)
        case "deleted" | "extended":
            return result is None and error is None
        case "delete_ignored":
            # the caller goes on all the same
            return result is None
        case "bad_answer":
            return is_bad
        case "rest_error":
            return error is not None and not is_bad
        case _:
            return False


def _class(value: str, outcome: Outcome, expected: Mapping[str, Any]) -> bool:
    if value == "any" or "any_class" in expected:
        return outcome.error is not None

    return outcome.error is not None and outcome.error.error_class == value


def _retry(value: object, outcome: Outcome, expected: Mapping[str, Any]) -> bool:
    assert outcome.error is not None
    tries = len(outcome.palabra.requests)
    match value:
        case False:
            return tries == 1 and not outcome.error.retryable
        case "bounded":
            return 1 < tries <= 3 and outcome.error.retryable
        case "after back-off":
            return tries == 1 and outcome.error.retryable
        case _:
            return False


def _text(value: str, outcome: Outcome, expected: Mapping[str, Any]) -> bool:
    return value in str(outcome.error)


def _ticket(read: Callable[[SessionTicket], object]) -> Rule[Outcome]:
    return lambda value, outcome, _: (
        isinstance(outcome.result, SessionTicket) and read(outcome.result) == value
    )


def _page(read: Callable[[SessionPage], object]) -> Rule[Outcome]:
    return lambda value, outcome, _: (
        isinstance(outcome.result, SessionPage) and read(outcome.result) == value
    )


def _expires(value: str, outcome: Outcome, _: Mapping[str, Any]) -> bool:
    info = outcome.result
    return (
        isinstance(info, SessionInfo)
        and info.expires_at is not None
        and info.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ") == value
    )


def _ttl(value: int, outcome: Outcome, _: Mapping[str, Any]) -> bool:
    [(_method, path, _headers, body)] = outcome.palabra.requests
    return path.endswith(f"?ttl_seconds={value}") and body == {"data": {"ttl_seconds": value}}


_RULES: Final[Mapping[str, Rule[Outcome]]] = {
    "kind": _kind,
    "id": _ticket(lambda it: it.id),
    "publisher": _ticket(lambda it: it.token),
    "subscriber": _ticket(lambda it: list(it.listeners)),
    "room": _ticket(lambda it: it.room),
    "webrtc_url": _ticket(lambda it: it.webrtc_url),
    "ws_url": _ticket(lambda it: it.ws_url),
    "delete_path": lambda value, it, _: asked(it.palabra, "DELETE") == [value],
    "must_delete": lambda value, it, _: (
        asked(it.palabra, "DELETE") == [f"{_SESSIONS}/{quote(value, safe='')}"]
    ),
    # the ticket was asked for with this transport; that it is refused, its kind says
    "for_transport": lambda value, it, expected: it.error is not None and value == "webrtc",
    "class": _class,
    "any_class": lambda value, it, _: it.error is not None and it.error.error_class in value,
    "text_contains": _text,
    # that a text may be missing allows no other one
    "optional_text": lambda value, it, expected: _text(expected["text_contains"], it, expected),
    "not_text": lambda value, it, _: value.lower() not in str(it.error).lower(),
    "error_code": lambda value, it, _: (
        isinstance(it.error, ApiError) and it.error.error_code == value
    ),
    "retry": _retry,
    "attempts": lambda value, it, _: len(it.palabra.requests) == value,
    "attempts_max": lambda value, it, _: len(it.palabra.requests) <= value,
    "bounded_s": lambda value, it, _: it.seconds <= value,
    "ids": _page(lambda it: [info.id for info in it.sessions]),
    "next": _page(lambda it: it.next_page_token),
    "credentials": lambda value, it, _: value == "ok" and it.error is None,
    "expires_at": _expires,
    "ttl_seconds": _ttl,
    # an ampersand may stand in a path as it is
    "session_id": lambda value, it, _: (
        [unquote(path) for path in asked(it.palabra, "DELETE")] == [f"{_SESSIONS}/{value}"]
    ),
}
