"""Channels: published tracks on which interpretations into one language are heard.

A channel carries all speakers for all who listen to its language, one speaker, or what one listener
is to hear: all but themselves. It lives beside the speakers and outlives their sessions, so a lost
session is a pause and not a track that vanishes, and it has a clock of its own: a speaker who is
late or silent holds no other. Downlinks bring translated tracks into the channels that carry them:
what has come is heard also when its session has ended, or its speaker has left.

A channel delays sound by its mixer's input (`audio/mixer.py`), the lead and the cushion here, and
the short queue of its track (`audio/rtc.py`). Who may hear which channel is decided in `plan.py`.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Final, TypeAlias

import numpy as np

from palabra_agent.audio.buffer import FrameBuffer
from palabra_agent.audio.frame import Frame, FrameSource
from palabra_agent.audio.mixer import Mixer
from palabra_agent.audio.pcm import FRAME_MS, FRAME_SAMPLES, Pcm
from palabra_agent.audio.underlay import Underlay
from palabra_agent.failures import log_failure
from palabra_agent.interpretation.ports import ChannelKey, Meeting, PublishedTrack
from palabra_agent.languages import LanguageCode

_TICK_SECONDS: Final = FRAME_MS / 1000
_STALL_SECONDS: Final = 3 * _TICK_SECONDS
_CUSHION: Final = np.zeros(FRAME_SAMPLES // 2, dtype=np.int16)
"""Played before the first frame after a pause, so that a late tick does not tear a word apart."""

_LEAD_SECONDS: Final = 0.008
"""After a pause the first frame that sounds is played so soon; the next ones, which come by another
clock, may be later by this and the cushion."""

_TAIL_SECONDS: Final = 20.0
"""A track that has ended, and has not sounded for so long, will not end by itself."""

OnSound: TypeAlias = Callable[[str, Pcm, float], None]
"""Told the name of a channel's track, a frame that it plays, and when; must not wait. Of a phone's
channel nothing is told: people's own voices are in it."""

OnSpeech: TypeAlias = Callable[[str, LanguageCode, float], None]
"""Told a speaker, the language that they are interpreted into, and when it was heard."""

logger = logging.getLogger(__name__)


def _ignore(*_: object) -> None:
    pass


