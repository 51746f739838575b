"""Runs a command that dies with the process that started it, even when that one is killed.

Run by its path, so that nothing of this package is imported:
`python die_with_parent.py PARENT_PID COMMAND…`.

This module alone knows how an operating system ties one life to another: on Linux the kernel is
asked (`PR_SET_PDEATHSIG`) to kill this process when its parent ends, which survives the `exec`.
Elsewhere the command simply runs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Become the command, tied to the parent."""
    parent, command = int(sys.argv[1]), sys.argv[2:]

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel was asked
            sys.exit(1)

    os.execvp(command[0], command)  # noqa: S606 - no shell: the list is run as it is


if __name__ == "__main__":
    main()
