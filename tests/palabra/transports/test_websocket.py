"""The WebSocket transport against a peer: opening, being refused, sound and messages both ways."""

from __future__ import annotations

import asyncio
import io
import logging
import traceback
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import aiohttp
import av
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from palabra_agent.audio.frame import Frame, FrameReader, FrameSource
from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import tone, tone_level_db
from palabra_agent.errors import ApiError, ErrorClass, PalabraError, SessionLost, Unreachable
from palabra_agent.languages import LanguageCode
from palabra_agent.local.processes import free_port
from palabra_agent.palabra.protocol.commands import Command
from palabra_agent.palabra.protocol.messages import StreamEnded
from palabra_agent.palabra.task.sections import WebSocketFormat
from palabra_agent.palabra.transports.allowance import TOO_MUCH, WORDS_AND_SOUND
from palabra_agent.palabra.transports.port import (
    Disconnected,
    MessageReceived,
    Transport,
    TransportEvent,
)
from palabra_agent.palabra.transports.translated_speech import QueueLimits
from palabra_agent.palabra.transports.websocket import (
    WebSocketTransport,
    closing_reason,
    join_websocket,
    open_socket,
)
from palabra_agent.session import InterpretationEnded, InterpretationStarted
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import frame, sound_of
from tests.odd_addresses import NO_ADDRESSES, PASSWORD
from tests.palabra.transports.stream_peer import TOKEN, StreamPeer, stream_peer

pytestmark = pytest.mark.unit


PLAIN = WebSocketFormat(sample_rate=48_000)
ES, DE = LanguageCode("es"), LanguageCode("de")


@asynccontextmanager
async def joined(
    formats: WebSocketFormat = PLAIN, limits: dict[str, QueueLimits] | None = None
) -> AsyncGenerator[tuple[WebSocketTransport, StreamPeer]]:
    """Be connected to a peer for the length of a block."""
    async with stream_peer() as peer, join_websocket(peer.url, TOKEN, formats, limits) as transport:
        await eventually(lambda: peer.connection)
        yield transport, peer


async def told(transport: Transport, count: int) -> list[TransportEvent]:
    """Wait for so many events."""
    events: list[TransportEvent] = []
    async with asyncio.timeout(30):
        async for event in transport.events():
            events.append(event)
            if len(events) == count:
                break

    return events


async def end_of(transport: Transport) -> Disconnected:
    """Read on until the connection is over."""
    async for event in transport.events():
        if isinstance(event, Disconnected):
            return event

    raise AssertionError("it did not tell its end")


async def say(transport: Transport, *frames: Frame) -> None:
    """Speak in real time."""
    for it in frames:
        await asyncio.sleep(0.02)
        await transport.write(it)


async def hear(source: FrameSource, seconds: float) -> Pcm:
    """Listen so long, and get what was heard."""
    heard = np.empty(0, np.int16)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), source.open_frames() as frames:
            async for it in frames:
                heard = np.concatenate((heard, it.samples))

    return heard


def speech(milliseconds: int, hz: float = 500) -> bytes:
    """Make a tone as Palabra would send it."""
    return tone(hz, milliseconds / 1000, rate=24_000).tobytes()


@in_jumping_time
async def test_commands_and_messages_pass() -> None:
    """What is sent arrives as it is, and what the peer says is told as an event."""
    async with joined() as (transport, peer):
        assert await transport.wait_for_peer(5)
        await transport.send(Command("get_task", {"word": "ñ"}).encode())
        await eventually(lambda: peer.commands)
        await peer.say("end_of_stream", {})
        events = await told(transport, 1)

    assert peer.commands == [{"message_type": "get_task", "data": {"word": "ñ"}}]
    assert events == [MessageReceived(StreamEnded())]


@in_jumping_time
async def test_a_key_opens_a_connection_without_a_session() -> None:
    """An address and a key are enough; Palabra makes the session."""
    async with stream_peer() as peer, join_websocket(peer.url, TOKEN) as transport:
        await transport.send(Command("get_task", {}).encode())
        await eventually(lambda: peer.commands)

    assert peer.commands == [{"message_type": "get_task", "data": {}}]


