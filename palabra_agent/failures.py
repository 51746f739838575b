"""Errors that were not expected, in the log: which and where. Their words may hold a name.

The sentences of those that are expected, such as a refused key, are in `errors.py`.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Final

from palabra_agent.concurrency import errors_in
from palabra_agent.texts import LONGEST_NAME, one_line

_MOST_PLACES: Final = 10
"""The innermost ones are told."""


def log_failure(logger: logging.Logger, sentence: str, error: BaseException, **facts: str) -> None:
    """Log an error by its class and its places; its words and its traceback for those who debug."""
    told = {"error": error_names(error), "where": error_places(error), **facts}
    # each caller is an event of its own, of which the log counts how often it comes
    logger.error(sentence, extra=told, stacklevel=2)
    logger.debug("%s: traceback", sentence, exc_info=error)


def error_names(error: BaseException) -> str:
    """Name the class of an error; of a group, those of the errors in it. Never its words."""
    names = (one_line(type(it).__name__, LONGEST_NAME) for it in _errors_of(error))
    return ", ".join(dict.fromkeys(names))


def error_places(error: BaseException) -> str:
    """Name the places in the code at which an error passed, the innermost last; of a group each."""
    return "; ".join(dict.fromkeys(map(_places, _errors_of(error))))


def _errors_of(error: BaseException) -> list[BaseException]:
    return errors_in(error) if isinstance(error, BaseExceptionGroup) else [error]


def _places(error: BaseException) -> str:
    passed = traceback.extract_tb(error.__traceback__)[-_MOST_PLACES:]
    return " > ".join(f"{Path(it.filename).name}:{it.lineno} {it.name}" for it in passed)
