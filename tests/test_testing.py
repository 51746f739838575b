"""What plugin authors test with is what happens in a room."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import palabra_agent.testing
from palabra_agent.plugin import (
    CONSENT_ATTRIBUTE,
    ClonedVoice,
    FixedVoice,
    Passed,
    Plugin,
    PluginConfig,
    RoomInfo,
    Speech,
    Timbre,
    TranscriptEvent,
    VoiceAnswer,
    VoiceRequest,
)
from palabra_agent.testing import (
    Entry,
    RoomConfigError,
    SettingsError,
    SimulatedRoom,
    Verdict,
    a_speaker,
    a_speech,
    simulated_room,
    transcript_event,
    voice_request,
    without_waiting,
)

pytestmark = pytest.mark.unit


class Config(PluginConfig):
    """Which voice."""

    voice: str = "default_high"
    delay_seconds: float = 0.0


class Settings(PluginConfig):
    """Whose account."""

    account: str = "nobody"


class Voices:
    """Chooses by the facts, and remembers what it was asked and told."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.asked: list[VoiceRequest] = []
        self.told: list[TranscriptEvent] = []

    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        """Choose the configured voice, unless the speaker or their voice says something else."""
        self.asked.append(request)
        await asyncio.sleep(self.config.delay_seconds)
        speaker = request.speaker
        if speaker.attributes.get("palabra.voice") == "clone":
            return ClonedVoice()

        if speaker.timbre is not None:
            return FixedVoice("default_low" if speaker.timbre.pitch_hz < 160 else "default_high")

        voice = self.config.voice
        return Passed("taken") if voice in request.taken else FixedVoice(voice)

    async def on_transcript(self, event: TranscriptEvent) -> None:
        """Remember words."""
        self.told.append(event)


class Ears:
    """Estimates a pitch in a thread, well enough for a voice without words."""

    async def estimate_timbre(self, speech: Speech) -> Timbre | None:
        """Find after which time the sound is most like itself."""
        return await asyncio.to_thread(self._estimate, speech)

    def _estimate(self, speech: Speech) -> Timbre:
        time.sleep(0.02)
        spectrum = np.abs(np.fft.rfft(speech.samples[:48_000])) ** 2
        period = 150 + int(np.fft.irfft(spectrum)[150:700].argmax())
        return Timbre(speech.sample_rate / period)


def _voices(opened: list[Voices] | None = None) -> Plugin[Config, Settings]:
    @asynccontextmanager
    async def open_voices(room: RoomInfo[Settings], config: Config) -> AsyncGenerator[Voices]:
        voices = Voices(config)
        if opened is not None:
            opened.append(voices)

        yield voices

    return Plugin(Config, open_voices, settings_model=Settings)


@asynccontextmanager
async def _open_ears(room: RoomInfo[Any], config: PluginConfig) -> AsyncGenerator[Ears]:
    yield Ears()


class NoConfig(PluginConfig):
    """Nothing."""


VOICES = _voices()
EARS = Plugin(NoConfig, _open_ears)
HIGH, LOW = FixedVoice("default_high"), FixedVoice("default_low")


def _breaking(break_it: Callable[[], object]) -> Plugin[NoConfig, Any]:
    class Broken:
        async def choose_voice(self, request: VoiceRequest) -> None:
            break_it()

    @asynccontextmanager
    async def open_it(room: RoomInfo[Any], config: NoConfig) -> AsyncGenerator[Broken]:
        yield Broken()

    return Plugin(NoConfig, open_it)


def _raise() -> None:
    raise ValueError("the plugin's own words")


@without_waiting
async def test_a_voice_is_what_a_real_room_would_use() -> None:
    """Whoever comes is asked about, with the facts that are there."""
    opened: list[Voices] = []
    async with simulated_room(Entry(_voices(opened)), name="r") as room:
        room.join("alice", name="Alice", attributes={"a": "b"}, source_language="en-US")

        assert await room.voice_of("alice", "es") == HIGH
        assert await room.voice_of("alice", "de") == HIGH
        alice = a_speaker("alice", name="Alice", attributes={"a": "b"}, source_language="en")
        assert opened[0].asked == [
            voice_request(alice, "es", room="r"),
            voice_request(alice, "de", room="r"),
        ]


@without_waiting
async def test_a_change_of_facts_is_a_new_question() -> None:
    """Attributes are laid over each other, as in LiveKit, and an empty one is taken away."""
    async with simulated_room(Entry(VOICES)) as room:
        room.join("alice", attributes={"a": "b"}, source_language="en")
        assert await room.voice_of("alice", "es") == HIGH

        room.change("alice", attributes={"palabra.voice": "clone", CONSENT_ATTRIBUTE: "true"})
        assert await room.voice_of("alice", "es") == ClonedVoice()

        room.change("alice", attributes={"palabra.voice": ""})
        assert await room.voice_of("alice", "es") == HIGH


