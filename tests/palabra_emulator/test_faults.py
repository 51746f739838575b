"""Faults as they are written, armed and withdrawn, with a clock that the test moves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from palabra_agent.__main__ import app
from palabra_agent.errors import ConfigError
from palabra_emulator.faults.catalogue import (
    BY_ID,
    FAULTS,
    CommandTooOften,
    EndIgnored,
    Fault,
    FaultWithVariants,
    RestFailure,
    TokenRefused,
)
from palabra_emulator.faults.injection import FaultInjector, SessionFaults
from palabra_emulator.faults.reading import load_scenario, read_fault
from palabra_emulator.journal import Journal
from palabra_emulator.options import OPTION_NAMES, EmulatorOptions, read_options
from tests.problems import mistakes_in

from .fakes import Clock

pytestmark = pytest.mark.unit


def armed(*wishes: dict[str, Any]) -> tuple[FaultInjector, Clock, Journal]:
    """An injector with some faults, its clock, and its journal."""
    clock, journal = Clock(), Journal()
    injector = FaultInjector(journal, clock)
    for wish in wishes:
        injector.arm(read_fault(wish))
    return injector, clock, journal


def someone(injector: FaultInjector, session_id: str = "a", number: int = 0) -> SessionFaults:
    """A session to which faults may happen."""
    return SessionFaults(session_id, number, injector)


def mistakes(content: object) -> list[str]:
    """What is wrong with a wish."""
    return mistakes_in(lambda: read_fault(content))


def test_catalogue_has_every_fault_of_the_protocol_and_one_more() -> None:
    """F1 to F25 are there, in order, with a sentence and what appears, and F26 of our own."""
    assert [fault.id for fault in FAULTS] == [f"F{n}" for n in range(1, 27)]
    for fault in FAULTS:
        assert fault.sentence().endswith(".")
        assert fault.appearance().endswith((".", "`"))
        assert all(it.meaning for it in fault.own_parameters())
        if issubclass(fault, FaultWithVariants):
            assert all(fault.variants.values())


@pytest.mark.parametrize("fault", BY_ID)
def test_every_default_is_allowed(fault: str) -> None:
    """A fault can be ordered by its id alone; its parameters have their own defaults."""
    read = read_fault({"fault": fault})

    assert read.times == 1
    if isinstance(read, FaultWithVariants):
        assert read.variant == next(iter(read.variants))
    for parameter in BY_ID[fault].own_parameters():
        assert getattr(read, parameter.name) == parameter.default
    assert read_fault(read.facts()) == read


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ([], ['must be an object such as {"fault": "F8"}, not []']),
        ({}, ["fault: is missing; there are F1 to F26"]),
        ({"fault": "f8"}, ['fault: is "f8"; there are F1 to F26; did you mean "F8"?']),
        ({"fault": 8}, ["fault: is 8; there are F1 to F26"]),
        (
            {"fault": "F8", "times": -1},
            ["times: must be a whole number from 0 to 1000000, or null, not -1"],
        ),
        ({"fault": "F8", "times": True}, ["times: must be a whole number"]),
        ({"fault": "F8", "variant": "leave"}, ['not "leave"; did you mean "leaves"?']),
        (
            {"fault": "F8", "delay_ms": "3"},
            ["delay_ms: must be a whole number from 0 to 600000, n"],
        ),
        (
            {"fault": "F8", "delay": 3},
            ["delay: is not a parameter of F8, which has variant, delay_"],
        ),
        ({"fault": "F8", "after_seconds": 3}, ["F8 never strikes before a session runs; at_sec"]),
        ({"fault": "F13", "at_seconds": 1e9}, ["at_seconds: must be a number from 0 to 86400"]),
        ({"fault": "F2", "session": 1}, ["session: F2 strikes requests that no session exists"]),
        ({"fault": "F13", "session": ""}, ["session: must be a session's id or number, or null"]),
        ({"fault": "F3", "status": 500}, ["status: must be 403, 409 or 429, not 500"]),
        ({"fault": "F10", "loc": []}, ["loc: must be a list of keys and positions, not []"]),
        (
            {"fault": "F5", "variant": "200", "times": 1.5, "retry_after": -1},
            ["times: must be", "variant: must be", "retry_after: must be"],
        ),
    ],
)
def test_wrong_wish_is_refused_in_sentences(wish: object, expected: list[str]) -> None:
    """Each mistake names its field, the value, and what is allowed; all are told at once."""
    found = mistakes(wish)

    assert len(found) == len(expected)
    for sentence, part in zip(found, expected, strict=True):
        assert part in sentence


def test_variant_may_be_a_number() -> None:
    """An HTTP status that is a variant may be written as a number."""
    assert read_fault({"fault": "F5", "variant": 503}) == RestFailure(variant="503")


def test_fault_strikes_as_often_as_it_was_armed_for() -> None:
    """Once by default; for ever with 0 or null."""
    injector, _, journal = armed({"fault": "F12"}, {"fault": "F23", "times": 0})
    session = someone(injector)

    assert injector.trigger("command", session, CommandTooOften) is not None
    assert injector.trigger("command", session, CommandTooOften) is None
    assert all(injector.trigger("command", session, EndIgnored) for _ in range(5))
    assert [it.fault.id for it in injector.armed] == ["F23"]
    actions = [entry.data["action"] for entry in journal.entries() if entry.event == "fault"]
    assert actions == ["armed"] * 2 + ["struck"] * 6


def test_fault_is_meant_for_one_session_or_any() -> None:
    """By its id or its number; without a session, whoever comes first."""
    injector, _, _ = armed(
        {"fault": "F12", "session": "b"}, {"fault": "F12", "session": 2}, {"fault": "F23"}
    )
    first, second, third = (someone(injector, "abc"[n], n) for n in range(3))

    assert injector.trigger("command", first, CommandTooOften) is None
    assert injector.trigger("command", second, CommandTooOften) is not None
    assert injector.trigger("command", third, CommandTooOften) is not None
    assert injector.trigger("command", first, EndIgnored) is not None


def test_delays_count_from_arming_and_from_running() -> None:
    """`at_seconds` from the arming on, `after_seconds` from the session's first running on."""
    injector, clock, _ = armed(
        {"fault": "F12", "at_seconds": 5}, {"fault": "F13", "after_seconds": 2}
    )
    session = someone(injector)

    assert injector.trigger("command", session, Fault) is None
    clock.advance(5)
    assert injector.trigger("command", session, Fault) is not None
    assert injector.trigger_immediate([session]) == []
    session.running_since = clock.now
    assert injector.trigger_immediate([session]) == []
    clock.advance(2)
    assert [it.id for _, it in injector.trigger_immediate([session])] == ["F13"]
    assert injector.armed == []


