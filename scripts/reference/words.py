"""Words for a table, for what a JSON Schema allows as a value. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import TypeAdapter

from palabra_agent.config.fields import SourceCode, SpokenCode, TargetCode

Node: TypeAlias = Mapping[str, Any]
"""A part of a JSON Schema."""

_TARGET: Final[frozenset[str]] = frozenset(TypeAdapter(TargetCode).json_schema()["enum"])
_SOURCES: Final = frozenset(
    TypeAdapter(kind).json_schema()["pattern"] for kind in (SourceCode, SpokenCode)
)
_FORMATS: Final = {
    "path": "path",
    "file-path": "path of a file",
    "directory-path": "path of a folder",
    "password": "secret",
    "regex": "regular expression",
}


_KINDS: Final = {"integer": "whole number", "number": "number"}
ANYTHING: Final = "any JSON"


class Wording:
    """The words for one model's schema."""

    def __init__(self, schema: Node) -> None:
        self._named: Mapping[str, Node] = schema.get("$defs", {})

    def resolve(self, node: Node) -> Node:
        """The definition that a reference refers to; anything else is itself."""
        reference = node.get("$ref")
        return self._named[reference.rpartition("/")[2]] if reference else node

    def of(self, node: Node) -> str:
        """The values that are allowed."""
        words = list(dict.fromkeys(self._alternatives(node)))
        if len(words) == 1:
            return words[0]
        if any("," in word for word in words):
            return ", or ".join(words)
        return f"{', '.join(words[:-1])} or {words[-1]}"

    def _alternatives(self, node: Node) -> Iterator[str]:
        node = self.resolve(node)
        choices = [*node.get("anyOf", ()), *node.get("oneOf", ())]
        if choices:
            for choice in choices:
                yield from self._alternatives_among(choice, choices)
        elif "const" in node:
            yield code(node["const"])
        elif "enum" in node:
            yield from _choice(node["enum"])
        elif node.get("type") == "boolean":
            yield from (code(True), code(False))
        else:
            yield self._of_type(node)

    def _alternatives_among(self, choice: Node, choices: Sequence[Node]) -> Iterator[str]:
        """Objects are told from each other by the keys that they must have."""
        node = self.resolve(choice)
        if "properties" in node and node.get("required"):
            yield f"`{{{', '.join(f'{json.dumps(key)}: …' for key in node['required'])}}}`"
            return

        values = node.get("additionalProperties")
        if isinstance(values, dict):
            others = {self.of(it) for it in choices if it is not choice}
            inner = [*values.get("anyOf", ()), *values.get("oneOf", ())] or [values]
            if {self.of(it) for it in inner} <= others:
                yield "object of these"
                return

        yield from self._alternatives(choice)

    def _of_type(self, node: Node) -> str:
        match node.get("type"):
            case "null":
                return code(None)
            case "integer" | "number" as kind:
                return ", ".join(filter(None, (_KINDS[kind], _range(node))))
            case "string":
                return _text(node)
            case "array":
                return self._list(node)
            case "object":
                return self._object(node)
            case _:
                return ANYTHING

    def _list(self, node: Node) -> str:
        parts = node.get("prefixItems")
        if parts:
            return f"list of {', '.join(map(self.of, parts))}"

        item = self.of(node.get("items", {}))
        least, most = node.get("minItems", 0), node.get("maxItems")
        if least == most == 1:
            return f"list of one {item}"
        if most is not None:
            return f"list of {least} to {most} {_plural(item)}"
        return f"list of {f'{least} or more ' if least else ''}{_plural(item)}"

    def _object(self, node: Node) -> str:
        values = node.get("additionalProperties")
        if "properties" in node or not isinstance(values, dict):
            return "object"

        value = self.of(values)
        if value in {ANYTHING, "object"}:
            return "object"
        key = self.of({"type": "string", **node.get("propertyNames", {})})
        return f"object: {key} → {value}"


def code(value: object) -> str:
    """A value as it is written in JSON."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _choice(values: list[Any]) -> list[str]:
    return ["target language"] if frozenset(values) == _TARGET else list(map(code, values))


def _range(node: Node) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None:
        return f"{_number(low)} to {_number(high)}"

    ends = {
        "at least": low,
        "more than": node.get("exclusiveMinimum"),
        "at most": high,
        "less than": node.get("exclusiveMaximum"),
    }
    return ", ".join(f"{word} {_number(end)}" for word, end in ends.items() if end is not None)


def _number(value: float) -> str:
    return f"{value:.9g}"


def _text(node: Node) -> str:
    pattern = node.get("pattern")
    if pattern in _SOURCES:
        return "source language"
    if pattern:
        return f"text that fits `{pattern}`"
    return _FORMATS.get(node.get("format", ""), "text")


def _plural(item: str) -> str:
    return _PLURALS.get(item, item)


_PLURALS: Final = {
    "text": "texts",
    "target language": "target languages",
    "source language": "source languages",
    "number": "numbers",
    "whole number": "whole numbers",
    "object": "objects",
}
