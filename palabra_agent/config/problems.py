"""How a mistake in a configuration reads.

Pydantic's errors become `Problem`s with a path, the value where it may be shown, what is allowed,
and what was probably meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from palabra_agent.config.fields import NOT_AVAILABLE, REFUSED, ConfigModel
from palabra_agent.config.wording import Path, is_credential_key, path_text, shown
from palabra_agent.errors import Problem
from palabra_agent.languages import did_you_mean

CREDENTIALS_REFUSED: Final = (
    "credentials are never accepted from a room or a file of settings; "
    "they belong in the worker's environment"
)

MAX_PROBLEMS: Final = 100
"""More than anybody reads; the rest is counted."""

_OF_KEY: Final = "[key]"
"""What pydantic appends to the place of a key that is itself wrong."""

_IGNORED: Final = frozenset({"default_factory_not_called"})


def problems_of(error: ValidationError, model: type[BaseModel], prefix: Path = ()) -> list[Problem]:
    """Every mistake that `model` found, its path below `prefix`; of very many, the first."""
    mistakes = [
        details for details in error.errors(include_url=False) if details["type"] not in _IGNORED
    ]
    problems = [_problem(details, model, prefix) for details in mistakes[:MAX_PROBLEMS]]
    return problems + _counted(len(mistakes))


def enough_of(problems: Sequence[Problem]) -> list[Problem]:
    """The first mistakes, and how many more there are."""
    return [*problems[:MAX_PROBLEMS], *_counted(len(problems))]


def _counted(total: int) -> list[Problem]:
    more = total - MAX_PROBLEMS
    return [Problem("", f"and {more} more mistakes")] if more > 0 else []


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
        reason = unknown_key(str(key), _model_at(model, parents))
    else:
        reason = _reason(details, context, hidden=any(is_credential_key(part) for part in loc))
    return Problem(path_text(prefix + loc), reason)


def _place(details: ErrorDetails) -> Path:
    loc = details["loc"]
    of_key = details["type"] != "extra_forbidden" and loc[1:] and loc[-1] == _OF_KEY
    return loc[:-1] if of_key else loc


def _reason(details: ErrorDetails, context: Mapping[str, Any], *, hidden: bool) -> str:
    if details["type"] == REFUSED:
        return details["msg"]
    found = "that" if hidden else shown(details["input"])
    describe = _REASONS.get(details["type"])
    return describe(found, context) if describe else f"is wrong: {details['msg']}"


def _must_be(what: str) -> Callable[[str, Mapping[str, Any]], str]:
    return lambda found, _context: f"must be {what}, not {found}"


def _choice(found: str, context: Mapping[str, Any]) -> str:
    choices = re.findall(r"'([^']*)'", str(context["expected"]))
    hint = did_you_mean(found.strip('"'), choices)
    return f"must be {_either(choices)}, not {found}{hint}"


_REASONS: Final[Mapping[str, Callable[[str, Mapping[str, Any]], str]]] = {
    "missing": lambda _found, _context: "is missing",
    "bool_type": _must_be("true or false"),
    "int_type": _must_be("a whole number"),
    "float_type": _must_be("a number"),
    "finite_number": _must_be("a finite number"),
    "string_type": _must_be("a string"),
    "string_unicode": lambda _found, _context: "holds half of a surrogate pair",
    "string_too_short": lambda _found, _context: "must not be empty",
    "string_too_long": lambda found, context: (
        f"must have at most {context['max_length']} characters, not as many as {found}"
    ),
    "string_pattern_mismatch": lambda found, _context: f"cannot be {found}",
    "too_short": lambda _found, _context: "must not be empty",
    "literal_error": _choice,
    "tuple_type": _must_be("a list"),
    "list_type": _must_be("a list"),
    "dict_type": _must_be("an object"),
    "mapping_type": _must_be("an object"),
    "model_type": _must_be("an object"),
    "model_attributes_type": _must_be("an object"),
    "recursion_loop": lambda _found, _context: "is nested too deeply",
}
"""What pydantic's own checks mean, for people."""


def unknown_key(key: str, model: type[BaseModel] | None) -> str:
    """Why a key is refused: where it belongs, what was meant, or what there is."""
    if is_credential_key(key):
        return CREDENTIALS_REFUSED
    if model is None:
        return "unknown key"
    if issubclass(model, ConfigModel) and key in model.elsewhere:
        return model.elsewhere[key]
    known = [field.alias or name for name, field in model.model_fields.items()]
    hint = did_you_mean(key[:60], known)
    return f"unknown key{hint}" if hint else f"unknown key; known are {', '.join(known)}"


def _either(words: Sequence[str]) -> str:
    quoted = [f'"{word}"' for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _model_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    """The model whose keys stand at `path` below `model`."""
    here: object = model
    for part in path:
        here = _step(_without_wrapping(here), part)
    here = _without_wrapping(here)
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _step(annotation: object, part: str | int) -> object:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        return fields[part].annotation if part in fields else None
    arguments = get_args(annotation)
    if not arguments:
        return None
    return arguments[0] if isinstance(part, int) else arguments[-1]


def _without_wrapping(annotation: object) -> object:
    """What is inside `Annotated[X, …]` and `X | None`."""
    while get_origin(annotation) is Annotated or type(None) in get_args(annotation):
        annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation
