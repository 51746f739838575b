"""The sentences with which a configuration is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from palabra_agent.errors import ConfigError, Problem


def refused(check: Callable[[], object]) -> tuple[Problem, ...]:
    """Every problem that a check finds; it must find one."""
    with pytest.raises(ConfigError) as caught:
        check()
    return caught.value.problems


def mistakes_in(check: Callable[[], object]) -> list[str]:
    """Every problem that a check finds, in words."""
    return [str(problem) for problem in refused(check)]
