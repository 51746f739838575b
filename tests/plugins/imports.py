"""What a plugin's package imports of palabra-agent."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_OURS: Final = "palabra_agent"


def own_imports(folder: Path) -> set[str]:
    """The modules of palabra-agent that the modules in a folder import, its own package aside."""
    return {name for path in folder.rglob("*.py") for name in _imports(path) if _is_ours(name)}


def _is_ours(name: str) -> bool:
    return name == _OURS or name.startswith(f"{_OURS}.")


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module)):
                yield module
            case _:
                pass
