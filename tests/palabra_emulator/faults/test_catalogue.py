"""The catalogue of faults is whole."""

from __future__ import annotations

import pytest

from palabra_emulator.faults.catalogue import (
    BY_ID,
    FAULTS,
    FaultWithVariants,
)
from palabra_emulator.faults.reading import read_fault

pytestmark = pytest.mark.unit


def test_catalogue_has_every_fault_of_the_protocol_and_two_more() -> None:
    """F1 to F25 are there, in order, with a sentence and what appears, and two of our own."""
    assert [fault.id for fault in FAULTS] == [f"F{n}" for n in range(1, 28)]
    for fault in FAULTS:
        assert fault.sentence().endswith(".")
        assert fault.appearance().endswith((".", "`"))
        assert all(it.meaning for it in fault.own_parameters())
        if issubclass(fault, FaultWithVariants):
            assert all(fault.variants.values())


@pytest.mark.parametrize("fault", BY_ID)
def test_every_default_is_allowed(fault: str) -> None:
    """A fault can be ordered by its id alone; its parameters have their own defaults."""
    read = read_fault({"fault": fault})

    assert read.times == 1
    if isinstance(read, FaultWithVariants):
        assert read.variant == next(iter(read.variants))
    for parameter in BY_ID[fault].own_parameters():
        assert getattr(read, parameter.name) == parameter.default
    assert read_fault(read.facts()) == read
