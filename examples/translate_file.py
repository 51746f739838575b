"""Palabra's client on its own: a sound file in, a translated WAV per language, a transcript out.

    PALABRA_API_KEY=… python examples/translate_file.py talk.mp3 --from en --to es de

The file may be WAV of any kind, MP3, FLAC, Ogg, M4A or a video with sound, up to three hours long.
The words go into `talk.transcript.txt`. No LiveKit is needed for it, as it uses the WebSocket
transport unless told otherwise. It takes as long as the talk and a
little more: Palabra interprets what it hears, at the speed of speech. With the local emulator:
`PALABRA_API_URL=http://127.0.0.1:8090 PALABRA_API_KEY=local`; as Palabra does, it makes a LiveKit
room for each session, so a LiveKit server must run beside it, such as `palabra-agent livekit`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TimeRemainingColumn

from palabra_agent.audio.files import read_sound
from palabra_agent.palabra.client import (
    CLOUD,
    FRAME_SAMPLES,
    SAMPLE_RATE,
    ApiKey,
    AppCredentials,
    Brief,
    Credentials,
    FrameReader,
    FrameSource,
    InterpretationStarted,
    PalabraAgentError,
    PalabraSession,
    Pcm,
    TaskSettings,
    Transcript,
    find_source,
    make_sessions,
    normalise,
    open_api,
    spell_target,
)

FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE
TAIL_SECONDS = 30.0
"""Palabra may take so long to finish after the talk has ended."""
TRAILING_SECONDS = {"websocket": TAIL_SECONDS, "webrtc": 1.0}
"""Sound may go on for so long after the stream has ended: what comes in bursts takes its time."""
STOPPED_BY_CTRL_C = 130

console = Console()


@dataclass
class Recording:
    """The sound that was heard in one language, each frame where it was heard."""

    began: float
    frames: list[tuple[float, Pcm]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write it as a WAV file, silence and all."""
        last = max((at for at, _ in self.frames), default=self.began)
        sound = np.zeros(int((last - self.began + 1) * SAMPLE_RATE), dtype=np.int16)
        place = 0
        for at, frame in self.frames:
            # frames that follow each other closely have no gap between them
            heard = int((at - self.began) * SAMPLE_RATE)
            place = heard if heard - place > SAMPLE_RATE // 10 else place
            sound = np.pad(sound, (0, max(place + frame.size - sound.size, 0)))
            sound[place : place + frame.size] = frame
            place += frame.size

        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes(sound.tobytes())


def credentials() -> Credentials:
    """Take them from the environment, or leave with a sentence."""
    # files that hold secrets often end in a line break
    env = {name: value.strip() for name, value in os.environ.items()}
    if key := env.get("PALABRA_API_KEY"):
        return ApiKey(key)
    if (client := env.get("PALABRA_CLIENT_ID")) and (secret := env.get("PALABRA_CLIENT_SECRET")):
        return AppCredentials(client, secret)

    sys.exit("set PALABRA_API_KEY, or PALABRA_CLIENT_ID and PALABRA_CLIENT_SECRET")


async def speak(session: PalabraSession, speech: Pcm) -> None:
    """Say everything at the speed of speech, then ask for the rest of the interpretation."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with Progress("{task.description}", BarColumn(), TimeRemainingColumn(), console=console) as bar:
        spoken = bar.add_task("speaking", total=speech.size)
        for number, frame in enumerate(FrameReader().cut(speech)):
            session.write(frame)
            bar.advance(spoken, frame.samples.size)
            await asyncio.sleep(began + number * FRAME_SECONDS - loop.time())

    session.finish()


async def record(source: FrameSource, recording: Recording) -> None:
    """Keep what sounds on a translated track."""
    loop = asyncio.get_running_loop()
    async with source.open_frames() as frames:
        async for frame in frames:
            if not frame.is_silent:
                recording.frames.append((loop.time(), frame.samples))


def line_of(transcript: Transcript) -> str:
    """Write a sentence down; a translation under what it translates."""
    indent = "    " if transcript.is_translation else ""
    return f"{indent}{transcript.language}  {transcript.text}"


async def translate(
    session: PalabraSession, speech: Pcm, trailing_seconds: float
) -> tuple[dict[str, Recording], list[str]]:
    """Have a whole talk interpreted; returns what was heard and what was read."""
    loop = asyncio.get_running_loop()
    recordings: dict[str, Recording] = {}
    lines: list[str] = []
    began = loop.time()
    async with asyncio.TaskGroup() as group:
        group.create_task(speak(session, speech))
        listening: list[asyncio.Task[None]] = []
        async with asyncio.timeout(speech.size / SAMPLE_RATE + TAIL_SECONDS):
            async for event in session.events():
                match event:
                    case Transcript() if event.is_final:
                        lines.append(line_of(event))
                        # Palabra's words are no markup, whatever brackets they hold
                        console.print(lines[-1], markup=False)
                    case InterpretationStarted(language, source):
                        recording = recordings.setdefault(language, Recording(began))
                        listening.append(group.create_task(record(source, recording)))
                    case _:
                        pass

        # over a WebSocket the end of the stream comes before the end of the sound
        await asyncio.wait(listening, timeout=trailing_seconds) if listening else None
        for listener in listening:
            listener.cancel()

    return recordings, lines


async def main(args: argparse.Namespace) -> None:
    """Interpret a file."""
    speech = read_sound(args.file)
    targets = tuple(dict.fromkeys(map(spell_target, args.to)))
    brief = Brief(find_source(args.source) or normalise(args.source), targets)
    url = os.environ.get("PALABRA_API_URL", CLOUD)
    async with open_api(url, credentials()) as api:
        sessions = make_sessions(api, TaskSettings(transport=args.transport))
        async with sessions.open(brief) as session:
            trailing = TRAILING_SECONDS[args.transport]
            recordings, lines = await translate(session, speech, trailing)
            console.print(f"billed: {session.billed_seconds:.0f} s")

    for language, recording in recordings.items():
        path = args.file.with_name(f"{args.file.stem}.{language}.wav")
        recording.save(path)
        console.print(f"wrote {path}", markup=False)

    path = args.file.with_name(f"{args.file.stem}.transcript.txt")
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    console.print(f"wrote {path}", markup=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("file", type=Path, help="a sound file: WAV, MP3, FLAC, Ogg, M4A, a video")
    parser.add_argument("--from", dest="source", default="auto", help="language spoken in it")
    parser.add_argument("--to", nargs="+", required=True, help="languages to interpret into")
    parser.add_argument("--transport", choices=sorted(TRAILING_SECONDS), default="websocket")
    try:
        asyncio.run(main(parser.parse_args()))
    except* PalabraAgentError as errors:
        sys.exit(str(errors.exceptions[0]))
    except* KeyboardInterrupt:
        sys.exit(STOPPED_BY_CTRL_C)
    except* TimeoutError:
        sys.exit("Palabra did not finish in time")
