"""How many sockets a process may have: each waiting bot needs some thirty of them."""

from __future__ import annotations

import logging
import sys

logger = logging.getLogger(__name__)


def allow_many_sockets() -> None:
    """Raise the process's limit on open files as far as it may be raised; never lower it."""
    if sys.platform == "win32":
        return

    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return

    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError) as error:
        logger.debug("the limit on open files stays %s: %s", soft, error)
