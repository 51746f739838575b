"""Wrong surroundings: LiveKit or Palabra absent or refusing, told where people look."""

from __future__ import annotations

import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from palabra_agent.local.livekit_server import run_livekit_server
from palabra_agent.local.people import SimulatedPerson
from palabra_agent.local.processes import free_port
from palabra_agent.local.services import run_emulator
from tests.clock import eventually
from tests.palabra.rest.server import api_that_gets, asked
from tests.palabra_emulator.watching import JournalLine, journal_at

from .emulator_client import Sessions
from .hearing import ES, WORDS, until_heard
from .stack import Finished, Stack

pytestmark = pytest.mark.livekit

HOST = "127.0.0.1"
INVALID = "Unauthorized access is denied due to invalid credentials."
INSUFFICIENT_BALANCE = {
    "ok": False,
    "errors": [
        {
            "type": "https://docs.palabra.ai/docs/error_codes#forbiddenresource",
            "title": "Forbidden resource",
            "detail": "Insufficient balance",
            "instance": "/session-storage/session",
            "status": 403,
            "error_code": 100050,
        }
    ],
}
"""Palabra's own answer, word for word."""


async def test_refused_livekit_credentials_end_the_worker(stack: Stack) -> None:
    """It says which variables to look at, and is gone with exit code 1."""
    env = {"LIVEKIT_API_SECRET": "wrong" * 8}
    async with stack.worker("locked-out", env=env, until_registered=False) as worker:
        code = await worker.ended(30)

    assert code == 1
    assert worker.log == (
        f"palabra-agent: LiveKit at {stack.livekit.url} refused the credentials: check "
        "LIVEKIT_API_KEY and LIVEKIT_API_SECRET\n"
    )


async def test_an_absent_livekit_is_waited_for(stack: Stack) -> None:
    """One line a try; when LiveKit appears the worker registers."""
    port = free_port()
    env = {"LIVEKIT_URL": f"ws://{HOST}:{port}"}
    async with stack.worker("early", env=env, until_registered=False) as worker:
        await worker.child.wait_for_line("trying again in 2 s", 30)
        tries = [it for it in worker.log_entries if "trying again" in it["message"]]
        key, secret = stack.livekit.api_key, stack.livekit.api_secret
        async with run_livekit_server(port=port, api_key=key, api_secret=secret):
            await worker.child.wait_for_line("registered worker", 40)

            assert len(tries) == len(worker.log_entries[: len(tries)])
            assert all(f"cannot be reached at ws://{HOST}:{port}" in it["message"] for it in tries)
            worker.child.process.send_signal(signal.SIGTERM)
            assert await worker.ended(20) == 0


async def test_a_waiting_worker_can_be_stopped(stack: Stack) -> None:
    """SIGTERM ends a worker that LiveKit has not let in yet."""
    env = {"LIVEKIT_URL": f"ws://{HOST}:{free_port()}"}
    async with stack.worker("lonely", env=env, until_registered=False) as worker:
        await worker.child.wait_for_line("trying again", 30)
        worker.child.process.send_signal(signal.SIGTERM)

        assert await worker.ended(20) == 0