@in_jumping_time
async def test_the_voice_arrives_sample_by_sample() -> None:
    """Speech in real time arrives as it was spoken, in chunks of equal length on time."""
    words = [frame(number + 1) for number in range(500)]
    async with joined() as (transport, peer):
        transport.set_listening(is_listening=True)
        began = asyncio.get_running_loop().time()
        await say(transport, *words)
        sound = np.frombuffer(await peer.heard(33), "<i2")

    start = int(np.argmax(sound == 1))
    assert start <= 0.04 * 48_000
    assert np.array_equal(sound[start : start + 480_000], sound_of(words))
    assert {len(it) for it in peer.sounds} == {320 * 96}
    assert np.allclose(
        np.array(peer.sound_times[:31]) - began, 0.36 + 0.32 * np.arange(31), atol=0.03
    )


@in_jumping_time
async def test_silence_goes_up_without_drift() -> None:
    """Nobody writes for a minute, and there is a chunk for every moment of it."""
    async with joined(WebSocketFormat()) as (transport, peer):
        transport.set_listening(is_listening=True)
        began = asyncio.get_running_loop().time()
        await passing(188 * 0.32)
        sound = await peer.heard(188)

    assert peer.sound_times[187] - began == pytest.approx(188 * 0.32 + 0.04, abs=0.03)
    assert not any(sound)


@in_jumping_time
async def test_sound_before_readiness_is_dropped_and_not_hoarded() -> None:
    """Nothing at all is sent, and what was said before is not heard afterwards."""
    async with joined() as (transport, peer):
        await say(transport, *[frame(5)] * 200)
        assert not peer.sounds

        transport.set_listening(is_listening=True)
        await say(transport, *[frame(9)] * 40)
        sound = np.frombuffer(await peer.heard(3), "<i2")

    assert set(sound.tolist()) <= {0, 9}


@in_jumping_time
async def test_nothing_is_sent_in_a_pause() -> None:
    """What was not sent yet goes nowhere; on resumption the first chunk is all new."""
    async with joined() as (transport, peer):
        transport.set_listening(is_listening=True)
        await say(transport, *[frame(5)] * 30)
        transport.set_listening(is_listening=False)
        before = len(peer.sounds)
        await say(transport, *[frame(6)] * 500)
        assert len(peer.sounds) == before

        transport.set_listening(is_listening=True)
        await say(transport, *[frame(7)] * 40)
        await peer.heard(before + 2)

    assert set(np.frombuffer(peer.sounds[before], "<i2").tolist()) == {7}


@in_jumping_time
async def test_what_was_held_back_is_sent_whole() -> None:
    """Three seconds written in one go arrive to the last sample, no faster than a quarter over."""
    held = [frame(number + 1) for number in range(150)]
    async with joined() as (transport, peer):
        transport.set_listening(is_listening=True)
        for it in held:
            await transport.write(it)
        sound = np.frombuffer(await peer.heard(12), "<i2")

    assert np.array_equal(sound[: 150 * 960], sound_of(held))
    assert np.diff(peer.sound_times).min() > 0.32 / 1.25 - 0.02


@in_jumping_time
@pytest.mark.parametrize("chunk_ms", [40, 320, 2000])
async def test_everything_is_sent_before_the_end(chunk_ms: int) -> None:
    """The last sample leaves at once, before the command that comes next; nothing is dropped."""
    words = [frame(number + 1) for number in range(75)]
    formats = WebSocketFormat(sample_rate=48_000, chunk_ms=chunk_ms)
    async with joined(formats) as (transport, peer):
        transport.set_listening(is_listening=True)
        await say(transport, *words)
        began = asyncio.get_running_loop().time()
        await transport.flush()
        assert asyncio.get_running_loop().time() - began < 0.02
        await transport.send(Command("end_task", {}).encode())
        await eventually(lambda: peer.commands)
        sound = np.frombuffer(b"".join(peer.sounds), "<i2")
        await transport.flush()
        transport.set_listening(is_listening=False)
        await transport.flush()

    start = int(np.argmax(sound == 1))
    assert np.array_equal(sound[start : start + 75 * 960], sound_of(words))


