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
import palabra_emulator

pytestmark = pytest.mark.unit

PACKAGE: Final = "palabra_agent"
EMULATOR: Final = "palabra_emulator"
ROOTS: Final = tuple(Path(package.__path__[0]) for package in (palabra_agent, palabra_emulator))


@dataclass(frozen=True)
class Layer:
    """Some modules, and what they may import beside each other and the standard library."""

    name: str
    modules: str
    """Names within `palabra_agent`, `*` for any; an exact name counts more than a pattern."""
    ours: str = ""
    """Other layers."""
    others: str = ""
    """Third parties; `livekit.rtc` allows that module and all within."""


# Each layer may import only what stands above it.
LAYERS: Final = (
    Layer(
        "words", "errors failures concurrency languages texts addresses voices", others="langcodes"
    ),
    Layer("sound", "audio audio.*", "words", "numpy av"),
    Layer(
        "network", "network audio.event_path audio.rtc", "words sound", "numpy aiohttp livekit.rtc"
    ),
    Layer(
        "contracts",
        "session capabilities capabilities.*",
        "words sound",
        "numpy typing_extensions",
    ),
    Layer("interpretation", "interpretation interpretation.*", "words sound contracts", "numpy"),
    Layer("config", "config config.*", "words", "pydantic pydantic_core"),
    Layer(
        "plugins",
        "plugin plugins_host plugins_host.*",
        "words sound contracts config",
        "pydantic pydantic_core typing_extensions",
    ),
    Layer(
        "palabra-protocol",
        "palabra palabra.json_values palabra.vocabulary palabra.protocol palabra.protocol.*",
        "words contracts",
    ),
    Layer(
        "settings",
        "palabra.task palabra.task.* config.room config.settings",
        "words contracts config palabra-protocol",
        "pydantic pydantic_core pydantic_settings",
    ),
    Layer(
        "palabra",
        "palabra.*",
        "words sound network contracts palabra-protocol settings",
        "numpy aiohttp av livekit.rtc",
    ),
    Layer(
        "meeting",
        "meeting meeting.*",
        "words sound network contracts interpretation",
        # its constants alone: the names of LiveKit's own attributes and topics
        "livekit.rtc",
    ),
    Layer(
        "testing",
        "testing testing.*",
        "words sound contracts interpretation config plugins settings",
        "numpy",
    ),
    Layer(
        "room-and-worker",
        "room room.* worker worker.*",
        "words network contracts interpretation config plugins settings palabra meeting",
        "pydantic aiohttp google.protobuf livekit.rtc livekit.api livekit.agents livekit.protocol",
    ),
    Layer(
        "emulator",
        "palabra_emulator palabra_emulator.*",
        "words sound network",
        "numpy pydantic pydantic_core pydantic_settings typer aiohttp multidict av livekit.rtc "
        "livekit.api",
    ),
    Layer(
        "commands",
        "commands commands.* local local.* __main__ __init__",
        "words sound network contracts interpretation config plugins settings palabra meeting "
        "room-and-worker emulator",
        "typer rich numpy psutil aiohttp livekit.rtc livekit.api livekit.protocol",
    ),
)

ASKED_ONCE: Final = {
    "create_task": {"worker.job", "plugins_host.tasks"},
    "ensure_future": set[str](),
    "gather": set[str](),
}
"""Functions of asyncio, and the only modules that may use them: tasks belong to a task group."""


def name_of(path: Path, root: Path) -> str:
    """Name a module: `audio.pcm`, `audio` for its `__init__`, `palabra_emulator.bot`."""
    parts = path.relative_to(root).with_suffix("").parts
    prefix = () if root.name == PACKAGE else (root.name,)
    is_package = parts[-1] == "__init__" and len(prefix + parts) > 1
    return ".".join(prefix + (parts[:-1] if is_package else parts))


MODULES: Final = {
    name_of(path, root): path for root in ROOTS for path in sorted(root.rglob("*.py"))
}
BY_NAME: Final = {layer.name: layer for layer in LAYERS}


def layer_of(module: str) -> Layer | None:
    """Find the layer that names a module, or the first whose pattern fits."""
    named = (it for it in LAYERS if module in it.modules.split())
    fitting = (it for it in LAYERS if any(fnmatchcase(module, name) for name in it.modules.split()))
    return next(named, None) or next(fitting, None)


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

    if imported.partition(".")[0] not in {PACKAGE, EMULATOR}:
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
        f"{path.relative_to(ROOTS[0].parent)}:{line} imports {imported}: {reason}"
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
            "that is `network`, and `interpretation` may import only words sound contracts",
        ),
        ("palabra.protocol.messages", "aiohttp", "`palabra-protocol` may import only stdlib"),
        (
            "palabra.protocol.messages",
            "palabra_agent.interpretation.plan",
            "that is `interpretation`, and `palabra-protocol` may import only words contracts",
        ),
        ("errors", "pydantic", "`words` may import only langcodes"),
        (
            "errors",
            "palabra_agent.audio.pcm.Pcm",
            "that is `sound`, and `words` may import only itself",
        ),
        (
            "palabra_emulator.bot",
            "palabra_agent.palabra.protocol.messages",
            "that is `palabra-protocol`, and `emulator` may import only words sound network",
        ),
        (
            "meeting.meeting",
            "livekit.agents.JobContext",
            "`meeting` may import only livekit.rtc",
        ),
        ("palabra.transports.webrtc", "livekit.rtc", None),
        ("palabra_emulator.bot", "palabra_emulator.messages", None),
        ("local.demo", "palabra_emulator.script.load_script", None),
        ("__main__", "palabra_agent.__version__", None),
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
