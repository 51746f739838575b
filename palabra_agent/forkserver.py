"""Imported once in the process that job processes are forked from, and nowhere else.

A supervisor that stops a service signals its whole process group. The worker then drains, and the
jobs know to wait; but the process between them would die, and the worker take all its rooms for
lost. It ends with the worker, whose pipe it holds.
"""

from __future__ import annotations

import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
