"""Addresses of servers: what one must be, and which need TLS. Pure.

They come from an operator, or in an answer of Palabra's. What is wrong with one is said in words
that hold nothing of it, as a password may be anywhere in it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

PLAIN_ALLOWED: Final = "PALABRA_ALLOW_PLAIN_ADDRESSES"
"""The variable by which an operator allows addresses without TLS."""

WEB_SCHEMES: Final = ("https", "wss", "http", "ws")
"""Those that a server of a session may be asked by."""

_PLAIN: Final = {"http": "https", "ws": "wss"}
"""Schemes without TLS, each with the one that has it."""
_LONGEST: Final = 2_000
_LONGEST_HOST: Final = 253
_HOST: Final = re.compile(r"[A-Za-z0-9_.-]+")
_OWN_DOMAINS: Final = ("local", "internal")
"""No name in the internet ends in these."""


def mistake_of(url: str, schemes: Sequence[str] = WEB_SCHEMES) -> str | None:
    """Say what an address must be that it is not; None where it can be asked.

    Args:
        url: The address.
        schemes: Those that it may have; any where empty.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not an address: its host or port cannot be read"

    if "@" in parts.netloc:
        return "must not hold a user or a password"
    if not parts.scheme or (schemes and parts.scheme not in schemes):
        known = ", ".join(f"{it}://" for it in schemes or WEB_SCHEMES)
        return f"must be an address that begins with {known}"
    if len(url) > _LONGEST:
        return f"must be an address of at most {_LONGEST} characters"
    if not url.isprintable() or any(map(str.isspace, url)):
        return "must be an address without spaces and line breaks"
    if port == 0 or not _is_host(parts.hostname or ""):
        return "must name a host, and a port only from 1 to 65535"

    return None


def plain_mistake(url: str) -> str | None:
    """Say what an address without TLS must be; None where it has TLS, or is of this machine."""
    parts = urlsplit(url)
    secure = _PLAIN.get(parts.scheme)
    if secure is None or is_loopback(parts.hostname or ""):
        return None

    return (
        f"must begin with {secure}://, as what is said there could be read on the way; set"
        f" {PLAIN_ALLOWED}=true where no stranger is on it"
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    address = _ip(host)
    name = host.rstrip(".").lower()
    return address.is_loopback if address else f".{name}".endswith(".localhost")


def is_of_own_network(url: str) -> bool:
    """Tell whether an address is in a private network, by its number or as its name shows."""
    host = urlsplit(url).hostname or ""
    address = _ip(host)
    if address is not None:
        return address.is_private

    *domains, last = host.rstrip(".").split(".")
    return not domains or last in _OWN_DOMAINS


def _is_host(host: str) -> bool:
    """Tell whether a host can be looked up."""
    if ":" in host:
        return _ip(host) is not None

    try:
        name = host.encode("idna").decode()
    except UnicodeError:
        return False

    return bool(_HOST.fullmatch(name)) and len(name) <= _LONGEST_HOST


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
