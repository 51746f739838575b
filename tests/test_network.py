"""Why a connection failed is told in words that somebody can act on."""

from __future__ import annotations

import errno
import socket
import ssl

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from palabra_agent.network import reason_of

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
