"""Noise and mutated messages: nothing that comes breaks the decoder, a conversation or a session.

With `CI=true` thousands are tried, else some hundreds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from palabra_agent.palabra.protocol.conversation import TaskConversation
from palabra_agent.palabra.protocol.events import SessionEnded
from palabra_agent.palabra.protocol.messages import (
    MESSAGE_TYPES,
    ErrorReport,
    StreamEnded,
    TaskReport,
    decode,
)
from palabra_agent.palabra.protocol.task_state import SessionState
from palabra_agent.palabra.protocol.transcripts import TranscriptOrder
from palabra_agent.palabra.transports.port import MessageReceived
from palabra_agent.session import Transcript
from tests.clock import in_jumping_time
from tests.palabra.fake_transport import FakeTransport
from tests.palabra.session.test_session import heard, ready
from tests.palabra.wire.rows import rows

# thousands of examples take some seconds, and minutes on a machine that is busy
pytestmark = [pytest.mark.unit, pytest.mark.timeout(600)]

IS_CI = os.environ.get("CI") == "true"
MANY = settings(
    max_examples=3_000 if IS_CI else 300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
CONVERSATIONS = settings(parent=MANY, max_examples=1_200 if IS_CI else 300)
SESSIONS = settings(parent=MANY, max_examples=80 if IS_CI else 15)
"""Sessions with thirty frames each."""

VALID: Sequence[Any] = [
    row["frame"]
    for row in rows("frames")
    if row["direction"] == "server" and isinstance(row["frame"], dict)
]
NAMES = sorted(
    {"message_type", "data", "transcription", "segments", "stats", "timings", "desc", "loc", "msg"}
    | {"transcription_id", "translation_part_id", "language", "text", "last_chunk", "timestamp"}
    | {"current_queue_level_ms", "max_queue_level_ms", "command", "event", "task_status", "code"}
)
LEAVES: SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*MESSAGE_TYPES, "running", "paused", "set_task", "NOT_FOUND", "\ud800", ""])
    | st.just(10**400)
)
JSON: SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=4)
        | inner.map(json.dumps)
    ),
    max_leaves=8,
)
SMALL = st.integers(0, 10_000)


def places(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - any JSON
    """Every container of a JSON with every key in it, the deepest last."""
    if isinstance(value, dict | list):
        keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
        yield from ((value, key) for key in keys)
        for key in keys:
            yield from places(value[key])


def mutated(frame: Any, edits: list[tuple[int, str, Any]], cut: int | None) -> bytes:  # noqa: ANN401
    """Encode a frame with some of its values replaced, removed or wrapped, perhaps cut off."""
    value = json.loads(json.dumps(frame))
    for place, how, other in edits:
        found = list(places(value))
        if not found:
            break
        container, key = found[place % len(found)]
        match how:
            case "replace":
                container[key] = other
            case "remove":
                del container[key]
            case "wrap":
                container[key] = json.dumps(container[key])
            case _:
                container[key] = [container[key], other]

    encoded = json.dumps(value).encode()
    return encoded if cut is None else encoded[: cut % (len(encoded) + 1)] + encoded[cut:]


MUTATED = st.builds(
    mutated,
    st.sampled_from(VALID),
    st.lists(
        st.tuples(SMALL, st.sampled_from(["replace", "remove", "wrap", "list"]), JSON), max_size=3
    ),
    st.none() | SMALL,
)
FRAMES: SearchStrategy[bytes] = MUTATED | JSON.map(json.dumps).map(str.encode) | st.binary()


@MANY
@given(st.binary() | st.text() | JSON.map(json.dumps))
def test_noise_is_read_as_something(noise: bytes | str) -> None:
    """Any bytes, any text and any JSON are read, be it as malformed."""
    assert decode(noise) is not None


@CONVERSATIONS
@given(st.lists(FRAMES, min_size=1, max_size=3))
def test_no_frame_stops_a_conversation(frames: list[bytes]) -> None:
    """Only an error or the end of the stream ends a task; what is read can always be sent on."""
    talk, order = TaskConversation(), TranscriptOrder()
    talk.wish({"x": 1})
    talk.next_command(0.0)
    talk.receive(TaskReport("set_task", "running"), 0.1)
    now = 0.1
    for frame in frames:
        now += 1.0
        message = decode(frame)
        events = talk.receive(message, now)
        is_over = any(isinstance(it, SessionEnded) for it in events)
        assert not is_over or isinstance(message, ErrorReport | StreamEnded)

        for event in events:
            if isinstance(event, Transcript):
                order.is_news(event)
                assert (event.text + event.transcription_id + event.part).encode()
        talk.next_command(now)

    if talk.state is not SessionState.FAILED:
        talk.wish({"x": 2})
        due = talk.next_time()
        assert due is None or talk.next_command(max(now, due)) is not None


@SESSIONS
@given(st.lists(FRAMES, min_size=30, max_size=30))
def test_no_frame_stops_a_session(frames: list[bytes]) -> None:
    """After any noise that is neither an error nor an end, a session reads on as before."""
    messages = [decode(frame) for frame in frames]
    noise = [it for it in messages if not isinstance(it, ErrorReport | StreamEnded)]
    last = decode(
        b'{"message_type": "validated_transcription", "data": {"transcription":'
        b' {"transcription_id": "the last", "language": "en", "text": "Still here."}}}'
    )

    @in_jumping_time
    async def run() -> None:
        transport = FakeTransport()
        async with ready(transport) as session:
            transport.happen(*(MessageReceived(it) for it in noise), MessageReceived(last))
            told = await heard(session, 1)
            while not (isinstance(told[-1], Transcript) and told[-1].text == "Still here."):
                told += await heard(session, 1)

    run()
