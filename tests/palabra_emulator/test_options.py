"""Options of the emulator, read by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from palabra_agent.errors import ConfigError
from palabra_emulator.options import OPTION_NAMES, EmulatorOptions, read_options

pytestmark = pytest.mark.unit

HUGE = 10**400


def test_options_are_read_by_their_names() -> None:
    """Each as its type, in either spelling."""
    written = [
        "dialect=ack-only",
        "keep-sids=false",
        "watchdog_s=2.5",
        "cred_error_status=404",
        "voices=a, b",
        "record_input=/somewhere",
    ]
    assert read_options(written, voice="espeak") == EmulatorOptions(
        voice="espeak",
        dialect="ack-only",
        keep_sids=False,
        watchdog_s=2.5,
        cred_error_status=404,
        voices=frozenset({"a", "b"}),
        record_input=Path("/somewhere"),
    )


def test_every_switch_of_the_protocol_can_be_set() -> None:
    """The switches of the protocol page are options, with the defaults that it suggests."""
    suggested = {
        "dialect": "legacy+ack",
        "eos_name": "end_of_stream",
        "id_style": "hex16",
        "duplicate_validated": 0.5,
        "double_encode": "mixed",
        "queue_map_hz": 1.0,
        "rate_limits": "separate",
        "watchdog_s": 10.0,
        "keep_sids": True,
        "strict_fields": False,
        "cred_error_status": 401,
    }
    options = EmulatorOptions()

    assert {name: getattr(options, name) for name in suggested} == suggested
    assert {*suggested, "bot_delay_ms", "ready_delay_ms", "rest_delay_ms"} <= {*OPTION_NAMES}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("dialect", "must be NAME=VALUE"),
        ("dialekt=legacy", 'did you mean "dialect"?'),
        ("dialect=old", 'must be "legacy", "legacy+ack" or "ack-only", not "old"'),
        ("keep_sids=maybe", 'must be true or false, not "maybe"'),
        ("port=70000", "must be a whole number from 0 to 65535"),
        ("queue_map_hz=-1", "must be a number from 0 to 100"),
        ("watchdog_s=nan", "must be a number from 0 to 2592000"),
        ("livekit_url=ws://x", "livekit_url: is no option"),
    ],
)
def test_wrong_options_are_refused_in_sentences(written: str, expected: str) -> None:
    """The name, the value and what is allowed."""
    with pytest.raises(ConfigError) as caught:
        read_options([written])

    assert expected in str(caught.value)


def test_an_unknown_language_is_not_heard() -> None:
    """What `auto` hears must be a language that Palabra recognises, and not `auto` itself."""
    for wrong in ("qq", "auto", ""):
        with pytest.raises(ConfigError, match="is not a language that Palabra") as caught:
            read_options([f"auto_language={wrong}"])

        assert 'did you mean "auto"' not in str(caught.value)

    assert read_options(["auto_language=pt-br"]).auto_language == "pt-br"


@pytest.mark.parametrize(
    "option",
    [
        "unjoined_ttl_s=1e300",
        "keep_heard_s=1e308",
        f"ready_delay_ms={HUGE}",
    ],
)
def test_option_beyond_reason_is_refused(option: str) -> None:
    """Numbers have an upper end."""
    with pytest.raises(ConfigError, match=option.partition("=")[0]):
        read_options([option])


@pytest.mark.parametrize("name", ["client_id", "client_secret", "api_key"])
def test_credentials_are_not_empty(name: str) -> None:
    """An emulator that would let everybody in is refused."""
    with pytest.raises(ConfigError, match=f"{name}: must be a text that is not empty"):
        read_options([f"{name}="])
