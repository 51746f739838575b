"""Wants rooms to say what only the operator may."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr

from palabra_agent.plugin import Plugin, PluginConfig
from tests.good_plugins.voices import open_voices


class Account(PluginConfig):
    """Has a secret."""

    name: str = ""
    key: SecretStr | None = None


class Config(PluginConfig):
    """Has accounts."""

    accounts: dict[str, list[Account]] = Field(default={})


opener: Any = open_voices
plugin = Plugin(Config, opener)
