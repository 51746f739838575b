"""One session as faults see it: whether it is meant, and in which state they have left it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, cast

from palabra_emulator.faults.catalogue import Moment
from palabra_emulator.faults.reading import FaultRequest
from palabra_emulator.journal import Journal


class Subject(Protocol):
    """A session, as far as faults are concerned."""

    @property
    def session_id(self) -> str:
        """Its id."""
        ...

    @property
    def number(self) -> int:
        """Counted from 0 since the emulator started."""
        ...

    @property
    def running_since(self) -> float | None:
        """When it first ran, by the injection's clock."""
        ...


S = TypeVar("S", bound=Subject)


@dataclass(frozen=True, slots=True)
class TriggeredFault:
    """A fault that strikes."""

    fault: str
    variant: str
    params: Mapping[str, object]
    armed: str
    """The id of what was armed."""

    def text(self, name: str) -> str:
        """A parameter that is a text."""
        return cast("str", self.params[name])

    def whole(self, name: str) -> int:
        """A parameter that is a whole number."""
        return cast("int", self.params[name])

    @property
    def delay_seconds(self) -> float:
        """The parameter `delay_ms`."""
        return self.whole("delay_ms") / 1000


@dataclass(slots=True)
class ArmedFault:
    """A fault that waits for its occasion."""

    id: str
    order: FaultRequest
    since: float
    struck: int = 0
    """How often it has struck."""
    last: dict[str, float] = field(default_factory=dict[str, float])
    """When it struck each session by itself for the last time."""

    @property
    def is_spent(self) -> bool:
        """Whether it has struck often enough."""
        return self.order.times is not None and self.struck >= self.order.times

    def is_due(self, now: float, subject: Subject | None) -> bool:
        """Whether it may strike now, and this session if there is one."""
        order = self.order
        if now < self.since + order.at_seconds:
            return False
        if subject is None:
            return order.session is None
        if order.session is not None and order.session not in {subject.session_id, subject.number}:
            return False
        if not order.after_seconds:
            return True

        running_since = subject.running_since
        return running_since is not None and now >= running_since + order.after_seconds

    def described(self) -> dict[str, object]:
        """What is armed, and how often it has struck."""
        return {"id": self.id, **self.order.described(), "struck": self.struck}


class FaultInjector:
    """All that is armed in one emulator; the clock is monotonic."""

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._journal = journal
        self._armed: dict[str, ArmedFault] = {}
        self._kept: dict[tuple[str, str], TriggeredFault] = {}
        self._count = 0

    @property
    def armed(self) -> list[ArmedFault]:
        """What waits for its occasion, oldest first."""
        return list(self._armed.values())

    def arm(self, order: FaultRequest) -> ArmedFault:
        """Let a fault wait for its occasion."""
        self._count += 1
        armed = ArmedFault(str(self._count), order, self.clock())
        self._armed[armed.id] = armed
        self._journal.add(None, "fault", armed=armed.id, action="armed", **order.named())
        return armed

    def withdraw(self, armed_id: str) -> bool:
        """Let it wait no longer, and what it keeps up end; false if there is no such."""
        is_known = self._armed.pop(armed_id, None) is not None
        kept = [key for key, stroke in self._kept.items() if stroke.armed == armed_id]
        for key in kept:
            del self._kept[key]
        if is_known or kept:
            self._journal.add(None, "fault", armed=armed_id, action="withdrawn")

        return is_known or bool(kept)

    def forget(self, session_id: str) -> None:
        """Remember nothing about a session that nobody can ask about any more."""
        for key in [key for key in self._kept if key[1].partition(" ")[0] == session_id]:
            del self._kept[key]
        for armed in self._armed.values():
            armed.last.pop(session_id, None)

    def withdraw_all(self) -> int:
        """Withdraw everything; says how many there were."""
        ids = {*self._armed, *(stroke.armed for stroke in self._kept.values())}
        return sum(self.withdraw(armed_id) for armed_id in sorted(ids, key=int))

    def strike(
        self,
        moment: Moment,
        subject: Subject | None = None,
        *,
        among: Collection[str] | None = None,
        fits: Callable[[TriggeredFault], bool] = lambda stroke: True,
        **place: object,
    ) -> TriggeredFault | None:
        """Say whether a fault strikes at a moment, and count it.

        Args:
            moment: What happens.
            subject: The session to which it happens, where there is one.
            among: The only faults that are asked about.
            fits: Whether the parameters of a fault fit the occasion.
            place: What the journal is told about the occasion.
        """
        for armed in self._waiting(moment, subject, among):
            stroke = _stroke(armed)
            if fits(stroke):
                self._count_stroke(armed, subject, place)
                return stroke

        return None

    def strike_once(
        self,
        moment: Moment,
        subject: Subject,
        what: str = "",
        *,
        among: Collection[str],
        fits: Callable[[TriggeredFault], bool] = lambda stroke: True,
    ) -> TriggeredFault | None:
        """Say whether a fault strikes a session, or something of it, and keep to the answer."""
        key = _key(moment, subject, what, among)
        if key not in self._kept:
            stroke = self.strike(moment, subject, among=among, fits=fits)
            if stroke is None:
                return None
            self._kept[key] = stroke

        return self._kept[key]

    def kept(
        self, moment: Moment, subject: Subject, among: Collection[str], what: str = ""
    ) -> TriggeredFault | None:
        """What `strike_once` has answered before."""
        return self._kept.get(_key(moment, subject, what, among))

    def strike_all(self, subjects: Collection[S]) -> list[tuple[S, TriggeredFault]]:
        """Find what strikes by itself now; one stroke takes every session that is meant."""
        found: list[tuple[S, TriggeredFault]] = []
        now = self.clock()
        for armed in self.armed:
            if armed.order.variant.moment != "now":
                continue
            pause = armed.order.every_seconds
            struck = [
                subject
                for subject in subjects
                if armed.is_due(now, subject)
                and now - armed.last.get(subject.session_id, -pause) >= pause
            ]
            for subject in struck:
                armed.last[subject.session_id] = now
                found.append((subject, _stroke(armed)))
            if struck:
                sessions = [subject.session_id for subject in struck]
                alone = struck[0] if len(struck) == 1 else None
                self._count_stroke(armed, alone, {} if alone else {"sessions": sessions})

        return found

    def _waiting(
        self, moment: Moment, subject: Subject | None, among: Collection[str] | None
    ) -> Iterator[ArmedFault]:
        now = self.clock()
        for armed in self.armed:
            order = armed.order
            is_meant = among is None or order.fault.id in among
            if is_meant and order.variant.moment == moment and armed.is_due(now, subject):
                yield armed

    def _count_stroke(
        self, armed: ArmedFault, subject: Subject | None, place: Mapping[str, object]
    ) -> None:
        armed.struck += 1
        if armed.is_spent:
            del self._armed[armed.id]
        session_id = subject.session_id if subject is not None else None
        facts = {"armed": armed.id, "action": "struck", **armed.order.named(), **place}
        self._journal.add(session_id, "fault", **facts)


