"""All faults that can be injected, each a class: its sentence, what a client sees, its parameters.

F1 to F25 are those that clients of the real service must survive. F26 and F27 are the emulator's
own, for clients that watch over a session which is up and says nothing, or does something else.
"""

from __future__ import annotations

import inspect
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from palabra_emulator.validation import Parameter, choice, parameter, plain_error, wrong

Occasion: TypeAlias = Literal[
    "request", "creation", "opening", "join", "command", "tracks", "text", "now"
]
"""The occasions of faults: a REST request, a session just created, its bot's coming, a client's
joining, a command, the publishing of tracks, a text, or none: `now` is triggered by itself."""

RATE_LIMIT_CODE: Final = "RATE_LIMIT_EXCEEDED"
RATE_LIMIT_TEXT: Final = "Too many requests"

_COMMON: Final = ("times", "at_seconds", "after_seconds", "every_seconds")
_WHILE_RUNNING: Final[frozenset[Occasion]] = frozenset({"command", "text", "now"})
"""Occasions at which a session may have been running for a while."""

Text: TypeAlias = Annotated[str, Field(max_length=2_000)]
RequestName: TypeAlias = Literal["create", "list", "show", "extend", "delete", "any"]
CommandName: TypeAlias = Literal[
    "any", "set_task", "get_task", "pause_task", "end_task", "interrupt_task", "tts_task"
]


class Fault(BaseModel):
    """A fault that may be armed; an instance says how often, where, when, and in which way."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    id: ClassVar[str]
    occasion: ClassVar[Occasion]
    on_websocket: ClassVar[str] = ""
    """The difference with a client on a WebSocket; empty for none."""
    is_of_a_session: ClassVar[bool] = True
    """True if it can be meant for one session."""

    times: int | None = Field(default=1, ge=0, le=1_000_000)
    """how often; 0 or null until withdrawn"""
    session: Annotated[int, Field(ge=0)] | Annotated[str, Field(min_length=1)] | None = Field(
        default=None, json_schema_extra={"allowed": "a session's id or number, or null"}
    )
    """the id or the number of the only session that is meant; null for any"""
    at_seconds: float = Field(default=0, ge=0, le=86_400)
    """not before: from arming on"""
    after_seconds: float = Field(default=0, ge=0, le=86_400)
    """not before: from the session's first running on"""
    every_seconds: float = Field(default=1, ge=0.05, le=86_400)
    """between two times in one session, for a fault that is triggered by itself"""

    @property
    def occurs_at(self) -> Occasion:
        """The occasion on which it is triggered."""
        return self.occasion

    @property
    def name(self) -> dict[str, object]:
        """Its id and variant, for the journal."""
        return {"fault": self.id}

    def facts(self) -> dict[str, object]:
        """All of it, as it could be armed again."""
        return {"fault": self.id, **self.model_dump()}

    @classmethod
    def sentence(cls) -> str:
        """The sentence that says what happens."""
        return _paragraphs(cls)[0]

    @classmethod
    def appearance(cls) -> str:
        """The sentences that say what exactly a client sees."""
        return _paragraphs(cls)[1]

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """Everything that can be chosen about it, by name."""
        return {name: parameter(name, field) for name, field in cls.model_fields.items()}

    @classmethod
    def own_parameters(cls) -> list[Parameter]:
        """Its own parameters, the variant first where there are several."""
        return [it for name, it in cls.parameters().items() if name not in {*_COMMON, "session"}]

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_fractions(cls, value: object, info: ValidationInfo) -> object:
        """Refuse 404.0, which pydantic takes for one of some whole numbers."""
        expected = cls.parameters()[str(info.field_name)]
        if isinstance(value, float) and expected.choices:
            raise plain_error(wrong(expected, value))

        return value

    @field_validator("times")
    @classmethod
    def _end_never(cls, times: int | None) -> int | None:
        return times or None

    @field_validator("session")
    @classmethod
    def _be_of_a_session(cls, session: int | str | None) -> int | str | None:
        if session is not None and not cls.is_of_a_session:
            raise plain_error(
                f"{cls.id} is about requests that no session exists for; leave it out"
            )

        return session

    @model_validator(mode="after")
    def _wait_only_while_running(self) -> Self:
        if self.after_seconds and self.occurs_at not in _WHILE_RUNNING:
            what = " ".join(map(str, self.name.values()))
            reason = f"{what} is triggered before a session runs; at_seconds counts from arming"
            raise plain_error(reason, field="after_seconds")

        return self


