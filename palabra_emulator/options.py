"""Options by their names: `NAME=VALUE` as people type it, read as the option's type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from palabra_agent.errors import ConfigError, Problem
from palabra_agent.languages import AUTO, SOURCE_LANGUAGES, base
from palabra_agent.languages import did_you_mean as language_meant
from palabra_emulator.faults.catalogue import did_you_mean, shown
from palabra_emulator.faults.reading import FaultRequest
from palabra_emulator.script import Script


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorOptions:
    """Everything that can be chosen about an emulator; the defaults are today's Palabra."""

    livekit_url: str
    """The LiveKit server whose rooms it uses."""
    livekit_api_key: str
    livekit_api_secret: str = field(repr=False)

    host: str = "127.0.0.1"
    port: int = 8090
    """0 for any free port."""

    client_id: str = "local"
    client_secret: str = field(default="local", repr=False)
    api_key: str = field(default="local", repr=False)

    scenario: tuple[FaultRequest, ...] = ()
    """Faults that are armed from the start on."""
    script: Script | Path | None = None
    """What is said in the meeting: a script, its file, or the built-in one."""
    voice: Literal["marker", "espeak"] = "marker"
    latency_ms: int = 800
    """From the end of an utterance's sound to its translations, text and speech alike. They never
    come before the confirming silence is over, so less than that changes nothing."""
    auto_language: str = "en"
    """What `source_language: "auto"` hears where the task lists no `detectable_languages`."""

    dialect: Literal["legacy", "legacy+ack", "ack-only"] = "legacy+ack"
    """`legacy`: only `get_task` tells readiness. `legacy+ack`: `task_status` as well. `ack-only`:
    only `task_status`; `get_task` is answered like an unknown command."""
    eos_name: Literal["eos", "end_of_stream", "both"] = "end_of_stream"
    id_style: Literal["hex16", "hex16_part"] = "hex16"
    """`hex16`: one id per utterance, translations carry `translation_part_id`. `hex16_part`: final
    texts carry `<id>_part_0` instead."""
    duplicate_validated: float = 0.5
    """How probably a validated transcription is sent twice."""
    double_encode: Literal["never", "always", "mixed"] = "mixed"
    """Whether `data` is a JSON string within the JSON; `mixed`: about every second message."""
    queue_map_hz: float = 1.0
    """How often the bare map of queue levels is sent; 0 for never."""
    rate_limits: Literal["separate", "shared", "off"] = "separate"
    """`separate`: one bucket per command. `shared`: one for set and get, one for pause and end."""
    watchdog_s: float = 10.0
    """Running this long without input ends the session; 0 for never."""
    bot_delay_ms: int = 0
    """From a session's creation to its bot's coming; 0 has it there before anybody."""
    ready_delay_ms: int = 500
    """From a valid first `set_task` to running. Above 1000, palabra-ai 0.6 gives up."""
    rest_delay_ms: int = 0
    """How long the answer to a created session takes at least."""
    keep_sids: bool = True
    """Whether an update keeps the tracks of unchanged targets; else all are published anew."""
    strict_fields: bool = False
    """Refuse unknown fields, and voice cloning together with another way to choose a voice."""
    queue_minimums: bool = True
    """Refuse queues below the reported minimums: desired 2000 ms, max 4000 ms."""
    flush_task: bool = False
    """Accept `interrupt_task` by its older name too; the live server no longer does."""
    voices: frozenset[str] = frozenset({"default_low", "default_high"})
    """Voice ids that exist; any other brings a warning and the default voice."""
    cred_error_status: Literal[401, 404] = 401

    most_sessions: int = 100
    """How many sessions may wait or run in rooms at once; each has a bot, and that some thirty
    sockets. One more is refused as Palabra refuses parallel sessions."""
    grace_s: float = 5.0
    """How long a client may be away before its session ends: a full reconnect takes a second."""
    unjoined_ttl_s: float = 600.0
    """How long a session waits for a client that has never come."""
    record_input: Path | None = None
    """A folder for what each session heard, a WAV file each: 16 kHz mono, the sound of running
    tasks alone."""
    keep_heard_s: float = 60.0
    """How much of that, the newest, is kept for `/emulator/sessions/{id}/heard.wav`."""
    seed: int = 0
    """Makes duplicates and double encoding the same in every run."""

    def __post_init__(self) -> None:
        """Refuse what would silently be heard as something else.

        Raises:
            ConfigError: `auto_language` is no language that Palabra recognises, or a credential is
                empty.
        """
        for name in ("client_id", "client_secret", "api_key"):
            if not getattr(self, name):
                reason = "must not be empty: whoever sends no credentials would be let in"
                raise ConfigError([Problem(name, reason)])
        if base(self.auto_language) not in SOURCE_LANGUAGES - {AUTO}:
            hint = language_meant(self.auto_language, SOURCE_LANGUAGES)
            reason = f'"{self.auto_language}" is not a language that Palabra recognises{hint}'
            raise ConfigError([Problem("auto_language", reason)])