def _key(moment: Moment, subject: Subject, what: str, among: Collection[str]) -> tuple[str, str]:
    return f"{moment} {' '.join(sorted(among))}", f"{subject.session_id} {what}"


def _stroke(armed: ArmedFault) -> TriggeredFault:
    order = armed.order
    return TriggeredFault(order.fault.id, order.variant.name, order.params, armed.id)


class SessionFaults:
    """What faults do to one session."""

    def __init__(self, session_id: str, number: int, injection: FaultInjector) -> None:
        self.session_id = session_id
        self.number = number
        self.running_since: float | None = None
        """When it first ran."""
        self.is_mute = False
        """Whether nothing that it says arrives."""
        self.is_deaf = False
        """Whether it hears no sound."""
        self.is_away = False
        """Whether its bot has left."""
        self.renews_tracks = False
        """Whether the next offer of tracks publishes all of them anew."""
        self.spares_client = False
        """Whether the client is not put out at the end, but finds its room closed."""
        self.close_code: int | None = None
        """What a WebSocket is closed with, instead of what the end would say."""
        self._injection = injection
        self._cut_until = 0.0

    @property
    def is_cut(self) -> bool:
        """Whether there is no network just now."""
        return self.cut_seconds > 0

    @property
    def cut_seconds(self) -> float:
        """How long there is no network yet."""
        return max(0.0, self._cut_until - self._injection.clock())

    def cut(self, seconds: float) -> None:
        """Have no network for a while."""
        self._cut_until = self._injection.clock() + seconds

    def ran(self) -> None:
        """Note that it runs."""
        if self.running_since is None:
            self.running_since = self._injection.clock()

    def strike(
        self,
        moment: Moment,
        among: Collection[str],
        fits: Callable[[TriggeredFault], bool] = lambda stroke: True,
        **place: object,
    ) -> TriggeredFault | None:
        """Say whether a fault strikes here, and count it."""
        return self._injection.strike(moment, self, among=among, fits=fits, **place)

    def strike_once(
        self,
        moment: Moment,
        among: Collection[str],
        what: str = "",
        fits: Callable[[TriggeredFault], bool] = lambda stroke: True,
    ) -> TriggeredFault | None:
        """Say whether a fault strikes this session, or something of it, and keep to the answer."""
        return self._injection.strike_once(moment, self, what, among=among, fits=fits)

    def kept(self, moment: Moment, among: Collection[str]) -> TriggeredFault | None:
        """The fault that struck this session once and for all, if one did."""
        return self._injection.kept(moment, self, among)
