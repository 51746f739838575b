"""What a session notes for its operator: each kind of strange message once, and how many came."""

from __future__ import annotations

import logging
from collections import Counter

from palabra_agent.palabra.protocol.events import PAUSE_REFUSED, OperatorNotice

logger = logging.getLogger(__name__)


class Notices:
    """Of one session."""

    def __init__(self) -> None:
        self._unread = Counter[str]()

    @property
    def unread(self) -> int:
        """How many messages meant nothing to us."""
        return self._unread.total()

    def take(self, notice: OperatorNotice) -> None:
        """Log it, unless that was done before."""
        if notice.kind == "unread":
            self._unread[notice.code] += 1
            if self._unread[notice.code] > 1:
                return

        if notice.kind == PAUSE_REFUSED:
            logger.warning("palabra does not pause, it charges for silence too")

        logger.info("palabra sent a notice", extra={"kind": notice.kind, "code": notice.code})