@in_jumping_time
async def test_no_encoder_keeps_the_end() -> None:
    """Opus holds a packet back, and a resampler some samples: silence pushes them out."""
    formats = WebSocketFormat(format="opus", sample_rate=48_000)
    async with joined(formats) as (transport, peer):
        transport.set_listening(is_listening=True)
        await say(transport, *[frame(0)] * 10, *FrameReader().cut(tone(500, 0.24)))
        await transport.flush()
        await eventually(lambda: len(peer.sounds) == 2)

    with av.open(io.BytesIO(b"".join(peer.sounds)), mode="r") as stream:
        decoded = np.concatenate([it.to_ndarray().ravel() for it in stream.decode(audio=0)])
    heard = np.flatnonzero(np.abs(decoded) > 0.02)
    assert heard[-1] - heard[0] == pytest.approx(0.24 * 48_000, abs=600)


@in_jumping_time
async def test_a_dead_connection_does_not_hold_whoever_flushes() -> None:
    """It ends with the connection, or after seconds."""
    async with joined() as (transport, peer):
        transport.set_listening(is_listening=True)
        await say(transport, frame(1))
        peer.vanish()
        began = asyncio.get_running_loop().time()
        await transport.flush()

        assert asyncio.get_running_loop().time() - began < 3.5


@in_jumping_time
async def test_a_writer_is_let_go_where_nobody_listens_any_more() -> None:
    """Whoever waits for room waits no longer than the listening lasts."""
    async with joined() as (transport, _), asyncio.timeout(1):
        transport.set_listening(is_listening=True)
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(flood(transport))
            await asyncio.sleep(0.1)
            assert not writing.done()
            transport.set_listening(is_listening=False)


async def flood(transport: Transport) -> None:
    """Write more than there is room for."""
    for _ in range(100):
        await transport.write(frame(1))


@in_jumping_time
@pytest.mark.parametrize("name", ["pcm_s16le", "wav", "opus"])
async def test_every_format_goes_up(name: str) -> None:
    """Chunks arrive in the format that was chosen."""
    async with joined(WebSocketFormat.model_validate({"format": name})) as (transport, peer):
        transport.set_listening(is_listening=True)
        sound = await peer.heard(3)

    assert sound[:4] == {"wav": b"RIFF", "opus": b"OggS"}.get(name, b"\0\0\0\0")


@in_jumping_time
async def test_speech_is_a_track_from_its_first_chunk_on() -> None:
    """A burst is heard as it is spoken, with its pitch and its level, on its language's track."""
    sound = speech(3000)
    async with joined() as (transport, peer):
        for at in range(0, len(sound), 9600):
            await peer.speak(sound[at : at + 9600], "ES", is_last=at + 9600 >= len(sound))
        await peer.speak(speech(200, 600), "de")
        events = await told(transport, 2)
        tracks = {it.language: it.source for it in events if isinstance(it, InterpretationStarted)}
        heard = await hear(tracks[ES], 10)

    assert list(tracks) == [ES, DE]
    assert heard.size == pytest.approx(3 * 48_000, abs=960)
    assert tone_level_db(heard[:144_000], 500) == pytest.approx(-10.5, abs=0.2)


