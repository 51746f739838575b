"""What pydantic's own checks mean, for people: what is allowed, and what was found instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from palabra_agent.languages import did_you_mean

Context: TypeAlias = Mapping[str, Any]

_LONGEST_SAYING: Final = 300


def allowed_by(kind: str, context: Context) -> str | None:
    """What a check would have let through, such as `a whole number`; None: it has no such words."""
    allowed = _ALLOWED.get(kind)
    try:
        return allowed(context) if callable(allowed) else allowed
    except KeyError:
        return None  # whoever wrote the model raised an error of its own under this name


def reason_for(kind: str, context: Context, found: str, message: str) -> str:
    """Why a value is refused.

    Args:
        kind: Pydantic's name of the error.
        context: What belongs to it.
        found: The value, as it may be shown.
        message: Pydantic's own words, or those of whoever wrote the model.
    """
    allowed = allowed_by(kind, context)
    if allowed is not None:
        return f"must be {allowed}, not {found}{_guess(kind, context, found)}"
    try:
        return _SENTENCES[kind](found, context)
    except KeyError:
        return _said(message, found)


def _said(message: str, found: str) -> str:
    """The words of a model's author, which need not name the value."""
    words = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    words = _PYDANTICS_WAY.sub("must ", words)
    words = "".join(filter(str.isprintable, " ".join(words.split()))).rstrip(".")
    words = f"{words[:_LONGEST_SAYING]}…" if len(words) > _LONGEST_SAYING else words
    if not words:
        return f"cannot be {found}"
    if found in _VAGUE or _names(words, found.strip('"')):
        return words
    return f"{words}, not {found}" if words.startswith("must ") else f"cannot be {found}: {words}"


_PYDANTICS_WAY: Final = re.compile(r"^(Input|String|Date|Data|Set items|Keys) should ")
"""How its own sentences begin, of the kinds that are not worth words of ours."""
_VAGUE: Final = frozenset({"that", "an object", "a list", "null"})
"""Nobody learns anything from these."""


def _names(words: str, value: str) -> bool:
    """Whether a sentence says the value, and not only a word that happens to hold it."""
    return re.search(rf"(?<![\w.]){re.escape(value)}(?![\w.])", words) is not None


def _choices(context: Context) -> str:
    """Pydantic's `'a', 'b' or 3`, as JSON would write it."""
    return re.sub(r"'([^']*)'", r'"\1"', str(context["expected"]))


def _guess(kind: str, context: Context, found: str) -> str:
    if kind not in {"literal_error", "enum"}:
        return ""
    return did_you_mean(found.strip('"')[:60], re.findall(r"'([^']*)'", str(context["expected"])))


def _counted(context: Context, key: str) -> str:
    number = context[key]
    return "1 entry" if number == 1 else f"{number} entries"


_WHOLE: Final = "a whole number"
_NUMBER: Final = "a number"
_LIST: Final = "a list"
_OBJECT: Final = "an object"
_DATE: Final = "a date such as 2026-01-31"
_DATETIME: Final = "a time such as 2026-01-31T12:00:00Z"
_TIME: Final = "a time of day such as 12:00:00"
_DURATION: Final = "a duration, in seconds or such as PT30S"
_URL: Final = "an address such as https://example.org/"

_ALLOWED: Final[Mapping[str, str | Callable[[Context], str]]] = {
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "none_required": "null",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": "a smaller whole number",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "a finite number",
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "greater_than": lambda context: f"greater than {context['gt']}",
    "greater_than_equal": lambda context: f"at least {context['ge']}",
    "less_than": lambda context: f"less than {context['lt']}",
    "less_than_equal": lambda context: f"at most {context['le']}",
    "multiple_of": lambda context: f"a multiple of {context['multiple_of']}",
    "string_type": "a string",
    "bytes_type": "a string",
    "string_pattern_mismatch": lambda context: f"of the form {context['pattern']}",
    "enum": _choices,
    "literal_error": _choices,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "iterable_type": _LIST,
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "datetime_type": _DATETIME,
    "datetime_parsing": _DATETIME,
    "datetime_from_date_parsing": _DATETIME,
    "time_type": _TIME,
    "time_parsing": _TIME,
    "time_delta_type": _DURATION,
    "time_delta_parsing": _DURATION,
    "url_type": _URL,
    "url_parsing": _URL,
    "url_scheme": lambda context: f"an address with the scheme {context['expected_schemes']}",
    "uuid_type": "a UUID",
    "uuid_parsing": "a UUID",
    "path_type": "a path",
    "timezone_aware": "a time with its zone, such as 2026-01-31T12:00:00Z",
    "union_tag_invalid": lambda context: f"an object whose `{_tag(context)}` is {_tags(context)}",
}


def _tag(context: Context) -> str:
    return str(context["discriminator"]).strip("'")


def _tags(context: Context) -> str:
    text = str(context["expected_tags"])
    tags = [f'"{tag}"' for tag in re.findall(r"'([^']*)'", text)]
    return any_of(tags or [text])


def any_of(phrases: Sequence[str]) -> str:
    """Phrases to choose from: `this, that or the other`."""
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} or {phrases[-1]}"


def _too_short(_found: str, context: Context) -> str:
    if context["min_length"] == 1:
        return "must not be empty"
    return f"must have at least {_counted(context, 'min_length')}, not {context['actual_length']}"


def _string_too_short(found: str, context: Context) -> str:
    if context["min_length"] == 1:
        return "must not be empty"
    return f"must have at least {context['min_length']} characters, not as few as {found}"


def _too_long(_found: str, context: Context) -> str:
    actual = context.get("actual_length")
    return f"must have at most {_counted(context, 'max_length')}" + (
        f", not {actual}" if actual else ""
    )


_SENTENCES: Final[Mapping[str, Callable[[str, Context], str]]] = {
    "missing": lambda _found, _context: "is missing",
    "string_unicode": lambda _found, _context: "holds half of a surrogate pair",
    "string_too_short": _string_too_short,
    "string_too_long": lambda found, context: (
        f"must have at most {context['max_length']} characters, not as many as {found}"
    ),
    "too_short": _too_short,
    "too_long": _too_long,
    "union_tag_not_found": lambda _found, context: f"must say what it is by its `{_tag(context)}`",
    "recursion_loop": lambda _found, _context: "is nested too deeply",
}