def test_one_stroke_takes_every_running_session() -> None:
    """What strikes by itself takes all that run; again only after `every_seconds`."""
    injector, clock, _ = armed({"fault": "F20", "times": 2, "every_seconds": 3})
    both = [someone(injector, "a", 0), someone(injector, "b", 1)]

    assert len(injector.trigger_immediate(both)) == 2
    assert injector.trigger_immediate(both) == []
    clock.advance(3)
    assert len(injector.trigger_immediate(both)) == 2
    assert injector.armed == []


def test_some_faults_stay_with_what_they_struck() -> None:
    """One stroke counts once, however often it is asked about, until it is withdrawn."""
    injector, _, _ = armed({"fault": "F6"})
    first, second = someone(injector, "a"), someone(injector, "b")

    assert injector.trigger_once("join", first, TokenRefused) is not None
    assert injector.trigger_once("join", first, TokenRefused) is not None
    assert injector.trigger_once("join", second, TokenRefused) is None
    assert injector.withdraw("1")
    assert injector.trigger_once("join", first, TokenRefused) is None
    assert not injector.withdraw("1")


def test_scenario_is_a_list_of_wishes(tmp_path: Path) -> None:
    """JSON or TOML, with a list alone or under its name."""
    wishes = [{"fault": "F13", "at_seconds": 30}, {"fault": "F5", "variant": "429", "times": 2}]
    for name, text in {
        "list.json": json.dumps(wishes),
        "named.json": json.dumps({"faults": wishes}),
        "named.toml": (
            '[[faults]]\nfault = "F13"\nat_seconds = 30\n'
            '[[faults]]\nfault = "F5"\nvariant = "429"\ntimes = 2\n'
        ),
    }.items():
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        assert load_scenario(path) == tuple(read_fault(wish) for wish in wishes)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json", "{", ["is not JSON"]),
        ("a.toml", "fault =", ["is not TOML"]),
        ("a.json", '"F8"', ["needs a list of faults"]),
        ("a.json", '{"fault": "F8"}', ['has "fault", and only "faults" is known']),
        (
            "a.json",
            '[{"fault": "F99"}, {"fault": "F8", "tims": 2}]',
            ['faults[0].fault: is "F99"', "faults[1].tims: is not a parameter of F8"],
        ),
    ],
)
def test_wrong_scenario_is_refused_in_sentences(
    tmp_path: Path, name: str, content: str, expected: list[str]
) -> None:
    """The file and the place in it are named, and all mistakes are told."""
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_scenario(path)

    assert len(caught.value.problems) == len(expected)
    for problem, part in zip(caught.value.problems, expected, strict=True):
        assert str(problem).startswith(str(path))
        assert part in str(problem)


def test_absent_scenario_is_said(tmp_path: Path) -> None:
    """A file that is not there is one sentence."""
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_scenario(tmp_path / "none.json")


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


def test_command_line_tells_every_mistake(tmp_path: Path) -> None:
    """`emulator` refuses wrong options and scenarios before it serves anything."""
    scenario = tmp_path / "wrong.toml"
    scenario.write_text('[[faults]]\nfault = "F17"\nvariant = "remove"\n', encoding="utf-8")
    wrong_option = CliRunner().invoke(app, ["emulator", "--option", "dialect=old"])
    wrong_scenario = CliRunner().invoke(app, ["emulator", "--scenario", str(scenario)])

    assert (wrong_option.exit_code, wrong_option.stdout) == (1, "")
    assert wrong_option.stderr == (
        'palabra-agent: dialect: must be "legacy", "legacy+ack" or "ack-only", not "old"\n'
    )
    assert (wrong_scenario.exit_code, wrong_scenario.stdout) == (1, "")
    assert wrong_scenario.stderr == (
        f'palabra-agent: {scenario}: faults[0].variant: must be "removed", "room_deleted", '
        '"server_shutdown" or "signal_drop", not "remove"; did you mean "removed"?\n'
    )
