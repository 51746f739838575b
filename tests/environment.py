"""The variables of the environment, as a test wants them."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager


@contextmanager
def environment(variables: Mapping[str, str]) -> Generator[None]:
    """Set these variables for the length of a block, and none of ours or of proxies besides."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("LIVEKIT_", "PALABRA_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
