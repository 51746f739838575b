"""All faults that can be injected.

F1 to F25 are those that clients of the real service must survive; F26 is the emulator's own, for
clients that watch over a session which is up and says nothing.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias, cast

_SHOWN: Final = 60


class Domain(Protocol):
    """Some values that are allowed."""

    def admits(self, value: object, /) -> bool:
        """Whether a value is one of them."""
        ...

    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class OneOf:
    """A few words or numbers."""

    values: tuple[str | int, ...]

    def admits(self, value: object, /) -> bool:
        """Whether a value is one of them."""
        return any(type(value) is type(it) and value == it for it in self.values)

    def __str__(self) -> str:
        return " or ".join(
            [", ".join(map(shown, self.values[:-1])), *map(shown, self.values[-1:])]
            if len(self.values) > 1
            else map(shown, self.values)
        )


@dataclass(frozen=True, slots=True)
class Between:
    """Numbers of a range, both ends allowed."""

    low: float
    high: float
    is_whole: bool = True

    def admits(self, value: object, /) -> bool:
        """Whether a value is one of them."""
        if isinstance(value, bool) or not isinstance(value, int if self.is_whole else int | float):
            return False

        return self.low <= value <= self.high

    def __str__(self) -> str:
        kind = "a whole number" if self.is_whole else "a number"
        low, high = (f"{it:.2f}".rstrip("0").rstrip(".") for it in (self.low, self.high))
        return f"{kind} from {low} to {high}"


@dataclass(frozen=True, slots=True)
class Words:
    """Any text up to a length."""

    longest: int = 2_000

    def admits(self, value: object, /) -> bool:
        """Whether a value is one of them."""
        return isinstance(value, str) and len(value) <= self.longest and _is_whole(value)

    def __str__(self) -> str:
        return f"a text of at most {self.longest} characters"


@dataclass(frozen=True, slots=True)
class Location:
    """Where in a message something stands: a list of keys and positions."""

    def admits(self, value: object, /) -> bool:
        """Whether a value is one of them."""
        if not isinstance(value, list) or not value:
            return False

        parts = cast("list[object]", value)
        return all(isinstance(part, str | int) and not isinstance(part, bool) for part in parts)

    def __str__(self) -> str:
        return "a list of keys and positions"


@dataclass(frozen=True, slots=True)
class Maybe:
    """Something, or null."""

    domain: Domain

    def admits(self, value: object, /) -> bool:
        """Whether a value is one of them."""
        return value is None or self.domain.admits(value)

    def __str__(self) -> str:
        return f"{self.domain}, or null"


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that can be chosen about a fault."""

    name: str
    domain: Domain
    default: object
    meaning: str

    def objection(self, value: object) -> str | None:
        """Why a value is refused, if it is."""
        if self.domain.admits(value):
            return None

        hint = ""
        if isinstance(self.domain, OneOf) and isinstance(value, str):
            hint = did_you_mean(value, map(str, self.domain.values))
        return f"must be {self.domain}, not {shown(value)}{hint}"


