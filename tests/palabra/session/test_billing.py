"""The bill: only the time in which a task runs."""

from __future__ import annotations

import pytest

from palabra_agent.palabra.session.billing import BillingMeter

pytestmark = pytest.mark.unit


def test_only_running_time_counts() -> None:
    """However often it is told what it knows."""
    meter = BillingMeter()
    for is_running, now in [(False, 1.0), (True, 2), (True, 3), (False, 5), (False, 9), (True, 10)]:
        meter.observe(is_running=is_running, now=now)

    assert meter.seconds(10) == 3
    assert meter.seconds(14.5) == 7.5
