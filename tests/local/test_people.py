"""Simulated people against the real server: what one says and writes, the other hears and reads."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest
from livekit import rtc

from palabra_agent.audio.tones import tone
from palabra_agent.errors import MeetingError
from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.people import SimulatedPerson, join
from palabra_agent.meeting.livekit_names import TOPIC_TRANSCRIPTION
from tests.clock import HANG_SECONDS

pytestmark = pytest.mark.livekit


def _hears_all(track: str) -> bool:
    return True


async def test_speech_is_heard_by_the_other(livekit_server: RunningLiveKit) -> None:
    """A tone said in real time arrives within a quarter of a second, and then stops."""
    async with (
        join(livekit_server, "heard", "alice") as alice,
        join(livekit_server, "heard", "bruno", hears=_hears_all) as bruno,
    ):
        await bruno.wait_for(lambda: "microphone_alice" in bruno.tracks, HANG_SECONDS)
        said = await alice.say(tone(440, 1.5))
        heard = await bruno.wait_for_tone("microphone_alice", 440, HANG_SECONDS, since=said.started)

        assert said.ended - said.started == pytest.approx(1.5, abs=0.05)
        assert 0 < heard - said.started < 0.6
        await bruno.wait_for(
            lambda: bruno.level_db("microphone_alice", 440, seconds=0.2) < -60, HANG_SECONDS
        )


async def test_only_chosen_tracks_are_recorded(livekit_server: RunningLiveKit) -> None:
    """By default people keep the interpretation's channels, not each other's microphones."""
    async with (
        join(livekit_server, "chosen", "alice") as alice,
        join(livekit_server, "chosen", "bruno") as bruno,
    ):
        await bruno.wait_for(lambda: "microphone_alice" in bruno.tracks, HANG_SECONDS)
        await alice.say(tone(440, 0.5))

        assert bruno.recording("microphone_alice").seconds == 0


def has_read(person: SimulatedPerson, caption: str) -> bool:
    """Whether a person has read a caption."""
    return caption in {it.text for it in person.captions}


async def test_captions_and_chat_are_read(livekit_server: RunningLiveKit) -> None:
    """Text streams become captions with their facts, a later one replacing an earlier, and chat."""
    async with (
        join(livekit_server, "read", "alice", microphone=False) as alice,
        join(livekit_server, "read", "bruno", microphone=False) as bruno,
    ):
        for text, final in (("Hola", "false"), ("Hola a todos", "true")):
            await alice.room.local_participant.send_text(
                text,
                topic=TOPIC_TRANSCRIPTION,
                attributes={
                    "lk.segment_id": "S1",
                    "lk.transcription_final": final,
                    "lk.transcribed_track_id": "TR_1",
                    "language": "es",
                    "translated": "true",
                },
            )
            # each is read by a task of its own
            await bruno.wait_for(partial(has_read, bruno, text), HANG_SECONDS)
        await alice.write("hello")
        final_caption = await bruno.wait_for(
            lambda: next((c for c in bruno.captions if c.is_final), None), 5
        )
        message = await bruno.wait_for(lambda: next(iter(bruno.chat), None), HANG_SECONDS)

    assert (final_caption.text, final_caption.speaker) == ("Hola a todos", "alice")
    assert (final_caption.segment_id, final_caption.track_id) == ("S1", "TR_1")
    assert (final_caption.language, final_caption.is_translated) == ("es", True)
    assert [c.is_final for c in bruno.captions] == [False, True]
    assert bruno.latest_captions == {"S1": final_caption}
    assert (message.sender, message.text, message.kind) == ("alice", "hello", "")


async def test_attributes_are_seen_and_may_be_changed(livekit_server: RunningLiveKit) -> None:
    """What a person says of themself in the token and later is seen by the other."""
    wishes = {"palabra.listen": "es"}
    async with (
        join(livekit_server, "wishes", "alice", attributes=wishes) as alice,
        join(livekit_server, "wishes", "bruno") as bruno,
    ):
        await bruno.wait_for(lambda: bruno.attributes_of("alice") == wishes, HANG_SECONDS)
        await alice.set_attributes({"palabra.listen": "de", "palabra.speak": "en"})
        await bruno.wait_for(
            lambda: bruno.attributes_of("alice") == {"palabra.listen": "de", "palabra.speak": "en"},
            HANG_SECONDS,
        )

        assert bruno.attributes_of("dora") == {}


def _is_muted(person: SimulatedPerson, identity: str) -> bool:
    participant = person.room.remote_participants[identity]
    return any(track.muted for track in participant.track_publications.values())


async def test_a_microphone_is_muted_withdrawn_and_published_again(
    livekit_server: RunningLiveKit,
) -> None:
    """Others see each of it, and hear what is said into the second microphone."""
    async with (
        join(livekit_server, "mute", "alice") as alice,
        join(livekit_server, "mute", "bruno", hears=_hears_all) as bruno,
    ):
        await bruno.wait_for(lambda: "microphone_alice" in bruno.tracks, HANG_SECONDS)
        first_sid = alice.microphone_sid
        alice.mute()
        await bruno.wait_for(lambda: _is_muted(bruno, "alice"), HANG_SECONDS)
        alice.unmute()
        await bruno.wait_for(lambda: not _is_muted(bruno, "alice"), HANG_SECONDS)
        await alice.unpublish_microphone()
        await bruno.wait_for(lambda: "microphone_alice" not in bruno.tracks, HANG_SECONDS)

        said = await alice.say(tone(440, 1.0))
        await bruno.wait_for_tone("microphone_alice", 440, HANG_SECONDS, since=said.started)
        assert alice.microphone_sid != first_sid


async def test_hearing_survives_a_full_reconnect(livekit_server: RunningLiveKit) -> None:
    """After everything was torn down and rebuilt the same names are heard again."""
    async with (
        join(livekit_server, "again", "alice") as alice,
        join(livekit_server, "again", "bruno", hears=_hears_all) as bruno,
    ):
        await bruno.wait_for(lambda: "microphone_alice" in bruno.tracks, HANG_SECONDS)
        back = asyncio.Event()
        bruno.room.on("reconnected", back.set)
        await bruno.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
        async with asyncio.timeout(15):
            await back.wait()
        await bruno.wait_for(lambda: "microphone_alice" in bruno.tracks, HANG_SECONDS)

        said = await alice.say(tone(440, 1.0))
        await bruno.wait_for_tone("microphone_alice", 440, HANG_SECONDS, since=said.started)


async def test_a_person_who_leaves_is_gone_at_once(livekit_server: RunningLiveKit) -> None:
    """Leaving before the block ends is allowed, and the others see it."""
    async with (
        join(livekit_server, "leave", "alice") as alice,
        join(livekit_server, "leave", "bruno") as bruno,
    ):
        await bruno.wait_for(lambda: "alice" in bruno.room.remote_participants, HANG_SECONDS)
        await alice.leave()
        await bruno.wait_for(lambda: "alice" not in bruno.room.remote_participants, HANG_SECONDS)


async def test_a_room_is_handed_no_event_of_another(livekit_server: RunningLiveKit) -> None:
    """A process may be in many rooms: what happens in one costs the others nothing."""
    async with (
        join(livekit_server, "one", "alice", microphone=False) as alice,
        join(livekit_server, "other", "bruno", microphone=False) as bruno,
    ):
        # all that the SDK's room has looked at
        handed = alice.room._room_queue.subscribe()
        await bruno.write("hello")
        await bruno.room.local_participant.set_attributes({"of": "bruno"})
        await alice.room.local_participant.set_attributes({"of": "alice"})
        try:
            async with asyncio.timeout(HANG_SECONDS):
                event = await handed.get()
        finally:
            alice.room._room_queue.unsubscribe(handed)

        assert alice.room._ffi_handle is not None
        assert event.room_event.room_handle == alice.room._ffi_handle.handle
        assert alice.room.local_participant.attributes == {"of": "alice"}


async def test_waiting_in_vain_says_who_waited_for_what(livekit_server: RunningLiveKit) -> None:
    """The sentence of a failed wait names the person, the thing and the deadline, unwrapped."""
    with pytest.raises(TimeoutError) as caught:
        async with join(livekit_server, "vain", "alice") as alice:
            await alice.wait_for_tone("translation_es", 500, 0.2, since=time.monotonic())

    assert str(caught.value) == "alice has not got 500 Hz on translation_es within 0.2 s"


async def test_a_room_that_cannot_be_joined_is_a_sentence(livekit_server: RunningLiveKit) -> None:
    """A server that refuses ends in a MeetingError, without the token."""
    stranger = RunningLiveKit(
        livekit_server.url, "stranger", "x" * 40, livekit_server.node_ip, livekit_server.child
    )
    with pytest.raises(MeetingError, match="cannot be joined") as caught:
        async with join(stranger, "refused", "alice"):
            pass

    assert "ey" + "J" not in str(caught.value)
