"""What a text costs by the number of its readers, from thirty to thousands.

One participant sends captions as the interpreter does, to one who is there and to many who are not:
to the sender it is the same, and LiveKit's server looks for each of them. The bytes are those that
each reader gets for the names of others, in the three packets of a caption.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from livekit import rtc
from rich.progress import Progress

from bench.figures import Figure, of_column
from palabra_agent.interpretation.ports import Caption
from palabra_agent.languages import LanguageCode
from palabra_agent.local.people import SimulatedPerson, join, mint_token
from palabra_agent.local.services import LocalServices
from palabra_agent.meeting.readers import batches_of
from palabra_agent.meeting.texts import TextSender
from palabra_agent.session import Transcript

CROWDS = (30, 300, 3_000)
CAPTIONS = 5
_ROOM = "bench-readers"
_READER = "0" * 36
_PACKETS = 3
_SECONDS = 30.0


async def measure_readers(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Send captions to more and more readers."""
    task = progress.add_task("readers", total=len(CROWDS) * CAPTIONS)
    figures: list[Figure] = []
    async with (
        join(stage.livekit, _ROOM, _READER, microphone=False) as reader,
        join(stage.livekit, _ROOM, "another", microphone=False),
        _sending(stage) as texts,
    ):
        for readers in CROWDS:
            names = (*(f"{number:036}" for number in range(1, readers)), _READER)
            spent: list[float] = []
            passed: list[float] = []
            for number in range(CAPTIONS):
                text = f"caption {number} for {readers}"
                began, busy = time.monotonic(), time.process_time()
                texts.put(_caption(text, names))
                await _until_read(reader, text)
                passed.append((time.monotonic() - began) * 1000)
                spent.append((time.process_time() - busy) * 1000)
                progress.advance(task)
            figures += of_column(
                f"{readers} readers",
                [
                    Figure("until the last one has read it", "ms", tuple(passed)),
                    Figure("processor time of the sender", "ms", tuple(spent)),
                    Figure("names that a reader gets", "kB", (_names_kilobytes(names),)),
                ],
            )

    return figures


@asynccontextmanager
async def _sending(stage: LocalServices) -> AsyncGenerator[TextSender]:
    """Write into the room as the interpreter does."""
    room = rtc.Room()
    await room.connect(stage.livekit.url, mint_token(stage.livekit, _ROOM, "sender"))
    texts = TextSender(room)
    try:
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(texts.send_all(), name="texts")
            yield texts
            writing.cancel()
    finally:
        await room.disconnect()


def _caption(text: str, readers: tuple[str, ...]) -> Caption:
    said = Transcript(text, "", LanguageCode("es"), text, is_final=True, is_translation=True)
    return Caption(said, "speaker", readers, "TR_channel")


async def _until_read(reader: SimulatedPerson, text: str) -> None:
    await reader.wait_for(lambda: any(it.text == text for it in reader.captions), _SECONDS, text)


def _names_kilobytes(names: tuple[str, ...]) -> float:
    """The names in all packets of a caption that a usual reader gets."""
    batch = batches_of(names)[0]
    return _PACKETS * sum(len(name) + 2 for name in batch) / 1000