@in_jumping_time
async def test_the_end_is_told_at_once_and_cuts_nothing_off() -> None:
    """It comes as fast as the speech before it, of which most is still to be heard."""
    loop = asyncio.get_running_loop()
    async with joined() as (transport, peer), asyncio.TaskGroup() as group:
        await peer.speak(speech(3000), "es", is_last=True)
        [spanish] = await told(transport, 1)
        assert isinstance(spanish, InterpretationStarted)
        hearing = group.create_task(hear(spanish.source, 5))
        await passing(0.1)
        began = loop.time()
        await peer.say("end_of_stream", {})
        await peer.socket.close()
        assert await told(transport, 1) == [MessageReceived(StreamEnded())]
        assert loop.time() - began < 1
        assert isinstance((await told(transport, 2))[-1], Disconnected)

    assert hearing.result().size == pytest.approx(3 * 48_000, abs=960)


@in_jumping_time
async def test_languages_without_end_are_not_hoarded() -> None:
    """Whatever is sent, there are no more tracks than anybody could ask for."""
    async with joined() as (transport, peer):
        for number in range(100):
            await peer.speak(speech(20), f"x{number}")
        await peer.say("end_of_stream", {})
        events = await told(transport, 33)

    assert [type(it) for it in events] == [InterpretationStarted] * 32 + [MessageReceived]


@in_jumping_time
async def test_languages_do_not_wait_for_each_other() -> None:
    """Two tracks are heard at the same time, each from its beginning."""
    async with joined() as (transport, peer):
        await peer.speak(speech(2000, 500), "es", is_last=True)
        await peer.speak(speech(2000, 600), "de", is_last=True)
        tracks = [
            it.source for it in await told(transport, 2) if isinstance(it, InterpretationStarted)
        ]
        async with asyncio.TaskGroup() as group:
            hearing = [group.create_task(hear(track, 2.5)) for track in tracks]

    spanish, german = (it.result() for it in hearing)
    assert tone_level_db(spanish[:96_000], 500) > -11
    assert tone_level_db(german[:96_000], 600) > -11


@in_jumping_time
async def test_compressed_speech_is_unpacked_and_corrupt_speech_left_out() -> None:
    """A chunk that cannot be read is counted, and the next one is heard."""
    formats = WebSocketFormat(output_format="zlib_pcm_s16le")
    async with joined(formats) as (transport, peer):
        await peer.speak(b"nonsense")
        await peer.say("output_audio_data", {"language": "es", "data": "%%%"})
        await peer.speak(zlib.compress(speech(400)), is_last=True)
        events = await told(transport, 2)
        started = events[1]
        assert isinstance(started, InterpretationStarted)
        heard = await hear(started.source, 2)

    assert heard.size == 21 * 960


@in_jumping_time
async def test_too_much_speech_loses_its_oldest() -> None:
    """Each language has its own bounds, or those of all."""
    limits = {"global": QueueLimits(1000, 500), "de": QueueLimits(3000, 1000)}
    async with joined(limits=limits) as (transport, peer):
        for _ in range(6):
            await peer.speak(speech(200), "es")
            await peer.speak(speech(200), "de")
        await peer.say("end_of_stream", {})
        tracks = [
            it.source for it in await told(transport, 3) if isinstance(it, InterpretationStarted)
        ]
        async with asyncio.TaskGroup() as group:
            hearing = [group.create_task(hear(track, 3)) for track in tracks]

    assert [it.result().size // 960 for it in hearing] == [26, 61]


@in_jumping_time
@pytest.mark.parametrize("languages", [(), ("es",), ("ES-es",)])
async def test_hushed_speech_is_not_heard(languages: tuple[str, ...]) -> None:
    """What waits is withdrawn, in the languages that are named or in all."""
    async with joined() as (transport, peer):
        await peer.speak(speech(3000), "es", is_last=True)
        await peer.speak(speech(3000), "de", is_last=True)
        tracks = [
            it.source for it in await told(transport, 2) if isinstance(it, InterpretationStarted)
        ]
        transport.hush([LanguageCode(it) for it in languages])
        async with asyncio.TaskGroup() as group:
            hearing = [group.create_task(hear(track, 4)) for track in tracks]

    spanish, german = (it.result().size for it in hearing)
    assert spanish == 0
    assert (german > 0) == bool(languages)


@in_jumping_time
@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011])
async def test_a_closed_connection_is_told_once(code: int) -> None:
    """Tracks end, then the connection, with words for why; nothing is raised at anybody."""
    async with joined() as (transport, peer):
        transport.set_listening(is_listening=True)
        await peer.speak(speech(200))
        await peer.socket.close(code=code)
        started, ended, over = await told(transport, 3)
        assert isinstance(started, InterpretationStarted)
        assert ended == InterpretationEnded(started.source)
        assert isinstance(over, Disconnected)
        assert f"({code})" in over.reason

        with pytest.raises(SessionLost):
            await transport.send(b"{}")
        transport.set_listening(is_listening=True)
        await flood(transport)


