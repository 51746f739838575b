"""Recorded and documented answers of Palabra's session API, taken as they should be.

As in `test_wire`, the rows are the project's own and those of the folder that `PALABRA_WIRE` names.
"""

from __future__ import annotations

import json

import aiohttp
import pytest

from tests.clock import in_jumping_time
from tests.palabra_emulator.client import CREDENTIALS
from tests.palabra_emulator.fakes import OPTIONS, FakeLiveKit, fake_emulator

from .wire.rest import ask, outcome_differences
from .wire.rows import Row, rows

pytestmark = pytest.mark.unit

ROWS = rows("rest")
OURS = [row for row in ROWS if row.get("for") != "emulator"]
REQUESTS = [row for row in ROWS if row.get("for") == "emulator"]


def name_of(row: Row) -> str:
    """Name a row in the report."""
    return row.name


@pytest.mark.parametrize("row", OURS, ids=name_of)
def test_an_answer_is_understood(row: Row) -> None:
    """Our client asks, and makes of the answer what its row says, with as many tries as it says."""

    @in_jumping_time
    async def run() -> None:
        outcome = await ask(row)
        wrong = [outcome_differences(expected, outcome) for expected in row.alternatives]

        assert [] in wrong, "\n".join(map(str, wrong))

    run()


@pytest.mark.parametrize("row", REQUESTS, ids=name_of)
async def test_the_emulator_takes_a_request(row: Row) -> None:
    """What some client asks is accepted, with the status that Palabra answers with."""
    assert row["expect"] == {"kind": "request_accepted"}
    request = row["request"]
    headers: dict[str, str] = request.get("headers", CREDENTIALS)
    if "Authorization" in headers:
        headers = {**headers, "Authorization": f"Bearer {OPTIONS.api_key}"}

    body = json.dumps(request["body"]).encode() if "body" in request else None
    async with (
        fake_emulator(FakeLiveKit()) as emulator,
        aiohttp.ClientSession(emulator.url) as http,
        http.request(request["method"], request["path"], data=body, headers=headers) as answer,
    ):
        content = await answer.json()

    assert (answer.status, content["ok"]) == (row["response"]["status"], True)
