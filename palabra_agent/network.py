"""Words for a failed connection: the reason for which a server could not be reached."""

from __future__ import annotations

import os
import socket
import ssl

import aiohttp


def reason_of(error: Exception) -> str:
    """Say in a few words why a connection failed, with nothing of what was sent over it.

    An `errno` alone is not enough: resolvers and TLS number their failures in ways of their own.
    """
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        is_passing = error.errno == socket.EAI_AGAIN
        return "its name cannot be looked up at the moment" if is_passing else "no such host"

    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "no TLS there, or a certificate that is not trusted"

    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()

    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed"

    if isinstance(error, aiohttp.ClientResponseError):
        return "what answers there does not speak HTTP"

    # its own text may hold the request's headers
    return "no connection"
