"""The sentences with which a configuration is refused."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from palabra_agent.config.problems import problems_of
from palabra_agent.errors import ConfigError, Problem
from palabra_agent.plugin import Plugin
from palabra_agent.testing import Entry, simulated_room


@contextmanager
def refusal() -> Generator[list[Problem]]:
    """Expect a refusal in the block; yields its problems, which are there when it has ended."""
    problems: list[Problem] = []
    with pytest.raises(ConfigError) as caught:
        yield problems
    problems += caught.value.problems


def refused(check: Callable[[], object]) -> list[Problem]:
    """Every problem that a check finds; it must find one."""
    with refusal() as problems:
        check()
    return problems


def mistakes_in(check: Callable[[], object]) -> list[str]:
    """Every problem that a check finds, in words."""
    return [str(problem) for problem in refused(check)]


def mistakes_by(model: type[BaseModel], said: object) -> list[str]:
    """Every problem that a model of ours finds, in words."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(said)
    return [str(problem) for problem in problems_of(caught.value, model)]


async def mistakes_in_room(
    plugin: Plugin[Any, Any],
    config: Mapping[str, object],
    settings: Mapping[str, object] = MappingProxyType({}),
) -> list[str]:
    """Every problem of a plugin's config or settings, as a room shows them, below its own path."""
    with refusal() as problems:
        async with simulated_room(Entry(plugin, config, settings)):
            pass
    paths = ("plugins[0].config.", "plugins.plugin.")
    return [str(it).removeprefix(paths[0]).removeprefix(paths[1]) for it in problems]