@without_waiting
async def test_several_people_know_of_each_other() -> None:
    """Voices of others are facts, and those who leave free theirs."""
    async with simulated_room(Entry(VOICES), Entry(VOICES, {"voice": "default_low"})) as room:
        room.join("alice", source_language="en")
        room.join("bob", source_language="en")
        assert await room.voice_of("alice", "es") == HIGH
        assert await room.explain("bob", "es") == Verdict(LOW, "plugin#2", (("plugin", "taken"),))

        room.leave("alice")
        assert await room.voice_of("bob", "es") == HIGH


@without_waiting
async def test_a_lost_voice_is_passed_over() -> None:
    """What Palabra does not have nobody gets any more."""
    async with simulated_room(Entry(VOICES, {"voice": "nova"})) as room:
        room.join("alice", source_language="en")
        assert await room.voice_of("alice", "es") == FixedVoice("nova")

        room.lose_voice("nova")
        passed = (("plugin", "Palabra has no such voice"),)
        assert await room.explain("alice", "es") == Verdict(passed=passed)


@without_waiting
async def test_nobody_is_interpreted_into_their_own_language() -> None:
    """Who speaks it is known by their word, or because it was heard."""
    async with simulated_room(Entry(VOICES)) as room:
        room.join("alice")
        assert await room.voice_of("alice", "es") == HIGH

        room.detect("alice", "es")
        with pytest.raises(LookupError, match="alice speaks es, and is not interpreted into it"):
            await room.voice_of("alice", "es")

        room.change("alice", source_language="en")
        assert await room.voice_of("alice", "es") == HIGH


@without_waiting
async def test_a_room_without_policies_has_default_voices() -> None:
    """None is the default voice."""
    async with simulated_room(Entry(EARS)) as room:
        room.join("alice")

        assert await room.voice_of("alice", "es") is None


@without_waiting
async def test_a_plugin_that_breaks_is_passed_over_and_told() -> None:
    """The room goes on, and the test can look at the error itself."""
    async with simulated_room(Entry(_breaking(_raise)), Entry(VOICES, name="voices")) as room:
        room.join("alice", source_language="en")

        passed = (("plugin", "broke: ValueError"),)
        assert await room.explain("alice", "es") == Verdict(HIGH, "voices", passed)
        assert str(room.failures[0]) == "the plugin plugin broke at call: broke: ValueError"
        assert str(room.failures[0].__cause__) == "the plugin's own words"


def test_deadlines_take_no_time() -> None:
    """A plugin that hangs is passed over after a second that nobody waits for."""

    @without_waiting
    async def run() -> None:
        async with simulated_room(Entry(VOICES, {"delay_seconds": 7000.0})) as room:
            room.join("alice", source_language="en")
            verdict = await room.explain("alice", "es")
            assert [reason for _, reason in verdict.passed] == ["gave no answer within 1 s"]

            await asyncio.sleep(61)
            room.change("alice", attributes={"a": "b"})
            verdict = await room.explain("alice", "es")
            assert [reason for _, reason in verdict.passed] == ["gave no answer within 1 s"]

    began = time.monotonic()
    run()
    assert time.monotonic() - began < 30


async def test_it_works_on_any_event_loop() -> None:
    """Whoever likes to wait may."""
    async with simulated_room(Entry(VOICES)) as room:
        room.join("alice", source_language="en")

        assert await room.voice_of("alice", "es") == HIGH


@without_waiting
async def test_listeners_hear_what_is_said() -> None:
    """An utterance has one name and one beginning, its partials and translations included."""
    opened: list[Voices] = []
    async with simulated_room(Entry(_voices(opened)), name="r") as room:
        room.join("alice", source_language="en")
        partial = await room.say("alice", "hello", is_final=False)
        first = await room.say("alice", "hello there", translations={"es": "hola", "de": "hallo"})
        second = await room.say("alice", "bye")

    events = opened[0].told
    alice = a_speaker("alice", source_language="en")
    assert (partial, first, second) == ("utterance-1", "utterance-1", "utterance-2")
    assert [(it.text, it.language, it.is_final) for it in events] == [
        ("hello", "en", False),
        ("hello there", "en", True),
        ("hola", "es", True),
        ("hallo", "de", True),
        ("bye", "en", True),
    ]
    began = transcript_event("").began_at
    assert events[2] == transcript_event(
        "hola",
        speaker=alice,
        language="es",
        utterance="utterance-1",
        is_translation=True,
        original="hello there",
        began_at=began,
        told_at=began + timedelta(seconds=1),
        room="r",
    )
    assert events[4].began_at == events[2].told_at
    assert events[4].told_at - events[4].began_at == timedelta(seconds=0.5)


