"""The exception tree. Facts are attributes; the sentence for a person is made in `__str__`.

PalabraAgentError
├── ConfigError                 what somebody wrote is wrong; nothing was opened
│   ├── SettingsError           the worker's environment or TOML file
│   └── RoomConfigError         a room's dispatch metadata
├── MeetingError                the LiveKit room or server of the meeting
├── SetupError                  this machine lacks something that a command needs
└── PalabraError                the Palabra side; says whether a retry can help
    ├── ApiError                an answer of the REST API that is not a success
    ├── Unreachable             no answer at all
    ├── TaskRejected            the settings were refused: never retried unchanged
    └── SessionLost             a running session went away under us

No message holds a token, a transcript or a participant's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class PalabraAgentError(Exception):
    """Anything that this package reports in a sentence."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration."""

    path: str
    """Where: `plugins[0].config.high.es`; empty for the whole."""

    reason: str
    """What is wrong and what is allowed, one sentence without a full stop."""

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class ConfigError(PalabraAgentError):
    """A configuration with at least one mistake, all of them listed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)


class SettingsError(ConfigError):
    """The worker's own settings are wrong."""


class RoomConfigError(ConfigError):
    """A room's configuration is wrong; the room gets no interpreter."""


class MeetingError(PalabraAgentError):
    """The meeting's LiveKit server or room refused or failed us."""


class SetupError(PalabraAgentError):
    """This machine lacks something that a command needs; the sentence says how to get it."""


class PalabraError(PalabraAgentError):
    """The Palabra side failed."""

    retryable: bool = True
    """Whether the same request may succeed later."""


class ApiError(PalabraError):
    """Palabra's REST API answered, but not with a success."""

    def __init__(self, status: int, detail: str, error_code: int | None = None) -> None:
        super().__init__(status, detail, error_code)
        self.status = status
        """HTTP status."""
        self.detail = detail
        """Palabra's own words: `errors[0].detail`, else its title."""
        self.error_code = error_code
        """Palabra's number, such as 100050 for an insufficient balance."""
        self.retryable = status in {408, 425, 429} or status >= 500

    def __str__(self) -> str:
        number = f", error {self.error_code}" if self.error_code is not None else ""
        return f"Palabra refused: {self.detail} (HTTP {self.status}{number})"


class Unreachable(PalabraError):
    """Palabra did not answer."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(host, reason)
        self.host = host
        self.reason = reason

    def __str__(self) -> str:
        return f"Palabra cannot be reached at {self.host}: {self.reason}"


class TaskRejected(PalabraError):
    """Palabra refused the task's settings."""

    retryable = False

    def __init__(self, code: str, desc: str) -> None:
        super().__init__(code, desc)
        self.code = code
        self.desc = desc

    def __str__(self) -> str:
        return f"Palabra refused the settings: {self.desc} ({self.code})"


class SessionLost(PalabraError):
    """A Palabra session ended, or never became ready, without us asking for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the Palabra session was lost: {self.reason}"
