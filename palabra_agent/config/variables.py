"""The environment: where LiveKit and Palabra are, and the credentials for both.

An empty variable counts as absent. One kind of Palabra credentials is required; nothing ever falls
back from one kind to the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import SecretStr

from palabra_agent.config.fields import ConfigModel
from palabra_agent.config.wording import shown
from palabra_agent.errors import Problem

PALABRA_CLOUD: Final = "https://api.palabra.ai"

_CLIENT: Final = ("PALABRA_CLIENT_ID", "PALABRA_CLIENT_SECRET")
_EITHER_KIND: Final = "PALABRA_CLIENT_ID and PALABRA_CLIENT_SECRET, or PALABRA_API_KEY"


class LiveKitSettings(ConfigModel):
    """The LiveKit server of the meetings."""

    url: str
    """`ws`, `wss`, `http` or `https`."""
    api_key: str
    api_secret: SecretStr


class ClientCredentials(ConfigModel):
    """Palabra's app credentials: the pair."""

    client_id: str
    client_secret: SecretStr


class ApiKeyCredentials(ConfigModel):
    """Palabra's platform credentials: one key."""

    api_key: SecretStr


PalabraCredentials: TypeAlias = ClientCredentials | ApiKeyCredentials


@dataclass(frozen=True, slots=True)
class Variables:
    """An environment that is being read, and the mistakes found in it."""

    env: Mapping[str, str]
    """The environment, `.env` included."""
    problems: list[Problem] = field(default_factory=list)

    def get(self, name: str) -> str:
        """The value without surrounding spaces; empty when there is none."""
        return self.env.get(name, "").strip()

    def refuse(self, name: str, reason: str) -> None:
        """Note a mistake."""
        self.problems.append(Problem(name, reason))

    def required(self, name: str, what: str) -> str:
        """The value; a mistake when there is none."""
        value = self.get(name)
        if not value:
            self.refuse(name, f"is not set; it is {what}")
        return value

    def url(self, name: str, value: str, schemes: tuple[str, ...]) -> str:
        """The address without a slash at its end; a mistake when it is none of these schemes."""
        reason = _url_mistake(value, schemes) if value else None
        if reason:
            self.refuse(name, reason)
        return value.rstrip("/")


def livekit_from(variables: Variables) -> LiveKitSettings:
    """Read where LiveKit is; good only while `variables` holds no problem."""
    url = variables.required(
        "LIVEKIT_URL", "the address of the LiveKit server, such as wss://example.livekit.cloud"
    )
    return LiveKitSettings(
        url=variables.url("LIVEKIT_URL", url, ("ws", "wss", "http", "https")),
        api_key=variables.required("LIVEKIT_API_KEY", "the API key of the LiveKit server"),
        api_secret=SecretStr(
            variables.required("LIVEKIT_API_SECRET", "the secret that belongs to LIVEKIT_API_KEY")
        ),
    )


def palabra_url_from(variables: Variables) -> str:
    """Read where Palabra's API is; its cloud where nobody says."""
    name = "PALABRA_API_URL"
    return variables.url(name, variables.get(name) or PALABRA_CLOUD, ("http", "https"))


def palabra_credentials_from(variables: Variables) -> PalabraCredentials:
    """Read the one kind of credentials; good only while `variables` holds no problem."""
    client_id, client_secret = (variables.get(name) for name in _CLIENT)
    api_key = variables.get("PALABRA_API_KEY")

    if api_key and (client_id or client_secret):
        given = " and ".join(name for name in _CLIENT if variables.get(name))
        reason = f"is set beside {given}; set only one kind of credentials: {_EITHER_KIND}"
        variables.refuse("PALABRA_API_KEY", reason)
    elif not api_key and not client_id and not client_secret:
        variables.refuse("", f"Palabra's credentials are not set; set {_EITHER_KIND}")
    elif not api_key and not (client_id and client_secret):
        missing, given = _CLIENT if client_secret else reversed(_CLIENT)
        variables.refuse(missing, f"is not set, but {given} is; both are needed")

    if api_key:
        return ApiKeyCredentials(api_key=SecretStr(api_key))
    return ClientCredentials(client_id=client_id, client_secret=SecretStr(client_secret))


def _url_mistake(value: str, schemes: tuple[str, ...]) -> str | None:
    allowed = f"must be an address that begins with {', '.join(f'{name}://' for name in schemes)}"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return "is not an address: its host or port cannot be read"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user or a password"
    if parts.scheme not in schemes:
        return f"{allowed}, not {shown(value)}"
    if not parts.hostname or port == 0 or any(character.isspace() for character in value):
        return f"must name a host, which {shown(value)} does not"
    if parts.query or parts.fragment:
        return "must end with its path, without ? or #"
    return None
