"""What is told of a speaker to any participant who asks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from palabra_agent.capabilities.capability import Verdict
from palabra_agent.languages import LanguageCode
from palabra_agent.meeting.microphones import SoundTrack
from palabra_agent.meeting.rpc import Call, CallRefused
from palabra_agent.room.explanation import Explanations
from palabra_agent.voices import ClonedVoice, FixedVoice, TimbreMatchedVoice, VoiceChoice

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


def explaining(verdict: Verdict | None) -> Explanations:
    """Explain the voice of Alice in Spanish."""
    known = {("alice", "es"): verdict}
    return Explanations(
        lambda who, language: known.get((who, language)), SOUNDS.get, lambda: OFFERED
    )


async def ask(verdict: Verdict | None, payload: str) -> dict[str, Any]:
    """Ask as any guest may."""
    return dict(await explaining(verdict).explain(Call("guest", payload)))


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


async def test_which_of_a_speaker_s_tracks_is_heard_is_told_without_a_language_too() -> None:
    """With the reason why another is left alone."""
    assert await ask(None, '{"speaker": "alice"}') == {"speaker": "alice", "tracks": TRACKS}
    assert await ask(None, '{"speaker": "guest"}') == {"speaker": "guest", "tracks": []}


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
