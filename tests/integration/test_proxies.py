"""A worker in a company: proxies and exceptions from them, as the environment names them."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from palabra_agent.local.processes import free_port
from tests.proxy import ForwardProxy, forward_proxy

from .emulator_client import Sessions
from .hearing import ES, WORDS, until_heard, until_subscribed
from .stack import Stack

pytestmark = pytest.mark.livekit

LIVEKIT, PALABRA = "livekit.example", "palabra.example"
"""Names that only the proxy can look up."""

PASSWORD = "not-for-the-log"


def behind(proxy: ForwardProxy, stack: Stack) -> dict[str, str]:
    """Variables of a machine from which only a proxy leads to both servers."""
    return {
        "LIVEKIT_URL": f"ws://{LIVEKIT}:{urlsplit(stack.livekit.url).port}",
        "PALABRA_API_URL": f"http://{PALABRA}:{urlsplit(stack.emulator.url).port}",
        "PALABRA_ALLOW_PLAIN_ADDRESSES": "true",
        **proxies(proxy.url.replace("//", f"//me:{PASSWORD}@")),
    }


def proxies(url: str, excepted: str = "") -> dict[str, str]:
    """Variables that name a proxy, in both ways of writing, whatever this machine has set."""
    said = {"http_proxy": url, "https_proxy": url, "no_proxy": excepted}
    return {**said, **{name.upper(): value for name, value in said.items()}}


async def test_a_meeting_is_interpreted_through_the_proxy(stack: Stack, sessions: Sessions) -> None:
    """Registration, LiveKit's API, its room and Palabra's API: each is asked of the proxy."""
    async with (
        forward_proxy() as proxy,
        stack.worker("proxied", env=behind(proxy, stack)) as worker,
        stack.room("proxied") as room,
        room.person("alice", speak="en") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await room.dispatch({"languages": ["en", "es"]}, worker.agent_name)
        await sessions.running(1)
        await until_subscribed(bruno, "translation_es")
        await alice.say(WORDS)
        await until_heard(bruno, "translation_es", ES)

        log = worker.log

    asked = set(proxy.asked)
    assert f"GET {LIVEKIT}/agent" in asked
    assert f"POST {LIVEKIT}/twirp/livekit.RoomService/ListRooms" in asked
    assert f"CONNECT {LIVEKIT}" in asked
    assert f"POST {PALABRA}/session-storage/session" in asked
    assert f"LiveKit is reached through {proxy.url}; sound is not" in log
    assert PASSWORD not in log


async def test_hosts_without_a_proxy_are_reached_past_it(stack: Stack, sessions: Sessions) -> None:
    """`NO_PROXY` names the network of the company's LiveKit; the proxy does not even answer."""
    node = stack.livekit.node_ip
    env = {
        "LIVEKIT_URL": f"ws://{node}:{urlsplit(stack.livekit.url).port}",
        **proxies(f"http://127.0.0.1:{free_port()}", excepted=f"{node}/24"),
    }
    async with stack.worker("excepted", env=env), stack.room("excepted"):
        words = ("--agent-name", "excepted")
        checked = await stack.command("check", env=env)
        done = await stack.command("dispatch", "excepted", *words, env=env)

    assert (checked.code, done.code, done.errors) == (
        0,
        0,
        "the interpreter is in room excepted\n",
    )


async def test_the_check_takes_the_ways_that_the_worker_takes(
    stack: Stack, sessions: Sessions
) -> None:
    """It names the proxy, says what does not go through it, and opens what `start` opens."""
    async with forward_proxy() as proxy:
        done = await stack.command("check", env=behind(proxy, stack))

    assert done.code == 0
    assert f"LiveKit is reached through {proxy.url}; sound is not" in done.output
    assert 'set `palabra.transport` to "websocket"' in done.output
    assert f"GET {LIVEKIT}/agent" in proxy.asked
    assert f"CONNECT {LIVEKIT}" in proxy.asked
    assert f"GET {PALABRA}/session-storage/sessions" in proxy.asked
    assert done.errors == ""


async def test_the_check_says_that_the_proxy_is_at_fault(stack: Stack, sessions: Sessions) -> None:
    """Not that a name cannot be looked up, which only the proxy could."""
    proxy = ForwardProxy(f"http://127.0.0.1:{free_port()}")
    done = await stack.command("check", env=behind(proxy, stack))

    assert done.code == 1
    assert done.output.count(f"the proxy {proxy.url} cannot be reached: connection refused") == 2
