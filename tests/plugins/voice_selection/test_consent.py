"""Consent: nobody is cloned without it, and the log tells of it without saying who."""

from __future__ import annotations

import logging

import pytest
from palabra_agent_voice_selection.consent import REMEMBERED, Consents

from palabra_agent.plugin import ClonedVoice
from tests.plugins.voice_selection.asking import Rules, opened, question, told

pytestmark = pytest.mark.unit

CONSENT = "palabra.voice_consent"
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


async def test_the_list_of_a_room_is_consent() -> None:
    """It holds for exactly those identities."""
    async with opened(CLONE, consent=["alice"]) as policy:
        assert await policy.choose_voice(question("alice")) == ClonedVoice()
        assert told(await policy.choose_voice(question("alice2"))) == "v"


async def test_what_people_say_outweighs_the_list() -> None:
    """Whoever is listed can take it back by any other value of the attribute."""
    async with opened(CLONE, consent=["alice"]) as policy:
        assert told(await policy.choose_voice(question(attributes={CONSENT: "false"}))) == "v"


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
    async with opened(rules, consent=["alice"]) as policy:
        assert await policy.choose_voice(question()) == ClonedVoice()
        assert told(await policy.choose_voice(question(target="de"))) == "v"


async def test_events_tell_of_consent_without_saying_whose(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Given, used per language and withdrawn: each told once, with counts alone."""
    caplog.set_level(logging.INFO, logger="palabra_agent_voice_selection")
    agreed, refused = {CONSENT: "true"}, {CONSENT: "false"}
    async with opened(CLONE, consent=["bob-secret"]) as policy:
        for identity, target, attributes in (
            ("alice-secret", "es", agreed),
            ("alice-secret", "es", agreed),
            ("alice-secret", "de", agreed),
            ("bob-secret", "es", {}),
            ("alice-secret", "es", refused),
            ("alice-secret", "es", refused),
            ("alice-secret", "es", agreed),
        ):
            await policy.choose_voice(question(identity, target, attributes=attributes))

    events = [(r.getMessage(), vars(r)["consenting"], vars(r)["cloned"]) for r in caplog.records]
    given, used = "consent to voice cloning given", "voice cloned with consent"
    assert events == [
        (given, 1, 0),
        (used, 1, 1),
        (used, 1, 1),
        (given, 2, 1),
        (used, 2, 2),
        ("consent to voice cloning withdrawn", 1, 1),
        (given, 2, 1),
        (used, 2, 2),
    ]
    assert "secret" not in "".join(str(vars(record)) for record in caplog.records)


async def test_consent_is_nobodys_business_where_nothing_clones(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Rules without cloning neither ask for consent nor tell of it."""
    caplog.set_level(logging.INFO, logger="palabra_agent_voice_selection")
    async with opened([{"voice": "v"}]) as policy:
        await policy.choose_voice(question(attributes={CONSENT: "true"}))

    assert not caplog.records


def test_what_is_remembered_of_consent_is_bounded() -> None:
    """Very many who agree are not all remembered; they have agreed all the same."""
    consents = Consents(())
    for number in range(REMEMBERED + 10):
        assert consents.has(question(f"g{number}", attributes={CONSENT: "true"}).speaker)

    assert len(consents._used_in) == REMEMBERED  # pyright: ignore[reportPrivateUsage] - its size is the claim
