"""One session as faults see it: whether it is meant, and in which state they have left it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from palabra_emulator.faults.injection import Injection, Stroke
from palabra_emulator.faults.kinds import Moment


class SessionFaults:
    """What faults do to one session."""

    def __init__(self, session_id: str, number: int, injection: Injection) -> None:
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
        fits: Callable[[Stroke], bool] = lambda stroke: True,
        **place: object,
    ) -> Stroke | None:
        """Say whether a fault strikes here, and count it."""
        return self._injection.strike(moment, self, among=among, fits=fits, **place)

    def strike_once(
        self,
        moment: Moment,
        among: Collection[str],
        what: str = "",
        fits: Callable[[Stroke], bool] = lambda stroke: True,
    ) -> Stroke | None:
        """Say whether a fault strikes this session, or something of it, and keep to the answer."""
        return self._injection.strike_once(moment, self, what, among=among, fits=fits)

    def kept(self, moment: Moment, among: Collection[str]) -> Stroke | None:
        """The fault that struck this session once and for all, if one did."""
        return self._injection.kept(moment, self, among)