class FaultWithVariants(Fault):
    """A fault that may show in several ways."""

    variants: ClassVar[dict[str, str]]
    """Their names and what they mean; the first is the default."""
    occasions: ClassVar[dict[str, Occasion]] = {}
    """Of the variants that have another occasion than the rest."""

    variant: str
    """which way it shows"""

    @property
    def occurs_at(self) -> Occasion:
        """The occasion on which it is triggered."""
        return self.occasions.get(self.variant, self.occasion)

    @property
    def name(self) -> dict[str, object]:
        """Its id and variant, for the journal."""
        return {"fault": self.id, "variant": self.variant}

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """Everything that can be chosen about it, by name."""
        found = super().parameters()
        return {**found, "variant": choice(found["variant"], tuple(cls.variants))}

    @model_validator(mode="before")
    @classmethod
    def _choose_variant(cls, content: dict[str, Any]) -> dict[str, Any]:
        """Take the first where none is chosen; an HTTP status may be written as a number."""
        chosen = content.get("variant", next(iter(cls.variants)))
        return {**content, "variant": str(chosen) if type(chosen) is int else chosen}

    @field_validator("variant")
    @classmethod
    def _know_variant(cls, variant: str) -> str:
        if variant not in cls.variants:
            raise plain_error(wrong(cls.parameters()["variant"], variant))

        return variant


def common_parameters() -> list[Parameter]:
    """The parameters of every fault, beside `fault` and `session`."""
    return [Fault.parameters()[name] for name in _COMMON]


def _paragraphs(fault: type[Fault]) -> list[str]:
    """The paragraphs of a fault's docstring, each in one line."""
    text = inspect.cleandoc(fault.__doc__ or "")
    return [" ".join(it.split()) for it in text.split("\n\n")]


class CredentialsRefused(Fault):
    """The credentials are refused.

    The error envelope of wrong credentials; 401 today, 404 in older times.
    """

    id = "F1"
    occasion = "request"
    is_of_a_session = False

    status: Literal[401, 404] | None = None
    """null for what `cred_error_status` says"""
    request: RequestName = "any"
    """which request it is about"""


class NoBalance(Fault):
    """The account's balance is used up.

    403 with title `Forbidden resource`, detail `Insufficient balance`, error_code 100050.
    """

    id = "F2"
    occasion = "request"
    is_of_a_session = False


class AccountFull(Fault):
    """The account has too many sessions at once.

    An error envelope with the status, detail and number given here; the real ones are unknown.
    """

    id = "F3"
    occasion = "request"
    is_of_a_session = False

    status: Literal[403, 409, 429] = 403
    """the HTTP status"""
    detail: Text = "Too many parallel sessions"
    """the words for it"""
    error_code: int | None = Field(default=None, ge=0, le=10_000_000)
    """Palabra's own number; null for none known"""
    retry_after: int | None = Field(default=None, ge=0, le=3_600)
    """the seconds of a Retry-After header"""


class BodyRefused(Fault):
    """The body of the request is called malformed.

    An error envelope, 422 or 400.
    """

    id = "F4"
    occasion = "request"
    is_of_a_session = False

    status: Literal[422, 400] = 422
    """the HTTP status"""
    detail: Text = "The request body is not valid."
    """the words for it"""


