"""Unexpected errors in the log: an operator learns which and where, and reads no name."""

from __future__ import annotations

import logging

import pytest

from palabra_agent.failures import error_names, error_places, log_failure

pytestmark = pytest.mark.unit

logger = logging.getLogger(__name__)


def _find(person: str) -> None:
    raise KeyError(person)


def _caught() -> KeyError:
    try:
        _find("alice")
    except KeyError as error:
        return error
    raise AssertionError


def test_a_failure_is_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    """The class and the places are enough to begin with; the traceback might say who it was."""
    caplog.set_level(logging.INFO)
    log_failure(logger, "something failed", _caught())

    (line,) = caplog.records
    facts = vars(line)
    assert (line.levelname, line.getMessage()) == ("ERROR", "something failed")
    assert facts["error"] == "KeyError"
    assert [it.split(":")[0] for it in facts["where"].split(" > ")] == ["test_failures.py"] * 2
    assert facts["where"].endswith(" _find")
    assert "alice" not in str(facts)


def test_those_who_debug_read_the_whole_of_it(caplog: pytest.LogCaptureFixture) -> None:
    """They asked for words."""
    caplog.set_level(logging.DEBUG)
    log_failure(logger, "something failed", _caught())

    assert "KeyError: 'alice'" in caplog.text


def test_errors_are_named_without_their_words() -> None:
    """Of a group the errors in it are named."""
    group = BaseExceptionGroup("secret", [ValueError("secret"), ExceptionGroup("", [OSError()])])

    assert error_names(ValueError("secret")) == "ValueError"
    assert error_names(group) == "ValueError, OSError"


def test_of_a_group_the_places_of_each_error_are_named() -> None:
    """Two that happened at one place are one."""
    group = ExceptionGroup("secret", [_caught(), _caught()])

    assert error_places(group) == error_places(_caught())


def test_a_long_way_is_cut_to_its_end() -> None:
    """What recurses is not told a thousand times."""

    def fail(depth: int) -> None:
        if depth == 0:
            _find("alice")
        fail(depth - 1)

    with pytest.raises(KeyError) as caught:
        fail(50)

    assert len(error_places(caught.value).split(" > ")) == 10
    assert error_places(caught.value).endswith(" _find")