_TYPES: Final[dict[str, Any]] = get_type_hints(EmulatorOptions)
_ELSEWHERE: Final = frozenset(
    {"livekit_url", "livekit_api_key", "livekit_api_secret", "scenario", "script"}
)
"""What is said in other ways."""

_HIGHEST: Final = {
    "duplicate_validated": 1.0,
    "port": 65_535.0,
    "queue_map_hz": 100.0,
    "seed": 2.0**53,
    "most_sessions": 10_000.0,
}
_LONGEST_SECONDS: Final = 30.0 * 24 * 3600
"""The end of every time that can be chosen, in seconds or milliseconds."""

_WORDS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

OPTION_NAMES: Final = tuple(
    field.name for field in fields(EmulatorOptions) if field.name not in _ELSEWHERE
)


def read_options(written: Sequence[str]) -> dict[str, Any]:
    """Read options; of one that is written twice, the later counts.

    Raises:
        ConfigError: One of them is unknown or has a wrong value; every mistake is told.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for text in written:
        name, separator, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not separator:
            problems.append(Problem(text, "must be NAME=VALUE"))
        elif name not in OPTION_NAMES:
            hint = did_you_mean(name, OPTION_NAMES)
            problems.append(
                Problem(name, f"is no option; there are {', '.join(OPTION_NAMES)}{hint}")
            )
        else:
            try:
                values[name] = _read(name, value.strip())
            except ValueError as wrong:
                problems.append(Problem(name, f"must be {wrong}, not {shown(value.strip())}"))
    if problems:
        raise ConfigError(problems)

    return values


def _read(name: str, text: str) -> object:
    """Read a value; a ValueError says what it must be."""
    kind = _TYPES[name]
    if get_origin(kind) is Literal:
        return _choice(get_args(kind), text)
    if kind is bool:
        if text.lower() not in _WORDS:
            raise ValueError("true or false")
        return _WORDS[text.lower()]
    if kind in {int, float}:
        return _number(name, kind, text)
    if get_origin(kind) is frozenset:
        return frozenset(word.strip() for word in text.split(",") if word.strip())
    if get_origin(kind) in {Union, UnionType}:
        return Path(text) if text else None

    return text


def _choice(allowed: tuple[Any, ...], text: str) -> object:
    for value in allowed:
        if str(value) == text:
            return value

    raise ValueError(f"one of {', '.join(map(str, allowed))}")


def _number(name: str, kind: type[int] | type[float], text: str) -> float:
    longest = _LONGEST_SECONDS * (1000 if name.endswith("_ms") else 1)
    highest = _HIGHEST.get(name, longest)
    wanted = f"{'a whole number' if kind is int else 'a number'} from 0 to {highest:.10g}"
    try:
        number = kind(text)
    except ValueError:
        raise ValueError(wanted) from None
    if not 0 <= number <= highest:
        raise ValueError(wanted)

    return number
