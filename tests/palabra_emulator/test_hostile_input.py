"""Input that no good client sends: it is refused in words, and harms nobody else."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from palabra_agent.errors import ConfigError, SetupError
from palabra_emulator.faults.connection_faults import FaultyTransport
from palabra_emulator.faults.immediate_faults import ImmediateFaults
from palabra_emulator.faults.injection import FaultInjector, SessionFaults
from palabra_emulator.faults.message_faults import MessageFaults
from palabra_emulator.faults.reading import load_scenario, read_fault
from palabra_emulator.faults.signalling import SignallingFaults
from palabra_emulator.interpreting.recording import InputRecording, open_recording
from palabra_emulator.interpreting.voices import MarkerVoice
from palabra_emulator.journal import Journal
from palabra_emulator.options import read_options
from palabra_emulator.script import ScriptError, load_script
from palabra_emulator.session.registry import SessionRegistry
from palabra_emulator.session.running import ClientConnections, SessionRunner, serve
from palabra_emulator.session.task import TaskRules, read_task
from palabra_emulator.transports.audio_formats import AudioError, WavDecoder
from palabra_emulator.transports.ports import RoomNames, RoomsUnavailable
from palabra_emulator.transports.websocket import ConnectionLimit

from .client import task, until
from .fakes import OPTIONS, Clock, FakeLiveKit, FakeRooms, FakeTransport, fake_emulator
from .faulty import DESK
from .raw import status_of
from .stream_client import refusal
from .test_proxy import proxied
from .test_rest import STORAGE, caller
from .test_session import QUIET, Talk, hush, voice
from .test_task import changed
from .test_task import refusal as refused

pytestmark = pytest.mark.unit

HUGE = 10**400
LONE = "\ud800"


def wav_at(rate: int) -> bytes:
    """A whole WAV header that claims this rate, and some samples."""
    description = struct.pack("<HHIIHH", 1, 1, rate, (rate * 2) % 2**32, 2, 16)
    return (
        b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", 16) + description + b"data\0\0\0\0" + bytes(64)
    )


@pytest.mark.parametrize("rate", [0, 1, 15_999, 48_001, 2**32 - 1])
def test_wav_header_cannot_choose_any_rate(rate: int) -> None:
    """A rate outside what a task may declare is bad sound, not minutes of it."""
    with pytest.raises(AudioError):
        WavDecoder(24_000, 1).decode(wav_at(rate))


def test_half_a_character_is_no_command() -> None:
    """A lone surrogate is refused as what is no message, and the journal stays readable."""
    talk = Talk()
    talk.start(task("en", "es"))

    sent = [talk.say(LONE), talk.say("tts_task", text=LONE, language="es")]

    assert [it[0]["message_type"] for it in sent] == ["error", "error"]
    for line in talk.journal.lines():
        json.loads(line.encode())


def test_half_a_character_within_doubly_encoded_data_is_no_command() -> None:
    """What `data` holds as JSON within JSON is looked at as well."""
    talk = Talk()
    talk.start(task("en", "es"))
    inner = json.dumps({"text": LONE, "language": "es"})

    talk.conversation.receive(json.dumps({"message_type": "tts_task", "data": inner}).encode())

    assert talk.posted()[0]["message_type"] == "error"


def test_journal_can_always_be_written() -> None:
    """Whatever somebody managed to put into an event, its line is text that can be sent."""
    journal = Journal()
    journal.add(None, "rest", path=LONE)

    assert json.loads("".join(journal.lines()).encode())["data"] == {"path": LONE}


def test_outbox_sends_even_half_a_character() -> None:
    """Such a text goes out as JSON that can be read."""
    talk = Talk(replace(QUIET, double_encode="always"))

    talk.session.outbox.post({"message_type": "error", "data": {"desc": LONE}})

    assert talk.posted()[0]["data"]["desc"] == LONE


def test_fault_cannot_say_half_a_character() -> None:
    """A fault's words must be text."""
    with pytest.raises(ConfigError, match="detail: must be a text"):
        read_fault({"fault": "F12", "detail": LONE})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("end_task", {"eos_timeout": HUGE}),
        ("end_task", {"eos_timeout": -HUGE}),
        (
            "set_task",
            {
                "pipeline": {
                    **task("en", "es")["pipeline"],
                    "translation_queue_configs": {"es": {"max_queue_level_ms": HUGE}},
                }
            },
        ),
    ],
)
def test_number_of_any_size_is_refused_in_words(name: str, data: dict[str, Any]) -> None:
    """A whole number that is no float has the validator speak, and the session goes on."""
    talk = Talk()
    talk.start(task("en", "es"))

    talk.wait(2.0)
    answer = talk.say(name, **{**task("en", "es"), **data} if name == "set_task" else data)

    assert answer[0]["data"]["code"] == "VALIDATION_ERROR"
    assert not talk.session.is_over


