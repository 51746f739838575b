"""What a recipe opens, told from the annotations of its function: nothing is opened to find out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial
from types import UnionType
from typing import Final, Union, get_args, get_origin, get_type_hints

from palabra_agent.plugin import CAPABILITIES
from palabra_agent.plugins_host.records import UNKNOWN_KIND

_WORDS: Final = {
    capability: re.sub(r"(?<!^)(?=[A-Z])", " ", capability.__name__).lower()
    for capability in CAPABILITIES
}


def kind_of(opener: Callable[..., object]) -> str:
    """Name the capabilities that an opener is annotated to give, such as `voice policy`.

    What it really gives shows only when it is opened: an opener without annotations, or with one
    that leaves the capability open, is of the kind `plugin`.
    """
    opened = _opened_by(opener)
    members = get_args(opened) if get_origin(opened) in {Union, UnionType} else (opened,)
    kinds = [
        words
        for capability, words in _WORDS.items()
        if all(isinstance(member, type) and issubclass(member, capability) for member in members)
    ]
    return ", ".join(kinds) or UNKNOWN_KIND


def _opened_by(opener: Callable[..., object]) -> object:
    """What stands in `AsyncGenerator[…]` and the like, or what a class says that it enters to."""
    while isinstance(opener, partial):
        opener = opener.func
    if isinstance(opener, type):
        entered = _returned(getattr(opener, "__aenter__", None))
        return entered if isinstance(entered, type) else opener
    if not inspect.isroutine(opener):
        opener = type(opener).__call__
    given = _returned(inspect.unwrap(opener))
    arguments = get_args(given)
    if arguments:
        return arguments[0]
    return _opened_by(given) if isinstance(given, type) else None


def _returned(function: Callable[..., object] | None) -> object:
    return get_type_hints(function).get("return") if function is not None else None
