"""The variables of the environment, as a test wants them."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import pytest


@contextmanager
def environment(variables: Mapping[str, str]) -> Generator[None]:
    """Set these variables for the length of a block, and none of ours besides."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("LIVEKIT_", "PALABRA_")):
                patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield
