"""A room's config while the room runs: who may change it, what changes, and what does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from livekit import rtc

from palabra_agent.palabra.task.consent import asks_to_clone
from tests.clock import eventually

from .emulator_client import Sessions
from .hearing import DE, WORDS, until_heard, until_subscribed
from .stack import Stack, Worker, ask

pytestmark = pytest.mark.livekit

_AGREED: Final = {"palabra.voice_consent": "true"}
_REFUSED: Final = {"palabra.voice_consent": "false"}
WITHHELD: Final = (
    'the speaker has not agreed to be cloned: their attribute palabra.voice_consent is not "true"'
)
_CONFIG: Final = {"languages": ["es"], "source_language": "en", "organisers": ["clara"]}


async def test_an_organiser_adds_a_language(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Its channel opens and the running session is told; the others go on, and nothing restarts.

    What is above the operator's ceilings is cut, and that is told.
    """
    async with (
        stack.room("adding") as room,
        room.person("alice") as alice,
        room.person("bruno", listen="de", microphone=False) as bruno,
        room.person("clara", listen="es", microphone=False) as clara,
    ):
        await room.dispatch(_CONFIG)
        (session,) = await sessions.running(1)
        await until_subscribed(clara, "translation_es")
        said = {"languages": ["es", "de"], "limits": {"max_speakers": 100_000}}
        answer = await ask(clara, "palabra.configure", said)
        cut = "cut from 100000 to 100, the operator's ceiling"
        assert answer == {
            "changed": ["languages", "limits"],
            "later": [],
            "cut": [{"path": "limits.max_speakers", "reason": cut}],
        }
        await until_subscribed(bruno, "translation_de")
        await sessions.until(lambda found: "de" in found[0].targets, "German is wanted")
        await alice.say(WORDS)
        await until_heard(bruno, "translation_de", DE)

        async def is_shown() -> bool:
            shown = [it.attributes.get("palabra.languages") for it in await room.interpreters()]
            return shown == ["es,de"]

        await eventually(is_shown, "the room shows what is offered")
        assert [it.id for it in await sessions.all()] == [session.id]


async def test_an_organiser_changes_the_plugins(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Another voice is told to the session that there is."""
    rules = [{"name": "voice-selection", "config": {"rules": [{"voice": "nova"}]}}]
    async with (
        stack.room("plugins") as room,
        room.person("alice"),
        room.person("clara", microphone=False) as clara,
    ):
        await room.dispatch(_CONFIG)
        (session,) = await sessions.running(1)
        answer = await ask(clara, "palabra.configure", {"plugins": rules})
        assert answer["changed"] == ["plugins"]

        async def is_told() -> bool:
            told = await sessions.voices(session.id, "es")
            return [it["voice_id"] for it in told] == ["default_low", "nova"]

        await eventually(is_told, "the session is told another voice", 15)
        assert (await ask(clara, "palabra.configure", {"plugins": rules})) == {
            "changed": [],
            "later": [],
        }
        assert await sessions.created() == 1


async def test_no_organiser_has_a_voice_cloned_without_consent(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Nor does an overlay; why, is told to those who may know. With consent all are told."""
    cloning = {"default": {"speech_generation": {"voice_cloning": True}}}
    laid_over = {"pipeline": {"translations": cloning, "voiceCloning": True}}
    async with (
        stack.room("cloning") as room,
        room.person("alice") as alice,
        room.person("bruno", microphone=False) as bruno,
        room.person("clara", microphone=False) as clara,
    ):
        await alice.set_attributes(_REFUSED)
        # another person agrees for none
        await bruno.set_attributes(_AGREED)
        await room.dispatch(_CONFIG)
        (session,) = await sessions.running(1)
        asks: dict[str, dict[str, Any]] = {
            "speed": {"translations": cloning},
            "quality": {"undocumented": laid_over},
        }
        for priority, palabra in asks.items():
            said = {**palabra, "transcription": {"priority": priority}}
            answer = await ask(clara, "palabra.configure", {"palabra": said})
            assert answer["changed"] == ["palabra"]
            assert answer["not_cloned"] == [{"speaker": "alice", "reason": WITHHELD}]
            await sessions.until_told(session.id, _has_priority(priority))

        question = {"speaker": "alice", "language": "es"}
        explained = [await ask(it, "palabra.explain", question) for it in (alice, clara, bruno)]
        assert [it["voice"] for it in explained] == [{"kind": "default"}] * 3
        assert [it.get("not_cloned") for it in explained] == [WITHHELD, WITHHELD, None]
        assert not any(asks_to_clone(task) for task in await sessions.tasks_of(session.id))
        assert list(bruno.chat) == []

        await alice.set_attributes(_AGREED)
        await sessions.until_told(session.id, asks_to_clone)
        await bruno.wait_for(lambda: bruno.chat, 10, "that a voice is imitated")
        assert (await ask(bruno, "palabra.explain", question))["voice"] == {"kind": "cloned"}
        await alice.set_attributes(_REFUSED)
        await sessions.until_told(session.id, lambda task: not asks_to_clone(task))
        await bruno.wait_for(lambda: len(bruno.chat) == 2, 10, "that it is not any more")
        assert [it.text for it in bruno.chat] == [
            "The voice of Alice is imitated in interpretations, as they agreed.",
            "The voice of Alice is not imitated any more.",
        ]

        log = [it for it in worker.log_entries if it.get("room") == room.name]
        told = [it["message"] for it in log if "cloning" in str(it["message"])]
        withheld = "voice cloning withheld for want of consent"
        assert told == [withheld, "voice cloning begins", "voice cloning ends", withheld]


def _has_priority(priority: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda task: task["pipeline"]["transcription"].get("priority") == priority


@pytest.mark.parametrize(
    ("who", "config", "code", "told"),
    [
        ("alice", {"languages": ["de"]}, 403, ""),
        ("clara", {"langauges": ["de"]}, 400, 'langauges: unknown key, did you mean "languages"?'),
        ("clara", {"organisers": ["alice"]}, 400, "organisers"),
        (
            "clara",
            {"palabra": {"undocumented": {"x": 1}}},
            400,
            "is locked by the worker's operator",
        ),
        ("clara", "{", 400, "is not JSON"),
    ],
)
async def test_what_may_not_be_changes_nothing(
    stack: Stack,
    worker: Worker,
    sessions: Sessions,
    who: str,
    config: object,
    code: int,
    told: str,
) -> None:
    """A guest, an unknown key, what is locked, and nonsense are refused in words."""
    async with (
        stack.room("refusing") as room,
        room.person("alice") as alice,
        room.person("clara", microphone=False) as clara,
    ):
        await room.dispatch(_CONFIG)
        await sessions.running(1)
        # whatever guests say of themselves makes them no organisers
        await alice.set_attributes({"organisers": "alice", "palabra.organisers": "alice"})
        with pytest.raises(rtc.RpcError) as refused:
            await ask({"alice": alice, "clara": clara}[who], "palabra.configure", config)

        assert refused.value.code == code
        assert told in refused.value.message + str(refused.value.data)
        assert await sessions.targets_asked_for() == [{"es"}]
