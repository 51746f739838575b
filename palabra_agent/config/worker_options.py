"""What `[worker]` in the file of settings may say, and what holds where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, Field

from palabra_agent.config.fields import Between, ConfigModel, Name, Names, Number, Whole, refusal
from palabra_agent.config.wording import shown

DEFAULT_AGENT_NAME: Final = "palabra-interpreter"
DEFAULT_IDENTITY: Final = "palabra-interpreter"


def _without_spaces_around(value: str) -> str:
    if value != value.strip():
        raise refusal(f"must have no spaces at either end, not {shown(value)}")
    return value


class WorkerOptions(ConfigModel):
    """What `[worker]` in the TOML file may say."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "url": "is not said here but by the variable LIVEKIT_URL",
        "livekit_url": "is not said here but by the variable LIVEKIT_URL",
        "palabra_api_url": "is not said here but by the variable PALABRA_API_URL",
        "name": 'unknown key, did you mean "agent_name"?',
        "drain": 'unknown key, did you mean "drain_seconds"?',
        "health_port": 'unknown key, did you mean "port"?',
        "plugins": "is said beside `[worker]`, in `[plugins.NAME]`; `allowed_plugins` is here",
    }

    agent_name: Annotated[str, Field(max_length=256), AfterValidator(_without_spaces_around)] = (
        DEFAULT_AGENT_NAME
    )
    """What a dispatch asks for; empty: every new room is joined unasked."""
    identity: Annotated[Name, AfterValidator(_without_spaces_around)] = DEFAULT_IDENTITY
    """Who the interpreter is in a room."""
    port: Annotated[Whole, Between(0, 65_535)] = 8081
    """Where health is served; 0: any free port."""
    drain_seconds: Annotated[Whole, Between(0, 604_800)] = 1_800
    """How long running rooms may go on after the first signal to stop."""
    load_threshold: Annotated[Number, Between(0.01, 10)] = 0.7
    """The share of the processors in use above which no more rooms are taken; over 1: no limit."""
    allowed_plugins: Names | None = None
    """Plugins that a room may name; left out: all that are installed."""
    organisers: Names = ()
    """Identities that may change the config of every room."""
