"""The exception tree. Facts are attributes; the sentence for a person is made in `__str__`.

PalabraAgentError
├── ConfigError                 a configuration is wrong; nothing was opened
│   ├── SettingsError           the worker's environment or TOML file
│   └── RoomConfigError         a room's dispatch metadata
├── PluginError                 a plugin broke in one of its phases; all else goes on
├── MeetingError                the LiveKit room or server of the meeting
├── SetupError                  this machine lacks something that a command needs
├── NativePanic                 the native part of LiveKit's SDK gave up
└── PalabraError                the Palabra side; says whether a retry can help
    ├── ApiError                an answer of the REST API that is no success: a refused key, too
    ├── Unreachable             no answer at all
    ├── TaskRejected            the settings were refused: never retried unchanged
    ├── AccessDenied            a joined session may have no task: credentials or balance
    ├── WrongState              a session was asked for what it cannot do at the moment
    └── SessionLost             a running session went away under us

No message holds a token, a transcript or a participant's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class PalabraAgentError(Exception):
    """Anything that this package reports in a sentence."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration."""

    path: str
    """Its place: `plugins[0].config.high.es`; empty for the whole."""

    reason: str
    """The mistake and what is allowed, one sentence without a full stop."""

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


class Phase(StrEnum):
    """A phase in the life of a plugin, as far as it may break in it."""

    LOAD = "load"
    """Its entry point is imported, and must be a recipe; once per process."""
    CONFIGURE = "configure"
    """Its config, or the worker's settings of it, are checked."""
    OPEN = "open"
    """It is opened for a room."""
    CALL = "call"
    """One of its capabilities is asked or told something."""
    CLOSE = "close"
    """It is closed with its room."""


class PluginError(PalabraAgentError):
    """A plugin broke; it is passed over."""

    def __init__(self, plugin: str, phase: Phase, reason: str) -> None:
        super().__init__(plugin, phase, reason)
        self.plugin = plugin
        """Its name, as room configs use it."""
        self.phase = phase
        self.reason = reason
        """The cause, without the plugin's own words: they may hold a name."""

    def __str__(self) -> str:
        return f"the plugin {self.plugin} broke at {self.phase}: {self.reason}"


class MeetingError(PalabraAgentError):
    """The meeting's LiveKit server or room refused or failed us."""


class SetupError(PalabraAgentError):
    """This machine lacks something that a command needs; the sentence says how to get it."""


class NativePanic(PalabraAgentError):
    """The native part of LiveKit's SDK gave up; it cannot be used any more in this process."""

    def __str__(self) -> str:
        return (
            "the native part of LiveKit's SDK gave up, for the reason that it printed as FFI Panic;"
            " please start again"
        )


class PalabraError(PalabraAgentError):
    """The Palabra side failed."""

    retryable: bool = True
    """True where the same request may succeed later."""
    retry_after_seconds: float | None = None
    """The wait that Palabra asks for before the next try."""
    is_for_people: bool = False
    """True where the people in the meeting should be told although another try may succeed."""

    @property
    def in_our_words(self) -> str:
        """The sentence without anything that Palabra says, for the log."""
        return str(self)


class ErrorClass(StrEnum):
    """The meaning of a failure of the REST API, apart from its status and number."""

    CREDENTIALS = "credentials"
    """The client id and secret, or the key, are not accepted."""
    ACCOUNT = "account"
    """The account may not: no balance, or more than its plan allows."""
    NOT_FOUND = "not_found"
    CLIENT = "client"
    """The request itself was refused; the same one always will be."""
    RATE_LIMIT = "rate_limit"
    SERVER = "server"
    """Palabra failed; later it may not."""
    BAD_ANSWER = "bad_answer"
    """A success without what it promises."""
    NETWORK = "network"
    TIMEOUT = "timeout"


_MEANINGS: Final = {
    ErrorClass.CREDENTIALS: "the credentials are not accepted",
    ErrorClass.ACCOUNT: "the account may not",
    ErrorClass.NOT_FOUND: "it knows no such thing",
    ErrorClass.CLIENT: "the request is not accepted",
    ErrorClass.RATE_LIMIT: "too much was asked for",
    ErrorClass.SERVER: "it failed",
    ErrorClass.TIMEOUT: "it took too long",
}
"""In our words, for the log alone: people read Palabra's own, `ApiError.__str__`."""
_LARGEST_NUMBER: Final = 10**9
"""A longer number is no number of an error, but a way to write."""

