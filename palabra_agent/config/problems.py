"""How a mistake in a configuration reads.

Pydantic's errors become `Problem`s with a path, the value where it may be shown, what is allowed,
and what was probably meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from palabra_agent.config.annotations import model_at
from palabra_agent.config.branches import Fault, fault_in, worth_telling
from palabra_agent.config.fields import NOT_AVAILABLE, REFUSED, ConfigModel
from palabra_agent.config.reasons import any_of, reason_for
from palabra_agent.config.secrecy import is_hidden, secrets_in
from palabra_agent.config.wording import Path, is_credential_key, path_text, shown
from palabra_agent.errors import Problem
from palabra_agent.languages import did_you_mean

CREDENTIALS_REFUSED: Final = (
    "credentials are never accepted from a room or a file of settings; "
    "they belong in the worker's environment"
)
PLUGIN_CREDENTIALS_REFUSED: Final = (
    "credentials are never accepted from a room; what a plugin needs of them belongs in the "
    "worker's settings, under `[plugins.NAME]`"
)

MAX_PROBLEMS: Final = 100
"""More than anybody reads; the rest is counted."""

_TOLD_OF_ONE: Final = 30
"""Of a stranger's model: it must leave room for what others have to say."""
_LOOKED_AT: Final = 1_000
"""Of a stranger's model, whose unions may report one mistake many times."""

_OF_KEY: Final = "[key]"
"""What pydantic appends to the place of a key that is itself wrong."""

_IGNORED: Final = frozenset({"default_factory_not_called"})


def problems_of(error: ValidationError, model: type[BaseModel], prefix: Path = ()) -> list[Problem]:
    """Every mistake that `model` found, its path below `prefix`; of very many, the first."""
    mistakes = _mistakes_in(error)
    problems = [_problem(details, model, prefix) for details in mistakes[:MAX_PROBLEMS]]
    return problems + _counted(len(mistakes))


def mistakes_of(
    error: ValidationError,
    model: type[BaseModel],
    written: Mapping[str, object],
    *,
    are_settings: bool,
) -> list[tuple[Path, str]]:
    """Every mistake that a stranger's model found, at its place in what was written.

    Args:
        error: What it raised.
        model: The model.
        written: What it was given.
        are_settings: Whether credentials belong there.
    """
    secrets = secrets_in(model, written)
    found = _mistakes_in(error)
    faults = [fault_in(written, each, _place(each)) for each in found[:_LOOKED_AT]]
    telling = worth_telling(faults)
    told = (
        (fault.place, _stranger_reason(fault, model, are_settings=are_settings))
        for fault in telling[:_TOLD_OF_ONE]
    )
    mistakes: list[tuple[Path, str]] = [
        (place, "is not valid" if any(secret in reason for secret in secrets) else reason)
        for place, reason in dict.fromkeys(told)
    ]
    more = len(telling) - _TOLD_OF_ONE + max(0, len(found) - _LOOKED_AT)
    return mistakes + ([((), f"and {more} more mistakes")] if more > 0 else [])


def enough_of(problems: Sequence[Problem]) -> list[Problem]:
    """The first mistakes, and how many more there are."""
    return [*problems[:MAX_PROBLEMS], *_counted(len(problems))]


def _counted(total: int) -> list[Problem]:
    more = total - MAX_PROBLEMS
    return [Problem("", f"and {more} more mistakes")] if more > 0 else []


def _mistakes_in(error: ValidationError) -> list[ErrorDetails]:
    found = error.errors(include_url=False)
    return [details for details in found if details["type"] not in _IGNORED]


def _problem(details: ErrorDetails, model: type[BaseModel], prefix: Path) -> Problem:
    loc = _place(details)
    context = details.get("ctx", {})

    if details["type"] == NOT_AVAILABLE:
        where = path_text(prefix + loc)
        return Problem("", f"`{where}: {context['value']}` is not available in this version")
    if details["type"] == REFUSED and "at" in context:
        loc = (*loc[:-1], context["at"])

    if details["type"] == "extra_forbidden":
        *parents, key = loc
        reason = unknown_key(str(key), model_at(model, parents))
    else:
        reason = _reason(details, hidden=any(is_credential_key(part) for part in loc))
    return Problem(path_text(prefix + loc), reason)


def _stranger_reason(fault: Fault, model: type[BaseModel], *, are_settings: bool) -> str:
    details = fault.details
    loc = _place(details)
    if details["type"] == "extra_forbidden":
        credentials = None if are_settings else PLUGIN_CREDENTIALS_REFUSED
        return unknown_key(str(loc[-1]), model_at(model, loc[:-1]), credentials=credentials)
    hidden = is_hidden(model, loc)
    if len(fault.allowed) > 1:
        found = _found(details, hidden=hidden)
        return f"must be {any_of(fault.allowed)}, not {found}"
    return _reason(details, hidden=hidden)


def _place(details: ErrorDetails) -> Path:
    loc = details["loc"]
    of_key = details["type"] != "extra_forbidden" and loc[1:] and loc[-1] == _OF_KEY
    return loc[:-1] if of_key else loc


def _reason(details: ErrorDetails, *, hidden: bool) -> str:
    if details["type"] == REFUSED:
        return details["msg"]
    found = _found(details, hidden=hidden)
    return reason_for(details["type"], details.get("ctx", {}), found, details["msg"])


def _found(details: ErrorDetails, *, hidden: bool) -> str:
    return "that" if hidden else shown(details["input"])


def unknown_key(
    key: str, model: type[BaseModel] | None, *, credentials: str | None = CREDENTIALS_REFUSED
) -> str:
    """Why a key is refused: where it belongs, what was meant, or what there is.

    Args:
        key: The key.
        model: What it was written into; None where that cannot be told.
        credentials: What is said of one that looks like a credential; None: they are welcome.
    """
    if credentials is not None and is_credential_key(key):
        return credentials
    if model is None:
        return "unknown key"
    if issubclass(model, ConfigModel) and key in model.elsewhere:
        return model.elsewhere[key]
    known = [field.alias or name for name, field in model.model_fields.items()]
    if not known:
        return "unknown key; nothing is known here"
    hint = did_you_mean(key[:60], known)
    if hint:
        return f"unknown key{hint}"
    belongs = f"; {model.of_strays}" if issubclass(model, ConfigModel) and model.of_strays else ""
    return f"unknown key; known are {', '.join(known)}{belongs}"