@without_waiting
async def test_words_tell_the_language() -> None:
    """Two utterances in a row that agree are a fact from then on, as in a real room."""
    async with simulated_room(Entry(VOICES)) as room:
        room.join("alice")
        with pytest.raises(ValueError, match="it is not known what alice speaks"):
            await room.say("alice", "hola")

        await room.say("alice", "hola", language="es-MX")
        assert await room.voice_of("alice", "es") == HIGH
        await room.say("alice", "adiós")
        with pytest.raises(LookupError, match="alice speaks es"):
            await room.voice_of("alice", "es")


@pytest.mark.parametrize("pitch_hz", [90.0, 120.0, 200.0, 260.0])
def test_a_voice_is_estimated_as_it_sounds(pitch_hz: float) -> None:
    """What is spoken reaches the estimator, and its estimate the policies."""

    @without_waiting
    async def run() -> None:
        async with simulated_room(Entry(EARS), Entry(VOICES)) as room:
            room.join("alice", source_language="en")
            assert await room.speak("alice", pitch_hz=pitch_hz, seconds=1.0) is None

            timbre = await room.speak("alice", pitch_hz=pitch_hz)
            assert timbre is not None
            assert timbre.pitch_hz == pytest.approx(pitch_hz, rel=0.03)
            assert await room.voice_of("alice", "es") == (LOW if pitch_hz < 160 else HIGH)

    run()


@without_waiting
async def test_any_sound_can_be_spoken() -> None:
    """Samples are taken as they are, where they could come from a microphone."""
    async with simulated_room(Entry(EARS)) as room:
        room.join("alice")
        assert await room.speak("alice", np.zeros(5 * 48_000, np.int16)) is None
        assert await room.speak("alice", a_speech(100.0, seconds=2.5).samples) is not None

        with pytest.raises(ValueError, match="int16 in one dimension, not float64 in 2"):
            await room.speak("alice", np.zeros((5, 2)))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@without_waiting
async def test_a_changed_list_keeps_what_is_equal() -> None:
    """A plugin whose entry stays is not opened anew; the others are."""
    opened: list[Voices] = []
    recipe = _voices(opened)
    async with simulated_room(Entry(recipe)) as room:
        room.join("alice", source_language="en")
        await room.reconfigure(Entry(recipe, {"voice": "default_low"}), Entry(recipe))

        assert await room.voice_of("alice", "es") == LOW
        assert [it.config.voice for it in opened] == ["default_high", "default_low"]


@without_waiting
async def test_wrong_configs_raise_as_in_a_room() -> None:
    """With every mistake, its path and what was probably meant."""
    with pytest.raises(RoomConfigError) as refused:
        async with simulated_room(Entry(VOICES, {"voise": "x"}), Entry(EARS, {"a": 1})):
            pytest.fail("it must not open")

    misspelt, unknown = refused.value.problems
    assert str(misspelt) == 'plugins[0].config.voise: unknown key, did you mean "voice"?'
    assert unknown.path == "plugins[1].config.a"


@without_waiting
async def test_wrong_settings_raise_as_at_a_workers_start() -> None:
    """What an operator says is checked before a room's word."""
    with pytest.raises(SettingsError, match=r"plugins\.mine\.acount: .* did you mean \"account\""):
        async with simulated_room(Entry(VOICES, settings={"acount": "x"}, name="mine")):
            pytest.fail("it must not open")


@without_waiting
async def test_one_name_is_one_plugin() -> None:
    """A name stands for one recipe with one table of settings."""
    for other in (Entry(EARS, name="x"), Entry(VOICES, settings={"account": "a"}, name="x")):
        with pytest.raises(ValueError, match='"x" has two recipes or two tables of settings'):
            async with simulated_room(Entry(VOICES, name="x"), other):
                pytest.fail("it must not open")


@without_waiting
async def test_a_wrong_language_is_refused() -> None:
    """Rooms offer what Palabra has."""
    with pytest.raises(RoomConfigError, match=r"languages\[0\]"):
        async with simulated_room(Entry(VOICES), languages=["klingon"]):
            pytest.fail("it must not open")


