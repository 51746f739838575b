"""Palabra's own current SDK, unmodified, talks to the emulator over WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pytest

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.interpreting.markers import language_marker_hz
from palabra_emulator.script import load_script
from tests.palabra_emulator.watching import newest_session, sessions_at

from .sdk_process import OUTPUT_RATE, CurrentSdk, SdkError, SdkProcess
from .sounds import (
    CHUNK_MS,
    SPEECH_HZ,
    SPOKEN_SECONDS,
    languages_in,
    opus_pages,
    seconds_of,
    sentence,
    silence,
    wav_pieces,
)

pytestmark = [pytest.mark.livekit, pytest.mark.asyncio(loop_scope="session")]

_RATE: Final = 24_000
"""What the SDK sends unless told otherwise."""

_LIMIT_SECONDS: Final = 2.1
"""Between two settings."""

_SENTENCES: Final = load_script()


async def test_speech_reaches_every_target_and_the_end_comes_after_its_tail(
    sdk: CurrentSdk,
) -> None:
    """What is said right before the end is translated after it; then the server closes."""
    async with sdk.talk() as talk:
        await talk.sdk.call("open", source="en", targets=["es", "de"])
        await talk.sdk.send(sentence(_RATE, after=0.1))
        heard_before_the_end = len(talk.sdk.events)
        await talk.sdk.call("end")
        await talk.sdk.ended()

        assert acknowledged(talk.sdk) == ["started"]
        assert not finals(talk.sdk.events[:heard_before_the_end])
        assert talk.sdk.events[-1]["kind"] == "StreamEnd"
        assert not talk.sdk.of("ServerWarning")
        said = finals(talk.sdk.events)
        assert {it["text"] for it in said} == {
            _SENTENCES.text(0, "en", language) for language in ("en", "es", "de")
        }
        assert len({it["id"] for it in said}) == 1
        for language in ("es", "de"):
            expect_speech(talk.sdk, language)
            assert talk.sdk.of("Audio", language=language)[-1]["last_chunk"]

        assert await talk.commands() == [("set_task", "ok"), ("end_task", "ok")]
        session = await newest_session(talk.url)
        assert (session.state, session.end_reason) == ("ended", "end_task")


async def test_a_pause_costs_nothing_and_is_deaf(sdk: CurrentSdk) -> None:
    """Paused, nothing is billed and nothing heard; resumed, the next words are."""
    async with sdk.talk() as talk:
        await talk.sdk.call("open", source="en", targets=["es"])
        await talk.sdk.call("pause")
        await talk.sdk.event("TaskStatus", command="pause_task", event="paused", status="paused")
        billed = (await newest_session(talk.url)).billed_seconds
        await talk.sdk.send(sentence(_RATE))

        assert (await newest_session(talk.url)).billed_seconds == billed
        assert not talk.sdk.of("Transcript")
        assert not talk.sdk.of("Audio")

        await talk.sdk.call("resume")
        await talk.sdk.event("TaskStatus", command="set_task", event="resumed", status="running")
        await talk.sdk.send(sentence(_RATE))
        await talk.sdk.event("Audio", language="es", last_chunk=True)

        assert (await newest_session(talk.url)).billed_seconds > billed
        expect_speech(talk.sdk, "es")


async def test_an_interrupted_phrase_is_never_spoken(sdk: CurrentSdk) -> None:
    """What is under way is dropped before it is final; the next phrase is translated."""
    async with sdk.talk() as talk:
        await talk.sdk.call("open", source="en", targets=["es"])
        await talk.sdk.send(sentence(_RATE, after=0.0))
        dropped = (await talk.sdk.event("Transcript"))["id"]
        await talk.sdk.call("interrupt")
        status = await talk.sdk.event("TaskStatus", command="interrupt_task", event="interrupted")
        await talk.sdk.send(sentence(_RATE, before=1.0))
        spoken = await talk.sdk.event("Audio", language="es", last_chunk=True)

        assert status["status"] == "running"
        assert spoken["id"] != dropped
        assert dropped not in {it["id"] for it in finals(talk.sdk.events)}
        expect_speech(talk.sdk, "es")


async def test_text_is_spoken(sdk: CurrentSdk) -> None:
    """A text in a target language is spoken as it is; one to be translated, in every target."""
    async with sdk.talk() as talk:
        await talk.sdk.call("open", source="en", targets=["es", "de"])
        await talk.sdk.call("speak", text="Hola a todos", language="es")
        queued = await talk.sdk.event("TaskStatus", command="tts_task", event="queued")
        number = queued["transcription_id"]
        await talk.sdk.event("Audio", id=number, last_chunk=True)

        assert queued["status"] == "running"
        assert {it["language"] for it in talk.sdk.of("Audio", id=number)} == {"es"}
        assert languages_in(talk.sdk.speech("es"), OUTPUT_RATE, "es", "de") == {"es"}

        text = _SENTENCES.text(0, "en")
        await talk.sdk.call("speak", text=text, language="en", translate=True)
        await talk.sdk.until(
            lambda: [it["event"] for it in talk.sdk.of("TaskStatus")].count("queued") == 2, "queued"
        )
        number = talk.sdk.of("TaskStatus", event="queued")[-1]["transcription_id"]
        for language in ("es", "de"):
            await talk.sdk.event("Audio", id=number, language=language, last_chunk=True)

        assert languages_in(talk.sdk.speech("de"), OUTPUT_RATE, "es", "de") == {"de"}


async def test_a_text_in_no_target_language_is_refused(sdk: CurrentSdk) -> None:
    """The refusal is an error event, and the session goes on."""
    async with sdk.talk() as talk:
        await talk.sdk.call("open", source="en", targets=["es"])
        await talk.sdk.call("speak", text="Bonjour", language="fr")
        refusal = await talk.sdk.event("ServerError")
        await talk.sdk.call("get_task")
        task = await talk.sdk.event("TaskInfo")

        assert refusal["code"] == "VALIDATION_ERROR"
        assert task["status"] == "running"


async def test_settings_change_while_it_runs(sdk: CurrentSdk) -> None:
    """New settings, the same again, and wrong ones are told apart; wrong ones change nothing."""
    async with sdk.talk() as talk:
        await talk.sdk.call("open", source="en", targets=["es"])
        await talk.sdk.call("get_task")
        task = (await talk.sdk.event("TaskInfo", status="running"))["task"]
        settings: dict[str, Any] = {key: task[key] for key in task if key != "task_status"}
        pipeline = settings["pipeline"]
        pipeline["translations"][0]["target_language"] = "de"
        for wanted in ("updated", "unchanged"):
            await talk.sdk.send(silence(_LIMIT_SECONDS, _RATE))
            await talk.sdk.call("set_task", task=settings)
            await talk.sdk.event("TaskStatus", command="set_task", event=wanted, status="running")

        await talk.sdk.send(silence(_LIMIT_SECONDS, _RATE))
        pipeline["transcription"]["segment_confirmation_silence_threshold"] = 0.1
        await talk.sdk.call("set_task", task=settings)
        refusal = await talk.sdk.event("ServerError")
        await talk.sdk.send(sentence(_RATE))
        await talk.sdk.event("Audio", language="de", last_chunk=True)

        assert refusal["code"] == "VALIDATION_ERROR"
        assert "segment_confirmation_silence_threshold" in refusal["desc"]
        assert not talk.sdk.of("Audio", language="es")


async def test_rejected_settings_are_raised_with_the_servers_words(sdk: CurrentSdk) -> None:
    """The SDK's `TaskError` says which field is wrong, and nothing of the session stays."""
    async with sdk.talk() as talk:
        with pytest.raises(SdkError) as raised:
            await talk.sdk.call("open", source="en", targets=["es"], silence_threshold=0.1)

        assert raised.value.kind == "TaskError"
        assert "segment_confirmation_silence_threshold" in raised.value.words
        assert "greater than or equal to 0.3" in raised.value.words
        assert await talk.commands() == [("set_task", "invalid")]