class Channel:
    """One published track and the mixer that feeds it."""

    def __init__(
        self,
        key: ChannelKey,
        track: PublishedTrack,
        underlay: Underlay | None = None,
        on_sound: OnSound = _ignore,
    ) -> None:
        self.key = key
        self.mixer = Mixer()
        self.underlay = underlay
        """For what is heard beneath: a phone has it, which gets nothing but its channel."""
        self.is_heard = True
        """False while no person may hear it: then nothing is mixed."""
        self._track = track
        self._on_sound = on_sound
        self._has_sound = asyncio.Event()
        """Set when an input got something to hear since the mix was last taken."""

    @property
    def sid(self) -> str:
        """LiveKit's id of the track now."""
        return self._track.sid

    def hear(self, frame: Frame, backlog: FrameBuffer) -> None:
        """Have a frame played by way of an input, where a person may hear it."""
        if self.is_heard:
            backlog.put(frame)
            if not frame.is_silent:
                self._has_sound.set()

    async def play(self) -> None:
        """Mix and play, one frame a tick, for ever.

        Nothing is written in a pause: the track is silent by itself. The first sound after it sets
        the clock anew, so that it need not wait for a tick. What waits in the track's short queue
        counts where pauses are cut to win delay back, as they need not be silent.
        """
        loop, name = asyncio.get_running_loop(), self.key.track_name
        due = loop.time()
        is_pause = True
        while True:
            due = max(due + _TICK_SECONDS, loop.time() - _STALL_SECONDS)
            if not is_pause:
                await asyncio.sleep(due - loop.time())
            elif await self._sounds_before(due):
                due = loop.time() + _LEAD_SECONDS
                await asyncio.sleep(_LEAD_SECONDS)
            behind_ms = self._track.waiting_ms
            self._has_sound.clear()
            frame = self.mixer.take(behind_ms)
            if self.underlay is not None:
                frame = self.underlay.beneath(frame, behind_ms)
            elif frame is not None:
                self._on_sound(name, frame, loop.time())
            if frame is not None:
                await self._track.write(np.concatenate((_CUSHION, frame)) if is_pause else frame)

            is_pause = frame is None

    async def _sounds_before(self, due: float) -> bool:
        """Wait for something to hear; False where none comes before that time."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self._has_sound.wait()

        return self._has_sound.is_set()


@asynccontextmanager
async def open_channel(
    meeting: Meeting,
    key: ChannelKey,
    underlay: Underlay | None = None,
    on_sound: OnSound = _ignore,
) -> AsyncGenerator[Channel]:
    """Keep a channel published and playing for the length of a block.

    Args:
        meeting: Where it is published.
        key: Names it.
        underlay: For what is heard beneath.
        on_sound: Told what it plays.
    """
    async with meeting.publish(key.track_name) as track, asyncio.TaskGroup() as group:
        channel = Channel(key, track, underlay, on_sound)
        playing = group.create_task(channel.play(), name=f"channel:{key.language}")
        # its whole name may hold identities
        logger.info("channel opened", extra={"language": key.language})
        try:
            yield channel
        finally:
            playing.cancel()


class Route:
    """The way of a speaker's interpretation into the channels that carry it; they share its frames.

    For the length of `Channels.leading`.
    """

    def __init__(self, speaker: str, language: LanguageCode, *, is_typed: bool = False) -> None:
        self.speaker = speaker
        self.language = language
        self.is_typed = is_typed
        """True where it says what the person typed."""
        self.sounded_at = math.inf
        """The time at which it was heard last; in the future while others come first."""
        self._inputs: dict[Channel, FrameBuffer] = {}
        self._is_decided = asyncio.Event()

    def comes_after(self, other: Route) -> bool:
        """Tell whether this says what comes after the other, and so has to wait for its end."""
        here = (self.speaker, self.language, self.is_typed)
        return here == (other.speaker, other.language, other.is_typed)

    def lead_into(self, channel: Channel) -> None:
        """Be heard on a channel from now on, if it carries this."""
        if channel.key.carries(self.speaker, self.language):
            self._inputs[channel] = channel.mixer.add_input()
            self._is_decided.set()

    def leave(self, channel: Channel) -> None:
        """Be heard on a channel no more."""
        backlog = self._inputs.pop(channel, None)
        if backlog is not None:
            channel.mixer.remove_input(backlog)
            # every lost millisecond counts
            logger.info("downlink closed", extra=asdict(backlog.statistics()))

    def leave_all(self) -> None:
        """Be heard no more."""
        for channel in list(self._inputs):
            self.leave(channel)

    def end(self) -> None:
        """Wait for no channel any more: nothing more comes."""
        self._is_decided.set()

    async def is_carried(self) -> bool:
        """Wait until a channel carries this; False where it ended before."""
        await self._is_decided.wait()
        return bool(self._inputs)

    def put(self, frame: Frame) -> None:
        """Have a frame heard."""
        for channel, backlog in self._inputs.items():
            channel.hear(frame, backlog)

    @property
    def held_ms(self) -> float:
        """The sound that is still to be heard."""
        return max((it.statistics().held_ms for it in self._inputs.values()), default=0.0)


class Channels:
    """A room's channels, opened and closed as they are wanted, each by itself."""

    def __init__(
        self,
        meeting: Meeting,
        group: asyncio.TaskGroup,
        on_change: Callable[[], None],
        on_sound: OnSound = _ignore,
    ) -> None:
        self._meeting = meeting
        self._group = group
        self._on_change = on_change
        self._on_sound = on_sound
        self.open: dict[ChannelKey, Channel] = {}
        """Published and playing; changes by itself."""
        self._wanted: dict[ChannelKey, asyncio.Task[None]] = {}
        self.audiences: Mapping[ChannelKey, frozenset[str]] = {}
        """The identities of those who may hear each channel, as was wanted last."""
        self._phones: frozenset[str] = frozenset()
        self._turns = defaultdict[ChannelKey, asyncio.Lock](asyncio.Lock)
        """Held by the one channel of a key that is there, or about to be."""
        self._publishing = asyncio.Lock()
        self._routes: set[Route] = set()

    def follow(
        self, audiences: Mapping[ChannelKey, frozenset[str]], phones: Collection[str] = ()
    ) -> None:
        """Want these channels and no others, each heard by these people; never waits.

        Args:
            audiences: The identities of those who may hear each channel.
            phones: Identities of those among them who call by telephone.
        """
        self.audiences = audiences
        self._phones = frozenset(phones)
        self._meeting.allow({key.track_name: who for key, who in audiences.items()})
        self._meeting.spare_microphones(
            self._phones.intersection(
                key.listener for key, who in audiences.items() if key.listener and who
            )
        )
        for key in self._wanted.keys() - audiences.keys():
            self._wanted.pop(key).cancel()

        for key in audiences:
            if key not in self._wanted:
                self._wanted[key] = self._group.create_task(
                    self._keep_open(key), name=f"channel of {key.language}"
                )
        for channel in self.open.values():
            channel.is_heard = bool(audiences.get(channel.key))

    @property
    def languages(self) -> frozenset[LanguageCode]:
        """Those of the channels that can be heard."""
        return frozenset(key.language for key in self.open)

    def sid_of(self, speaker: str, language: LanguageCode) -> str:
        """The track on which people hear a speaker in a language; empty where there is none.

        A channel that is for all comes before those of single listeners.
        """
        carrying = [it for it in self.open.values() if it.key.carries(speaker, language)]
        carrying.sort(key=lambda channel: channel.key.listener is not None)
        return carrying[0].sid if carrying else ""

    def close(self) -> None:
        """Want none any more, for good."""
        self.follow({})

    @contextmanager
    def leading(self, route: Route) -> Generator[None]:
        """Lead a route, for a block, into whichever channels carry it at the time."""
        for channel in self.open.values():
            route.lead_into(channel)

        self._routes.add(route)
        try:
            yield
        finally:
            self._routes.remove(route)
            route.leave_all()

    async def _keep_open(self, key: ChannelKey) -> None:
        """Keep a channel open until cancelled, once its predecessor is gone."""
        async with self._turns[key], AsyncExitStack() as stack:
            # one after the other, as the room sees one negotiation after the other
            async with self._publishing:
                underlay = Underlay() if key.listener in self._phones else None
                opening = open_channel(self._meeting, key, underlay, self._on_sound)
                channel = await stack.enter_async_context(opening)
            self._begin(channel)
            stack.callback(self._end, channel)
            await asyncio.Event().wait()

    def _begin(self, channel: Channel) -> None:
        self.open[channel.key] = channel
        channel.is_heard = bool(self.audiences.get(channel.key))
        for route in self._routes:
            route.lead_into(channel)

        self._on_change()

    def _end(self, channel: Channel) -> None:
        del self.open[channel.key]
        for route in self._routes:
            route.leave(channel)

        self._on_change()


