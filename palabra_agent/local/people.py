"""Simulated people: they join a room, speak, listen, read and write as participants' apps do.

This module alone knows the token with which a person comes, which this process mints, and how a
person uses LiveKit's room: the microphone they publish, and what they ask of the server. What they
have heard and read is kept, bounded, and may be asked for at any time;
`SimulatedPerson.wait_for` waits until an answer is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, Protocol, TypeAlias, TypeVar

from livekit import api, rtc
from livekit.rtc.participant import UnpublishTrackError

from palabra_agent.audio.event_path import narrow_events
from palabra_agent.audio.pcm import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from palabra_agent.audio.rtc import AudioOutput, microphone_options
from palabra_agent.concurrency import complete_or_undo, single_failure
from palabra_agent.errors import MeetingError
from palabra_agent.local.reception import ReceivedCaption, ReceivedChat, Reception
from palabra_agent.local.recording import AUDIBLE_DB, Recording
from palabra_agent.meeting.attributes import STATE_ATTRIBUTE
from palabra_agent.meeting.livekit_names import TOPIC_CHAT
from palabra_agent.network import lead_sdk

AGENT_IDENTITY: Final = "palabra-interpreter"
_CONNECT_SECONDS: Final = 20.0
_GRACE_SECONDS: Final = 3.0
_CALL_SECONDS: Final = 10.0
_LEAVE_SECONDS: Final = 2.0

ResultT = TypeVar("ResultT")

ParticipantKind: TypeAlias = Literal["standard", "sip"]


class Server(Protocol):
    """The address and the keys with which the rooms of a LiveKit server are joined."""

    @property
    def url(self) -> str:
        """For rooms: `ws://127.0.0.1:7880`."""
        ...

    @property
    def api_key(self) -> str:
        """Signs tokens, with the secret."""
        ...

    @property
    def api_secret(self) -> str:
        """Signs tokens."""
        ...


@asynccontextmanager
async def join(
    server: Server,
    room: str,
    identity: str,
    *,
    name: str = "",
    attributes: Mapping[str, str] | None = None,
    kind: ParticipantKind = "standard",
    microphone: bool = True,
    hears: Callable[[str], bool] = lambda track: track.startswith("translation_"),
    options: rtc.RoomOptions | None = None,
) -> AsyncGenerator[SimulatedPerson]:
    """Be in a room while the block runs.

    Args:
        server: Which LiveKit, and the keys with which this process mints the token.
        room: Made by LiveKit when it does not exist.
        identity: Unique in the room.
        name: What others see; the identity by default.
        attributes: Such as `palabra.speak`, `palabra.listen`, `language`.
        kind: Of participant; a caller by telephone is of kind SIP.
        microphone: Whether one is published at once, so that others see the person at once.
        hears: Names of the tracks whose sound is kept.
        options: LiveKit's own.

    Raises:
        MeetingError: The room cannot be joined.
    """
    livekit_room = rtc.Room()
    reception = Reception(livekit_room, hears)
    person = SimulatedPerson(livekit_room, reception, identity)
    token = mint_token(server, room, identity, name=name, attributes=attributes, kind=kind)

    lead_sdk(server.url)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            connecting = livekit_room.connect(server.url, token, options or rtc.RoomOptions())
            # one that is cancelled before it is done makes the SDK end this process
            await complete_or_undo(
                connecting, grace_seconds=_GRACE_SECONDS, undo=lambda _: person.leave()
            )
    except rtc.ConnectError as error:
        raise MeetingError(f"the room at {server.url} cannot be joined: {error.message}") from None
    except TimeoutError:
        raise MeetingError(f"the room at {server.url} cannot be joined: no answer") from None

    narrow_events(livekit_room)
    with single_failure():
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(reception.listen(), name=f"receive:{identity}")
            try:
                if microphone:
                    await person.publish_microphone()
                yield person
            finally:
                listening.cancel()
                await person.leave()


def mint_token(
    server: Server,
    room: str,
    identity: str,
    *,
    name: str = "",
    attributes: Mapping[str, str] | None = None,
    kind: ParticipantKind = "standard",
) -> str:
    """Sign a token with which a person may do in a room all that participants usually may."""
    return (
        api.AccessToken(server.api_key, server.api_secret)
        .with_identity(identity)
        .with_name(name or identity)
        .with_attributes(dict(attributes or {}))
        .with_kind(kind)
        .with_ttl(timedelta(hours=6))
        .with_grants(
            api.VideoGrants(
                room_join=True,
                room=room,
                can_publish=True,
                can_subscribe=True,
                can_publish_data=True,
                can_update_own_metadata=True,
            )
        )
        .to_jwt()
    )


@dataclass(frozen=True, slots=True)
class Utterance:
    """The time in which a person spoke, by the monotonic clock."""

    started: float
    ended: float


class SimulatedMicrophone:
    """A microphone that a simulated person has published; made by `SimulatedPerson.publish`."""

    def __init__(self, output: AudioOutput, publication: rtc.LocalTrackPublication) -> None:
        self.output = output
        self.publication = publication

    @property
    def sid(self) -> str:
        """LiveKit's id of the track as it is published now."""
        return self.publication.sid

    async def say(self, speech: Pcm) -> Utterance:
        """Speak into it in real time."""
        started = time.monotonic()
        for place in range(0, speech.size, FRAME_SAMPLES):
            await self.output.write(speech[place : place + FRAME_SAMPLES])

        ended = started + speech.size / SAMPLE_RATE
        await asyncio.sleep(max(0.0, ended - time.monotonic()))
        return Utterance(started, ended)

    def mute(self) -> None:
        """Mute it: others see it as muted and hear silence."""
        self.output.track.mute()

    def unmute(self) -> None:
        """Undo `mute`."""
        self.output.track.unmute()