class RestFailure(FaultWithVariants):
    """The REST API is limited, broken, slow or speaks nonsense.

    What the variant says; an error status comes in its envelope. With `slow`, `non_json`,
    `no_publisher` and `ok_false` the request is executed.
    """

    id = "F5"
    occasion = "request"
    variants = {
        "500": "HTTP 500",
        "502": "HTTP 502",
        "503": "HTTP 503",
        "504": "HTTP 504",
        "429": "HTTP 429, with Retry-After where `retry_after` is given",
        "402": "HTTP 402: funds",
        "timeout": "no answer for `delay_ms`, then the connection is dropped",
        "slow": "the right answer, `delay_ms` late",
        "non_json": "the right status with an HTML page",
        "no_publisher": "201 without `publisher`",
        "ok_false": '201 with `{"ok": false, "error": …}`',
        "dropped": "the connection is cut without an answer",
    }

    request: RequestName = "create"
    """which request it is about"""
    delay_ms: int | None = Field(default=None, ge=0, le=600_000)
    """null for 5000 with `slow` and 60000 with `timeout`"""
    detail: Text | None = None
    """the words; null for the status's own"""
    retry_after: int | None = Field(default=None, ge=0, le=3_600)
    """the seconds of a Retry-After header"""


class TokenRefused(Fault):
    """The session's token is invalid or has expired, for as long as the session lives.

    401 on `/livekit/rtc`, and 401 with a text on `/livekit/rtc/validate`.
    """

    id = "F6"
    occasion = "join"
    on_websocket = "The upgrade is refused with `ws_status`."

    detail: Text = "invalid token: token is expired (exp)"
    """the text of the refusal"""
    ws_status: Literal[403, 401] = 403
    """the status of a WebSocket's upgrade"""


class SessionExpired(Fault):
    """The session has expired before its client joined.

    Its creation is answered as ever; then GET answers 404, and joining `status`.
    """

    id = "F7"
    occasion = "creation"
    on_websocket = "The upgrade is refused with HTTP 403."

    status: Literal[404, 401] = 404
    """the HTTP status"""


class BotMissing(FaultWithVariants):
    """The bot is not where it should be.

    The participant `palabra_translator_…` does not come, comes late, or leaves; while it is away
    nothing is answered, and what is said to it is lost.
    """

    id = "F8"
    occasion = "opening"
    on_websocket = "Passed over: there is no bot."
    variants = {
        "never": "it never comes",
        "late": "it comes `delay_ms` after the session's creation",
        "leaves": "it leaves in the middle; the room stays for a minute",
    }
    occasions = {"leaves": "now"}

    delay_ms: int = Field(default=3000, ge=0, le=600_000)
    """how late"""


class SlowStart(FaultWithVariants):
    """The task takes long to start, or never does.

    `get_task` answers NOT_FOUND, and no `task_status` comes, until the task runs.
    """

    id = "F9"
    occasion = "command"
    variants = {
        "polls": "it runs after `polls` answers of NOT_FOUND; never with the dialect `ack-only`, "
        "which has no `get_task`",
        "late": "it runs after `delay_ms`",
        "never": "it never runs",
    }

    polls: int = Field(default=5, ge=1, le=1_000)
    """how many"""
    delay_ms: int = Field(default=5000, ge=0, le=600_000)
    """how late"""


class TaskRefused(FaultWithVariants):
    """A `set_task` is refused by the validator, whatever it says.

    `error` VALIDATION_ERROR; the task stays as it was.
    """

    id = "F10"
    occasion = "command"
    variants = {
        "repr": "`desc` is the text of the validator's exception",
        "list": "`desc` is a list of objects `{loc, msg, type}`",
    }

    loc: list[str | int] = Field(
        default=["pipeline", "transcription", "segment_confirmation_silence_threshold"],
        min_length=1,
        json_schema_extra={"allowed": "a list of keys and positions"},
    )
    """where the mistake is"""
    msg: Text = "ensure this value is greater than or equal to 0.3"
    """what is wrong"""
    type: Text = "value_error.number.not_ge"
    """the validator's name of it"""


class MistakenTask(FaultWithVariants):
    """A `set_task` is refused as if a certain mistake were in it.

    `error` VALIDATION_ERROR in the words that the validator has for that mistake; the task stays as
    it was.
    """

    id = "F11"
    occasion = "command"
    variants = {
        "threshold": "a confirmation silence of 0.1 s",
        "levels": "a maximum queue level not above the desired one",
        "source": "an unknown source language",
        "target": "an unknown target language",
        "missing_source": "no source language",
        "missing_target": "no target language",
        "missing_translations": "no `translations`",
        "content_type": "a `content_type` that is not audio",
        "stream_type": "an unknown stream type",
        "type_mismatch": "input and output of different types",
        "cloning_timbre": "voice cloning together with timbre detection",
    }


