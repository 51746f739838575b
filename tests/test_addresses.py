"""Addresses: which can be asked, and which only where an operator lets them be plain."""

from __future__ import annotations

import pytest

from palabra_agent.addresses import (
    is_loopback,
    is_of_own_network,
    mistake_of,
    plain_mistake,
)
from tests.odd_addresses import ADDRESSES, NO_ADDRESSES, PASSWORD

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_told_without_a_word_of_it(url: str) -> None:
    """The mistake is a sentence; a password may be anywhere in what is wrong."""
    mistake = mistake_of(url)

    assert mistake is not None
    assert mistake.startswith(("must ", "is "))
    assert PASSWORD not in mistake


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_is_one(url: str) -> None:
    """In capitals, in other scripts, with numbers of both kinds, and with a port or without."""
    assert mistake_of(url) is None
    assert plain_mistake(url) is None


@pytest.mark.parametrize(
    ("url", "mistake"),
    [
        ("wss://me:x@h", "must not hold a user or a password"),
        ("ftp://h", "must be an address that begins with https://, wss://, http://, ws://"),
        ("ws://h:x", "is not an address: its host or port cannot be read"),
        ("ws://..", "must name a host, and a port only from 1 to 65535"),
        ("ws://h\n", "must be an address without spaces and line breaks"),
    ],
)
def test_each_mistake_has_its_words(url: str, mistake: str) -> None:
    """They say what the address must be."""
    assert mistake_of(url) == mistake


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("livekit.localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("notlocalhost", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("", False),
    ],
)
def test_this_machine_is_told_from_others(host: str, is_here: bool) -> None:
    """By its numbers and its name, and by nothing that only looks like them."""
    bracketed = f"[{host}]" if ":" in host else host

    assert is_loopback(host) is is_here
    assert (plain_mistake(f"ws://{bracketed}:7880") is None) is is_here
    assert plain_mistake(f"wss://{bracketed}:7880") is None


def test_a_plain_address_is_told_how_it_may_be() -> None:
    """What to write instead, and what allows it."""
    assert plain_mistake("http://api.example") == (
        "must begin with https://, as what is said there could be read on the way; set"
        " PALABRA_ALLOW_PLAIN_ADDRESSES=true where no stranger is on it"
    )
    assert str(plain_mistake("ws://h")).startswith("must begin with wss://")


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("ws://livekit:7880", True),
        ("ws://livekit.default.svc.cluster.local", True),
        ("ws://livekit.corp.internal.", True),
        ("ws://10.99.0.1:7880", True),
        ("ws://192.168.1.4", True),
        ("ws://[fd00::1]:7880", True),
        ("ws://livekit.example", False),
        ("ws://8.8.8.8", False),
        ("ws://[2a00::1]", False),
    ],
)
def test_an_operator_s_own_network_is_known_by_its_addresses(url: str, is_own: bool) -> None:
    """Private numbers, names without a domain, and domains that are never in the internet."""
    assert is_of_own_network(url) is is_own