async def test_a_wrong_key_is_a_session_error(sdk: CurrentSdk) -> None:
    """The connection is refused before it begins, and no session is made."""
    async with sdk.talk("wrong") as talk:
        with pytest.raises(SdkError) as raised:
            await talk.sdk.call("open", source="en", targets=["es"])

        assert raised.value.kind == "SessionError"
        assert "403" in raised.value.words
        assert await sessions_at(talk.url) == []


@pytest.mark.parametrize("encoding", ["wav", "opus"])
async def test_every_kind_of_sound_is_understood(sdk: CurrentSdk, encoding: str) -> None:
    """WAV and Ogg Opus come in as raw samples do, and compressed speech goes out."""
    rate = {"wav": 16_000, "opus": 48_000}[encoding]
    cut = {"wav": wav_pieces, "opus": opus_pages}[encoding]
    async with sdk.talk() as talk:
        await talk.sdk.call(
            "open",
            source="en",
            targets=["es"],
            input_format=encoding,
            input_sample_rate=rate,
            output_format="zlib_pcm_s16le",
        )
        await send_paced(talk.sdk, cut(sentence(rate), rate))
        await talk.sdk.call("end")
        await talk.sdk.ended()

        expect_speech(talk.sdk, "es")


async def test_stereo_is_understood(sdk: CurrentSdk) -> None:
    """Two channels of 48 kHz are heard as one voice."""
    async with sdk.talk() as talk:
        stereo: Pcm = np.repeat(sentence(48_000), 2)
        await talk.sdk.call(
            "open", source="en", targets=["es"], input_sample_rate=48_000, input_channels=2
        )
        await talk.sdk.send(stereo, end=True)
        await talk.sdk.ended()

        expect_speech(talk.sdk, "es")


async def send_paced(sdk: SdkProcess, pieces: Sequence[bytes]) -> None:
    """Send prepared messages in real time."""
    for piece in pieces:
        await sdk.send_chunk(piece)
        await asyncio.sleep(CHUNK_MS / 1000)


def finals(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The transcripts that will not change any more."""
    wanted = {"validated_transcription", "translated_transcription"}
    return [it for it in events if it["kind"] == "Transcript" and it["type"] in wanted]


def acknowledged(sdk: SdkProcess) -> list[str]:
    """What the acknowledgements of settings said."""
    return [str(it["event"]) for it in sdk.of("TaskStatus", command="set_task")]


def expect_speech(sdk: SdkProcess, language: str) -> None:
    """One sentence was spoken in a language, and nothing else with it."""
    pcm = sdk.speech(language)

    assert languages_in(pcm, OUTPUT_RATE, "en", "es", "de") == {language}
    spoken = seconds_of(language_marker_hz(language), pcm, OUTPUT_RATE)
    assert spoken == pytest.approx(SPOKEN_SECONDS, abs=0.5)
    assert seconds_of(SPEECH_HZ, pcm, OUTPUT_RATE) == 0
