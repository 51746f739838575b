"""What is told of a speaker to any participant who asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from palabra_agent.capabilities.capability import Verdict
from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.settings import InterpretationSettings, Regime
from palabra_agent.languages import LanguageCode
from palabra_agent.meeting.microphones import SoundTrack
from palabra_agent.meeting.rpc import Call, CallRefused
from palabra_agent.room.explanation import Explanations
from palabra_agent.voices import (
    ClonedVoice,
    FixedVoice,
    Speaker,
    TimbreMatchedVoice,
    VoiceChoice,
)

pytestmark = pytest.mark.unit

OFFERED = (LanguageCode("es"), LanguageCode("pt-br"))


SOUNDS = {
    "alice": (SoundTrack("TR_1", "unknown"), SoundTrack("TR_2", "microphone", "it is muted")),
    "guest": (),
}
TRACKS = [
    {"track_sid": "TR_1", "source": "unknown", "heard": True},
    {"track_sid": "TR_2", "source": "microphone", "heard": False, "reason": "it is muted"},
]


AGREED: Final = {"palabra.voice_consent": "true"}
WITHHELD: Final = (
    'the speaker has not agreed to be cloned: their attribute palabra.voice_consent is not "true"'
)


@dataclass
class Voices:
    """The voice of Alice in Spanish, who has agreed to be cloned unless a test says otherwise."""

    verdict: Verdict | None
    attributes: dict[str, str] = field(default_factory=lambda: dict(AGREED))

    @property
    def speakers(self) -> tuple[Speaker, ...]:
        """There is one."""
        return (self.speaker("alice"),)

    def speaker(self, identity: str) -> Speaker:
        """Know them."""
        return Speaker(identity=identity, name=identity, attributes=self.attributes)

    def explain(self, identity: str, language: LanguageCode) -> Verdict | None:
        """Tell what was chosen."""
        return self.verdict if (identity, language) == ("alice", "es") else None


def explaining(
    verdict: Verdict | None,
    attributes: dict[str, str] | None = None,
    *cloned: LanguageCode,
    leaks: Mapping[str, str] | None = None,
) -> Explanations:
    """Explain the voice of Alice; `olga` is an organiser."""
    voices = Voices(verdict, AGREED if attributes is None else attributes)
    settings = Watched(InterpretationSettings(Regime(OFFERED), cloned=frozenset(cloned)))
    return Explanations(
        voices,
        SOUNDS.get,
        lambda identity: (leaks or {}).get(identity, ""),
        settings,
        lambda identity: identity == "olga",
    )


async def ask(verdict: Verdict | None, payload: str) -> dict[str, Any]:
    """Ask as any guest may."""
    return dict(await explaining(verdict).explain(Call("guest", payload)))


async def asked_by(
    caller: str, verdict: Verdict, attributes: dict[str, str], *cloned: LanguageCode
) -> dict[str, Any]:
    """Ask for the voice of Alice in Spanish."""
    explanations = explaining(verdict, attributes, *cloned)
    return dict(await explanations.explain(Call(caller, '{"speaker": "alice", "language": "es"}')))


async def refused(payload: str) -> CallRefused:
    """Ask in vain."""
    with pytest.raises(CallRefused) as caught:
        await ask(Verdict(), payload)
    return caught.value


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (FixedVoice("anna"), {"kind": "fixed", "voice_id": "anna"}),
        (ClonedVoice(), {"kind": "cloned"}),
        (TimbreMatchedVoice("up", "down"), {"kind": "timbre_matched", "high": "up", "low": "down"}),
        (None, {"kind": "default"}),
    ],
)
async def test_every_kind_of_voice_is_told(
    choice: VoiceChoice | None, expected: dict[str, str]
) -> None:
    """With the ids that it may be heard by."""
    answer = await ask(Verdict(choice), '{"speaker": "alice", "language": "es"}')

    assert answer["voice"] == expected


async def test_who_chose_and_who_passed_is_told() -> None:
    """In the order of asking, with their reasons; the language as the room spells it."""
    verdict = Verdict(FixedVoice("anna"), "third", (("first", "no rule"), ("second", "passed")))
    answer = await ask(verdict, '{"speaker": "alice", "language": "es_ES.UTF-8"}')

    assert answer == {
        "speaker": "alice",
        "language": "es",
        "voice": {"kind": "fixed", "voice_id": "anna"},
        "chosen_by": "third",
        "passed": [
            {"plugin": "first", "reason": "no rule"},
            {"plugin": "second", "reason": "passed"},
        ],
        "tracks": TRACKS,
    }


CALLERS: Final = ("alice", "olga", "guest")
ES: Final = LanguageCode("es")


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_clone_by_the_settings_is_told(caller: str) -> None:
    """It is what is heard, though no plugin chose it."""
    answer = await asked_by(caller, Verdict(), AGREED, ES)

    assert (answer["voice"], answer["chosen_by"]) == ({"kind": "cloned"}, None)
    assert "not_cloned" not in answer


@pytest.mark.parametrize("verdict", [Verdict(), Verdict(ClonedVoice(), "plugin")])
@pytest.mark.parametrize("attributes", [{}, {"palabra.voice_consent": "false"}])
async def test_a_missing_consent_is_told_to_the_speaker_and_organisers_alone(
    verdict: Verdict, attributes: dict[str, str]
) -> None:
    """All are told what is heard, and those two why it is not what was asked for."""
    answers = [await asked_by(it, verdict, attributes, ES) for it in CALLERS]

    assert [it["voice"] for it in answers] == [{"kind": "default"}] * 3
    assert [it.get("not_cloned") for it in answers] == [WITHHELD, WITHHELD, None]


async def test_a_plugin_s_private_reason_is_told_to_them_alone() -> None:
    """For others it passed, as one that gave no reason did."""
    reasons = (("first", "the speaker has not agreed"), ("second", "no rule"))
    verdict = Verdict(passed=reasons, private=frozenset({"first"}))
    answers = [await asked_by(it, verdict, {}) for it in CALLERS]

    assert [[each["reason"] for each in it["passed"]] for it in answers] == [
        ["the speaker has not agreed", "no rule"],
        ["the speaker has not agreed", "no rule"],
        ["passed", "no rule"],
    ]


@pytest.mark.parametrize(
    ("attributes", "cloned", "expected"),
    [
        ({}, [ES], {"not_cloned": [{"speaker": "alice", "reason": WITHHELD}]}),
        ({}, [], {}),
        (AGREED, [ES], {}),
    ],
)
def test_organisers_are_told_who_is_not_cloned(
    attributes: dict[str, str], cloned: list[LanguageCode], expected: dict[str, Any]
) -> None:
    """Where the settings ask for it."""
    assert explaining(Verdict(), attributes, *cloned).not_cloned() == expected


async def test_which_of_a_speaker_s_tracks_is_heard_is_told_without_a_language_too() -> None:
    """With the reason why another is left alone."""
    assert await ask(None, '{"speaker": "alice"}') == {"speaker": "alice", "tracks": TRACKS}
    assert await ask(None, '{"speaker": "guest"}') == {"speaker": "guest", "tracks": []}


async def test_a_microphone_that_carries_a_channel_is_told() -> None:
    """The track that is else heard is not, and the reason is the channel's."""
    reason = "it carries what translation_es plays"
    told = await explaining(None, leaks={"alice": reason}).explain(
        Call("guest", '{"speaker": "alice"}')
    )

    assert told["tracks"] == [{**TRACKS[0], "heard": False, "reason": reason}, TRACKS[1]]


