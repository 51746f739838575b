"""The armed faults, and the one question that is asked of them: is a fault triggered here?"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from palabra_emulator.faults.catalogue import Fault, Occasion
from palabra_emulator.journal import Journal

F = TypeVar("F", bound=Fault)


@dataclass(slots=True)
class ArmedFault:
    """A fault that waits for its occasion."""

    id: str
    fault: Fault
    since: float
    count: int = 0
    """The number of times that it has been triggered."""
    last: dict[str, float] = field(default_factory=dict[str, float])
    """The last time at which it was triggered by itself, by session id."""

    @property
    def is_spent(self) -> bool:
        """True if it has been triggered often enough."""
        return self.fault.times is not None and self.count >= self.fault.times

    def is_due(self, now: float, session: SessionFaults | None) -> bool:
        """True if it may be triggered now, and for this session if there is one."""
        fault = self.fault
        if now < self.since + fault.at_seconds:
            return False
        if session is None:
            return fault.session is None
        if fault.session is not None and fault.session not in {session.session_id, session.number}:
            return False
        if not fault.after_seconds:
            return True

        running_since = session.running_since
        return running_since is not None and now >= running_since + fault.after_seconds

    def facts(self) -> dict[str, object]:
        """Its parameters, and how often it has been triggered."""
        return {"id": self.id, **self.fault.facts(), "struck": self.count}


class FaultInjector:
    """All that is armed in one emulator; the clock is monotonic."""

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._journal = journal
        self._armed: dict[str, ArmedFault] = {}
        self._kept: dict[tuple[str, str, str], ArmedFault] = {}
        """The faults that stay with a session, by the kinds asked about, its id, and what of it."""
        self._count = 0

    @property
    def armed(self) -> list[ArmedFault]:
        """The faults that wait for their occasion, oldest first."""
        return list(self._armed.values())

    def arm(self, fault: Fault) -> ArmedFault:
        """Let a fault wait for its occasion."""
        self._count += 1
        armed = ArmedFault(str(self._count), fault, self.clock())
        self._armed[armed.id] = armed
        self._journal.add(None, "fault", armed=armed.id, action="armed", **fault.name)
        return armed

    def withdraw(self, armed_id: str) -> bool:
        """Let it wait no longer, and what it keeps up end; false if there is no such."""
        is_known = self._armed.pop(armed_id, None) is not None
        kept = [key for key, armed in self._kept.items() if armed.id == armed_id]
        for key in kept:
            del self._kept[key]
        if is_known or kept:
            self._journal.add(None, "fault", armed=armed_id, action="withdrawn")

        return is_known or bool(kept)

    def withdraw_all(self) -> int:
        """Withdraw everything; says how many there were."""
        ids = {*self._armed, *(armed.id for armed in self._kept.values())}
        return sum(self.withdraw(armed_id) for armed_id in sorted(ids, key=int))

    def forget(self, session_id: str) -> None:
        """Remember nothing about a session that cannot be inspected any more."""
        for key in [key for key in self._kept if key[1] == session_id]:
            del self._kept[key]
        for armed in self._armed.values():
            armed.last.pop(session_id, None)

    def trigger(
        self,
        occasion: Occasion,
        session: SessionFaults | None,
        *kinds: type[F],
        fits: Callable[[F], bool] = lambda fault: True,
        **facts: object,
    ) -> F | None:
        """Say whether a fault is triggered on an occasion, and count it.

        Args:
            occasion: What happens.
            session: The session to which it happens, where there is one.
            kinds: The only faults that are asked about.
            fits: Whether the parameters of a fault fit the occasion.
            facts: What the journal is told about the occasion.
        """
        found = self._find(occasion, session, kinds, fits, facts)
        return found[1] if found is not None else None

    def trigger_once(
        self,
        occasion: Occasion,
        session: SessionFaults,
        *kinds: type[F],
        what: str = "",
        fits: Callable[[F], bool] = lambda fault: True,
    ) -> F | None:
        """Say whether a fault is triggered for a session, or something of it; keep to the answer.

        Args:
            occasion: What happens.
            session: The session to which it happens.
            kinds: The only faults that are asked about.
            what: What of the session it happens to, if not to all of it.
            fits: Whether the parameters of a fault fit the occasion.
        """
        kept = self.kept(session, *kinds, what=what)
        if kept is not None:
            return kept

        found = self._find(occasion, session, kinds, fits, {})
        if found is None:
            return None

        armed, fault = found
        self._kept[_key(session, kinds, what)] = armed
        return fault

    def kept(self, session: SessionFaults, *kinds: type[F], what: str = "") -> F | None:
        """The fault that `trigger_once` has answered before."""
        armed = self._kept.get(_key(session, kinds, what))
        return armed.fault if armed is not None and isinstance(armed.fault, kinds) else None

    def trigger_immediate(
        self, sessions: Collection[SessionFaults]
    ) -> list[tuple[SessionFaults, Fault]]:
        """Find what is triggered by itself now; one count takes every session that is meant."""
        found: list[tuple[SessionFaults, Fault]] = []
        now = self.clock()
        for armed in self.armed:
            if armed.fault.occurs_at != "now":
                continue
            pause = armed.fault.every_seconds
            hit = [
                session
                for session in sessions
                if armed.is_due(now, session)
                and now - armed.last.get(session.session_id, -pause) >= pause
            ]
            for session in hit:
                armed.last[session.session_id] = now
                found.append((session, armed.fault))
            if hit:
                ids = [session.session_id for session in hit]
                alone = hit[0] if len(hit) == 1 else None
                self._note(armed, alone, {} if alone else {"sessions": ids})

        return found

    def _find(
        self,
        occasion: Occasion,
        session: SessionFaults | None,
        kinds: tuple[type[F], ...],
        fits: Callable[[F], bool],
        facts: Mapping[str, object],
    ) -> tuple[ArmedFault, F] | None:
        for armed in self._waiting(occasion, session):
            fault = armed.fault
            if isinstance(fault, kinds) and fits(fault):
                self._note(armed, session, facts)
                return armed, fault

        return None

    def _waiting(self, occasion: Occasion, session: SessionFaults | None) -> Iterator[ArmedFault]:
        now = self.clock()
        for armed in self.armed:
            if armed.fault.occurs_at == occasion and armed.is_due(now, session):
                yield armed

    def _note(
        self, armed: ArmedFault, session: SessionFaults | None, facts: Mapping[str, object]
    ) -> None:
        armed.count += 1
        if armed.is_spent:
            del self._armed[armed.id]
        session_id = session.session_id if session is not None else None
        entry = {"armed": armed.id, "action": "struck", **armed.fault.name, **facts}
        self._journal.add(session_id, "fault", **entry)


class SessionFaults:
    """One session as faults see it: which are triggered for it, and how they have left it."""

    def __init__(self, session_id: str, number: int, injector: FaultInjector) -> None:
        self.session_id = session_id
        self.number = number
        """Counted from 0 since the emulator started."""
        self.running_since: float | None = None
        """The time at which it first ran."""
        self.is_mute = False
        """True if nothing that it says arrives."""
        self.is_deaf = False
        """True if it hears no sound."""
        self.is_away = False
        """True if its bot has left."""
        self.renews_tracks = False
        """True if the next offer of tracks publishes all of them anew."""
        self.spares_client = False
        """True if the client is not put out at the end, but finds its room closed."""
        self.close_code: int | None = None
        """The code with which a WebSocket is closed, instead of the end's own."""
        self._injector = injector
        self._cut_until = 0.0

    @property
    def is_cut(self) -> bool:
        """True if there is no network just now."""
        return self.cut_seconds > 0

    @property
    def cut_seconds(self) -> float:
        """The time for which there is no network yet."""
        return max(0.0, self._cut_until - self._injector.clock())

    def cut(self, seconds: float) -> None:
        """Have no network for a while."""
        self._cut_until = self._injector.clock() + seconds

    def ran(self) -> None:
        """Note that it runs."""
        if self.running_since is None:
            self.running_since = self._injector.clock()

    def trigger(
        self,
        occasion: Occasion,
        *kinds: type[F],
        fits: Callable[[F], bool] = lambda fault: True,
        **facts: object,
    ) -> F | None:
        """Say whether a fault is triggered here, and count it."""
        return self._injector.trigger(occasion, self, *kinds, fits=fits, **facts)

    def trigger_once(
        self,
        occasion: Occasion,
        *kinds: type[F],
        what: str = "",
        fits: Callable[[F], bool] = lambda fault: True,
    ) -> F | None:
        """Say whether a fault is triggered for this session, or something of it, for good."""
        return self._injector.trigger_once(occasion, self, *kinds, what=what, fits=fits)

    def kept(self, *kinds: type[F]) -> F | None:
        """The fault that was triggered for this session once and for all, if one was."""
        return self._injector.kept(self, *kinds)


def _key(session: SessionFaults, kinds: tuple[type[Fault], ...], what: str) -> tuple[str, str, str]:
    return " ".join(sorted(kind.id for kind in kinds)), session.session_id, what