def test_fault_refuses_a_number_of_any_size() -> None:
    """A number of faults' parameters may be as large as it likes: it is a mistake like others."""
    with pytest.raises(ConfigError, match="times: must be a whole number"):
        read_fault({"fault": "F8", "times": HUGE})


def test_whole_numbers_are_not_fractions() -> None:
    """What must be one of some whole numbers is not their equal among the fractions."""
    with pytest.raises(ConfigError, match="close_code: must be 1001"):
        read_fault({"fault": "F17", "close_code": 1001.0})


@pytest.mark.parametrize("digits", [400, 5_000])
def test_scenario_and_script_are_refused_in_words(tmp_path: Path, digits: int) -> None:
    """Numbers beyond reason and nesting beyond depth are mistakes in a file, told as such."""
    path = tmp_path / "file.json"
    path.write_text(f'[{{"fault": "F8", "times": {"9" * digits}}}]')
    with pytest.raises(ConfigError):
        load_scenario(path)

    path.write_text("[" * 100_000 if digits == 400 else "9" * digits)
    with pytest.raises(ScriptError):
        load_script(path)


async def test_stream_refuses_tokens_that_are_no_ascii() -> None:
    """Any token that is not one is refused like any other, while sessions live."""
    async with caller() as api:
        await api.create()

        assert await refusal(api.url, "é") == 403


@pytest.mark.parametrize(
    "header",
    [
        b"ClientId: \xff\r\nClientSecret: local",
        b"Authorization: Bearer \xff",
    ],
)
async def test_credentials_that_are_no_text_are_wrong(header: bytes) -> None:
    """Bytes that are no text are wrong credentials, in the REST API and on the stream."""
    async with caller() as api:
        await api.create()

        assert await status_of(api.url, f"{STORAGE}/sessions", header) == 401
        if header.startswith(b"Auth"):
            upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
            path = "/streaming-api/v1/speech-to-speech/stream"
            assert await status_of(api.url, path, upgrade + header) == 403


@pytest.mark.parametrize("ttl", ["99999999999999", "9" * 5_000, "2592001"])
async def test_session_cannot_be_extended_beyond_reason(ttl: str) -> None:
    """Thirty days are the most, and the list of sessions stays what it is."""
    async with caller() as api:
        session = await api.create()
        path = f"{STORAGE}/sessions/{session['id']}?ttl_seconds={ttl}"

        assert (await api.call("POST", path)).status == 422
        assert (await api.call("GET", f"{STORAGE}/sessions")).status == 200


@pytest.mark.parametrize("name", ["page_size", "page_token"])
async def test_pages_are_of_a_size(name: str) -> None:
    """Thousands of digits are refused like any other mistake."""
    async with caller() as api:
        answer = await api.call("GET", f"{STORAGE}/sessions?{name}={'9' * 5_000}")

        assert answer.status == 422


@pytest.mark.parametrize(
    "option",
    [
        "unjoined_ttl_s=1e300",
        "keep_heard_s=1e308",
        f"ready_delay_ms={HUGE}",
    ],
)
def test_option_beyond_reason_is_refused(option: str) -> None:
    """Numbers have an upper end."""
    with pytest.raises(ConfigError, match=option.partition("=")[0]):
        read_options([option])


