"""The options of an emulator: where it listens, its credentials, which habits of Palabra it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import ConfigDict, Field, SkipValidation, ValidationError, field_validator
from pydantic.dataclasses import dataclass
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from palabra_agent.addresses import mistake_of
from palabra_agent.errors import ConfigError, Problem
from palabra_agent.languages import AUTO, SOURCE_LANGUAGES, base, find_source
from palabra_agent.languages import did_you_mean as language_hint
from palabra_emulator.faults.catalogue import Fault
from palabra_emulator.script import Script
from palabra_emulator.validation import (
    Parameter,
    did_you_mean,
    parameter,
    plain_error,
    problems,
)

_LONGEST_SECONDS: Final = 30 * 24 * 3600
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=_LONGEST_SECONDS)]
Milliseconds: TypeAlias = Annotated[int, Field(ge=0, le=_LONGEST_SECONDS * 1000)]

_CONFIG: Final = ConfigDict(allow_inf_nan=False, arbitrary_types_allowed=True)

_ELSEWHERE: Final = frozenset(
    {"livekit_url", "livekit_api_key", "livekit_api_secret", "scenario", "script"}
)
"""The options that are chosen in other ways than by `NAME=VALUE`."""

_VARIABLES: Final = {
    "livekit_url": "the address of the LiveKit server, such as ws://127.0.0.1:7880",
    "livekit_api_key": "the API key of the LiveKit server",
    "livekit_api_secret": "the secret that belongs to LIVEKIT_API_KEY",
}


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class EmulatorOptions:
    """Everything that can be chosen about an emulator; the defaults are today's Palabra."""

    livekit_url: str = "ws://127.0.0.1:7880"
    """The LiveKit server whose rooms it uses; by default one that runs here in development mode."""
    livekit_api_key: str = "devkey"
    livekit_api_secret: str = Field(default="secret", repr=False)

    host: str = "127.0.0.1"
    port: int = Field(default=8090, ge=0, le=65_535)
    """0 for any free port."""

    client_id: str = Field(default="local", min_length=1)
    client_secret: str = Field(default="local", min_length=1, repr=False)
    api_key: str = Field(default="local", min_length=1, repr=False)

    scenario: tuple[Fault, ...] = ()
    """Faults that are armed from the start on."""
    script: SkipValidation[Script] | Path | None = None
    """The sentences of the meeting: a script, its file, or the built-in one."""
    voice: Literal["marker", "espeak"] = "marker"
    latency_ms: Milliseconds = 800
    """From the end of an utterance's sound to its translations, text and speech alike. They never
    come before the confirming silence is over, so less than that changes nothing."""
    speech_length: Literal["original", "text"] = "original"
    """How long marker tones last: as long as the original did, or as it takes to say the words of
    the translation, a short pause at the end included, however fast the speaker was."""
    auto_language: str = "en"
    """The language that `source_language: "auto"` hears where the task lists none to detect."""

    dialect: Literal["legacy", "legacy+ack", "ack-only"] = "legacy+ack"
    """`legacy`: only `get_task` tells readiness. `legacy+ack`: `task_status` as well. `ack-only`:
    only `task_status`; `get_task` is answered like an unknown command."""
    eos_name: Literal["eos", "end_of_stream", "both"] = "end_of_stream"
    id_style: Literal["hex16", "hex16_part"] = "hex16"
    """`hex16`: one id per utterance, translations carry `translation_part_id`. `hex16_part`: final
    texts carry `<id>_part_0` instead."""
    duplicate_validated: float = Field(default=0.5, ge=0, le=1)
    """The probability that a validated transcription is sent twice."""
    double_encode: Literal["never", "always", "mixed"] = "mixed"
    """True if `data` is a JSON string within the JSON; `mixed`: about every second message."""
    queue_map_hz: float = Field(default=1.0, ge=0, le=100)
    """The rate at which the bare map of queue levels is sent; 0 for never."""
    rate_limits: Literal["separate", "shared", "off"] = "separate"
    """`separate`: one bucket per command. `shared`: one for set and get, one for pause and end."""
    watchdog_s: Seconds = 10.0
    """Running this long without input ends the session; 0 for never."""
    bot_delay_ms: Milliseconds = 0
    """From a session's creation to its bot's coming; 0 has it there before its client."""
    ready_delay_ms: Milliseconds = 500
    """From a valid first `set_task` to running. Above 1000, palabra-ai 0.6 gives up."""
    rest_delay_ms: Milliseconds = 0
    """The least time that the answer to a created session takes."""
    keep_sids: bool = True
    """True if an update keeps the tracks of unchanged targets; else all are published anew."""
    strict_fields: bool = False
    """Refuse unknown fields, and voice cloning together with another way to choose a voice."""
    queue_minimums: bool = True
    """Refuse queues below the reported minimums: desired 2000 ms, max 4000 ms."""
    flush_task: bool = False
    """Accept `interrupt_task` by its older name too; the live server no longer does."""
    voices: frozenset[str] = frozenset({"default_low", "default_high"})
    """Voice ids that exist; any other brings a warning and the default voice."""
    clone_after_s: Seconds = 10.0
    """The speech after which a cloned voice speaks; until then the default one does."""
    cred_error_status: Literal[401, 404] = 401

    most_sessions: int = Field(default=100, ge=0, le=10_000)
    """The number of sessions that may wait or run in rooms; each has a bot, and that some thirty
    sockets. One more is refused as Palabra refuses parallel sessions."""
    grace_s: Seconds = 5.0
    """The time for which a client may be away: a full reconnect takes a second."""
    unjoined_ttl_s: Seconds = 600.0
    """The time for which a session waits for a client that has never come."""
    record_input: Path | None = None
    """A folder for what each session heard, a WAV file each: 16 kHz mono, the sound of running
    tasks alone."""
    keep_heard_s: Seconds = 60.0
    """The length of its newest part that is kept for `/emulator/sessions/{id}/heard.wav`."""
    seed: int = Field(default=0, ge=0, le=2**53)
    """Makes duplicates and double encoding the same in every run."""

    @field_validator("cred_error_status", mode="before")
    @classmethod
    def _read_number(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    @field_validator("voices", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value

        return frozenset(word.strip() for word in value.split(",") if word.strip())

    @field_validator("record_input", mode="before")
    @classmethod
    def _read_no_folder(cls, value: object) -> object:
        return value or None

    @field_validator("auto_language")
    @classmethod
    def _know_language(cls, code: str) -> str:
        source = find_source(code)
        if source is None:
            hint = language_hint(code, SOURCE_LANGUAGES - {AUTO})
            raise plain_error(f'"{code}" is not a language that Palabra recognises{hint}')

        return code if base(code) == source else str(source)


OPTION_NAMES: Final = tuple(
    field.name for field in fields(EmulatorOptions) if field.name not in _ELSEWHERE
)


def read_options(written: Sequence[str], **chosen: object) -> EmulatorOptions:
    """Read options.

    Args:
        written: `NAME=VALUE` each; of one that is written twice, the later counts.
        chosen: What was chosen in another way; what is written wins.

    Raises:
        ConfigError: One of them is unknown or has a wrong value; every mistake is told.
    """
    by_name, mistakes = _split_options(written)
    values: dict[str, Any] = {**chosen, **by_name}
    try:
        options = EmulatorOptions(**values)
    except ValidationError as error:
        mistakes += problems(error, _parameters(), values)
    else:
        if not mistakes:
            return options

    raise ConfigError(mistakes)


def _split_options(written: Sequence[str]) -> tuple[dict[str, str], list[Problem]]:
    values: dict[str, str] = {}
    mistakes: list[Problem] = []
    for text in written:
        name, separator, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not separator:
            mistakes.append(Problem(text, "must be NAME=VALUE"))
        elif name not in OPTION_NAMES:
            hint = did_you_mean(name, OPTION_NAMES)
            reason = f"is no option; there are {', '.join(OPTION_NAMES)}{hint}"
            mistakes.append(Problem(name, reason))
        else:
            values[name] = value.strip()

    return values, mistakes


def _parameters() -> Mapping[str, Parameter]:
    known: Mapping[str, FieldInfo] = vars(EmulatorOptions)["__pydantic_fields__"]
    return {name: parameter(name, field) for name, field in known.items()}


class LiveKitVariables(BaseSettings):
    """LiveKit's address and keys, from the environment, else from a `.env` file."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    livekit_url: str = ""
    livekit_api_key: str = ""
    livekit_api_secret: str = ""


def read_livekit_access(env_file: Path) -> dict[str, Any]:
    """Read where LiveKit is, as options.

    Raises:
        ConfigError: A variable is missing or wrong; every mistake is told.
    """
    try:
        variables = LiveKitVariables(_env_file=env_file)  # pyright: ignore[reportCallIssue] - one of BaseSettings
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError([Problem("", f"{env_file} cannot be read: {reason}")]) from None

    access = {name: value.strip() for name, value in variables.model_dump().items()}
    url = access["livekit_url"] = access["livekit_url"].rstrip("/")
    mistakes = [
        Problem(name.upper(), f"is not set; it is {_VARIABLES[name]}")
        for name, value in access.items()
        if not value
    ]
    if url and (mistake := mistake_of(url)) is not None:
        mistakes.append(Problem("LIVEKIT_URL", mistake))
    if mistakes:
        raise ConfigError(mistakes)

    return access
