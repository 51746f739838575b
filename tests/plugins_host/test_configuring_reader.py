"""Entries of rooms: each read once by its plugin, and none again that hung lately."""

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

SECONDS = 0.5
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
    assert reason.endswith("it takes longer than 0.5 s")

    again = reader.read(use(1), Thinking).config
    assert held is not None
    assert again is held
    assert asked == [1, -1]


def test_a_slow_config_says_nothing_of_others() -> None:
    """The next room's, or the next organiser's, is read as ever."""
    reader = ConfigReader(SECONDS)
    assert reader.read(use(-1), Thinking).config is None

    assert reader.read(use(2), Thinking).config == Thinking(number=2)


def test_a_config_that_hung_is_read_again_later() -> None:
    """It is not waited for meanwhile, and the room is told for how long."""
    clock = [100.0]
    reader = ConfigReader(SECONDS, lambda: clock[0])
    assert reader.read(use(-1), Thinking).config is None

    clock[0] += 20
    ((_, reason),) = reader.read(use(-1), Thinking).mistakes
    assert reason.endswith("and is asked again in 40 s")

    clock[0] += 41
    latch.set()
    assert reader.read(use(-1), Thinking).config == Thinking(number=-1)


def test_readings_that_hang_do_not_pile_up() -> None:
    """Each has a thread; with three of them the plugin is asked nothing until one has ended."""
    others = threading.enumerate()
    reader = ConfigReader(SECONDS)
    for number in (-1, -2, -3):
        assert reader.read(use(number), Thinking).config is None
    ((_, reason),) = reader.read(use(2), Thinking).mistakes

    assert reason.endswith("with 3 configs, and is asked again when it has read one")
    assert asked == [-1, -2, -3]
    latch.set()
    for thread in threading.enumerate():
        if thread not in others:
            thread.join()
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
