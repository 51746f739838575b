"""Scenario files: faults that are armed when the emulator starts."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Final, cast

from palabra_agent.errors import ConfigError, Problem
from palabra_emulator.faults.orders import Order, read_order

_LIST: Final = "faults"


def load_scenario(path: Path) -> tuple[Order, ...]:
    """Read a file: JSON or, with the suffix `.toml`, TOML.

    It holds a list of faults, or an object with such a list under `faults`, each as
    `POST /emulator/faults` takes it; `at_seconds` counts from the emulator's start.

    Raises:
        ConfigError: It cannot be read; every mistake in it is told.
    """
    content = _parsed(path)
    if isinstance(content, dict):
        unknown = [str(name) for name in cast("dict[object, object]", content) if name != _LIST]
        if unknown:
            reason = f'has "{unknown[0]}", and only "{_LIST}" is known'
            raise ConfigError([Problem(str(path), reason)])
        content = cast("dict[object, object]", content).get(_LIST)
    if not isinstance(content, list):
        raise ConfigError([Problem(str(path), f'needs a list of faults, alone or as "{_LIST}"')])

    orders: list[Order] = []
    problems: list[Problem] = []
    for place, wish in enumerate(cast("list[object]", content)):
        try:
            orders.append(read_order(wish, f"{path}: {_LIST}[{place}]"))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)

    return tuple(orders)


def _parsed(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8")
        content: object = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise ConfigError([Problem(str(path), f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigError([Problem(str(path), "is not UTF-8 text")]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Problem(str(path), f"is not TOML: {error}")]) from None
    except (ValueError, RecursionError) as error:
        raise ConfigError([Problem(str(path), f"is not JSON: {error}")]) from None

    return content