@pytest.mark.parametrize("name", ["client_id", "client_secret", "api_key"])
def test_credentials_are_not_empty(name: str) -> None:
    """An emulator that would let everybody in is refused."""
    with pytest.raises(ConfigError, match=f"{name}: must be a text that is not empty"):
        read_options([f"{name}="])


def test_journal_keeps_no_megabytes() -> None:
    """Of a large command its size is noted, of an unknown one its name."""
    talk = Talk()
    talk.say("get_task", filler="x" * 100_000)
    talk.say("nonsense", filler="x" * 100_000)
    talk.say("y" * 100_000)

    entries = [entry for entry in talk.journal.entries() if entry.event == "command"]
    assert entries[0].data["data"] == {"size": pytest.approx(100_000, abs=100)}
    assert entries[1].data["data"] == {}
    assert all(len(json.dumps(entry.data)) < 500 for entry in entries)


async def test_emulator_is_not_open_to_every_web_page() -> None:
    """Browsers may use the REST API from anywhere, but not listen to what sessions heard."""
    async with caller() as api:
        assert (
            "Access-Control-Allow-Origin" in (await api.call("GET", f"{STORAGE}/sessions")).headers
        )
        for path in ("/emulator/journal", "/emulator/sessions", DESK):
            assert "Access-Control-Allow-Origin" not in (await api.call("GET", path)).headers


async def test_sessions_have_a_number() -> None:
    """Beyond the most at once, creating is refused as Palabra does it; ended ones do not count."""
    async with caller(replace(OPTIONS, most_sessions=2)) as api:
        first = await api.create()
        await api.create()
        answer = await api.call("POST", f"{STORAGE}/session", {"data": {}})
        assert (answer.status, answer.body["ok"]) == (403, False)
        assert "parallel sessions" in answer.body["errors"][0]["detail"]

        await api.call("DELETE", f"{STORAGE}/sessions/{first['id']}")
        await api.create()


async def test_deeply_nested_token_is_livekits_to_refuse() -> None:
    """Claims nested beyond depth name no room, and are passed on like any unreadable token."""
    claims = base64.urlsafe_b64encode(b"[" * 5_700).decode().rstrip("=")
    headers = {"Authorization": f"Bearer e30.{claims}.c2ln"}
    async with proxied() as (_, http), http.get("/livekit/rtc/validate", headers=headers) as answer:
        assert answer.status == 200


def test_recording_that_cannot_be_written_does_not_end_the_session(tmp_path: Path) -> None:
    """What cannot be written is not, said once; the newest is still kept in memory."""
    path = tmp_path / "folder" / "heard.wav"
    recording = InputRecording(16_000, 60.0, path)
    path.parent.write_text("no folder")

    for _ in range(2):
        recording.add(voice(0.1))

    assert len(recording.as_wav()) > 6_000


async def test_folder_for_recordings_is_made_at_the_start(tmp_path: Path) -> None:
    """A folder that cannot be made is told before anything is served."""
    (tmp_path / "file").write_text("")
    options = replace(OPTIONS, record_input=tmp_path / "file" / "folder")

    with pytest.raises(SetupError, match="record_input"):
        async with fake_emulator(FakeLiveKit(), options):
            pass

    good = replace(OPTIONS, record_input=tmp_path / "folder")
    assert open_recording(good, "000-room") is not None


async def test_host_that_is_no_name_is_refused_in_words() -> None:
    """A host that no resolver takes is a mistake in the settings."""
    with pytest.raises(SetupError, match="cannot listen"):
        async with fake_emulator(FakeLiveKit(), replace(OPTIONS, host="aé..b")):
            pass


def test_connections_of_old_tokens_are_forgotten() -> None:
    """A token that came long ago leaves nothing behind."""
    limit = ConnectionLimit()
    for number in range(100):
        assert limit.admits(f"token {number}", float(number))

    assert limit.admits("another", 1_000.0)
    assert limit.tokens == 1


