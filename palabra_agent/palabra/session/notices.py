"""What a session notes for its operator: each kind of strange message once, and how many came."""

from __future__ import annotations

import logging
from collections import Counter

from palabra_agent.palabra.protocol.meanings import Noted
from palabra_agent.palabra.protocol.setbacks import PAUSE_REFUSED

logger = logging.getLogger(__name__)


class Notices:
    """Of one session."""

    def __init__(self) -> None:
        self._unread = Counter[str]()

    @property
    def unread(self) -> int:
        """How many messages meant nothing to us."""
        return self._unread.total()

    def take(self, noted: Noted) -> None:
        """Log it, unless that was done before."""
        if noted.what == "unread":
            self._unread[noted.code] += 1
            if self._unread[noted.code] > 1:
                return

        if noted.what == PAUSE_REFUSED:
            logger.warning("palabra does not pause, it charges for silence too")

        logger.info("palabra sent a notice", extra={"kind": noted.what, "code": noted.code})
