"""The demo's people at work: they speak their lines, and what the others get of it is noted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from palabra_agent.local.board import Board
from palabra_agent.local.demo_view import View
from palabra_agent.local.meeting import CAST, SCRIPT, Line, Member, turns
from palabra_agent.local.people import Person, Utterance
from palabra_agent.local.texts import Caption
from palabra_emulator.interpreting.voices import language_marker_hz
from palabra_emulator.script import load_script

_OBSERVE_SECONDS: Final = 0.1
_HEAR_SECONDS: Final = 10.0
"""How long a listener waits for the translation of what was said."""
_QUIET_SECONDS: Final = 0.5
_LONGEST_WAIT_SECONDS: Final = 15.0
_BREATH_SECONDS: Final = 0.6


async def talk(people: Mapping[str, Person], board: Board, view: View, *, markers: bool) -> None:
    """Hold the whole conversation once, politely: each turn waits for the interpreter."""
    script = load_script(SCRIPT)

    for turn in turns(len(script.lines(str(CAST[0].speaks)))):
        texts = [script.text(line.number, str(line.speaker.speaks)) for line in turn]
        async with asyncio.TaskGroup() as group:
            for line, text in zip(turn, texts, strict=True):
                group.create_task(
                    _say(line, text, people, board, view, markers=markers),
                    name=f"say:{line.speaker.identity}",
                )
        await _wait_for_quiet(people)
        await asyncio.sleep(_BREATH_SECONDS)


async def observe(people: Mapping[str, Person], board: Board, view: View) -> None:
    """Keep the board up to date until cancelled."""
    read_until = dict.fromkeys(people, 0.0)

    while True:
        for member in CAST:
            person = people[member.identity]
            fresh = _captions_after(person, read_until[member.identity])
            if fresh:
                read_until[member.identity] = fresh[-1].at
            for row, language in board.read(fresh, member):
                view.settled(row, language)

            channel = board.channels[str(member.listens)]
            channel.is_sounding = not _is_quiet(person, member, _OBSERVE_SECONDS * 2)

        board.interpreter = _interpreter(people[CAST[0].identity])
        view.update()
        await asyncio.sleep(_OBSERVE_SECONDS)


async def _say(
    line: Line,
    text: str,
    people: Mapping[str, Person],
    board: Board,
    view: View,
    *,
    markers: bool,
) -> None:
    speaker = line.speaker
    speech = await speaker.voice.speak(text, str(speaker.speaks))
    view.spoke(speaker, text)
    board.speaking.add(speaker.identity)
    try:
        utterance = await people[speaker.identity].say(speech)
    finally:
        board.speaking.discard(speaker.identity)

    async with asyncio.TaskGroup() as group:
        for listener in CAST:
            if listener.listens != speaker.speaks:
                person = people[listener.identity]
                group.create_task(
                    _hear(person, listener, speaker, utterance, board, view, markers=markers),
                    name=f"hear:{listener.identity}",
                )


async def _hear(
    person: Person,
    listener: Member,
    speaker: Member,
    utterance: Utterance,
    board: Board,
    view: View,
    *,
    markers: bool,
) -> None:
    """Wait for the translation's first sound; with markers, for the very tone of the language."""
    recording = person.recording(_channel_of(listener))
    hz = language_marker_hz(str(listener.listens))

    if recording.first_sound(utterance.ended - _QUIET_SECONDS) is not None:
        return  # somebody else's translation is in the way of telling when this one begins

    def first() -> float | None:
        if markers:
            return recording.first_tone(hz, utterance.ended)
        return recording.first_sound(utterance.ended)

    try:
        at = await person.wait_for(first, _HEAR_SECONDS)
    except TimeoutError:
        return

    delay = at - utterance.ended
    board.heard(speaker, listener, delay)
    view.heard(speaker, listener, delay)


async def _wait_for_quiet(people: Mapping[str, Person]) -> None:
    """Wait until nobody hears a translation any more, but not for ever."""
    until = time.monotonic() + _LONGEST_WAIT_SECONDS
    while time.monotonic() < until:
        if all(_is_quiet(people[member.identity], member, _QUIET_SECONDS) for member in CAST):
            return
        await asyncio.sleep(_OBSERVE_SECONDS)


def _is_quiet(person: Person, member: Member, seconds: float) -> bool:
    recording = person.recording(_channel_of(member))
    return recording.first_sound(time.monotonic() - seconds) is None


def _channel_of(member: Member) -> str:
    return f"translation_{member.listens}"


def _captions_after(person: Person, at: float) -> list[Caption]:
    fresh: list[Caption] = []
    for caption in reversed(person.captions):
        if caption.at <= at:
            break
        fresh.append(caption)

    return fresh[::-1]


def _interpreter(person: Person) -> str:
    attributes = person.attributes_of()
    state, error = attributes.get("palabra.state", ""), attributes.get("palabra.error", "")
    return f"{state}: {error}" if error else state