@in_jumping_time
async def test_a_vanished_peer_is_a_lost_connection() -> None:
    """A connection that breaks off without a word is told as that."""
    async with joined() as (transport, peer):
        transport.set_listening(is_listening=True)
        peer.vanish()
        assert await told(transport, 1) == [Disconnected("the connection broke off (1006)")]


@in_jumping_time
@pytest.mark.parametrize("is_deaf", [True, False])
async def test_a_peer_that_is_dead_is_a_lost_connection(is_deaf: bool) -> None:
    """Whoever answers no ping, or reads nothing at all, is given up within half a minute."""
    async with stream_peer(StreamPeer(answers_pings=False)) as peer:
        async with join_websocket(peer.url, TOKEN) as transport:
            await eventually(lambda: peer.connection)
            if is_deaf:
                peer.stop_reading()
            transport.set_listening(is_listening=True)
            assert await told(transport, 1) == [Disconnected("the connection broke off (1006)")]
            await flood(transport)
        peer.vanish()


@in_jumping_time
async def test_a_message_without_end_is_not_swallowed() -> None:
    """Memory is bounded: whoever sends megabytes at once is disconnected."""
    async with joined() as (transport, peer):
        with suppress(ConnectionError):
            await peer.socket.send_str("x" * 1_100_000)
        (over,) = await told(transport, 1)

    assert isinstance(over, Disconnected)
    assert "(1009)" in over.reason


@in_jumping_time
async def test_a_ping_is_answered() -> None:
    """As the protocol wants it; some peers leave where it is not."""
    async with (
        stream_peer(StreamPeer(answers_pings=False)) as peer,
        join_websocket(peer.url, TOKEN),
    ):
        await eventually(lambda: peer.connection)
        await peer.socket.ping(b"there?")
        await eventually(lambda: peer.pongs)

    assert peer.pongs == [b"there?"]


@in_jumping_time
@pytest.mark.parametrize("kind", ["messages", "pings"])
async def test_a_peer_that_chatters_is_left(kind: str) -> None:
    """It is told as what it is, read no more, and its connection is cut without a wait."""
    sent = 0

    async def chatter(peer: StreamPeer) -> None:
        nonlocal sent
        with suppress(OSError, aiohttp.ClientError):
            while True:
                await (peer.socket.send_str("{}") if kind == "messages" else peer.socket.ping())
                sent += 1

    async with stream_peer() as peer, asyncio.TaskGroup() as group:
        async with join_websocket(peer.url, TOKEN) as transport:
            await eventually(lambda: peer.connection)
            group.create_task(chatter(peer))
            over = await end_of(transport)
            left = asyncio.get_running_loop().time()

        assert asyncio.get_running_loop().time() - left < 0.5

    # the peer has met the end of the connection, or it would chatter still
    assert over == Disconnected(TOO_MUCH, was_excessive=True)
    assert sent >= WORDS_AND_SOUND.at_once


@in_jumping_time
async def test_leaving_is_polite_and_quick() -> None:
    """The peer is told, within half a second, and no task is left, whatever was going on."""
    loop = asyncio.get_running_loop()
    async with stream_peer() as peer:
        async with join_websocket(peer.url, TOKEN) as transport:
            transport.set_listening(is_listening=True)
            await peer.heard(2)
            left = loop.time()
        assert loop.time() - left < 0.5
        await asyncio.wait_for(peer.has_left.wait(), 1)
        assert peer.socket.close_code == 1000