class SimulatedPerson:
    """A participant in a room; made by `join`."""

    def __init__(self, room: rtc.Room, reception: Reception, identity: str) -> None:
        self.room = room
        """LiveKit's own room, for whatever is not offered here."""
        self.identity = identity
        self._reception = reception
        self._microphone: SimulatedMicrophone | None = None
        self._published: list[SimulatedMicrophone] = []

    @property
    def captions(self) -> deque[ReceivedCaption]:
        """Every caption read, in order; the last thousand."""
        return self._reception.captions

    @property
    def latest_captions(self) -> dict[str, ReceivedCaption]:
        """Each segment's newest version, by segment id."""
        return {caption.segment_id: caption for caption in self._reception.captions}

    @property
    def chat(self) -> deque[ReceivedChat]:
        """Every chat message read, in order; the last thousand."""
        return self._reception.chat

    @property
    def statuses(self) -> deque[dict[str, int]]:
        """Everything the interpreter told them of their own interpretation; the last thousand."""
        return self._reception.statuses

    @property
    def tracks(self) -> frozenset[str]:
        """Names of the tracks that are subscribed to now."""
        return self._reception.tracks

    def recording(self, track: str) -> Recording:
        """The sound that was heard on a track of this name; empty if there was none yet."""
        return self._reception.recording(track)

    def level_db(self, track: str, hz: float, *, seconds: float = 0.5) -> float:
        """The level of a tone in the newest sound of a track."""
        return self.recording(track).level_db(hz, seconds=seconds)

    @property
    def interpreter(self) -> rtc.RemoteParticipant | None:
        """The interpreter as seen from here, if there is one.

        It is an agent that shows how it is doing. Its identity tells nothing: others may have it.
        """
        agent = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        agents = (it for it in self.room.remote_participants.values() if it.kind == agent)
        return next((it for it in agents if STATE_ATTRIBUTE in it.attributes), None)

    def attributes_of(self, identity: str | None = None) -> dict[str, str]:
        """A participant's attributes as seen from here, the interpreter's by default.

        Empty if they are not in the room.
        """
        participants = self.room.remote_participants
        seen = self.interpreter if identity is None else participants.get(identity)
        return dict(seen.attributes) if seen else {}

    async def wait_for(
        self, question: Callable[[], ResultT | None], timeout: float, what: str = ""
    ) -> ResultT:
        """Ask again whenever something is heard, read or seen, until the answer is true.

        Raises:
            TimeoutError: There was none in time; `what` says what was waited for.
        """
        try:
            async with asyncio.timeout(timeout):
                while not (answer := question()):
                    await self._reception.wait_for_change()
        except TimeoutError:
            wanted = what or "what was waited for"
            raise TimeoutError(
                f"{self.identity} has not got {wanted} within {timeout:g} s"
            ) from None

        return answer

    async def wait_for_tone(
        self,
        track: str,
        hz: float,
        timeout: float,
        *,
        since: float | None = None,
        above_db: float = AUDIBLE_DB,
    ) -> float:
        """Wait until a tone was heard on a track; returns when, by the monotonic clock.

        Raises:
            TimeoutError: It was not heard in time.
        """
        start = time.monotonic() if since is None else since
        return await self.wait_for(
            lambda: self.recording(track).first_tone(hz, start, above_db=above_db),
            timeout,
            f"{hz:g} Hz on {track}",
        )

    async def wait_for_interpreter(self, timeout: float, state: str = "live") -> None:
        """Wait until the interpreter is in the room and in a state.

        Raises:
            TimeoutError: It is not, in time.
        """
        await self.wait_for(
            lambda: self.attributes_of().get("palabra.state") == state,
            timeout,
            f"an interpreter that is {state}",
        )

    async def say(self, speech: Pcm) -> Utterance:
        """Speak in real time, publishing a microphone first where there is none."""
        if self._microphone is None:
            await self.publish_microphone()
        assert self._microphone is not None
        return await self._microphone.say(speech)

    async def publish_microphone(self) -> None:
        """Publish a microphone, silent until `say`."""
        self._microphone = await self.publish(f"microphone_{self.identity}")

    async def unpublish_microphone(self) -> None:
        """Take the microphone out of the room."""
        if self._microphone is not None:
            await self.unpublish(self._microphone)

    async def publish(
        self, name: str, options: rtc.TrackPublishOptions | None = None
    ) -> SimulatedMicrophone:
        """Publish one more microphone, silent until it is spoken into.

        Args:
            name: Of the track.
            options: LiveKit's own; by default those of a microphone.
        """
        output = AudioOutput(name)
        async with asyncio.timeout(_CALL_SECONDS):
            publication = await self.room.local_participant.publish_track(
                output.track, options or microphone_options()
            )
        microphone = SimulatedMicrophone(output, publication)
        self._published.append(microphone)
        return microphone

    async def unpublish(self, microphone: SimulatedMicrophone) -> None:
        """Take a microphone out of the room."""
        self._published.remove(microphone)
        if microphone is self._microphone:
            self._microphone = None

        async with asyncio.timeout(_CALL_SECONDS):
            await self.room.local_participant.unpublish_track(microphone.sid)
        await microphone.output.aclose()

    @property
    def microphone_sid(self) -> str:
        """The track id of the microphone as it is published now; empty without one."""
        return self._microphone.sid if self._microphone else ""

    def mute(self) -> None:
        """Mute the microphone: others see it as muted and hear silence."""
        if self._microphone is not None:
            self._microphone.mute()

    def unmute(self) -> None:
        """Undo `mute`."""
        if self._microphone is not None:
            self._microphone.unmute()

    async def set_attributes(self, attributes: Mapping[str, str]) -> None:
        """Say something about oneself, such as `palabra.listen`."""
        async with asyncio.timeout(_CALL_SECONDS):
            await self.room.local_participant.set_attributes(dict(attributes))

    async def write(self, text: str) -> None:
        """Write a chat message to all in the room."""
        async with asyncio.timeout(_CALL_SECONDS):
            await self.room.local_participant.send_text(text, topic=TOPIC_CHAT)

    async def press(self, keys: str) -> None:
        """Press keys of a telephone, one after the other."""
        async with asyncio.timeout(_CALL_SECONDS):
            for key in keys:
                code = "0123456789*#".index(key)
                await self.room.local_participant.publish_dtmf(code=code, digit=key)

    async def call(self, method: str, payload: str = "") -> str:
        """Call an RPC method of the interpreter, which must be there."""
        interpreter = self.interpreter
        return await self.room.local_participant.perform_rpc(
            destination_identity=interpreter.identity if interpreter else AGENT_IDENTITY,
            method=method,
            payload=payload,
            response_timeout=_CALL_SECONDS,
        )

    async def leave(self) -> None:
        """Leave the room now; leaving twice is leaving once."""
        if not self.room.isconnected():
            return

        with contextlib.suppress(TimeoutError, UnpublishTrackError):
            async with asyncio.timeout(_LEAVE_SECONDS):
                while self._published:
                    await self.unpublish(self._published[-1])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self.room.disconnect()