def _is_whole(text: str) -> bool:
    """Whether no character of a text is a lone surrogate, which cannot be sent."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def shown(value: object) -> str:
    """A value as it may stand in a sentence: on one line, and short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """End a sentence with the word that was probably meant, if one is close."""
    by_lower = {it.lower(): it for it in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f"; did you mean {shown(by_lower[close[0]])}?" if close else ""


Moment: TypeAlias = Literal[
    "request", "creation", "opening", "join", "command", "tracks", "text", "now"
]
"""When a fault strikes: at a REST request, at a session just created, at its bot's coming, at a
client's joining, at a command, at the publishing of tracks, at a text, or by itself at once."""

RATE_LIMIT_CODE: Final = "RATE_LIMIT_EXCEEDED"
RATE_LIMIT_TEXT: Final = "Too many requests"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way in which a fault may show."""

    name: str
    moment: Moment
    meaning: str


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault of the catalogue."""

    id: str
    sentence: str
    appears: str
    """What exactly a client sees."""
    variants: tuple[Variant, ...]
    """The first is the default; a fault of one kind has one without a name."""
    parameters: tuple[Parameter, ...] = ()
    on_websocket: str = ""
    """What is different with a client on a WebSocket; empty for nothing."""
    is_of_a_session: bool = True
    """Whether it can be meant for one session."""

    @property
    def all_parameters(self) -> tuple[Parameter, ...]:
        """Its parameters, the variant first where there are several."""
        names = tuple(variant.name for variant in self.variants)
        if names == ("",):
            return self.parameters

        choice = Parameter("variant", OneOf(names), names[0], "which way it shows")
        return (choice, *self.parameters)

    def variant(self, name: object) -> Variant:
        """The variant of a name, or the default."""
        return next((it for it in self.variants if it.name == name), self.variants[0])


def only(moment: Moment) -> tuple[Variant, ...]:
    """The one variant of a fault that has no others."""
    return (Variant("", moment, ""),)


def each(moment: Moment, **meanings: str) -> tuple[Variant, ...]:
    """Variants of one moment; `_503` is named `503`."""
    return tuple(Variant(name.lstrip("_"), moment, text) for name, text in meanings.items())


def status(default: int, *others: int) -> Parameter:
    """The HTTP status of an answer."""
    return Parameter("status", OneOf((default, *others)), default, "the HTTP status")


def words(name: str, default: str, meaning: str) -> Parameter:
    """A text."""
    return Parameter(name, Words(), default, meaning)


def milliseconds(default: int, meaning: str) -> Parameter:
    """A time."""
    return Parameter("delay_ms", Between(0, 600_000), default, meaning)


_RETRY_AFTER: Final = Parameter(
    "retry_after", Maybe(Between(0, 3_600)), None, "the seconds of a Retry-After header"
)
_REQUEST: Final = OneOf(("create", "list", "show", "extend", "delete", "any"))
_ERROR_CODE: Final = Parameter(
    "error_code", Maybe(Between(0, 10_000_000)), None, "Palabra's own number; null for none known"
)

REST_FAULTS: Final = (
    FaultKind(
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
    FaultKind(
        "F2",
        "The account's balance is used up.",
        "403 with title `Forbidden resource`, detail `Insufficient balance`, error_code 100050.",
        only("request"),
        is_of_a_session=False,
    ),
    FaultKind(
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
    FaultKind(
        "F4",
        "The body of the request is called malformed.",
        "An error envelope, 422 or 400.",
        only("request"),
        (status(422, 400), words("detail", "The request body is not valid.", "the words for it")),
        is_of_a_session=False,
    ),
    FaultKind(
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
    FaultKind(
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
    FaultKind(
        "F7",
        "The session has expired before anybody joined.",
        "Its creation is answered as ever; then GET answers 404, and joining `status`.",
        only("creation"),
        (status(404, 401),),
        "The upgrade is refused with HTTP 403.",
    ),
    FaultKind(
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


_THRESHOLD_LOCATION: Final = [
    "pipeline",
    "transcription",
    "segment_confirmation_silence_threshold",
]
_THRESHOLD_TEXT: Final = "ensure this value is greater than or equal to 0.3"
_COMMAND: Final = Parameter(
    "command",
    OneOf(("any", "set_task", "get_task", "pause_task", "end_task", "interrupt_task", "tts_task")),
    "any",
    "which command it strikes",
)

TASK_FAULTS: Final = (
    FaultKind(
        "F9",
        "The task takes long to start, or never does.",
        "`get_task` answers NOT_FOUND, and no `task_status` comes, until the task runs.",
        each(
            "command",
            polls="it runs after `polls` answers of NOT_FOUND; never with the dialect `ack-only`, "
            "which has no `get_task`",
            late="it runs after `delay_ms`",
            never="it never runs",
        ),
        (
            Parameter("polls", Between(1, 1_000), 5, "how many"),
            milliseconds(5_000, "how late"),
        ),
    ),
    FaultKind(
        "F10",
        "A `set_task` is refused by the validator, whatever it says.",
        "`error` VALIDATION_ERROR; the task stays as it was.",
        each(
            "command",
            repr="`desc` is the text of the validator's exception",
            list="`desc` is a list of objects `{loc, msg, type}`",
        ),
        (
            Parameter("loc", Location(), _THRESHOLD_LOCATION, "where the mistake is"),
            words("msg", _THRESHOLD_TEXT, "what is wrong"),
            words("type", "value_error.number.not_ge", "the validator's name of it"),
        ),
    ),
    FaultKind(
        "F11",
        "A `set_task` is refused as if a certain mistake were in it.",
        "`error` VALIDATION_ERROR in the words that the validator has for that mistake; the task "
        "stays as it was.",
        each(
            "command",
            threshold="a confirmation silence of 0.1 s",
            levels="a maximum queue level not above the desired one",
            source="an unknown source language",
            target="an unknown target language",
            missing_source="no source language",
            missing_target="no target language",
            missing_translations="no `translations`",
            content_type="a `content_type` that is not audio",
            stream_type="an unknown stream type",
            type_mismatch="input and output of different types",
            cloning_timbre="voice cloning together with timbre detection",
        ),
    ),
    FaultKind(
        "F12",
        "A command comes too often, says the server.",
        "`error` with this code and text; the command is not executed.",
        only("command"),
        (
            _COMMAND,
            words("code", RATE_LIMIT_CODE, "the code"),
            words("detail", RATE_LIMIT_TEXT, "the text"),
        ),
    ),
    FaultKind(
        "F23",
        "`end_task` is ignored.",
        "No tail's end, no `eos` or `end_of_stream`, no disconnection; the session goes on.",
        only("command"),
        (),
    ),
    FaultKind(
        "F24",
        "Pausing or resuming comes too soon after the other, says the server.",
        "`error` with this code and text; the session stays as it was.",
        each(
            "command",
            either="the next of the two",
            pause="`pause_task`",
            resume="`set_task` while paused",
        ),
        (
            words("code", RATE_LIMIT_CODE, "the code"),
            words("detail", RATE_LIMIT_TEXT, "the text"),
        ),
    ),
)


SESSION_FAULTS: Final = (
    FaultKind(
        "F8",
        "The bot is not where it should be.",
        "The participant `palabra_translator_…` does not come, comes late, or leaves; while it is "
        "away nothing is answered, and what is said to it is lost.",
        (
            Variant("never", "opening", "it never comes"),
            Variant("late", "opening", "it comes `delay_ms` after the session's creation"),
            Variant("leaves", "now", "it leaves in the middle; the room stays for a minute"),
        ),
        (milliseconds(3_000, "how late"),),
        "Passed over: there is no bot.",
    ),
    FaultKind(
        "F13",
        "The server has heard nothing for too long, or says so.",
        "`error` SERVICE_TIMEOUT; 0.26 s later the participant is removed.",
        only("now"),
        (
            words(
                "detail",
                "No input audio received for 10s. "
                "Use the pause_task command for intentional pauses.",
                "the text",
            ),
        ),
        "The socket is closed with 1008.",
    ),
    FaultKind(
        "F14",
        "A voice does not exist.",
        "`warning` VOICE_NOT_FOUND; everything goes on.",
        only("now"),
        (words("voice_id", "default_low", "the voice's id"),),
    ),
    FaultKind(
        "F15",
        "The sound comes too fast, too slowly or not at all, says the server.",
        "`warning` with the variant's code; everything goes on.",
        each(
            "now",
            AUDIO_STREAM_TOO_FAST="more than real time",
            AUDIO_STREAM_TOO_SLOW="less than real time",
            AUDIO_STREAM_STALLED="nothing for a while",
        ),
        (words("detail", "", "the text; empty for the emulator's own"),),
    ),
    FaultKind(
        "F16",
        "The server loses the task of a running session.",
        "Nothing by itself: the tracks go, nothing more is said; `get_task` answers NOT_FOUND "
        "until the next `set_task`.",
        only("now"),
    ),
    FaultKind(
        "F17",
        "The server closes the room.",
        "The client is disconnected, without last words.",
        each(
            "now",
            removed="PARTICIPANT_REMOVED",
            room_deleted="ROOM_DELETED",
            server_shutdown="SERVER_SHUTDOWN",
            signal_drop="the signalling breaks without a word, and there is no way back in",
        ),
        (Parameter("close_code", OneOf((1001, 1006, 1011)), 1001, "of a WebSocket; 1006 cuts it"),),
        "The socket is closed with `close_code`; `signal_drop` cuts it.",
    ),
    FaultKind(
        "F18",
        "The network is gone for a moment.",
        "The signalling breaks, and to open it takes until `delay_ms` are over; what is said or "
        "spoken meanwhile is lost on either side. Then LiveKit resumes; after more than some five "
        "seconds it begins anew.",
        only("now"),
        (milliseconds(2_000, "for how long"),),
        "Passed over: there is nothing to resume. F17 with `close_code` 1006 loses the socket.",
    ),
    FaultKind(
        "F19",
        "Texts come in ways that a client must put up with; one stroke is one utterance.",
        "What the variant says.",
        each(
            "text",
            duplicates="every text comes twice",
            late_partial="a partial text comes again after the final one",
            reordered="the translations of two languages change places",
            no_end_timestamp="segments have no `end_timestamp`",
            null_end_timestamp="segments have the `end_timestamp` null",
            no_words="segments have no `words`",
            part_ids="final texts have the id `<id>_part_0` and no `translation_part_id`",
            no_segments="there are no `segments`",
            no_language="there is no `language`",
        ),
    ),
    FaultKind(
        "F20",
        "A packet makes no sense.",
        "The packet of the variant, between the others.",
        each(
            "now",
            non_json="a text that is no JSON",
            array="a JSON array",
            empty="`{}`",
            no_type="an object without `message_type`",
            unknown_type="a `message_type` that nobody knows",
            bad_data="a known type whose `data` is a text that is no JSON",
            huge="a text of `size` bytes",
            binary="bytes that are no text",
            cut="a JSON object that ends in the middle",
        ),
        (Parameter("size", Between(1, 60_000), 30_000, "how large the huge one is"),),
    ),
    FaultKind(
        "F21",
        "The translation tracks are not as expected.",
        "What the variant says.",
        (
            Variant("republished", "now", "all are taken back and published again, same names"),
            Variant("never", "tracks", "none is published"),
            Variant("wrong_case", "tracks", "`translation_ES-MX` for `es-mx`"),
            Variant("base_code", "tracks", "`translation_es` for `es-mx`"),
        ),
        (),
        "There are no tracks: `republished` is passed over, `never` waits on for a session with "
        "tracks, the other variants change the `language` of the sound.",
    ),
    FaultKind(
        "F22",
        "Speech piles up until the queue overflows.",
        "Long texts are told and spoken at once; the queue map shows a level above the maximum, "
        "then the desired one: the oldest speech has been dropped.",
        only("now"),
        (Parameter("seconds", Between(1, 120), 30, "how much speech for each language"),),
    ),
    FaultKind(
        "F26",
        "The session is up, speech goes in, and nothing comes out.",
        "What the variant says; not of Palabra's list, the emulator's own.",
        (
            Variant("no_output", "now", "no message and no sound any more, not even an answer"),
            Variant("deaf", "now", "commands are answered, but nothing is heard any more"),
            Variant("no_track", "tracks", "texts come, but no track"),
            Variant("no_bot", "opening", "the bot never comes"),
        ),
        (),
        "`no_track` and `no_bot` wait on for a session with a room.",
    ),
)


FAULTS: Final = tuple(
    sorted((*REST_FAULTS, *TASK_FAULTS, *SESSION_FAULTS), key=lambda fault: int(fault.id[1:]))
)

BY_ID: Final = {fault.id: fault for fault in FAULTS}
"""The catalogue by id."""
