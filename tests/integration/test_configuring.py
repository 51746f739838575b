"""A room's config while the room runs: who may change it, what changes, and what does not."""

from __future__ import annotations

from typing import Final

import pytest
from livekit import rtc

from tests.clock import eventually

from .emulator_client import Sessions
from .hearing import DE, WORDS, until_heard, until_subscribed
from .stack import Stack, Worker, ask

pytestmark = pytest.mark.livekit

_CONFIG: Final = {"languages": ["es"], "source_language": "en", "organisers": ["clara"]}


async def test_an_organiser_adds_a_language(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Its channel opens and the running session is told; the others go on, and nothing restarts."""
    async with (
        stack.room("adding") as room,
        room.person("alice") as alice,
        room.person("bruno", listen="de", microphone=False) as bruno,
        room.person("clara", microphone=False) as clara,
    ):
        await room.dispatch(_CONFIG)
        (session,) = await sessions.running(1)
        await until_subscribed(bruno, "translation_es")
        answer = await ask(clara, "palabra.configure", {"languages": ["es", "de"]})
        assert answer == {"changed": ["languages"], "later": []}
        await until_subscribed(bruno, "translation_es", "translation_de")
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


@pytest.mark.parametrize(
    ("who", "config", "code", "told"),
    [
        ("alice", {"languages": ["de"]}, 403, ""),
        ("clara", {"langauges": ["de"]}, 400, 'langauges: unknown key, did you mean "languages"?'),
        ("clara", {"organisers": ["alice"]}, 400, "organisers"),
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
    """A guest, an unknown key, a wish to be an organiser, and nonsense are refused in words."""
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
