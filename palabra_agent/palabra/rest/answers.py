"""Answers of Palabra's session API: tickets, lists and refusals, read from their JSON. Pure.

Several generations of the API are understood: with the envelope or without, a list of sessions in
four shapes, the token as a text or in a list. No text made here holds a token or a session's id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias, cast

from palabra_agent.addresses import mistake_of, plain_mistake
from palabra_agent.errors import ApiError, ErrorClass
from palabra_agent.palabra.json_values import as_object, as_text
from palabra_agent.palabra.vocabulary import StreamType
from palabra_agent.texts import one_line

_LONGEST_DETAIL: Final = 200
_LONGEST_WAIT_SECONDS: Final = 3_600.0
_SHORTEST_SECRET: Final = 6
_JWT: Final = re.compile(r"eyJ[\w-]{8,}(\.[\w-]+)*")

_Json: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SessionTicket:
    """A created session and what is needed to join it. Hosts change: they come from here only."""

    id: str = field(repr=False)
    token: str = field(repr=False)
    """Lets us in and speak, over either transport."""
    webrtc_url: str = ""
    """The LiveKit server of the session's room; empty where there is none."""
    ws_url: str = ""
    """The other transport's address; empty where there is none."""
    room: str = ""
    """LiveKit's name of the session's room."""
    listeners: tuple[str, ...] = field(default=(), repr=False)
    """Tokens that only let listen, where some were asked for; deprecated by Palabra."""

    def url_for(self, transport: StreamType) -> str:
        """Tell the address for one transport."""
        return self.webrtc_url if transport == "webrtc" else self.ws_url


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session as the list of them shows it."""

    id: str = field(repr=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    expires_at: datetime | None = None
    """The time of its end, unless a connection extends it, as it does every minute."""


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Some of the account's sessions, in the order of their creation."""

    sessions: tuple[SessionInfo, ...]
    next_page_token: str | None = field(default=None, repr=False)
    """Asks for the sessions after these; None where there are no more."""

    def __len__(self) -> int:
        return len(self.sessions)


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """An answer over HTTP."""

    status: int
    content: object
    """The JSON; None where there is none."""
    is_readable: bool = True
    """False where something came that is no JSON."""
    retry_after: str = ""
    """The header of that name."""

    @property
    def is_success(self) -> bool:
        """True where the request was obeyed: the envelope's `ok` counts as well as the status."""
        envelope = as_object(self.content) or {}
        return self.status < 300 and envelope.get("ok") is not False


def ticket_of(
    answer: ApiAnswer, transport: StreamType, *, allow_plain: bool = False
) -> SessionTicket:
    """Read a created session; it must have what the transport needs.

    Args:
        answer: Of the API.
        transport: The one that the session is for; the other's address may be anything.
        allow_plain: Whether the address may be one without TLS, beyond this machine.

    Raises:
        ApiError: Something is missing, or the address cannot be used.
    """
    ticket = _unwrapped(answer)
    publishers = _texts(ticket.get("publisher"))
    made = SessionTicket(
        id=as_text(ticket.get("id")) or "",
        token=publishers[0] if publishers else "",
        webrtc_url=as_text(ticket.get("webrtc_url")) or "",
        ws_url=as_text(ticket.get("ws_url")) or "",
        room=as_text(ticket.get("webrtc_room_name")) or as_text(ticket.get("room_name")) or "",
        listeners=_texts(ticket.get("subscriber")),
    )
    url = made.url_for(transport)
    if not (made.id and made.token and url):
        raise bad_answer(answer, "the answer lacks what a session needs")

    # the transport says which schemes it knows
    mistake = mistake_of(url, ()) or (None if allow_plain else plain_mistake(url))
    if mistake is not None:
        raise bad_answer(answer, f"the session's address {mistake}")

    return made


def id_of(answer: ApiAnswer) -> str | None:
    """Read the id of a created session, be the rest of the answer as it may."""
    return as_text(_unwrapped(answer).get("id")) or None


def page_of(answer: ApiAnswer) -> SessionPage:
    """Read a list of sessions; an empty answer is an empty list.

    Raises:
        ApiError: It is no JSON.
    """
    if not answer.is_readable:
        raise bad_answer(answer, "the answer is not JSON")

    envelope = as_object(answer.content) or {}
    data = envelope.get("data", answer.content)
    inner = as_object(data) or {}
    listed = inner.get("sessions") if inner else data
    entries = cast("list[object]", listed) if isinstance(listed, list) else []
    token = as_text(envelope.get("next_page_token")) or as_text(inner.get("next_page_token"))
    found = (_info(entry) for entry in map(as_object, entries) if entry is not None)
    return SessionPage(tuple(info for info in found if info.id), token or None)


def info_of(answer: ApiAnswer) -> SessionInfo:
    """Read one session.

    Raises:
        ApiError: The answer shows none.
    """
    info = _info(_unwrapped(answer))
    if not info.id:
        raise bad_answer(answer, "the answer shows no session")

    return info


def refusal_of(answer: ApiAnswer, secrets: Iterable[str] = ()) -> ApiError:
    """Read the error envelope: the detail of its first entry, else its title."""
    envelope = as_object(answer.content) or {}
    errors = envelope.get("errors") or envelope.get("error") or envelope.get("detail")
    first = cast("list[object]", errors)[0] if isinstance(errors, list) and errors else errors
    entry = as_object(first) or {"detail": first}
    texts = (as_text(entry.get(key)) for key in ("detail", "title", "message"))
    detail = next(filter(None, texts), "no reason given")
    code = entry.get("error_code")
    # a success that is none: asking again changes nothing
    status = answer.status if answer.status >= 300 else 400
    number = code if isinstance(code, int) and not isinstance(code, bool) else None
    error = ApiError(status, one_line(_without(secrets, detail), _LONGEST_DETAIL), number)
    error.retry_after_seconds = _seconds(answer.retry_after)
    return error


def bad_answer(answer: ApiAnswer, reason: str) -> ApiError:
    """Make the error of a success that is of no use."""
    return ApiError(answer.status, reason, error_class=ErrorClass.BAD_ANSWER)


def _unwrapped(answer: ApiAnswer) -> _Json:
    """Take the content out of its envelope, where it has one; one documented page has none."""
    envelope = as_object(answer.content) or {}
    return as_object(envelope.get("data")) or ({} if "data" in envelope else envelope)


def _info(entry: _Json) -> SessionInfo:
    created, updated, expires = (
        _time(entry.get(key)) for key in ("created_at", "updated_at", "expires_at")
    )
    return SessionInfo(as_text(entry.get("id")) or "", created, updated, expires)


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _texts(value: object) -> tuple[str, ...]:
    """Read the texts that are not empty, alone or in a list."""
    listed = cast("list[object]", value) if isinstance(value, list) else [value]
    return tuple(filter(None, map(as_text, listed)))


def _without(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        # a shorter one is a word of the sentence as likely as a secret
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "…")

    return _JWT.sub("…", text)


def _seconds(header: str) -> float | None:
    """Read `Retry-After` in seconds; its other form, a date, was never seen of Palabra."""
    if not header.isascii() or not header.strip().isdigit():
        return None

    return min(float(header), _LONGEST_WAIT_SECONDS)
