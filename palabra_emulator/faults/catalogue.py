"""All faults that can be injected.

F1 to F25 are those that clients of the real service must survive; F26 is the emulator's own, for
clients that watch over a session which is up and says nothing.
"""

from __future__ import annotations

from typing import Final

from palabra_emulator.faults.rest_catalogue import REST_FAULTS
from palabra_emulator.faults.session_catalogue import SESSION_FAULTS
from palabra_emulator.faults.task_catalogue import TASK_FAULTS

FAULTS: Final = tuple(
    sorted((*REST_FAULTS, *TASK_FAULTS, *SESSION_FAULTS), key=lambda fault: int(fault.id[1:]))
)

BY_ID: Final = {fault.id: fault for fault in FAULTS}
"""The catalogue by id."""
