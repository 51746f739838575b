"""The page about the emulator says what the emulator has."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final, cast

import pytest

from palabra_emulator.faults.catalogue import FAULTS, Fault, FaultWithVariants, common_parameters
from palabra_emulator.faults.reading import read_fault
from palabra_emulator.options import OPTION_NAMES, EmulatorOptions
from palabra_emulator.validation import Parameter
from tests.palabra_emulator.fakes import FakeLiveKit, fake_emulator

pytestmark = pytest.mark.unit

PAGE: Final = Path(__file__).parents[2] / "docs" / "emulator.md"

OPTIONS: Final = EmulatorOptions()


def page() -> str:
    """The page."""
    return PAGE.read_text(encoding="utf-8")


def own(parameter: Parameter) -> str:
    """A parameter as the table of faults shows it."""
    default = json.dumps(parameter.default)
    return f"`{parameter.name}` (`{default}`): {parameter.meaning}; {parameter.allowed}"


def row(fault: type[Fault]) -> str:
    """A fault's row of the table."""
    named = fault.variants if issubclass(fault, FaultWithVariants) else {}
    variants = "<br>".join(f"`{name}`: {meaning}" for name, meaning in named.items())
    parameters = "<br>".join(own(it) for it in fault.own_parameters() if it.name != "variant")
    cells = [fault.id, f"{fault.sentence()} {fault.appearance()}", variants, parameters]
    return "".join(f"| {cell} " if cell else "| " for cell in [*cells, fault.on_websocket]) + "|"


def shown(value: object) -> str:
    """An option's default as the page shows it."""
    match value:
        case bool():
            return str(value).lower()
        case frozenset():
            return ",".join(sorted(cast("frozenset[str]", value)))
        case _:
            return str(value)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_table_has_every_fault_as_it_is(fault: type[Fault]) -> None:
    """Sentence, variants, parameters with their defaults, and what a WebSocket changes."""
    assert row(fault) in page().splitlines()


def test_table_has_what_every_fault_understands() -> None:
    """The common parameters with their defaults."""
    for it in common_parameters():
        line = f"| `{it.name}` | `{json.dumps(it.default)}` | {it.meaning}; {it.allowed} |"
        assert line in page().splitlines()


@pytest.mark.parametrize("name", OPTION_NAMES)
def test_options_are_there_with_their_defaults(name: str) -> None:
    """By its name and default in the table, or among those that have a flag of their own."""
    default = getattr(OPTIONS, name)
    line = f"| `{name}` | none |" if default is None else f"| `{name}` | `{shown(default)}` |"
    has_flag = f"`--{name.replace('_', '-')}`" in page()

    assert line in page() or (has_flag and f"`{name}`" in page())


def test_examples_can_be_armed() -> None:
    """Every object that is sent, and the scenario, are wishes that are understood."""
    sent = re.findall(r"curl -d '([^']+)'", page())
    scenario = tomllib.loads(page().split("```toml")[1].split("```")[0])["faults"]

    assert len(sent) == 4
    assert [read_fault(json.loads(wish)).id for wish in sent] == ["F5", "F17", "F5", "F13"]
    assert [read_fault(wish).id for wish in scenario] == ["F5", "F16", "F17"]


async def test_client_of_the_page_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    """The client by WebSocket, as it stands there, reads a translation and hears it."""
    async with fake_emulator(FakeLiveKit()) as emulator:
        code = page().split("```python")[1].split("```")[0]
        code = code.replace("ws://127.0.0.1:8090", emulator.url.replace("http", "ws"))
        names: dict[str, Any] = {}
        exec(code.replace("asyncio.run(main())", ""), names)  # noqa: S102 - our own page
        await names["main"]()

    printed = capsys.readouterr().out
    for message_type in ("validated", "translated"):
        assert f"{message_type}_transcription" in printed
    assert "output_audio_data" in printed
    assert "end_of_stream" in printed
