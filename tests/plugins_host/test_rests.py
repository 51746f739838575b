"""How long a plugin that hung is left alone."""

from __future__ import annotations

import pytest

from palabra_agent.plugins_host.rests import FIRST_REST_SECONDS, LONGEST_REST_SECONDS, Rest

pytestmark = pytest.mark.unit


def test_whoever_never_hung_does_not_rest() -> None:
    """A plugin is asked from the first moment on."""
    assert not Rest().lasts(0.0)


def test_a_rest_lasts_a_minute() -> None:
    """The first rest is over after 60 s."""
    rest = Rest()
    rest.begin(asked=0.0, now=1.0)

    assert rest.lasts(1.0)
    assert rest.lasts(60.9)
    assert not rest.lasts(61.0)


def test_rests_double_up_to_an_hour() -> None:
    """Whoever hangs again and again is asked ever more seldom, and never less than once an hour."""
    rest, now, lengths = Rest(), 0.0, list[float]()
    for _ in range(9):
        rest.begin(asked=now, now=now + 1)
        lengths.append(rest.ends - now - 1)
        now = rest.ends

    assert lengths == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert lengths[0] == FIRST_REST_SECONDS
    assert lengths[-1] == LONGEST_REST_SECONDS


def test_only_the_first_of_several_questions_counts() -> None:
    """Questions that were asked before the rest began make it no longer."""
    rest = Rest()
    for asked in (0.0, 0.2, 0.9):
        rest.begin(asked=asked, now=asked + 1)

    assert rest.ends == 61.0


def test_an_answer_ends_it() -> None:
    """Who answers after all is asked again at once, and rests a minute the next time."""
    rest = Rest()
    rest.begin(asked=0.0, now=1.0)
    rest.begin(asked=61.0, now=62.0)
    rest.end()

    assert not rest.lasts(63.0)
    rest.begin(asked=70.0, now=71.0)
    assert rest.ends == 131.0