class CommandTooOften(Fault):
    """A command comes too often, says the server.

    `error` with this code and text; the command is not executed.
    """

    id = "F12"
    occasion = "command"

    command: CommandName = "any"
    """which command it is about"""
    code: Text = RATE_LIMIT_CODE
    """the code"""
    detail: Text = RATE_LIMIT_TEXT
    """the text"""


class ServiceTimeout(Fault):
    """The server has heard nothing for too long, or says so.

    `error` SERVICE_TIMEOUT; 0.26 s later the participant is removed.
    """

    id = "F13"
    occasion = "now"
    on_websocket = "The socket is closed with 1008."

    detail: Text = (
        "No input audio received for 10s. Use the pause_task command for intentional pauses."
    )
    """the text"""


class UnknownVoice(Fault):
    """A voice does not exist.

    `warning` VOICE_NOT_FOUND; everything goes on.
    """

    id = "F14"
    occasion = "now"

    voice_id: Text = "default_low"
    """the voice's id"""


class WrongPace(FaultWithVariants):
    """The sound comes too fast, too slowly or not at all, says the server.

    `warning` with the variant's code; everything goes on.
    """

    id = "F15"
    occasion = "now"
    variants = {
        "AUDIO_STREAM_TOO_FAST": "more than real time",
        "AUDIO_STREAM_TOO_SLOW": "less than real time",
        "AUDIO_STREAM_STALLED": "nothing for a while",
    }

    detail: Text = ""
    """the text; empty for the emulator's own"""


class TaskLost(Fault):
    """The server loses the task of a running session.

    Nothing by itself: the tracks go, nothing more is said; `get_task` answers NOT_FOUND until the
    next `set_task`.
    """

    id = "F16"
    occasion = "now"


class RoomClosed(FaultWithVariants):
    """The server closes the room.

    The client is disconnected, without last words.
    """

    id = "F17"
    occasion = "now"
    on_websocket = "The socket is closed with `close_code`; `signal_drop` cuts it."
    variants = {
        "removed": "PARTICIPANT_REMOVED",
        "room_deleted": "ROOM_DELETED",
        "server_shutdown": "SERVER_SHUTDOWN",
        "signal_drop": "the signalling breaks without a word, and there is no way back in",
    }

    close_code: Literal[1001, 1006, 1011] = 1001
    """of a WebSocket; 1006 cuts it"""


class NetworkGone(Fault):
    """The network is gone for a moment.

    The signalling breaks, and to open it takes until `delay_ms` are over; what is said or spoken
    meanwhile is lost on either side. Then LiveKit resumes; after more than some five seconds it
    begins anew.
    """

    id = "F18"
    occasion = "now"
    on_websocket = (
        "Passed over: there is nothing to resume. F17 with `close_code` 1006 loses the socket."
    )

    delay_ms: int = Field(default=2000, ge=0, le=600_000)
    """for how long"""


class OddTexts(FaultWithVariants):
    """Texts come in ways that a client must put up with; each time it is one utterance.

    What the variant says.
    """

    id = "F19"
    occasion = "text"
    variants = {
        "duplicates": "every text comes twice",
        "late_partial": "a partial text comes again after the final one",
        "reordered": "the translations of two languages change places",
        "no_end_timestamp": "segments have no `end_timestamp`",
        "null_end_timestamp": "segments have the `end_timestamp` null",
        "no_words": "segments have no `words`",
        "part_ids": "final texts have the id `<id>_part_0` and no `translation_part_id`",
        "no_segments": "there are no `segments`",
        "no_language": "there is no `language`",
    }


class JunkPacket(FaultWithVariants):
    """A packet makes no sense.

    The packet of the variant, between the others.
    """

    id = "F20"
    occasion = "now"
    variants = {
        "non_json": "a text that is no JSON",
        "array": "a JSON array",
        "empty": "`{}`",
        "no_type": "an object without `message_type`",
        "unknown_type": "an unknown `message_type`",
        "bad_data": "a known type whose `data` is a text that is no JSON",
        "huge": "a text of `size` bytes",
        "binary": "bytes that are no text",
        "cut": "a JSON object that ends in the middle",
    }

    size: int = Field(default=30000, ge=1, le=60_000)
    """how large the huge one is"""


