"""Messages as they are encoded."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal

import pytest

from tests.palabra_emulator.client import task
from tests.palabra_emulator.talk import QUIET, Talk

pytestmark = pytest.mark.unit

LONE = "\ud800"


@pytest.mark.parametrize(("mode", "share"), [("never", 0.0), ("always", 1.0)])
def test_double_encoding(mode: Literal["never", "always"], share: float) -> None:
    """`data` is JSON within JSON always or never, as chosen; the bare map never is."""
    talk = Talk(replace(QUIET, double_encode=mode))
    talk.start(task("en", "es"))
    talk.say("get_task")
    talk.conversation.receive(b"{}")
    payload = talk.session.outbox.take()
    assert payload is not None

    assert isinstance(json.loads(payload)["data"], str) is bool(share)


def test_outbox_sends_even_half_a_character() -> None:
    """Such a text goes out as JSON that can be read."""
    talk = Talk(replace(QUIET, double_encode="always"))

    talk.session.outbox.post({"message_type": "error", "data": {"desc": LONE}})

    assert talk.posted()[0]["data"]["desc"] == LONE
