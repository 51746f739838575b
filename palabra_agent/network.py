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

from palabra_agent.addresses import is_loopback
from palabra_agent.errors import SetupError

_SECURE: Final = frozenset({"https", "wss"})
_PORTS: Final = {"https": 443, "http": 80}
_PROXY_AUTHENTICATION: Final = 407


def proxy_for(url: str) -> str | None:
    """The proxy through which an address is reached, with its password; None for a direct way.

    Raises:
        SetupError: The environment names a proxy that is none for us.
    """
    address = urlsplit(url)
    host = address.hostname or ""
    proxies = getproxies_environment()
    scheme = "https" if is_secure(url) else "http"
    name = scheme if proxies.get(scheme, "").strip() else "all"
    proxy = proxies.get(name, "").strip()
    port = address.port or _PORTS[scheme]
    if not proxy or _is_reached_directly(host.rstrip("."), port, proxies.get("no", "")):
        return None

    address_of_it = proxy if "://" in proxy else f"http://{proxy}"
    if not _is_proxy_address(address_of_it):
        raise SetupError(
            f"{name.upper()}_PROXY: must be http://HOST:PORT, not {without_password(proxy)}; where"
            " USER:PASSWORD@ stands before the host, special characters are written as %40 and the"
            " like"
        )

    return address_of_it


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
    """An address without who asks and their password, to be shown; a broken one as well."""
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


class Redirected(aiohttp.ClientError):
    """A server answered with a redirect, where none is followed."""


def without_redirects() -> aiohttp.TraceConfig:
    """Have a client follow no redirect, by its `trace_configs`; for WebSockets it knows no option.

    A redirect may lead to any host, within our own network as well.
    """

    async def refuse(*_: object) -> None:
        raise Redirected

    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(refuse)
    return tracing


def way_to(url: str) -> str:
    """Name the proxy on the way to an address, for the end of a sentence; empty without one."""
    proxy = proxy_for(url)
    return f" through the proxy {without_password(proxy)}" if proxy else ""


def _is_proxy_address(url: str) -> bool:
    """Tell whether an address is one of a proxy; signs of a password may cut it in two."""
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError:
        return False

    is_whole = address.path in {"", "/"} and not address.query and not address.fragment
    is_one_word = url.isprintable() and not any(map(str.isspace, url))
    names_host = bool(address.hostname) and port != 0
    return address.scheme == "http" and names_host and is_whole and is_one_word


def _is_reached_directly(host: str, port: int, excepted: str) -> bool:
    """Tell whether a host is this machine, or among those of a `NO_PROXY`."""
    if is_loopback(host):
        return True

    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    entries = excepted.replace(",", " ").lower().split()
    return any(
        entry == "*"
        or _is_in_network(host, entry.strip("[]"))
        or _is_in_domain(host, entry)
        or _is_in_domain(place, entry)
        for entry in entries
    )


def _is_in_domain(host: str, domain: str) -> bool:
    domain = domain.lstrip("*.").rstrip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _is_in_network(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def reason_of(error: Exception, url: str = "") -> str:
    """Say in a few words why a connection failed, with nothing of what was sent over it.

    An `errno` alone is not enough: resolvers and TLS number their failures in ways of their own.

    Args:
        error: The failure.
        url: Where the connection was to lead; a proxy on the way is named.
    """
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"{_proxy_to(url)} cannot be reached: {reason_of(error.os_error)}"

    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _refusal_of_proxy(error.status, url)

    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        if isinstance(error, aiohttp.ClientConnectorDNSError) and _is_proxy(error.host):
            return f"the name of {_proxy_to(url)} cannot be looked up"

        is_passing = error.errno == socket.EAI_AGAIN
        return "its name cannot be looked up at the moment" if is_passing else "no such host"

    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "no TLS there, or a certificate that is not trusted"

    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()

    if isinstance(error, Redirected):
        return "it answers with a redirect, which is not followed"

    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed"

    if isinstance(error, aiohttp.ClientResponseError):
        return "what answers there does not speak HTTP"

    # its own text may hold the request's headers
    return "no connection"


def proxy_refusal(status: int, url: str) -> str | None:
    """Say that a proxy has answered in the place of a server, where a status shows that."""
    if status != _PROXY_AUTHENTICATION or proxy_for(url) is None:
        return None

    return _refusal_of_proxy(status, url)


def _refusal_of_proxy(status: int, url: str) -> str:
    hint = ": user and password are missing or wrong" if status == _PROXY_AUTHENTICATION else ""
    return f"{_proxy_to(url)} refused to connect: HTTP {status}{hint}"


def _proxy_to(url: str) -> str:
    proxy = proxy_for(url) if url else None
    return f"the proxy {without_password(proxy)}" if proxy else "the proxy"


def _is_proxy(host: str) -> bool:
    """Tell whether the environment names a proxy on a host."""
    return any(urlsplit(proxy).hostname == host for proxy in getproxies_environment().values())
