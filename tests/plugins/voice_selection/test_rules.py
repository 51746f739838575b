"""Rules: which apply, which wins, and what voice comes of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from palabra_agent.plugin import FixedVoice
from tests.plugins.voice_selection.asking import Rules, opened, question, told

pytestmark = pytest.mark.unit

NO_RULE = "no rule applies"


async def voice(rule: Mapping[str, object], **facts: Any) -> str:  # noqa: ANN401 - as `question` takes them
    """What one rule gives."""
    async with opened([rule]) as policy:
        return told(await policy.choose_voice(question(**facts)))


async def test_the_first_rule_that_applies_wins() -> None:
    """Rules are tried in their order, and one without conditions always applies."""
    rules = [{"speaker": "bob", "voice": "low"}, {"voice": "any"}, {"voice": "never"}]
    async with opened(rules) as policy:
        voices = [told(await policy.choose_voice(question(name))) for name in ("bob", "eve")]

    assert voices == ["low", "any"]


@pytest.mark.parametrize(
    ("condition", "facts"),
    [
        ({"speaker": "alice"}, {}),
        ({"speaker": "guest-*"}, {"identity": "guest-7"}),
        ({"speaker": ["bob", "al?ce"]}, {}),
        ({"speaker": "[x]"}, {"identity": "[x]"}),
        ({"name": "dr. *"}, {"name": "Dr. Grün"}),
        ({"name": "GRÜN"}, {"name": "grün"}),
        ({"attribute": "warm"}, {"attributes": {"palabra.voice": " Warm "}}),
        ({"attribute": "*"}, {"attributes": {"palabra.voice": "anything"}}),
        ({"source_language": "EN_us"}, {"source": "en"}),
        ({"source_language": ["de", "en"]}, {"source": "en-gb"}),
        ({"target_language": "es"}, {}),
        ({"target_language": "es"}, {"target": "es-mx"}),
        ({"target_language": "ES_mx"}, {"target": "es-mx"}),
        ({"source_language": "nb-NO"}, {"source": "no"}),
        ({"target_language": "zh-TW"}, {"target": "zh-hant"}),
        ({"voice": {"iw": "v", "default": "other"}}, {"target": "he"}),
        ({"speaker": "alice", "target_language": ["es"], "source_language": "en"}, {}),
    ],
)
async def test_a_rule_applies(condition: dict[str, Any], facts: dict[str, Any]) -> None:
    """Identities, names, attributes and languages are compared as the README says."""
    assert await voice({"voice": "v", **condition}, **facts) == "v"


@pytest.mark.parametrize(
    ("condition", "facts"),
    [
        ({"speaker": "alice"}, {"identity": "Alice"}),
        ({"speaker": "guest-*"}, {}),
        ({"speaker": "[ax]lice"}, {}),
        ({"speaker": "[!b]lice"}, {}),
        ({"name": "Alice"}, {"name": "Alice B."}),
        ({"attribute": "*"}, {}),
        ({"attribute": "*"}, {"attributes": {"palabra.voice": "  "}}),
        ({"attribute": "warm"}, {"attributes": {"voice": "warm"}}),
        ({"source_language": "en"}, {"source": None}),
        ({"source_language": "en"}, {"source": "de"}),
        ({"target_language": "es-mx"}, {}),
        ({"target_language": "es-mx"}, {"target": "es-ar"}),
        ({"speaker": "alice", "target_language": "de"}, {}),
        ({"speaker": "bob", "target_language": "es"}, {}),
    ],
)
async def test_a_rule_does_not_apply(condition: dict[str, Any], facts: dict[str, Any]) -> None:
    """One condition that does not hold is enough."""
    assert await voice({**condition, "voice": "v"}, **facts) == NO_RULE


@pytest.mark.parametrize(
    ("target", "chosen"),
    [("es", "s"), ("es-mx", "m"), ("es-ar", "s"), ("de", "d"), ("fr", "all")],
)
async def test_a_voice_per_language(target: str, chosen: str) -> None:
    """The exact code wins, then the language without its region, then the default."""
    voices = {"es": "s", "ES_mx": "m", "de": {"pool": ["d"]}, "default": "all"}
    assert await voice({"voice": voices}, target=target) == chosen


async def test_no_voice_for_a_language() -> None:
    """A rule that says nothing of a language is passed over."""
    rules: Rules = [{"voice": {"de": "d"}}, {"voice": "v"}]
    async with opened(rules) as policy:
        assert await policy.choose_voice(question()) == FixedVoice("v")

    assert await voice({"voice": {"de": "d"}}) == "rules[0]: it has no voice for this language"


async def test_a_missing_voice_is_passed_over() -> None:
    """What Palabra said it does not have gives way to the next rule."""
    async with opened([{"voice": "gone"}, {"voice": "here"}]) as policy:
        assert told(await policy.choose_voice(question(unavailable=["gone"]))) == "here"

    assert (
        await voice({"voice": "gone"}, unavailable=["gone"])
        == "rules[0]: Palabra does not have the voice"
    )


ASKED = {"voice": {"attribute": ["default_*", "acme-1"]}}


@pytest.mark.parametrize("asked_for", ["default_low", " default_high ", "acme-1"])
async def test_people_may_ask_for_what_the_rule_allows(asked_for: str) -> None:
    """The attribute's value is the voice, where it is one of the ids or patterns."""
    chosen = await voice(ASKED, attributes={"palabra.voice": asked_for})
    assert chosen == asked_for.strip()


