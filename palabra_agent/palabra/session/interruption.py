"""How long a connection that is interrupted may be waited for. Pure; times are in seconds."""

from __future__ import annotations

import math
from typing import Final

_GONE_SECONDS: Final = 2.0
"""An interrupted connection from which so long nothing comes, not even a queue's level, is gone."""


class Interruption:
    """Of one connection, which LiveKit tries to get back for much longer than anybody likes."""

    def __init__(self) -> None:
        self.ends_at = math.inf
        """When the connection counts as gone, unless something comes; infinity while it is up."""

    def begin(self, now: float) -> None:
        """The connection is interrupted."""
        self.ends_at = now + _GONE_SECONDS

    def end(self) -> None:
        """It is back, or nobody waits for it any more."""
        self.ends_at = math.inf

    def hear(self, now: float) -> None:
        """Something came over it all the same."""
        if not math.isinf(self.ends_at):
            self.begin(now)

    def is_over(self, now: float) -> bool:
        """Whether it was waited for long enough."""
        return self.ends_at <= now
