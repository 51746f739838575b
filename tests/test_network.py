"""The way to a server, through a proxy or past it, and why a connection failed, in words."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from palabra_agent.errors import SetupError
from palabra_agent.local.processes import free_port
from palabra_agent.network import lead_sdk, proxy_for, reason_of, without_password
from tests.environment import environment

pytestmark = pytest.mark.unit

LATER = "its name cannot be looked up at the moment"
NO_TLS = "no TLS there, or a certificate that is not trusted"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "no such host"),
        (socket.gaierror(socket.EAI_AGAIN, "secret"), LATER),
        (ssl.SSLError(1, "[SSL] record layer failure"), NO_TLS),
        (ssl.SSLCertVerificationError(1, "self-signed"), NO_TLS),
        (ConnectionRefusedError(errno.ECONNREFUSED, "secret"), "connection refused"),
        (OSError(errno.ENETUNREACH, "secret"), "network is unreachable"),
        (OSError(-5, "secret"), "no connection"),
        (OSError(0, "secret"), "no connection"),
        (OSError("secret"), "no connection"),
        (aiohttp.ServerDisconnectedError("secret"), "the connection was closed"),
        (aiohttp.ClientError("secret"), "no connection"),
    ],
    ids=repr,
)
def test_errors_are_told_in_words(error: Exception, reason: str) -> None:
    """Resolvers and TLS have numbers of their own; a text of the library is never repeated."""
    assert reason_of(error) == reason


class EmptyDirectory(AbstractResolver):
    """A resolver that knows nobody, and asks nobody."""

    def __init__(self, number: int) -> None:
        self.number = number

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Fail as the system's resolver does."""
        raise socket.gaierror(self.number, f"secret {host}:{port}, {family}")

    async def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(
    ("number", "reason"), [(socket.EAI_NONAME, "no such host"), (socket.EAI_AGAIN, LATER)]
)
async def test_an_unknown_host_is_told(number: int, reason: str) -> None:
    """A mistyped name reads as one, also in the client's own kind of error."""
    connector = aiohttp.TCPConnector(resolver=EmptyDirectory(number))

    assert await _reason_at("http://no-such-host.invalid", connector) == reason


async def test_tls_at_a_plain_port_is_told() -> None:
    """`https` and `wss` where there is only `http` is no matter of permissions."""
    async with TestServer(web.Application()) as server:
        assert await _reason_at(f"https://{server.host}:{server.port}") == NO_TLS


async def _reason_at(url: str, connector: aiohttp.TCPConnector | None = None) -> str:
    async with aiohttp.ClientSession(connector=connector) as http:
        with pytest.raises(aiohttp.ClientError) as caught:
            await http.get(url)

    return reason_of(caught.value)


PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({}, "https://api.example", None),
        ({"HTTPS_PROXY": PROXY}, "https://api.example", PROXY),
        ({"https_proxy": PROXY}, "wss://api.example/stream", PROXY),
        ({"HTTPS_PROXY": PROXY}, "http://api.example", None),
        ({"HTTPS_PROXY": PROXY}, "ws://api.example", None),
        ({"HTTP_PROXY": PROXY}, "ws://api.example", PROXY),
        ({"ALL_PROXY": PROXY}, "wss://api.example", PROXY),
        ({"HTTPS_PROXY": "http://other:1", "https_proxy": PROXY}, "https://api.example", PROXY),
        ({"HTTPS_PROXY": "", "ALL_PROXY": PROXY}, "https://api.example", PROXY),
        ({"HTTPS_PROXY": "proxy.example:3128"}, "https://api.example", PROXY),
        ({"HTTPS_PROXY": PROXY}, "wss://localhost:7880", None),
        ({"HTTP_PROXY": PROXY}, "ws://127.0.0.1:7880", None),
        ({"HTTP_PROXY": PROXY}, "ws://[::1]:7880", None),
    ],
)
def test_the_environment_names_the_proxy(
    variables: dict[str, str], url: str, proxy: str | None
) -> None:
    """By scheme, whether a web page or a WebSocket is asked for; never for this machine."""
    with environment(variables):
        assert proxy_for(url) == proxy


@pytest.mark.parametrize(
    ("excepted", "is_direct"),
    [
        ("livekit.corp.example", True),
        ("LiveKit.corp.example", True),
        ("corp.example", True),
        (".corp.example", True),
        ("*.corp.example", True),
        ("other.example, corp.example", True),
        ("*", True),
        ("livekit.corp.example:7443", True),
        ("livekit.corp.example:443", False),
        ("orp.example", False),
        ("10.0.0.0/8", False),
        ("other.example corp.example", True),
        ("corp.example.", True),
        ("", False),
        (", : . *.", False),
    ],
)
def test_hosts_are_excepted_by_name(excepted: str, *, is_direct: bool) -> None:
    """A domain stands for all that is below it; a port, where one is said, must be the same."""
    with environment({"HTTPS_PROXY": PROXY, "NO_PROXY": excepted}):
        assert (proxy_for("wss://livekit.corp.example:7443") is None) is is_direct


