"""The envelopes of Palabra's REST answers, and the readable refusal of a request."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Final

from aiohttp import web

_DOCUMENTATION: Final = "https://docs.palabra.ai/docs/error_codes"
INVALID_CREDENTIALS: Final = "Unauthorized access is denied due to invalid credentials."

_ERROR_CODES_FROM: Final = 100_000
"""Palabra's numbers are unknown but for one; the emulator's own are this plus the status."""


class Refusal(Exception):
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


def failure(instance: str, refusal: Refusal) -> web.Response:
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
        raise Refusal(400, "The body is not valid JSON.") from None
    if not isinstance(content, dict):
        raise Refusal(422, "The body must be a JSON object.")

    return {str(name): value for name, value in content.items()}
