"""Consent: without it the rules that clone are passed over, and that is told to few."""

from __future__ import annotations

import pytest

from palabra_agent.plugin import CONSENT_ATTRIBUTE as CONSENT
from palabra_agent.plugin import ClonedVoice, Passed
from tests.plugins.voice_selection.asking import Rules, opened, question, told

pytestmark = pytest.mark.unit

CLONE = [{"voice": "clone"}, {"voice": "v"}]
REFUSED = "rules[0]: the speaker has not agreed to be cloned"


@pytest.mark.parametrize("said", ["true", "TRUE", " True\t"])
async def test_people_agree_by_their_attribute(said: str) -> None:
    """`true` is consent, spaces and capitals forgiven."""
    async with opened(CLONE) as policy:
        assert await policy.choose_voice(question(attributes={CONSENT: said})) == ClonedVoice()


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {CONSENT: ""},
        {CONSENT: "false"},
        {CONSENT: "yes"},
        {CONSENT: "1"},
        {CONSENT: "true!"},
        {"voice_consent": "true"},
        {"Palabra.Voice_Consent": "true"},
    ],
)
async def test_nothing_else_is_consent(attributes: dict[str, str]) -> None:
    """Without consent the rule is passed over, and the reason is told where none is left."""
    async with opened(CLONE) as policy:
        assert told(await policy.choose_voice(question(attributes=attributes))) == "v"

    async with opened(CLONE[:1]) as policy:
        assert told(await policy.choose_voice(question(attributes=attributes))) == REFUSED


async def test_a_missing_consent_is_a_private_reason() -> None:
    """Other reasons are for all to know."""
    async with opened(CLONE[:1]) as policy:
        assert await policy.choose_voice(question()) == Passed(REFUSED, is_private=True)

    async with opened([{"speaker": "bob", "voice": "v"}]) as policy:
        assert await policy.choose_voice(question()) == Passed("no rule applies")


async def test_withdrawal_holds_from_the_next_question() -> None:
    """Consent is asked for anew each time."""
    async with opened(CLONE) as policy:
        voices = [
            told(await policy.choose_voice(question(attributes={CONSENT: said})))
            for said in ("true", "false", "true")
        ]

    assert voices == ["ClonedVoice", "v", "ClonedVoice"]


async def test_asking_by_attribute_needs_consent_too() -> None:
    """Whoever asks to be cloned must have agreed to it."""
    rules: Rules = [{"voice": {"attribute": ["clone"]}}, {"voice": "v"}]
    asks = {"palabra.voice": "Clone"}
    async with opened(rules) as policy:
        assert told(await policy.choose_voice(question(attributes=asks))) == "v"
        agreed = question(attributes={**asks, CONSENT: "true"})
        assert await policy.choose_voice(agreed) == ClonedVoice()


async def test_cloning_per_language() -> None:
    """Cloning stands in a voice per language as anywhere else."""
    rules: Rules = [{"voice": {"es": "clone", "default": "v"}}]
    agreed = {CONSENT: "true"}
    async with opened(rules) as policy:
        assert await policy.choose_voice(question(attributes=agreed)) == ClonedVoice()
        german = question(target="de", attributes=agreed)
        assert told(await policy.choose_voice(german)) == "v"