async def test_the_tracks_of_a_speaker_who_is_not_interpreted_are_told_with_the_refusal() -> None:
    """They may be the reason."""
    with pytest.raises(CallRefused) as caught:
        await ask(None, '{"speaker": "alice", "language": "es"}')

    assert caught.value.data == {"tracks": TRACKS}


async def test_a_participant_who_is_not_there_is_unknown() -> None:
    """And the sentence says so."""
    error = await refused('{"speaker": "bob"}')

    assert error.code == 404
    assert str(error) == 'speaker: no participant of the identity "bob" is in the room'


async def test_a_speaker_who_is_not_interpreted_is_unknown() -> None:
    """Whether they are there at all is not for us to tell."""
    error = await refused('{"speaker": "bob", "language": "es"}')

    assert error.code == 404
    assert str(error) == 'speaker: no speaker of the identity "bob" is interpreted into "es" now'


async def test_a_language_that_is_not_offered_is_unknown() -> None:
    """The sentence tells those that are."""
    error = await refused('{"speaker": "alice", "language": "fr"}')

    assert error.code == 404
    assert str(error) == 'language: "fr" is not among the languages, which are es, pt-br'


@pytest.mark.parametrize("payload", ["", "[]", "nonsense", '"alice"', "[" * 4000, "x" * 5000])
async def test_a_payload_that_is_no_object_is_refused(payload: str) -> None:
    """With an example of what is."""
    error = await refused(payload)

    assert error.code == 400
    assert '{"speaker": "alice", "language": "es"}' in str(error)


@pytest.mark.parametrize(
    ("said", "problems"),
    [
        ({}, ["speaker: is missing"]),
        ({"speaker": 1, "language": 2}, ["speaker: must be a string", "language: must be"]),
        ({"speaker": "", "language": "es"}, ["speaker: must not be empty"]),
        ({"speaker": "a", "languages": "es"}, ["languages: unknown key"]),
        ({"speaker": "\ud800", "language": "es"}, ["speaker: holds half of a surrogate pair"]),
    ],
)
async def test_each_mistake_is_told(said: dict[str, Any], problems: list[str]) -> None:
    """In the words of the config's own mistakes."""
    error = await refused(json.dumps(said))

    assert error.code == 400
    assert error.data is not None
    assert [it["path"] for it in error.data["problems"]] == [it.split(":")[0] for it in problems]
    for start in problems:
        assert start in str(error)
