"""Reads the payloads of RPC calls: short JSON objects, each with its own keys."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final, TypeVar

from pydantic import ValidationError

from palabra_agent.config.fields import ConfigModel
from palabra_agent.config.problems import problems_of
from palabra_agent.errors import Problem
from palabra_agent.meeting.rpc import CallRefused

_LARGEST: Final = 4096

RequestT = TypeVar("RequestT", bound=ConfigModel)


def read_request(payload: str, model: type[RequestT], example: str) -> RequestT:
    """Read a payload.

    Args:
        payload: As the caller wrote it.
        model: Its keys.
        example: A good one, for callers who wrote no JSON object.

    Raises:
        CallRefused: With every mistake.
    """
    try:
        said = json.loads(payload) if len(payload) <= _LARGEST else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise CallRefused(400, f"the payload must be a short JSON object such as {example}")

    try:
        return model.model_validate(said)
    except ValidationError as error:
        problems = problems_of(error, model)
        sentence = "; ".join(map(str, problems))
        raise CallRefused(400, sentence, {"problems": listed(problems)}) from None


def listed(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Mistakes as an answer's data names them."""
    return [{"path": it.path, "reason": it.reason} for it in problems]
