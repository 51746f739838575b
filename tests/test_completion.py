"""Requests that are not torn in the middle."""

from __future__ import annotations

import asyncio

import pytest

from palabra_agent.completion import complete, finish
from palabra_agent.errors import SessionLost

pytestmark = pytest.mark.unit


class Peer:
    """Answers when it is let; remembers what was undone."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.was_asked = asyncio.Event()
        self.undone: list[str] = []

    async def ask(self) -> str:
        """Answer a request."""
        self.was_asked.set()
        await self.may_answer.wait()
        return "done"

    async def refuse(self) -> str:
        """Refuse a request."""
        raise SessionLost("gone")

    async def undo(self, result: str) -> None:
        """Take a result back."""
        self.undone.append(result)


async def test_an_answer_is_passed_on() -> None:
    """What nobody interrupts is as if it were awaited."""
    peer = Peer()
    peer.may_answer.set()

    assert await complete(peer.ask(), grace_seconds=1, undo=peer.undo) == "done"
    assert peer.undone == []


async def test_a_failure_comes_out_as_itself() -> None:
    """No group is around the error."""
    peer = Peer()

    with pytest.raises(SessionLost, match="gone"):
        await complete(peer.refuse(), grace_seconds=1, undo=peer.undo)


async def test_a_late_answer_is_undone() -> None:
    """A cancelled request finishes, and what it did is taken back."""
    peer = Peer()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(complete(peer.ask(), grace_seconds=1, undo=peer.undo))
        await peer.was_asked.wait()
        task.cancel()
        peer.may_answer.set()

    assert task.cancelled()
    assert peer.undone == ["done"]


async def test_no_answer_is_waited_for_in_vain() -> None:
    """After the grace the request is cancelled as well."""
    peer = Peer()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(complete(peer.ask(), grace_seconds=0.01, undo=peer.undo))
        await peer.was_asked.wait()
        task.cancel()

    assert task.cancelled()
    assert peer.undone == []


async def test_a_good_bye_is_finished_however_often_it_is_cancelled() -> None:
    """Cancelled twice, the clean-up still ends, and the cancellation counts afterwards."""
    peer = Peer()

    async def clean_up() -> None:
        await peer.undo(await peer.ask())

    async with asyncio.TaskGroup() as group:
        task = group.create_task(finish(clean_up(), seconds=5))
        await peer.was_asked.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        peer.may_answer.set()

    assert task.cancelled()
    assert peer.undone == ["done"]


async def test_a_good_bye_without_an_answer_has_a_deadline() -> None:
    """Nobody waits for a peer that is gone."""
    peer = Peer()

    async def clean_up() -> None:
        await peer.ask()

    await finish(clean_up(), seconds=0.01)

    assert peer.undone == []
