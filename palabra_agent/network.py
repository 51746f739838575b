"""The way to a server, through a proxy or past it, and words for a connection that failed.

One rule for every connection: `HTTPS_PROXY` leads to `https` and `wss`, `HTTP_PROXY` to `http` and
`ws`, `ALL_PROXY` to what neither of them names, in capitals or small letters, of which the latter
win; `NO_PROXY` names hosts, domains with all that is below them, and networks, which are reached
directly, as this machine is.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import aiohttp

from palabra_agent.errors import SetupError

_SECURE: Final = frozenset({"https", "wss"})


def proxy_for(url: str) -> str | None:
    """The proxy through which an address is reached, with its password; None for a direct way.

    Raises:
        SetupError: The environment names a proxy that is none for us.
    """
    address = urlsplit(url)
    host = address.hostname or ""
    proxies = getproxies_environment()
    scheme = "https" if is_secure(url) else "http"
    proxy = proxies.get(scheme) or proxies.get("all")
    excepted = proxies.get("no", "")
    if not proxy or _is_reached_directly(host, address.port, excepted):
        return None

    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if urlsplit(proxy).scheme != "http" or not urlsplit(proxy).hostname:
        raise SetupError(
            f"{scheme.upper()}_PROXY: must be http://HOST:PORT, not {without_password(proxy)}"
        )

    return proxy


def lead_sdk(url: str) -> None:
    """Have LiveKit's native SDK take the way to an address that the rule above says.

    It is one way for all rooms of this process whose addresses are alike, `wss` or `ws`. The SDK
    looks at the variables in capitals first, takes an empty one for a direct way, and knows no
    `NO_PROXY`; the rest of Python looks at small letters first. So what the environment said moves
    there, and the capitals are the SDK's.
    """
    scheme = "https" if is_secure(url) else "http"
    proxies = getproxies_environment()
    if said := proxies.get(scheme):
        os.environ[f"{scheme}_proxy"] = said
    if said or "all" in proxies:
        os.environ[f"{scheme.upper()}_PROXY"] = proxy_for(url) or ""


def is_secure(url: str) -> bool:
    """Tell whether an address is asked over TLS."""
    return urlsplit(url).scheme in _SECURE


def without_password(url: str) -> str:
    """An address without who asks and their password, to be shown."""
    address = urlsplit(url)
    return address._replace(netloc=address.netloc.rpartition("@")[2]).geturl()


def _is_reached_directly(host: str, port: int | None, excepted: str) -> bool:
    """Tell whether a host is this machine, or among those of a `NO_PROXY`."""
    if host == "localhost" or _is_in_network(host, "127.0.0.0/8") or _is_in_network(host, "::1"):
        return True

    entries = (entry.strip().lower() for entry in excepted.split(","))
    return any(
        entry == "*"
        or _is_in_network(host, entry)
        or _is_in_domain(host, entry)
        or _is_in_domain(f"{host}:{port}", entry)
        for entry in entries
    )


def _is_in_domain(host: str, domain: str) -> bool:
    domain = domain.lstrip("*.")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _is_in_network(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def reason_of(error: Exception) -> str:
    """Say in a few words why a connection failed, with nothing of what was sent over it.

    An `errno` alone is not enough: resolvers and TLS number their failures in ways of their own.
    """
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"the proxy cannot be reached: {reason_of(error.os_error)}"

    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy refused to connect: HTTP {error.status}"

    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        if isinstance(error, aiohttp.ClientConnectorDNSError) and _is_proxy(error.host):
            return "the name of the proxy cannot be looked up"

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


def _is_proxy(host: str) -> bool:
    """Tell whether the environment names a proxy on a host."""
    return any(urlsplit(proxy).hostname == host for proxy in getproxies_environment().values())