@asynccontextmanager
async def open_channels(
    meeting: Meeting, on_change: Callable[[], None], on_sound: OnSound = _ignore
) -> AsyncGenerator[Channels]:
    """Have channels for the length of a block; they are unpublished when it ends.

    Args:
        meeting: Where they are published.
        on_change: Called when one is there or gone.
        on_sound: Told what each plays.

    Raises:
        MeetingError: In a group: the room did not let us publish one; the block is cancelled.
    """
    async with asyncio.TaskGroup() as group:
        channels = Channels(meeting, group, on_change, on_sound)
        try:
            yield channels
        finally:
            channels.close()


@dataclass(frozen=True, slots=True)
class _Downlink:
    route: Route
    task: asyncio.Task[None]


class Downlinks:
    """A room's translated tracks on their way into channels, over all sessions of their speakers.

    Sound may come faster than it is spoken, so some of it is still to be heard when its track, the
    session with it, or the speaker, is gone. The speaker's next track in that language waits for
    it. Of a speaker who stays and is interpreted no more, it is cut off: they may hear it.
    """

    def __init__(self, channels: Channels, group: asyncio.TaskGroup) -> None:
        self._channels = channels
        self._group = group
        self._sounding: dict[FrameSource, _Downlink] = {}
        self._ending: list[_Downlink] = []

    def begin(
        self,
        speaker: str,
        language: LanguageCode,
        source: FrameSource,
        on_speech: OnSpeech = _ignore,
        *,
        is_typed: bool = False,
    ) -> None:
        """Bring a track into channels, after those of the speaker that have ended.

        It is listened to as soon as a channel carries it.

        Args:
            speaker: Identity of the one who is interpreted.
            language: The track's.
            source: The track.
            on_speech: Told each frame that is no pause.
            is_typed: It says what the speaker typed.
        """
        self._ending = [it for it in self._ending if not it.task.done()]
        route = Route(speaker, language, is_typed=is_typed)
        before = {it.task for it in self._ending if route.comes_after(it.route)}
        bringing = self._bring(source, route, before, on_speech)
        task = self._group.create_task(bringing, name=f"downlink:{language}")
        self._sounding[source] = _Downlink(route, task)

    def end(self, source: FrameSource) -> None:
        """Let a track run out: nothing more comes."""
        downlink = self._sounding.pop(source, None)
        if downlink is not None:
            downlink.route.end()
            self._ending.append(downlink)
            self._cut_off_later(downlink)

    def cut_off(self, speaker: str, *, is_typed: bool = False) -> None:
        """Bring nothing more of a speaker: what they said, or what they typed."""
        for downlink in self._all:
            if (downlink.route.speaker, downlink.route.is_typed) == (speaker, is_typed):
                downlink.task.cancel()

    def close(self) -> None:
        """Cut off all of them."""
        for downlink in self._all:
            downlink.task.cancel()

    @property
    def _all(self) -> list[_Downlink]:
        return [*self._sounding.values(), *self._ending]

    async def _bring(
        self,
        source: FrameSource,
        route: Route,
        before: set[asyncio.Task[None]],
        on_speech: OnSpeech,
    ) -> None:
        """Bring a track until it is over, or until an error of ours."""
        if before:
            await asyncio.wait(before)

        route.sounded_at = asyncio.get_running_loop().time()
        try:
            with self._channels.leading(route):
                if await route.is_carried():
                    await _relay(source, route, on_speech)
        except Exception as error:  # noqa: BLE001 - a fence, as around a speaker
            log_failure(logger, "an interpretation could not be brought into the room", error)

    def _cut_off_later(self, downlink: _Downlink) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(_TAIL_SECONDS, self._cut_off_unless_heard, downlink, loop.time())

    def _cut_off_unless_heard(self, downlink: _Downlink, since: float) -> None:
        """Give up a track that has ended, unless it sounded since then, or still waits to."""
        if downlink.route.sounded_at > since and not downlink.task.done():
            self._cut_off_later(downlink)
        else:
            downlink.task.cancel()


async def _relay(source: FrameSource, route: Route, on_speech: OnSpeech) -> None:
    """Have a track heard to its end."""
    now = asyncio.get_running_loop().time
    async with source.open_frames() as frames:
        async for frame in frames:
            route.put(frame)
            if not frame.is_silent:
                route.sounded_at = now()
            if not frame.is_pause:
                on_speech(route.speaker, route.language, now())

    await asyncio.sleep(route.held_ms / 1000 + _TICK_SECONDS)


@asynccontextmanager
async def open_downlinks(channels: Channels) -> AsyncGenerator[Downlinks]:
    """Have downlinks for the length of a block; they are cut off when it ends.

    Args:
        channels: Where they lead.
    """
    async with asyncio.TaskGroup() as group:
        downlinks = Downlinks(channels, group)
        try:
            yield downlinks
        finally:
            downlinks.close()