@pytest.mark.parametrize(
    ("allowed", "asked_for", "reason"),
    [
        (["default_*"], "acme-2", "the speaker asks for a voice that the rule does not allow"),
        (["acme-1"], "ACME-1", "the speaker asks for a voice that the rule does not allow"),
        (["*"], "", "the speaker asks for no voice"),
        (["*"], "x" * 257, "the speaker asks for what cannot be a voice id"),
        (["*"], "clone", "the speaker asks to be cloned, which the rule does not allow"),
        (["*", "clone"], "clone", "the speaker has not agreed to be cloned"),
        (["*"], "gone", "Palabra does not have the voice"),
    ],
)
async def test_people_may_not_ask_for_anything_else(
    allowed: list[str], asked_for: str, reason: str
) -> None:
    """Guests write what they like into their attributes; the reason never repeats it."""
    rule = {"voice": {"attribute": allowed}}
    attributes = {"palabra.voice": asked_for}
    chosen = await voice(rule, attributes=attributes, unavailable=["gone"])
    assert chosen == f"rules[0]: {reason}"


async def test_a_change_of_attribute_changes_the_voice() -> None:
    """Every question is answered by the attributes that it brings."""
    async with opened([ASKED, {"voice": "v"}]) as policy:
        chosen = [
            told(await policy.choose_voice(question(attributes=attributes)))
            for attributes in ({}, {"palabra.voice": "acme-1"}, {"palabra.voice": "default_low"})
        ]

    assert chosen == ["v", "acme-1", "default_low"]


async def test_reasons_are_few_and_name_nobody() -> None:
    """Where no rule gives a voice, the first reasons are told and the rest is counted."""
    async with opened([{"voice": "gone"}] * 2 + [{"voice": "clone"}] * 3) as policy:
        reason = told(await policy.choose_voice(question(unavailable=["gone"])))

    missing = "Palabra does not have the voice"
    assert reason == f"rules[0]: {missing}; rules[1]: {missing}; and 3 more rules"
    assert "alice" not in reason


async def test_the_same_facts_get_the_same_answer() -> None:
    """Voices stay while nothing changes, however often somebody asks."""
    async with opened([{"voice": {"pool": ["a", "b"]}}]) as policy:
        voices = {told(await policy.choose_voice(question())) for _ in range(10)}

    assert len(voices) == 1
