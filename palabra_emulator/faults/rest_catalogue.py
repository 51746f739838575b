"""The faults of the REST API and of the way into a session: F1 to F7, and F25."""

from __future__ import annotations

from typing import Final

from palabra_emulator.faults.kinds import Fault, each, milliseconds, only, status, words
from palabra_emulator.faults.parameters import Between, Maybe, OneOf, Parameter, Words

_RETRY_AFTER: Final = Parameter(
    "retry_after", Maybe(Between(0, 3_600)), None, "the seconds of a Retry-After header"
)
_REQUEST: Final = OneOf(("create", "list", "show", "extend", "delete", "any"))
_ERROR_CODE: Final = Parameter(
    "error_code", Maybe(Between(0, 10_000_000)), None, "Palabra's own number; null for none known"
)

REST_FAULTS: Final = (
    Fault(
        "F1",
        "The credentials are refused.",
        "The error envelope of wrong credentials; 401 today, 404 in older times.",
        only("request"),
        (
            Parameter(
                "status", Maybe(OneOf((401, 404))), None, "null for what `cred_error_status` says"
            ),
            Parameter("request", _REQUEST, "any", "which request it strikes"),
        ),
        is_of_a_session=False,
    ),
    Fault(
        "F2",
        "The account's balance is used up.",
        "403 with title `Forbidden resource`, detail `Insufficient balance`, error_code 100050.",
        only("request"),
        is_of_a_session=False,
    ),
    Fault(
        "F3",
        "The account has too many sessions at once.",
        "An error envelope with the status, detail and number given here; the real ones are "
        "unknown.",
        only("request"),
        (
            status(403, 409, 429),
            words("detail", "Too many parallel sessions", "the words for it"),
            _ERROR_CODE,
            _RETRY_AFTER,
        ),
        is_of_a_session=False,
    ),
    Fault(
        "F4",
        "The body of the request is called malformed.",
        "An error envelope, 422 or 400.",
        only("request"),
        (status(422, 400), words("detail", "The request body is not valid.", "the words for it")),
        is_of_a_session=False,
    ),
    Fault(
        "F5",
        "The REST API is limited, broken, slow or speaks nonsense.",
        "What the variant says; an error status comes in its envelope. With `slow`, `non_json`, "
        "`no_publisher` and `ok_false` the request is executed.",
        each(
            "request",
            _500="HTTP 500",
            _502="HTTP 502",
            _503="HTTP 503",
            _504="HTTP 504",
            _429="HTTP 429, with Retry-After where `retry_after` is given",
            _402="HTTP 402: funds",
            timeout="no answer for `delay_ms`, then the connection is dropped",
            slow="the right answer, `delay_ms` late",
            non_json="the right status with an HTML page",
            no_publisher="201 without `publisher`",
            ok_false='201 with `{"ok": false, "error": …}`',
            dropped="the connection is cut without an answer",
        ),
        (
            Parameter("request", _REQUEST, "create", "which request it strikes"),
            Parameter(
                "delay_ms",
                Maybe(Between(0, 600_000)),
                None,
                "null for 5000 with `slow` and 60000 with `timeout`",
            ),
            Parameter("detail", Maybe(Words()), None, "the words; null for the status's own"),
            _RETRY_AFTER,
        ),
    ),
    Fault(
        "F6",
        "The session's token is invalid or has expired, for as long as the session lives.",
        "401 on `/livekit/rtc`, and 401 with a text on `/livekit/rtc/validate`.",
        only("join"),
        (
            words("detail", "invalid token: token is expired (exp)", "the text of the refusal"),
            Parameter("ws_status", OneOf((403, 401)), 403, "the status of a WebSocket's upgrade"),
        ),
        "The upgrade is refused with `ws_status`.",
    ),
    Fault(
        "F7",
        "The session has expired before anybody joined.",
        "Its creation is answered as ever; then GET answers 404, and joining `status`.",
        only("creation"),
        (status(404, 401),),
        "The upgrade is refused with HTTP 403.",
    ),
    Fault(
        "F25",
        "A session cannot be deleted.",
        "The status in its envelope, or no answer; the session stays.",
        each(
            "request",
            _404="HTTP 404",
            _500="HTTP 500",
            _503="HTTP 503",
            _504="HTTP 504",
            timeout="no answer for `delay_ms`, then the connection is dropped",
        ),
        (milliseconds(60_000, "how long there is no answer"),),
    ),
)
