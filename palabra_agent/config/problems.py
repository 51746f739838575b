"""Sentences for the mistakes that pydantic finds in a configuration: the one place that words them.

Each says where, what is allowed, the value where it may be shown, and what was probably meant.
Pydantic's own messages are kept where they do: `Input should be a valid integer` becomes `must be a
whole number, not "x"`. Validators of models give their own sentences.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from palabra_agent.config.fields import REFUSED, ConfigModel
from palabra_agent.config.wording import (
    Path,
    is_credential_key,
    is_hidden,
    is_model,
    path_text,
    secrets_in,
    shown,
    types_at,
)
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
"""More than a person reads; the rest is counted."""
_MAX_OF_PLUGIN: Final = 30
"""The mistakes in one plugin's config that are told: the rest of the room's must have room too."""
_MAX_WORDS: Final = 300

_OF_KEY: Final = "[key]"
"""Appended by pydantic to the place of a key that is itself wrong."""
_IGNORED: Final = frozenset({"default_factory_not_called"})


def problems_of(error: ValidationError, model: type[BaseModel], prefix: Path = ()) -> list[Problem]:
    """Every mistake that `model` found, its path below `prefix`; of very many, the first."""
    found = _details_of(error)
    problems = [_problem(details, model, prefix) for details in found[:MAX_PROBLEMS]]
    return problems + _counted(len(found))


def mistakes_of(
    error: ValidationError,
    model: type[BaseModel],
    written: Mapping[str, object],
    *,
    are_settings: bool,
) -> list[tuple[Path, str]]:
    """Every mistake that a plugin's model found, at its place in what was written.

    Args:
        error: What it raised.
        model: The model.
        written: What it was given.
        are_settings: Whether credentials belong there.
    """
    found = _details_of(error)
    secrets = frozenset(secrets_in(model, written))
    credentials = None if are_settings else PLUGIN_CREDENTIALS_REFUSED
    mistakes: dict[tuple[Path, str], None] = {}
    for details in found[:_MAX_OF_PLUGIN]:
        place = _without_branches(_place(details), written, is_missing=details["type"] == "missing")
        reason = _reason(details, model, place, credentials=credentials)
        is_telling = any(secret in reason for secret in secrets)
        mistakes[place, "is not valid" if is_telling else reason] = None
    more = len(found) - _MAX_OF_PLUGIN
    return [*mistakes, *([((), f"and {more} more mistakes")] if more > 0 else [])]


def enough_of(problems: Sequence[Problem]) -> list[Problem]:
    """The first mistakes, and how many more there are."""
    return [*problems[:MAX_PROBLEMS], *_counted(len(problems))]


def _counted(total: int) -> list[Problem]:
    more = total - MAX_PROBLEMS
    return [Problem("", f"and {more} more mistakes")] if more > 0 else []


def _details_of(error: ValidationError) -> list[ErrorDetails]:
    return [it for it in error.errors(include_url=False) if it["type"] not in _IGNORED]


def _place(details: ErrorDetails) -> Path:
    place = details["loc"]
    is_of_key = details["type"] != "extra_forbidden" and place[1:] and place[-1] == _OF_KEY
    return place[:-1] if is_of_key else place


def _without_branches(place: Path, written: object, *, is_missing: bool) -> Path:
    """Leave out the names of union branches, which are pydantic's and not in what was written."""
    here: Any = written
    found: Path = ()
    for index, part in enumerate(place):
        is_there = _has(here, part)
        if is_there:
            here = here[part]
        if is_there or (is_missing and index == len(place) - 1):
            found = (*found, part)
    return found


def _has(value: object, part: str | int) -> bool:
    if isinstance(value, Mapping):
        return part in value
    return isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)


def _problem(details: ErrorDetails, model: type[BaseModel], prefix: Path) -> Problem:
    place, context = _place(details), details.get("ctx", {})
    reason = _reason(details, model, place, credentials=CREDENTIALS_REFUSED)
    if details["type"] == REFUSED and "at" in context:
        place = (*place[:-1], *filter(None, [context["at"]]))
    return Problem(path_text(prefix + place), reason)