_BY_STATUS: Final = {
    401: ErrorClass.CREDENTIALS,
    402: ErrorClass.ACCOUNT,
    403: ErrorClass.ACCOUNT,
    404: ErrorClass.NOT_FOUND,
    408: ErrorClass.TIMEOUT,
    425: ErrorClass.RATE_LIMIT,
    429: ErrorClass.RATE_LIMIT,
}
_INSUFFICIENT_BALANCE: Final = 100050
"""The only number of Palabra's that is known."""


class ApiError(PalabraError):
    """Palabra's REST API answered, but not with a success; for refused keys, too.

    The room reads the sentence as it stands here; `palabra-agent check` adds which settings to look
    at (`commands/checkup.py`).
    """

    def __init__(
        self,
        status: int,
        detail: str,
        error_code: int | None = None,
        error_class: ErrorClass | None = None,
    ) -> None:
        super().__init__(status, detail, error_code, error_class)
        self.status = status
        """HTTP status."""
        self.detail = detail
        """Palabra's own words: `errors[0].detail`, else its title."""
        self.error_code = error_code
        """Palabra's number, such as 100050 for an insufficient balance."""
        self.error_class = error_class or _class_of(status, error_code)
        """Its meaning."""
        self.retryable = status in {408, 425, 429} or status >= 500

    @property
    def is_about_balance(self) -> bool:
        """True where nothing but money helps."""
        return self.error_code == _INSUFFICIENT_BALANCE

    @property
    def in_our_words(self) -> str:
        """The meaning, with the status and the number."""
        if self.is_about_balance:
            return self._sentence("the balance is insufficient")

        # what is wrong with a success, we say ourselves
        return self._sentence(_MEANINGS.get(self.error_class, self.detail))

    def __str__(self) -> str:
        return self._sentence(self.detail)

    def _sentence(self, detail: str) -> str:
        is_told = self.error_code is not None and abs(self.error_code) < _LARGEST_NUMBER
        number = f", error {self.error_code}" if is_told else ""
        return f"Palabra refused: {detail} (HTTP {self.status}{number})"


def _class_of(status: int, error_code: int | None) -> ErrorClass:
    if error_code == _INSUFFICIENT_BALANCE:
        return ErrorClass.ACCOUNT

    return _BY_STATUS.get(status, ErrorClass.SERVER if status >= 500 else ErrorClass.CLIENT)


class Unreachable(PalabraError):
    """Palabra did not answer."""

    def __init__(
        self, host: str, reason: str, error_class: ErrorClass = ErrorClass.NETWORK
    ) -> None:
        super().__init__(host, reason, error_class)
        self.host = host
        self.reason = reason
        self.error_class = error_class
        """Tells a missing connection from an answer that did not come in time."""

    @property
    def in_our_words(self) -> str:
        """The reason; the host of a session is Palabra's choice."""
        return f"Palabra cannot be reached: {self.reason}"

    def __str__(self) -> str:
        return f"Palabra cannot be reached at {self.host}: {self.reason}"


class TaskRejected(PalabraError):
    """Palabra refused the task's settings."""

    retryable = False

    def __init__(self, code: str, desc: str) -> None:
        super().__init__(code, desc)
        self.code = code
        self.desc = desc

    @property
    def in_our_words(self) -> str:
        """The fact; what is wrong with the settings, Palabra says."""
        return "Palabra refused the settings"

    def __str__(self) -> str:
        code = f" ({self.code})" if self.code else ""
        return f"Palabra refused the settings: {self.desc}{code}"


class AccessDenied(PalabraError):
    """Palabra lets a joined session have no task: the credentials or the balance forbid it."""

    retryable = False

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
        """Palabra's own, with its code."""

    @property
    def in_our_words(self) -> str:
        """The fact."""
        return "Palabra's credentials or balance do not allow it"

    def __str__(self) -> str:
        return f"{self.in_our_words}: {self.words}"


class WrongState(PalabraError):
    """A session was asked for something that it cannot do at the moment."""

    retryable = False

    def __init__(self, wanted: str, reason: str) -> None:
        super().__init__(wanted, reason)
        self.wanted = wanted
        """What it cannot be: `paused`, `resumed`."""
        self.reason = reason

    def __str__(self) -> str:
        return f"the session cannot be {self.wanted}: {self.reason}"


class SessionLost(PalabraError):
    """A Palabra session ended, or never became ready, without us asking for it."""

    def __init__(self, reason: str, words: str = "", *, is_for_people: bool = False) -> None:
        super().__init__(reason, words)
        self.reason = reason
        self.words = words
        """What Palabra says of it; empty where it says nothing."""
        self.is_for_people = is_for_people

    @property
    def in_our_words(self) -> str:
        """The reason."""
        return f"the Palabra session was lost: {self.reason}"

    def __str__(self) -> str:
        return self.in_our_words + (f"; it said: {self.words}" if self.words else "")
