"""Errors in sentences, and what Palabra's statuses mean."""

from __future__ import annotations

import pytest

from palabra_agent.errors import (
    AccessDenied,
    ApiError,
    ConfigError,
    ErrorClass,
    PalabraAgentError,
    Phase,
    PluginError,
    Problem,
    SessionLost,
    TaskRejected,
    Unreachable,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("status", "meaning", "retryable"),
    [
        (400, ErrorClass.CLIENT, False),
        (401, ErrorClass.CREDENTIALS, False),
        (402, ErrorClass.ACCOUNT, False),
        (403, ErrorClass.ACCOUNT, False),
        (404, ErrorClass.NOT_FOUND, False),
        (408, ErrorClass.TIMEOUT, True),
        (409, ErrorClass.CLIENT, False),
        (425, ErrorClass.RATE_LIMIT, True),
        (429, ErrorClass.RATE_LIMIT, True),
        (500, ErrorClass.SERVER, True),
        (503, ErrorClass.SERVER, True),
    ],
)
def test_a_status_says_what_failed_and_if_a_retry_helps(
    status: int, meaning: ErrorClass, *, retryable: bool
) -> None:
    """What Palabra itself failed at, or asks to wait for, may be tried again."""
    error = ApiError(status, "no")

    assert (error.error_class, error.retryable) == (meaning, retryable)


def test_an_empty_balance_is_known_by_its_number() -> None:
    """Whatever its status, it is the account's; nothing but money helps."""
    error = ApiError(400, "Insufficient balance", 100050)

    assert error.is_about_balance
    assert error.error_class is ErrorClass.ACCOUNT
    assert not ApiError(402, "Payment required").is_about_balance


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ApiError(401, "wrong key"), "Palabra refused: wrong key (HTTP 401)"),
        (ApiError(402, "empty", 100050), "Palabra refused: empty (HTTP 402, error 100050)"),
        (Unreachable("p:1", "no answer"), "Palabra cannot be reached at p:1: no answer"),
        (TaskRejected("X", "bad"), "Palabra refused the settings: bad (X)"),
        (TaskRejected("", "bad"), "Palabra refused the settings: bad"),
        (AccessDenied("403"), "Palabra's credentials or balance do not allow it: 403"),
        (SessionLost("gone"), "the Palabra session was lost: gone"),
        (PluginError("dice", Phase.OPEN, "OSError"), "the plugin dice broke at open: OSError"),
        (ConfigError([Problem("a.b", "is missing"), Problem("", "no")]), "a.b: is missing; no"),
    ],
)
def test_each_is_one_sentence(error: PalabraAgentError, sentence: str) -> None:
    """It names what was refused or lost, and why."""
    assert str(error) == sentence
