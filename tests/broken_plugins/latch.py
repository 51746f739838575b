"""What those that hang wait for: nobody opens it, and they end with the process."""

from __future__ import annotations

import threading

never = threading.Event()