@in_jumping_time
async def test_leaving_is_accounted_for_however_often_it_is_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A second cancellation, while the peer does not answer our good-bye, skips nothing."""
    caplog.set_level(logging.INFO)
    async with stream_peer() as peer:

        async def stay() -> None:
            async with join_websocket(peer.url, TOKEN):
                await asyncio.Event().wait()

        async with asyncio.TaskGroup() as group:
            staying = group.create_task(stay())
            await eventually(lambda: peer.connection)
            peer.stop_reading()
            staying.cancel()
            await passing(0.1)
            staying.cancel()
        peer.vanish()

    assert "voice sent" in [it.message for it in caplog.records]


@in_jumping_time
async def test_what_has_come_is_heard_after_leaving() -> None:
    """Whoever listens when the connection ends hears the rest, and then that it is over."""
    async with joined() as (transport, peer):
        await peer.speak(speech(3000), is_last=True)
        [started] = await told(transport, 1)
        assert isinstance(started, InterpretationStarted)

    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await hear(started.source, 10)).size == pytest.approx(3 * 48_000, abs=960)
    assert loop.time() - began < 3.1


@in_jumping_time
async def test_an_error_of_the_block_comes_out_as_itself() -> None:
    """Whoever uses the transport sees their own errors, not a group of them."""
    with pytest.raises(SessionLost, match="mine"):
        async with joined():
            raise SessionLost("mine")


@in_jumping_time
async def test_no_log_holds_a_token_or_a_word(caplog: pytest.LogCaptureFixture) -> None:
    """What is logged is numbers."""
    caplog.set_level(logging.DEBUG)
    async with (
        stream_peer(StreamPeer("address")) as peer,
        join_websocket(peer.url, TOKEN) as transport,
    ):
        transport.set_listening(is_listening=True)
        await transport.send(Command("tts_task", {"text": "confidential"}).encode())
        await peer.speak(b"odd", utterance="confidential")
        await peer.say("error", {"code": "X", "desc": "confidential"})
        await peer.heard(1)
        await told(transport, 2)

    ours = [it for it in caplog.records if it.name.startswith("palabra_agent")]
    assert {it.message for it in ours} == {"voice sent", "speech came"}
    assert TOKEN not in "".join(str(it.__dict__) for it in ours)
    assert "confidential" not in "".join(str(it.__dict__) for it in ours)


async def refusal(url: str) -> PalabraError:
    """Be refused; and see to it that nothing of the token is told, whoever prints it how."""
    async with aiohttp.ClientSession() as http:
        with pytest.raises(PalabraError) as caught:
            await open_socket(http, url, TOKEN)

    error = caught.value
    assert error.__context__ is None
    assert TOKEN not in "".join(traceback.format_exception(error)) + repr(error) + str(error)
    return error


@pytest.mark.parametrize(
    ("accepts", "upgrades"), [("header", ["header"]), ("address", ["header", "address"])]
)
async def test_the_token_is_shown_in_a_header_first(accepts: str, upgrades: list[str]) -> None:
    """It stands in the address only where the header was refused, and never in both."""
    async with stream_peer(StreamPeer(accepts)) as peer, aiohttp.ClientSession() as http:
        socket = await open_socket(http, peer.url, TOKEN)
        await socket.close()

    assert peer.upgrades == upgrades


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_may_mean_an_empty_account(status: int) -> None:
    """Both causes are named; the same will not be asked again."""
    async with stream_peer(StreamPeer("nowhere", refusal=status)) as peer:
        error = await refusal(peer.url)

    assert str(error) == (
        f"Palabra refused: the token was refused, or the balance is exhausted (HTTP {status})"
    )
    assert not error.retryable
    assert peer.upgrades == ["header", "address"]


@pytest.mark.parametrize(("status", "is_retryable"), [(404, False), (429, True), (503, True)])
async def test_other_refusals_are_not_about_the_token(status: int, is_retryable: bool) -> None:
    """They are asked once, and told with their status."""
    async with stream_peer(StreamPeer("nowhere", refusal=status)) as peer:
        error = await refusal(peer.url)

    assert isinstance(error, ApiError)
    assert (error.status, error.retryable) == (status, is_retryable)
    assert peer.upgrades == ["header"]


async def test_what_is_no_websocket_is_unreachable() -> None:
    """A page that answers where the stream should be is told as what it is."""
    async with stream_peer(StreamPeer("nowhere", refusal=200)) as peer:
        error = await refusal(peer.url)

    assert isinstance(error, Unreachable)
    assert "does not speak WebSocket" in str(error)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:{port}/stream", "ws://127.0.0.1:{port}/a?b=c"])
async def test_nobody_there_is_unreachable(url: str) -> None:
    """The host is named and the reason, with nothing of the address behind it."""
    port = free_port()
    error = await refusal(url.format(port=port))

    assert str(error) == f"Palabra cannot be reached at 127.0.0.1:{port}: connection refused"


@pytest.mark.parametrize("url", NO_ADDRESSES)
async def test_an_address_that_is_none_is_unreachable(url: str) -> None:
    """It ends in a sentence, without a password that may be in it."""
    with pytest.raises(Unreachable, match=r"the session's address: it (must|is) ") as caught:
        async with join_websocket(url, TOKEN):
            pytest.fail("there is no such place")

    assert PASSWORD not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("accepts", ["header", "address", "nowhere"])
async def test_a_redirect_is_not_followed(status: int, accepts: str) -> None:
    """It could lead to any host, and into our own network; the token goes nowhere else."""
    async with stream_peer(StreamPeer(accepts)) as peer:

        async def redirect(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": peer.url})

        app = web.Application()
        app.router.add_get("/stream", redirect)
        async with TestServer(app) as server:
            with pytest.raises(Unreachable, match="answers with a redirect, which is not followed"):
                async with join_websocket(str(server.make_url("/stream")), TOKEN):
                    pytest.fail("it was followed")

    assert peer.upgrades == []


async def silently(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a connection and say nothing until it is gone."""
    await reader.read()
    writer.close()


