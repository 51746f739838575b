"""Prepares the process that job processes are forked from, which alone imports this, once.

A supervisor that stops a service signals its whole process group. The worker then drains, and the
jobs know to wait; but the process between them would die, and the worker take all its rooms for
lost. It ends with the worker, whose pipe it holds.

The worker's stdout is its log, one JSON object a line, which jobs send it. Whatever a plugin prints
in a job must not end up in the middle of one.
"""

from __future__ import annotations

import os
import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.dup2(2, 1)