async def test_refusal_of_an_order_is_a_sentence() -> None:
    """A question at the end stays one; a body that is no object is called so."""
    async with caller() as api:
        answer = await api.call("POST", DESK, {"fault": "f8"})
        assert answer.body["error"].endswith('did you mean "F8"?')
        assert (await api.call("POST", DESK, b"[]")).body["problems"][0]["field"] == "body"


def test_quiet_before_the_end_counts_from_the_command() -> None:
    """`eos_timeout` is waited out even where nothing was ever said."""
    talk = Talk()
    talk.start(task("en", "es"))
    talk.say("end_task", eos_timeout=4)

    talk.wait(3.5)
    assert not talk.session.is_over
    talk.wait(1.0)
    assert talk.session.end_reason == "end_task"


def test_enumeration_error_lists_its_values() -> None:
    """The validator's `ctx.enum_values` is there, as clients read it."""
    talk = Talk()
    settings = task("en", "es")
    settings["pipeline"]["transcription"]["denoise"] = "much"

    answer = talk.say("set_task", **settings)

    assert "'ctx': {'enum_values': ['none', 'alpha', 'beta']}" in answer[0]["data"]["desc"]


def translated(talk: Talk) -> list[str]:
    """The languages of what was translated so far."""
    entries = talk.journal.entries()
    return [str(entry.data["language"]) for entry in entries if entry.event == "translated"]


def test_interrupting_a_language_drops_its_part_of_the_phrase_under_way() -> None:
    """The phrase goes on for the others, and is neither told nor spoken in that one."""
    talk = Talk()
    talk.start(task("en", "es", "de"))
    talk.hear(voice(1.0))
    talk.say("interrupt_task", languages=["es"])
    talk.hear(voice(0.5), hush(1.0))
    talk.hear(hush(2.0))
    talk.wait(3.0)
    assert translated(talk) == ["de"]

    talk.hear(voice(1.0), hush(2.0))
    talk.wait(3.0)
    assert sorted(translated(talk)[1:]) == ["de", "es"]


def test_session_that_is_over_stays_over() -> None:
    """No fault and no late command gives an ended session a state again."""
    talk = Talk()
    talk.start(task("en", "es"))
    talk.session.end("closed")

    talk.session.lose_task()
    talk.say("pause_task")
    talk.say("set_task", **task("en", "de"))
    talk.wait(2.0)

    assert talk.session.state == "ended"
    assert "task lost" not in [entry.event for entry in talk.journal.entries()]


NULLS = [
    "input_stream",
    "input_stream.content_type",
    "input_stream.source.type",
    "output_stream.target.type",
    "pipeline.transcription.source_language",
    "pipeline.translations.0.target_language",
    "pipeline.translation_queue_configs.es",
]


@pytest.mark.parametrize("is_strict", [False, True])
@pytest.mark.parametrize("path", NULLS)
def test_null_is_no_value_of_what_is_required(path: str, is_strict: bool) -> None:
    """The validator says so in its words, however lenient its rules."""
    desc = refused(changed(path, None), TaskRules(is_strict=is_strict))

    assert "'msg': 'none is not an allowed value', 'type': 'type_error.none.not_allowed'" in desc


@pytest.mark.parametrize("value", [{}, {"content_type": "audio"}, {"target": {"type": "webrtc"}}])
def test_strict_rules_demand_whole_streams(value: object) -> None:
    """What is left out of a stream is missing; without strict rules, it has its default."""
    settings = changed("output_stream", value)

    assert "field required" in refused(settings, TaskRules(is_strict=True))
    assert read_task(settings, TaskRules()).has_speech


def test_doubled_texts_leave_the_sound_alone() -> None:
    """F19 `duplicates`: a client on a WebSocket hears every chunk once, the last one too."""
    journal, clock = Journal(), Clock()
    injector = FaultInjector(journal, clock)
    injector.arm(read_fault({"fault": "F19", "variant": "duplicates"}))
    distort = MessageFaults(SessionFaults("a", 0, injector))
    text = {"transcription": {"transcription_id": "1", "language": "es", "text": "Hola"}}
    sound = {"transcription_id": "1", "language": "es", "last_chunk": True, "data": ""}

    assert len(distort({"message_type": "validated_transcription", "data": text})) == 2
    assert len(distort({"message_type": "output_audio_data", "data": sound})) == 1


