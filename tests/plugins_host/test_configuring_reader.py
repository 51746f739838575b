"""Entries of rooms: each read once by its plugin, by none that hung lately."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Self

import pytest
from pydantic import model_validator

from palabra_agent.config.plugins import PluginUse
from palabra_agent.plugin import PluginConfig
from palabra_agent.plugins_host.configuring import ConfigReader

pytestmark = pytest.mark.unit

SECONDS = 0.2
latch = threading.Event()
asked: list[int] = []


class Thinking(PluginConfig):
    """A config that takes for ever to check if its number is negative."""

    number: int = 0

    @model_validator(mode="after")
    def _think(self) -> Self:
        asked.append(self.number)
        if self.number < 0:
            latch.wait()
        return self


@pytest.fixture(autouse=True)
def no_thought_goes_on() -> Iterator[None]:
    """Nothing was asked before; a thought that goes on ends with the test."""
    latch.clear()
    asked.clear()
    yield
    latch.set()


def use(number: int) -> PluginUse:
    """An entry of a room's list."""
    return PluginUse(name="thinking", config={"number": number})


def test_what_holds_stays_good_while_another_entry_hangs() -> None:
    """A room that has the plugin can be changed on, though a change made it hang."""
    reader = ConfigReader(SECONDS)
    held = reader.read(use(1), Thinking).config
    ((_, reason),) = reader.read(use(-1), Thinking).mistakes
    assert reason.endswith("it takes longer than 0.2 s")

    again = reader.read(use(1), Thinking).config
    assert held is not None
    assert again is held
    assert asked == [1, -1]


def test_one_that_hung_is_asked_again_later() -> None:
    """It is not waited for meanwhile, and the room is told for how long."""
    clock = [100.0]
    reader = ConfigReader(SECONDS, lambda: clock[0])
    assert reader.read(use(-1), Thinking).config is None

    clock[0] += 20
    ((_, reason),) = reader.read(use(2), Thinking).mistakes
    assert reason.endswith("and is asked again in 40 s")

    clock[0] += 41
    assert reader.read(use(2), Thinking).config == Thinking(number=2)


def test_only_the_last_readings_are_kept() -> None:
    """A room may be changed any number of times."""
    reader = ConfigReader(SECONDS)
    for number in range(101):
        reader.read(use(number), Thinking)
        reader.read(use(0), Thinking)
    assert asked == list(range(101))

    reader.read(use(1), Thinking)
    assert asked[101:] == [1]