async def test_an_absent_palabra_is_shown_and_waited_for(stack: Stack, sessions: Sessions) -> None:
    """The room is degraded, with the reason; when Palabra appears it is interpreted."""
    port = free_port(host=HOST)
    env = {"PALABRA_API_URL": f"http://{HOST}:{port}"}
    async with (
        stack.worker("unheard", env=env) as worker,
        stack.room("no-palabra") as room,
        room.person("alice", speak="en") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await room.dispatch({"languages": ["en", "es"]}, worker.agent_name)
        await alice.wait_for_interpreter(20, state="degraded")
        assert alice.attributes_of()["palabra.error"] == (
            f"Palabra cannot be reached at {HOST}:{port}: connection refused"
        )

        async with emulator_at(stack, port) as late:
            await alice.wait_for_interpreter(40, state="live")
            assert "palabra.error" not in alice.attributes_of()
            await alice.say(WORDS)
            await until_heard(bruno, "translation_es", ES)
            await room.delete()
            await Sessions(late, frozenset()).deleted()


async def test_refused_palabra_credentials_are_told(stack: Stack, sessions: Sessions) -> None:
    """The room is degraded and reads why, once; it is not tried again and again."""
    env = {"PALABRA_CLIENT_SECRET": "wrong"}
    earlier = len(await refusals_at(stack.emulator.url))
    async with (
        stack.worker("stranger", env=env) as worker,
        stack.room("no-credentials") as room,
        room.person("alice", speak="en") as alice,
        room.person("bruno", speak="en"),
    ):
        await room.dispatch({"languages": ["en", "es"]}, worker.agent_name)
        sentence = await reads_the_trouble(alice)

        assert INVALID in sentence
        assert "401" in sentence
        assert await sessions.created() == 0
        # both speakers were refused, and the room is told one thing once

        reason = sentence.replace(INVALID, "the credentials are not accepted")

        async def both_are_known() -> bool:
            told = [it for it in worker.log_entries if it.get("reason") == reason]
            return len(told) == 2

        await eventually(both_are_known, "a warning for each")
        assert len(await refusals_at(stack.emulator.url)) - earlier == 2
        assert [it.text for it in alice.chat] == [sentence]


async def test_an_insufficient_balance_is_told(stack: Stack) -> None:
    """Palabra's own words reach the room, once, and their meaning the log."""
    async with (
        api_that_gets(403, INSUFFICIENT_BALANCE) as (_, palabra),
        stack.worker("penniless", env={"PALABRA_API_URL": palabra.url}) as worker,
        stack.room("no-balance") as room,
        room.person("alice", speak="en") as alice,
    ):
        await room.dispatch({"languages": ["en", "es"]}, worker.agent_name)
        sentence = await reads_the_trouble(alice)

        assert sentence == "Palabra refused: Insufficient balance (HTTP 403, error 100050)"
        assert asked(palabra, "POST") == ["/session-storage/session"]
        assert len(palabra.requests) == 1
        reason = "Palabra refused: the balance is insufficient (HTTP 403, error 100050)"
        assert [it["reason"] for it in worker.log_entries if "reason" in it] == [reason]


async def test_check_approves_of_good_surroundings(stack: Stack) -> None:
    """Every line is good, and so is the exit code."""
    done = await stack.command("check", "--config", '{"languages": ["es"]}')

    assert done.code == 0
    assert signs_of(done) == ["✓"] * 5


async def test_check_finds_every_fault(stack: Stack) -> None:
    """Refused keys on both sides and a wrong config, each in its line."""
    env = {"LIVEKIT_API_SECRET": "wrong" * 8, "PALABRA_CLIENT_SECRET": "wrong"}
    done = await stack.command("check", "--config", '{"langauges": []}', env=env)

    assert done.code == 1
    assert signs_of(done) == ["✓", "✗", "✗", "✓", "✗"]
    for words in ("LIVEKIT_API_SECRET", "PALABRA_", 'did you mean "languages"?'):
        assert words in done.output


def signs_of(done: Finished) -> list[str]:
    """How each thing was found; more on one stands in lines of its own, indented."""
    return [line[0] for line in done.output.splitlines() if not line.startswith(" ")]


async def refusals_at(url: str) -> list[JournalLine]:
    """The requests that were refused for their credentials."""
    return [it for it in await journal_at(url) if it.data.get("status") == 401]


async def reads_the_trouble(person: SimulatedPerson) -> str:
    """Wait until the room is degraded, and the reason is in the chat as well; returns it."""
    await person.wait_for_interpreter(20, state="degraded")
    message = await person.wait_for(lambda: next(iter(person.chat), None), 15, "the reason")
    assert person.attributes_of()["palabra.error"] == message.text
    return message.text


@asynccontextmanager
async def emulator_at(stack: Stack, port: int) -> AsyncGenerator[str]:
    """Run another emulator, at a port of our choice; yields its address."""
    logs = stack.logs / "late"
    logs.mkdir()
    async with run_emulator(stack.livekit, logs, port=port) as process:
        await process.until_ready()
        yield process.url
