"""The sections of a configuration: one for each model in it, with a row for each field. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from scripts.reference.words import Node, Wording, code

UNDOCUMENTED: Final = "Undocumented"
"""The first word in the description of a field that Palabra does not document."""


@dataclass(frozen=True, slots=True)
class Row:
    """One field."""

    path: str
    """From the top: `limits.max_speakers`."""
    value: str
    default: str
    meaning: str
    section: str | None = None
    """Path of the section that says what may be in it."""

    @property
    def key(self) -> str:
        """Its name within its section."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Section:
    """One model."""

    path: str
    """Its place: `speakers.*`, `plugins[]`; empty for the whole."""
    meaning: str
    rows: list[Row] = field(default_factory=list[Row])


def sections_of(model: type[BaseModel], path: str = "") -> list[Section]:
    """Every section of a configuration: the whole first, then what is in it, in order."""
    return _Walk(model.model_json_schema()).sections(path)


class _Walk:
    """A way through a schema that tells each model once, where it comes first."""

    def __init__(self, schema: Node) -> None:
        self._schema = schema
        self._wording = Wording(schema)
        self._places: dict[str, str] = {}
        """Of the models that were met, by what stands in them."""

    def sections(self, path: str) -> list[Section]:
        return list(self._walk(self._schema, path))

    def _walk(self, model: Node, path: str) -> Iterator[Section]:
        section = Section(path, model.get("description", ""))
        inner: list[Section] = []
        for name, said in model.get("properties", {}).items():
            here = f"{path}.{name}" if path else name
            found = list(self._models(said, here))
            for node, place in found:
                if self._places.setdefault(str(node), place) == place:
                    inner += self._walk(node, place)
            where = self._places[str(found[0][0])] if found else None
            section.rows.append(self._row(model, name, here, where))
        yield section
        yield from inner

    def _models(self, node: Node, path: str) -> Iterator[tuple[Node, str]]:
        """The models that a field may hold, and where they stand in it."""
        node = self._wording.resolve(node)
        if "properties" in node:
            yield node, path
            return

        choices = [*node.get("anyOf", ()), *node.get("oneOf", ())]
        are_several = sum("properties" in self._wording.resolve(it) for it in choices) > 1
        for choice in choices:
            for model, place in self._models(choice, path):
                is_one_of_several = are_several and place == path
                yield model, f"{place}.{_mark(model)}" if is_one_of_several else place
        if isinstance(node.get("items"), dict):
            yield from self._models(node["items"], f"{path}[]")
        if isinstance(node.get("additionalProperties"), dict):
            yield from self._models(node["additionalProperties"], f"{path}.*")

    def _row(self, model: Node, name: str, path: str, section: str | None) -> Row:
        said: dict[str, Any] = model["properties"][name]
        words = said.get("description") or self._wording.resolve(said).get("description", "")
        return Row(path, self._wording.of(said), _default(model, name, section), words, section)


def _mark(model: Node) -> str:
    """The keys that a model must have: they tell it from others that may stand in its place."""
    return f"{{{', '.join(model.get('required', ()))}}}"


def _default(model: Node, name: str, section: str | None) -> str:
    said: dict[str, Any] = model["properties"][name]
    if name in model.get("required", ()):
        return "required"
    if "default" not in said:
        return "see there"
    if section is not None and said["default"]:
        return "as below"
    return code(said["default"])
