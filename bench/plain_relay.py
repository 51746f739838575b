"""What an afternoon's script does: copies each microphone to Palabra, and each translation back.

`python -m bench.plain_relay LIVEKIT_URL TOKEN PALABRA_URL` does so until SIGTERM. It uses LiveKit's
SDK as its examples do, with their defaults: an AudioStream and an AudioSource for each direction,
and a frame captured after the one before it. Nothing of the interpreter is in it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import aiohttp
from livekit import rtc

TRANSLATION: Final = "translation_es"

_RATE: Final = 48_000
_KEYS: Final = {"ClientId": "local", "ClientSecret": "local"}
_STREAM: Final = {"content_type": "audio"}
_TASK: Final = {
    "message_type": "set_task",
    "data": {
        "input_stream": {**_STREAM, "source": {"type": "webrtc"}},
        "output_stream": {**_STREAM, "target": {"type": "webrtc"}},
        "pipeline": {
            "transcription": {
                "source_language": "en",
                "segment_confirmation_silence_threshold": 0.3,
            },
            "translations": [{"target_language": "es"}],
        },
    },
}


@asynccontextmanager
async def palabra_session(palabra_url: str) -> AsyncGenerator[dict[str, Any]]:
    """Have a session at Palabra for the length of a block."""
    url = f"{palabra_url}/session-storage/session"
    async with aiohttp.ClientSession(headers=_KEYS) as http:
        async with http.post(url, json={"data": {}}) as response:
            session: dict[str, Any] = (await response.json())["data"]
        try:
            yield session
        finally:
            async with http.delete(f"{url}s/{session['id']}"):
                pass


async def set_task(room: rtc.Room) -> None:
    """Tell Palabra what to do."""
    await room.local_participant.publish_data(json.dumps(_TASK), reliable=True)


def run_until_told(relaying: Callable[..., Coroutine[Any, Any, None]]) -> None:
    """Run a relay with the words of the command line until SIGTERM."""

    async def run() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        with suppress(asyncio.CancelledError):
            await relaying(*sys.argv[1:])

    asyncio.run(run())


async def relay(livekit_url: str, token: str, palabra_url: str) -> None:
    """Be in a meeting, and relay each microphone there is."""
    meeting = rtc.Room()
    async with asyncio.TaskGroup() as group:

        def on_subscribed(track: rtc.Track, *_: object) -> None:
            group.create_task(_interpret(meeting, track, palabra_url))

        meeting.on("track_subscribed", on_subscribed)
        await meeting.connect(livekit_url, token)
        try:
            await asyncio.Event().wait()
        finally:
            await meeting.disconnect()


async def _interpret(meeting: rtc.Room, microphone: rtc.Track, palabra_url: str) -> None:
    palabra, translations = rtc.Room(), asyncio.Queue[rtc.Track]()

    def on_translated(track: rtc.Track, *_: object) -> None:
        translations.put_nowait(track)

    palabra.on("track_subscribed", on_translated)
    async with palabra_session(palabra_url) as session, asyncio.TaskGroup() as group:
        await palabra.connect(session["webrtc_url"], session["publisher"])
        try:
            up = await _publish(palabra, "microphone")
            group.create_task(_copy(microphone, up))
            await set_task(palabra)
            translation = await translations.get()
            down = await _publish(meeting, TRANSLATION)
            await _copy(translation, down)
        finally:
            await palabra.disconnect()


async def _publish(room: rtc.Room, name: str) -> rtc.AudioSource:
    source = rtc.AudioSource(_RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track(name, source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(track, options)
    return source


async def _copy(track: rtc.Track, source: rtc.AudioSource) -> None:
    async for event in rtc.AudioStream(track, sample_rate=_RATE, num_channels=1):
        await source.capture_frame(event.frame)


if __name__ == "__main__":
    run_until_told(relay)