@pytest.mark.parametrize(
    ("excepted", "is_direct"),
    [
        ("10.0.0.0/8", True),
        ("10.1.2.3", True),
        ("10.1.2.3:7880", True),
        ("10.1.2.3:80", False),
        ("10.1.2.4", False),
        ("10.0.0.0/99", False),
        ("fd00::/8", False),
    ],
)
def test_addresses_are_excepted_by_network(excepted: str, *, is_direct: bool) -> None:
    """As companies write it, and some tools read it."""
    with environment({"HTTP_PROXY": PROXY, "no_proxy": excepted}):
        assert (proxy_for("ws://10.1.2.3:7880") is None) is is_direct


@pytest.mark.parametrize(
    ("excepted", "url"),
    [
        ("a.example:443", "wss://a.example"),
        ("a.example:443", "https://A.example."),
        ("fd00::1", "wss://[fd00::1]:7880"),
        ("[fd00::1]", "wss://[fd00::1]:7880"),
        ("[fd00::1]:7880", "wss://[fd00::1]:7880"),
        ("[fd00::1]:443", "wss://[fd00::1]"),
        ("fd00::/8", "wss://[fd00::1]"),
        ("", "wss://livekit.localhost"),
    ],
)
def test_exceptions_are_written_in_many_ways(excepted: str, url: str) -> None:
    """With the port that an address leaves out, and in brackets as in an address."""
    with environment({"HTTPS_PROXY": PROXY, "NO_PROXY": excepted}):
        assert proxy_for(url) is None
    with environment({"HTTPS_PROXY": PROXY, "NO_PROXY": "other:443 [fd00::2]:443 fe00::/8"}):
        assert (proxy_for(url) is None) is url.endswith("localhost")


@pytest.mark.parametrize(
    "proxy",
    [
        "socks5h://proxy.example:1080",
        "https://me:secret@proxy.example",
        "http://",
        "http://:3128",
        "http://proxy.example:port",
        "http://proxy.example:0",
        "http://proxy.example:3128/path",
        "http://pro xy.example:3128",
        "http://[fd00:3128",
        "http://me:12#secret@proxy.example:3128",
        "http://me:12/secret@proxy.example:3128",
        "http://me:12?secret@proxy.example:3128",
        "me:12#secret@proxy.example:3128",
    ],
)
def test_a_proxy_of_another_kind_is_refused(proxy: str) -> None:
    """In a sentence that names the variable and not the password."""
    with environment({"HTTPS_PROXY": proxy}), pytest.raises(SetupError) as caught:
        proxy_for("https://api.example")

    assert str(caught.value).startswith("HTTPS_PROXY: must be http://HOST:PORT, not ")
    assert "secret" not in str(caught.value)


def test_a_proxy_is_shown_without_its_password() -> None:
    """Nor with the name that goes with it."""
    assert without_password("http://me:secret@proxy.example:3128") == PROXY


def test_the_native_sdk_is_led_past_the_proxy_and_python_is_not() -> None:
    """It takes an empty variable in capitals for a direct way; the rest looks at small letters."""
    with environment({"HTTPS_PROXY": PROXY, "NO_PROXY": "livekit.example"}):
        lead_sdk("wss://livekit.example")
        ways = (os.environ["HTTPS_PROXY"], proxy_for("https://api.example"))
        lead_sdk("wss://other.example")
        later = (os.environ["HTTPS_PROXY"], proxy_for("https://api.example"))

    assert ways == ("", PROXY)
    assert later == (PROXY, PROXY)


async def test_a_proxy_s_failure_is_told_as_its_own() -> None:
    """The server behind it is not to blame."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        refusing = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert await _reason_through(refusing) == (
            f"the proxy {refusing} refused to connect: HTTP 407: user and password are missing or"
            " wrong"
        )

    closed = f"http://127.0.0.1:{free_port()}"
    assert await _reason_through(closed) == (
        f"the proxy {closed} cannot be reached: connection refused"
    )


async def test_an_unknown_proxy_is_told() -> None:
    """A mistyped name of a proxy does not read as one of the server's."""
    proxy = "http://no-such-proxy.invalid:3128"
    connector = aiohttp.TCPConnector(resolver=EmptyDirectory(socket.EAI_NONAME))

    assert await _reason_through(proxy, connector) == (
        f"the name of the proxy {proxy} cannot be looked up"
    )


async def _reason_through(proxy: str, connector: aiohttp.TCPConnector | None = None) -> str:
    with environment({"HTTPS_PROXY": proxy}):
        url = "https://server.example"
        async with aiohttp.ClientSession(proxy=proxy_for(url), connector=connector) as http:
            with pytest.raises(aiohttp.ClientError) as caught:
                await http.get(url)

        return reason_of(caught.value, url)
