"""Imports point down: the table of layers, and the check that every module keeps to it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import pytest

import palabra_agent

pytestmark = pytest.mark.unit

ROOT: Final = Path(palabra_agent.__file__).parent
PACKAGE: Final = "palabra_agent"


@dataclass(frozen=True)
class Layer:
    """Some modules, and what they may import beside each other and the standard library."""

    name: str
    modules: str
    """Names within the package, `*` for any; of several layers that fit, the first is meant."""
    ours: str = ""
    """Other layers."""
    others: str = ""
    """Third parties; `livekit.rtc` allows that module and all within."""


# Each layer may import only what stands above it.
LAYERS: Final = (
    Layer("words", "errors failures completion languages voices"),
    Layer("network-words", "network_errors", "", "aiohttp"),
    Layer(
        "sound",
        "audio audio.pcm audio.tones audio.buffer audio.pauses audio.mixer audio.pump audio.espeak "
        "audio.resampler",
        "",
        "numpy",
    ),
    Layer("livekit-words", "audio.rtc connection", "sound", "numpy livekit.rtc"),
    Layer("interpretation", "interpretation interpretation.*", "words sound", "numpy"),
    Layer("config", "config config.*", "words", "pydantic pydantic_core"),
    Layer("plugin-api", "plugin", "words config", "numpy typing_extensions"),
    Layer(
        "plugins-host",
        "plugins_host plugins_host.*",
        "words config plugin-api sound interpretation",
        "numpy pydantic pydantic_core",
    ),
    Layer("palabra-words", "palabra palabra.json_values palabra.vocabulary"),
    Layer(
        "palabra-task",
        "palabra.task palabra.task.*",
        "words config palabra-words",
        "pydantic pydantic_core",
    ),
    Layer("palabra-talk", "palabra.talk palabra.talk.*", "words interpretation palabra-words"),
    Layer(
        "palabra-rest",
        "palabra.rest palabra.rest.*",
        "words network-words palabra-words",
        "aiohttp",
    ),
    Layer(
        "palabra-port",
        "palabra.transports palabra.transports.port palabra.transports.choice "
        "palabra.transports.event_queue",
        "words sound interpretation palabra-words palabra-talk",
    ),
    Layer(
        "palabra-webrtc",
        "palabra.transports.webrtc palabra.transports.room",
        "words sound livekit-words palabra-talk palabra-rest palabra-port",
        "livekit.rtc",
    ),
    Layer(
        "palabra-websocket",
        "palabra.transports.stream palabra.transports.stream.*",
        "words network-words sound palabra-words palabra-task palabra-talk palabra-rest "
        "palabra-port",
        "numpy aiohttp av",
    ),
    Layer(
        "palabra-session",
        "palabra.session palabra.session.*",
        "words sound interpretation palabra-talk palabra-port",
    ),
    Layer(
        "palabra-client",
        "palabra.client palabra.sessions palabra.session_settings",
        "words interpretation palabra-words palabra-task palabra-talk palabra-rest palabra-port "
        "palabra-session palabra-webrtc palabra-websocket",
    ),
    Layer(
        "meeting",
        "meeting meeting.*",
        "words sound livekit-words interpretation",
        # its constants alone: the names of LiveKit's own attributes and topics
        "livekit.rtc livekit.agents.types",
    ),
    Layer(
        "settings",
        "settings room_config",
        "words config palabra-task",
        "pydantic pydantic_core dotenv",
    ),
    Layer(
        "testing",
        "testing testing.*",
        "words config sound interpretation plugin-api plugins-host settings",
        "numpy",
    ),
    Layer("metadata", "metadata", "words config plugins-host settings"),
    Layer(
        "access",
        "access",
        "words network-words palabra-rest settings",
        "aiohttp livekit.api google.protobuf",
    ),
    Layer(
        "dispatching",
        "dispatching",
        "words interpretation meeting settings access",
        "aiohttp livekit.api livekit.protocol",
    ),
    Layer("checkup", "checkup", "words plugins-host palabra-rest settings metadata access"),
    Layer(
        "running-room",
        "config_change configuring explaining room_terms time_limit",
        "words config plugins-host interpretation palabra-task palabra-session palabra-client "
        "meeting settings",
        "pydantic",
    ),
    Layer(
        "job",
        "job",
        "words interpretation plugins-host palabra-rest palabra-client meeting settings access "
        "running-room",
        "livekit.rtc livekit.agents",
    ),
    Layer(
        "worker",
        "worker forkserver",
        "words network-words interpretation meeting settings access job",
        "livekit.agents livekit.protocol",
    ),
    Layer("emulated-meeting", "emulator emulator.markers emulator.script", "words"),
    Layer(
        "emulator",
        "emulator.*",
        "words sound livekit-words emulated-meeting",
        "numpy aiohttp multidict av livekit.rtc livekit.api",
    ),
    Layer(
        "local",
        "local local.*",
        "words sound livekit-words emulated-meeting",
        "numpy aiohttp psutil rich livekit.rtc livekit.api",
    ),
    Layer(
        "commands",
        "cli commands commands.* __main__ __init__",
        "words plugins-host settings metadata access dispatching checkup worker emulated-meeting "
        "emulator local",
        "typer rich",
    ),
)

ASKED_ONCE: Final = {"create_task": {"job"}, "ensure_future": set[str](), "gather": set[str]()}
"""Functions of asyncio, and the only modules that may use them: tasks belong to a task group."""


def name_of(path: Path) -> str:
    """Name a module within the package: `audio.pcm`, `audio` for its `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES: Final = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}
BY_NAME: Final = {layer.name: layer for layer in LAYERS}


def layer_of(module: str) -> Layer | None:
    """Find the first layer whose modules fit."""
    return next(
        (it for it in LAYERS if any(fnmatchcase(module, name) for name in it.modules.split())), None
    )


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Find everything that is imported anywhere in a module, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def our_module(imported: str) -> str:
    """Find the module that an import of ours reaches: a module itself, or one that holds a name."""
    name = imported.removeprefix(PACKAGE).removeprefix(".")
    holder = name.rpartition(".")[0]
    return next((it for it in (name, holder) if it in MODULES), "__init__")


def objection(module: str, imported: str) -> str | None:
    """Say why a module must not import something, or nothing where it may."""
    layer = layer_of(module)
    assert layer is not None
    if imported.partition(".")[0] in sys.stdlib_module_names:
        return None

    if imported.partition(".")[0] != PACKAGE:
        is_allowed = any(f"{imported}.".startswith(f"{name}.") for name in layer.others.split())
        return None if is_allowed else f"`{layer.name}` may import only {layer.others or 'stdlib'}"

    reached = layer_of(our_module(imported))
    # the version stands in the package itself, for whoever asks
    if reached is None or reached is layer or imported == f"{PACKAGE}.__version__":
        return None

    if reached.name in layer.ours.split():
        return None

    return f"that is `{reached.name}`, and `{layer.name}` may import only {layer.ours or 'itself'}"


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    """A module imports its own layer, and the layers and third parties that the table names."""
    path = MODULES[module]
    assert layer_of(module) is not None, f"{module} belongs to no layer: add it to the table"
    wrong = [
        f"{path.relative_to(ROOT.parent)}:{line} imports {imported}: {reason}"
        for line, imported in imports(ast.parse(path.read_text(encoding="utf-8")))
        if (reason := objection(module, imported)) is not None
    ]

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_the_table_itself_points_down(layer: Layer) -> None:
    """A layer may only name layers above it, and each has modules."""
    above = [it.name for it in LAYERS[: LAYERS.index(layer)]]

    assert [name for name in layer.ours.split() if name not in above] == []
    assert [module for module in MODULES if layer_of(module) is layer]


@pytest.mark.parametrize(
    ("module", "imported", "expected"),
    [
        ("interpretation.room", "livekit.rtc", "`interpretation` may import only numpy"),
        (
            "interpretation.plan",
            "palabra_agent.audio.rtc",
            "that is `livekit-words`, and `interpretation` may import only words sound",
        ),
        ("palabra.talk.messages", "aiohttp", "`palabra-talk` may import only stdlib"),
        ("errors", "pydantic", "`words` may import only stdlib"),
        (
            "errors",
            "palabra_agent.audio.pcm.Pcm",
            "that is `sound`, and `words` may import only itself",
        ),
        (
            "emulator.bot",
            "palabra_agent.palabra.talk.messages",
            "that is `palabra-talk`, and `emulator` may import only words sound livekit-words "
            "emulated-meeting",
        ),
        (
            "meeting.floor",
            "livekit.agents.JobContext",
            "`meeting` may import only livekit.rtc livekit.agents.types",
        ),
        ("palabra.transports.webrtc", "livekit.rtc", None),
        ("emulator.bot", "palabra_agent.emulator.messages", None),
        ("local.demo_talk", "palabra_agent.emulator.script.load_script", None),
        ("cli", "palabra_agent.__version__", None),
    ],
)
def test_a_wrong_import_is_noticed(module: str, imported: str, expected: str | None) -> None:
    """The check itself refuses what must not be, in words, and allows what may."""
    assert objection(module, imported) == expected


def test_tasks_belong_to_groups() -> None:
    """`asyncio.create_task` stands where one task outlives its function, and nowhere else."""
    found: dict[str, set[str]] = {name: set() for name in ASKED_ONCE}
    for module, path in MODULES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = {it for _, it in imports(tree)} | {
            f"{node.value.id}.{node.attr}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }
        for name in ASKED_ONCE:
            if f"asyncio.{name}" in used:
                found[name].add(module)

    assert found == ASKED_ONCE