@in_jumping_time
async def test_silence_is_waited_for_only_so_long() -> None:
    """A peer that never answers is given up after a quarter of a minute."""
    server = await asyncio.start_server(silently, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await refusal(f"ws://127.0.0.1:{port}/stream")

    assert isinstance(error, Unreachable)
    assert error.error_class is ErrorClass.TIMEOUT
    assert "not connected within 15 s" in str(error)


async def test_the_address_may_ask_for_something_new_each_time() -> None:
    """Where it holds a place for a random word, each connection has its own."""
    places: list[str] = []

    async def note(request: web.Request) -> web.StreamResponse:
        places.append(request.match_info["place"])
        return web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{place}/stream", note)
    async with TestServer(app) as server:
        for _ in range(2):
            await refusal(f"ws://127.0.0.1:{server.port}/{{random_hash}}/stream")

    assert len(set(places)) == 2
    assert all(place.isalnum() for place in places)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1000, "Palabra closed the connection (1000)"),
        (1001, "Palabra closed the connection, as it goes away (1001)"),
        (1006, "the connection broke off (1006)"),
        (None, "the connection broke off (1006)"),
        (
            1008,
            "Palabra closed the connection: a rate limit was exceeded, or nothing was heard for"
            " too long (1008)",
        ),
        (1009, "Palabra sent a message that is too large (1009)"),
        (1011, "Palabra closed the connection after an error of its own (1011)"),
        (4999, "Palabra closed the connection (4999)"),
    ],
)
def test_each_closing_has_its_words(code: int | None, words: str) -> None:
    """Whoever reads them knows what to look for."""
    assert closing_reason(code) == words