def _reason(
    details: ErrorDetails, model: type[BaseModel], place: Path, *, credentials: str | None
) -> str:
    """The reason for which a value is refused.

    Args:
        details: Pydantic's error.
        model: The whole that was checked.
        place: Where the value stands in it.
        credentials: The sentence for a key that looks like a credential; None: it is welcome.
    """
    match details["type"]:
        case "extra_forbidden":
            return _unknown_key(str(place[-1]), model, place[:-1], credentials)
        case kind if kind == REFUSED:
            return details["msg"]
        case "missing":
            return "is missing"
        case "string_unicode":
            return "holds half of a surrogate pair"
        case kind:
            found = "that" if is_hidden(model, place) else shown(details["input"])
            return _translated(kind, details["msg"], found) or _quoted(details["msg"], found)


def _unknown_key(key: str, model: type[BaseModel], parent: Path, credentials: str | None) -> str:
    """The reason for which a key is refused: where it belongs, what was meant, or what there is."""
    if credentials is not None and is_credential_key(key):
        return credentials
    models = [kind for kind in types_at(model, parent) if is_model(kind)]
    known = [field.alias or name for it in models for name, field in it.model_fields.items()]
    ours = [it for it in models if issubclass(it, ConfigModel)]
    for each in ours:
        if key in each.elsewhere:
            return each.elsewhere[key]
    if not known:
        return "unknown key; nothing is known here"
    hint = did_you_mean(key[:60], known)
    if hint:
        return f"unknown key{hint}"
    belongs = "".join(f"; {it.of_strays}" for it in ours if it.of_strays)
    return f"unknown key; known are {', '.join(known)}{belongs}"


_SUBJECT: Final = re.compile(
    r"(Input|String|List|Tuple|Set|Frozenset|Dictionary|Data|Date|Datetime|Keys|Value) should "
)
_BESIDE_THE_POINT: Final = re.compile(
    r", (unable|got|input|relative|invalid|empty|exceed).*| or (instance of|object to) .*"
    r"| after validation"
)
_JSON_WORDS: Final = (
    (r"a valid integer", "a whole number"),
    (r"a valid boolean", "true or false"),
    (r"a valid (dictionary|mapping)", "an object"),
    (r"a valid (array|tuple|list|set|frozenset)", "a list"),
    (r"a valid ", "a "),
    (r"\bNone\b", "null"),
    (r"greater than or equal to", "at least"),
    (r"less than or equal to", "at most"),
    (r"'([^']*)'", r'"\1"'),
)
_OF_LENGTH: Final = {"string_too_short": "not as few as", "string_too_long": "not as many as"}


def _translated(kind: str, message: str, found: str) -> str | None:
    """Pydantic's own message in our words; None for a message of a model's author."""
    subject = _SUBJECT.match(message)
    if subject is None:
        return None
    words = _BESIDE_THE_POINT.sub("", message[subject.end() :])
    if words.startswith("have at least 1 "):
        return "must not be empty"
    for pydantics, ours in _JSON_WORDS:
        words = re.sub(pydantics, ours, words)
    if ", not " in words:
        return f"must {words}"
    is_choice = kind in {"literal_error", "enum"}
    hint = did_you_mean(found.strip('"')[:60], re.findall(r'"([^"]*)"', words)) if is_choice else ""
    return f"must {words}, {_OF_LENGTH.get(kind, 'not')} {found}{hint}"


_VAGUE: Final = frozenset({"that", "an object", "a list", "null"})
"""Values whose showing tells a reader nothing."""


def _quoted(message: str, found: str) -> str:
    """The words of a model's author, which need not name the value."""
    words = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    words = "".join(filter(str.isprintable, " ".join(words.split()))).rstrip(".")
    words = f"{words[:_MAX_WORDS]}…" if len(words) > _MAX_WORDS else words
    if not words:
        return f"cannot be {found}"
    value = re.escape(found.strip('"'))
    if found in _VAGUE or re.search(rf"(?<![\w.]){value}(?![\w.])", words):
        return words
    return f"{words}, not {found}" if words.startswith("must ") else f"cannot be {found}: {words}"
