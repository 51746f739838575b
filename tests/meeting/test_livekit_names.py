"""The names that LiveKit's clients know."""

from __future__ import annotations

import subprocess
import sys

import pytest
from livekit.agents import types

from palabra_agent.meeting import livekit_names
from tests.clock import HANG_SECONDS

pytestmark = pytest.mark.unit


def test_they_are_those_of_livekit_agents() -> None:
    """All of them, in the version that is installed."""
    ours = {name: it for name, it in vars(livekit_names).items() if name.isupper()}

    assert ours
    assert ours == {name: getattr(types, name) for name in ours}


@pytest.mark.parametrize("module", ["commands.dispatcher", "commands.checkup", "local.demo"])
def test_a_command_begins_without_livekit_agents(module: str) -> None:
    """Its import takes longer than all that such a command does."""
    code = f"import palabra_agent.{module}, sys; sys.exit('livekit.agents' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=HANG_SECONDS)

    assert done.returncode == 0