WRONG: list[tuple[Callable[[SimulatedRoom], object], str]] = [
    (lambda room: room.leave("bob"), "bob is not in the room; there is alice"),
    (lambda room: room.change("bob"), "bob is not in the room; there is alice"),
    (lambda room: room.detect("alice", "klingon"), '"klingon" is no language'),
    (lambda room: room.join("bob", source_language="klingon"), '"klingon" is no language'),
    (lambda room: room.voice_of("alice", "fr"), '"fr" is not offered in this room; offered is en'),
    (lambda room: room.say("alice", "x", translations={"fr": "x"}), '"fr" is not offered'),
    (lambda room: room.speak("bob"), "bob is not in the room"),
    (lambda room: room.speak("alice", pitch_hz=5.0), "pitch_hz must be between 40 and 1000, not 5"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG, ids=[words for _, words in WRONG])
def test_what_cannot_be_is_said_in_a_sentence(
    wrong: Callable[[SimulatedRoom], object], words: str
) -> None:
    """A mistake in a test reads as one."""

    @without_waiting
    async def run() -> None:
        async with simulated_room(Entry(VOICES)) as room:
            room.join("alice", source_language="en")
            with pytest.raises((LookupError, ValueError), match=words):
                await _awaited(wrong(room))

    run()


async def _awaited(came: object) -> None:
    if asyncio.iscoroutine(came):
        await came


def test_a_failing_assertion_comes_out_as_itself() -> None:
    """No group of errors stands around what an author is to read."""

    @without_waiting
    async def run() -> None:
        async with simulated_room(Entry(VOICES)) as room:
            room.join("alice", source_language="en")
            assert await room.voice_of("alice", "es") == LOW

    with pytest.raises(AssertionError):
        run()


def test_a_test_that_leaves_a_task_fails() -> None:
    """Whatever a plugin started must have ended."""

    @without_waiting
    async def run() -> None:
        left.append(asyncio.get_running_loop().create_task(asyncio.sleep(10), name="forgotten"))

    left: list[asyncio.Task[None]] = []
    with pytest.raises(AssertionError, match="forgotten"):
        run()


def test_a_test_that_waits_for_nothing_fails() -> None:
    """A clock that may jump notices when there is nothing to jump to."""

    @without_waiting
    async def run() -> None:
        await asyncio.sleep(3 * 3600 + 1)

    with pytest.raises(TimeoutError):
        run()


def test_arguments_reach_a_test(tmp_path: Path) -> None:
    """A test with fixtures or parameters keeps them."""
    seen: list[Path] = []

    @without_waiting
    async def run(tmp_path: Path, *, number: int) -> None:
        seen.extend([tmp_path] * number)

    run(tmp_path, number=2)
    assert seen == [tmp_path, tmp_path]


def test_everything_public_is_documented() -> None:
    """What strangers see first says what it is for."""
    for name in palabra_agent.testing.__all__:
        assert getattr(palabra_agent.testing, name).__doc__, name


@without_waiting
async def test_facts_are_for_looking_at() -> None:
    """A plugin that writes into the facts that it is given breaks in its tests already."""

    class Scribbler:
        async def choose_voice(self, request: VoiceRequest) -> None:
            cast("dict[str, str]", request.speaker.attributes)["mine"] = "yes"

    @asynccontextmanager
    async def open_it(room: RoomInfo[Any], config: NoConfig) -> AsyncGenerator[Scribbler]:
        yield Scribbler()

    async with simulated_room(Entry(Plugin(NoConfig, open_it))) as room:
        room.join("alice", attributes={"a": "b"}, source_language="en")
        await room.voice_of("alice", "es")

    assert isinstance(room.failures[0].__cause__, TypeError)
    with pytest.raises(TypeError):
        await Scribbler().choose_voice(voice_request(a_speaker(attributes={"a": "b"})))


@without_waiting
async def test_an_example_that_does_not_fit_is_refused() -> None:
    """Its author is the only one who would ever be told."""
    plugin = Plugin(Config, VOICES.open, settings_model=Settings, example={"voise": "default_low"})

    with pytest.raises(RoomConfigError) as caught:
        async with simulated_room(Entry(plugin)):
            pass

    assert str(caught.value) == 'plugin.example.voise: unknown key, did you mean "voice"?'


@without_waiting
async def test_what_fails_in_the_block_says_what_plugins_did() -> None:
    """A wrong voice is most often one of a plugin that broke."""

    async def be_unlucky() -> None:
        async with simulated_room(Entry(_breaking(_raise))) as room:
            room.join("alice", source_language="en")
            await room.voice_of("alice", "es")
            raise AssertionError("unlucky")

    with pytest.raises(AssertionError, match="unlucky") as caught:
        await be_unlucky()

    assert caught.value.__notes__ == ["the plugin plugin broke at call: broke: ValueError"]