@pytest.mark.parametrize("wish", [{"fault": "F21", "variant": "never"}, {"fault": "F26"}])
async def test_missing_tracks_wait_for_a_session_that_has_some(wish: dict[str, str]) -> None:
    """Without tracks there is nothing to strike, and the journal does not say that there was."""
    journal, clock = Journal(), Clock()
    injector = FaultInjector(journal, clock)
    variant = "no_track" if wish["fault"] == "F26" else "never"
    injector.arm(read_fault({**wish, "variant": variant}))
    real = FakeTransport(RoomNames("room", "bot", "client"))
    faults = SessionFaults("a", 0, injector)

    await FaultyTransport(real, faults, has_bot=False).offer(["es"], anew=False)
    assert [entry.data["action"] for entry in journal.entries()] == ["armed"]

    await FaultyTransport(real, faults, has_bot=True).offer(["es"], anew=False)
    assert [entry.data["action"] for entry in journal.entries()] == ["armed", "struck"]


async def test_of_two_strokes_at_once_the_second_finds_the_session_over() -> None:
    """F17 and F16 due together: the session ends, and what would follow is passed over."""
    talk = Talk()
    talk.start(task("en", "es"))
    injector = FaultInjector(talk.journal, talk.clock)
    for fault in ("F17", "F16"):
        injector.arm(read_fault({"fault": fault}))
    signalling = SignallingFaults(injector, lambda room: None)
    striking = ImmediateFaults(injector, lambda: [talk.session], FakeRooms(), signalling)

    await striking.look()

    assert talk.session.state == "ended"
    assert talk.journal.entries()[-1].data == {"fault": "F16", "action": "passed over"}


async def test_visit_begins_when_the_one_before_is_served_no_more() -> None:
    """The last packets of a client that changes its transport are judged by the old rules."""
    talk = Talk()
    connections = ClientConnections(begins_in_room=True)
    room = FakeTransport(RoomNames("room", "bot", "client"))
    socket = FakeTransport(RoomNames("room", "bot", "client"))
    first = connections.begin(room, "webrtc")
    connections.add_websocket(socket)
    second = await connections.next()
    assert second is not None

    async with asyncio.TaskGroup() as serving:
        later = serving.create_task(serve(talk.session, talk.conversation, second, keep_sids=True))
        await asyncio.wait([later], timeout=0.05)
        assert talk.session.transport == "webrtc"
        await serve(talk.session, talk.conversation, first, keep_sids=True)
        await until(lambda: talk.session.transport == "ws", "the second visit")
        talk.session.end("over")


async def test_session_that_is_over_keeps_no_speech() -> None:
    """Packets that nobody took and speech that nobody hears are not kept for ten minutes."""
    talk = Talk()
    talk.start(task("en", "es"))
    talk.say("tts_task", text="Hola", language="es")
    talk.session.outbox.push(b"{}")
    talk.session.end("over")

    talk.session.release()

    assert talk.posted() == []
    assert talk.session.pipeline.is_drained(talk.clock())
    assert talk.session.speech_wanted.empty()


async def test_registry_that_closes_opens_no_more() -> None:
    """Whoever asks for a session while the emulator stops is answered at once."""
    registry = SessionRegistry(OPTIONS, load_script(), Journal(), idle_runner())
    async with asyncio.timeout(2), asyncio.TaskGroup() as home:
        home.create_task(registry.run())
        await registry.close()

        with pytest.raises(RoomsUnavailable, match="stops"):
            await registry.create("api")
        assert not registry.create_for(FakeTransport(RoomNames("room", "bot", "client")))


def idle_runner() -> SessionRunner:
    """A runner that runs nothing."""
    livekit = FakeLiveKit()
    return SessionRunner(livekit.rooms, livekit.open_transport, MarkerVoice(), keep_sids=True)