class WrongTracks(FaultWithVariants):
    """The translation tracks are not as expected.

    What the variant says.
    """

    id = "F21"
    occasion = "tracks"
    on_websocket = (
        "There are no tracks: `republished` is passed over, `never` waits on for a session with "
        "tracks, the other variants change the `language` of the sound."
    )
    variants = {
        "republished": "all are taken back and published again, same names",
        "never": "none is published",
        "wrong_case": "`translation_ES-MX` for `es-mx`",
        "base_code": "`translation_es` for `es-mx`",
    }
    occasions = {"republished": "now"}


class SpeechOverflow(Fault):
    """Speech piles up until the queue overflows.

    Long texts are told and spoken at once; the queue map shows a level above the maximum, then the
    desired one: the oldest speech has been dropped.
    """

    id = "F22"
    occasion = "now"

    seconds: int = Field(default=30, ge=1, le=120)
    """how much speech for each language"""


class EndIgnored(Fault):
    """`end_task` is ignored.

    No tail's end, no `eos` or `end_of_stream`, no disconnection; the session goes on.
    """

    id = "F23"
    occasion = "command"


class PauseTooSoon(FaultWithVariants):
    """Pausing or resuming comes too soon after the other, says the server.

    `error` with this code and text; the session stays as it was.
    """

    id = "F24"
    occasion = "command"
    variants = {
        "either": "the next of the two",
        "pause": "`pause_task`",
        "resume": "`set_task` while paused",
    }

    code: Text = RATE_LIMIT_CODE
    """the code"""
    detail: Text = RATE_LIMIT_TEXT
    """the text"""


class DeletionFails(FaultWithVariants):
    """A session cannot be deleted.

    The status in its envelope, or no answer; the session stays.
    """

    id = "F25"
    occasion = "request"
    variants = {
        "404": "HTTP 404",
        "500": "HTTP 500",
        "503": "HTTP 503",
        "504": "HTTP 504",
        "timeout": "no answer for `delay_ms`, then the connection is dropped",
    }

    delay_ms: int = Field(default=60000, ge=0, le=600_000)
    """how long there is no answer"""


class NothingComesOut(FaultWithVariants):
    """The session is up, speech goes in, and nothing comes out.

    What the variant says; not of Palabra's list, the emulator's own.
    """

    id = "F26"
    occasion = "now"
    on_websocket = "`no_track` and `no_bot` wait on for a session with a room."
    variants = {
        "no_output": "no message and no sound any more, not even an answer",
        "deaf": "commands are answered, but nothing is heard any more",
        "no_track": "texts come, but no track",
        "no_bot": "the bot never comes",
    }
    occasions = {"no_track": "tracks", "no_bot": "opening"}


class TaskChanged(FaultWithVariants):
    """The server accepts a task, and keeps another one.

    `set_task` is acknowledged as ever; what `current_task` shows, and what runs, is as the variant
    says; not of Palabra's list, the emulator's own.
    """

    id = "F27"
    occasion = "command"
    variants = {
        "target": "the last target is left out",
        "silence": "the confirming silence is 2 s",
    }


FAULTS: Final[tuple[type[Fault], ...]] = (
    CredentialsRefused,
    NoBalance,
    AccountFull,
    BodyRefused,
    RestFailure,
    TokenRefused,
    SessionExpired,
    BotMissing,
    SlowStart,
    TaskRefused,
    MistakenTask,
    CommandTooOften,
    ServiceTimeout,
    UnknownVoice,
    WrongPace,
    TaskLost,
    RoomClosed,
    NetworkGone,
    OddTexts,
    JunkPacket,
    WrongTracks,
    SpeechOverflow,
    EndIgnored,
    PauseTooSoon,
    DeletionFails,
    NothingComesOut,
    TaskChanged,
)

BY_ID: Final = {fault.id: fault for fault in FAULTS}
"""The catalogue by id."""
