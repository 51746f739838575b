"""The faults that answer a command: F9 to F12, F23 and F24."""

from __future__ import annotations

from typing import Final

from palabra_emulator.faults.kinds import (
    RATE_LIMIT_CODE,
    RATE_LIMIT_TEXT,
    Fault,
    each,
    milliseconds,
    only,
    words,
)
from palabra_emulator.faults.parameters import Between, Location, OneOf, Parameter

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
    Fault(
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
    Fault(
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
    Fault(
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
    Fault(
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
    Fault(
        "F23",
        "`end_task` is ignored.",
        "No tail's end, no `eos` or `end_of_stream`, no disconnection; the session goes on.",
        only("command"),
        (),
    ),
    Fault(
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
