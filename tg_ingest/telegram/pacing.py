"""How fast one account may call one method: learned, for Telegram publishes no quota. Pure: time is passed in.

The rate rises by a little with each answer. A flood shows where the limit is: from then on the rate stays below the
one that was really used before the flood, counted with the wait that Telegram imposed. A limit of N calls per window,
counted in any way, then sees no other flood until the ceiling is tried again, a little every half-hour.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tg_ingest.accounts import Pace

SAFETY = 0.9  # of the rate that was flooded
UNSURE_SAFETY = 0.6  # the same, after so few calls that a whole window may not have been seen
SURE_CALLS = 90
TRUST_CALLS = 200  # answers without a flood after which an unsure ceiling begins to rise towards SAFETY
TRUST_STEP = 1.001
GROWTH = 0.002  # of the start rate, for each answer
GROWTH_CALLS = 200  # how many calls the rate before a flood is measured over
LONG_WAIT = 90.0  # seconds; a longer wait is a punishment and says nothing about the window
PROBE_AFTER = 1800.0  # seconds without a flood before the ceiling is tried again, and between tries
PROBE_STEP = 1.02
SLOWEST = 60.0  # seconds between calls; never slower, whatever was learned
FASTEST = 0.01


@dataclass(slots=True)
class Pacer:
    """The pace of one (account, method). Times are seconds since the epoch; `start` is the first interval to try.

    `start=0` sets no pace until a flood teaches one.
    """

    start: float
    saved: Pace | None = None
    _interval: float = field(init=False)
    _ceiling: float | None = field(init=False, default=None)  # as an interval: the shortest known to be safe
    _blocked_until: float = field(init=False, default=0.0)
    _next_at: float = field(init=False, default=0.0)
    _last_at: float | None = field(init=False, default=None)
    _probed_at: float = field(init=False, default=0.0)
    _goal: float | None = field(init=False, default=None)  # what an unsure ceiling may become
    _answers: int = field(init=False, default=0)
    _gaps: deque[float] = field(init=False)

    def __post_init__(self) -> None:
        self._interval = self.start
        self._gaps = deque(maxlen=GROWTH_CALLS)
        if self.saved is not None:
            self.learn(self.saved)

    def learn(self, saved: Pace) -> None:
        """Take over what another process stored; keeps what this one knows about its own last calls."""
        if saved.ceiling != self._ceiling:
            self._goal = None  # it belonged to the ceiling that another process has moved since
        self._ceiling = saved.ceiling
        self._interval = saved.interval if saved.ceiling is None else max(saved.interval, saved.ceiling)
        if saved.blocked_until is not None:
            self._blocked_until = max(self._blocked_until, saved.blocked_until.timestamp())

    def next_call_at(self) -> float:
        """When the next call may start."""
        return max(self._next_at, self._blocked_until)

    def blocked_until(self) -> float:
        """The end of the last wait that Telegram imposed; 0 when there was none."""
        return self._blocked_until

    def call_started(self, now: float) -> None:
        """Note that a call starts."""
        if self._last_at is not None:
            # An idle time says nothing about the rate that Telegram accepted; it counts as two calls' distance.
            self._gaps.append(min(now - self._last_at, 2 * self._interval or float("inf")))
        self._last_at = now
        self._next_at = now + self._interval

    def call_answered(self, now: float) -> None:
        """Note an answer that was no flood: go a little faster, as far as the ceiling."""
        if self._interval <= 0.0:
            return
        rate = 1.0 / self._interval + GROWTH / max(self.start, FASTEST)
        interval = max(1.0 / rate, FASTEST)
        if self._ceiling is not None:
            interval = max(interval, self._raised_ceiling(now, self._ceiling))
        self._interval = min(interval, self._interval)

    def flooded(self, now: float, seconds: float, *, margin: float = 1.0) -> None:
        """Note a flood wait: nothing before `seconds` + `margin` have passed, and a lower rate afterwards."""
        used = self._used_interval(seconds)
        is_sure = len(self._gaps) >= SURE_CALLS or self._ceiling is not None
        self._goal = max(used / SAFETY, self._ceiling or 0.0)
        self._ceiling = self._goal if is_sure else min(used / UNSURE_SAFETY, SLOWEST)
        self._interval = self._ceiling
        self._blocked_until = max(self._blocked_until, now + seconds + margin)
        self._probed_at = self._blocked_until
        self._answers = 0
        self._gaps.clear()
        self._last_at = None

    def pace(self) -> Pace:
        """What to store."""
        # With the last try of the ceiling: it blocks nothing, and short-lived processes do not each try it again.
        latest = max(self._blocked_until, self._probed_at)
        blocked = datetime.fromtimestamp(latest, UTC) if latest else None
        return Pace(interval=self._interval, ceiling=self._ceiling, blocked_until=blocked)

    def _used_interval(self, seconds: float) -> float:
        """The distance between calls before a flood, over as many of them as are remembered."""
        calls = len(self._gaps)
        # The refused call closed a window: it took the time of the calls before it, and the wait until it reopens.
        wait = seconds if seconds <= LONG_WAIT else 0.0
        used = (sum(self._gaps) + wait) / calls if calls else self._interval
        return min(max(used, self._interval, FASTEST), SLOWEST)

    def _raised_ceiling(self, now: float, ceiling: float) -> float:
        """Lift the ceiling: slowly while it was set unsure, and by a step when no flood came for a long time."""
        self._answers += 1
        if self._goal is not None and ceiling > self._goal and self._answers > TRUST_CALLS:
            ceiling = max(ceiling / TRUST_STEP, self._goal)
        if now - max(self._probed_at, self._blocked_until) >= PROBE_AFTER:
            ceiling = max(ceiling / PROBE_STEP, FASTEST)
            self._probed_at = now
        self._ceiling = ceiling
        return ceiling


class Pacers:
    """The paces of all accounts that this process uses. `start_intervals` are seconds by method name."""

    def __init__(self, start_intervals: Mapping[str, float], *, otherwise: float) -> None:
        self._start_intervals = start_intervals
        self._otherwise = otherwise
        self._pacers: dict[tuple[int, str], Pacer] = {}

    def get(self, account_id: int, method: str) -> Pacer:
        """The pace of one method of an account."""
        key = (account_id, method)
        if key not in self._pacers:
            self._pacers[key] = Pacer(self._start_intervals.get(method, self._otherwise))
        return self._pacers[key]

    def learn(self, account_id: int, saved: Mapping[str, Pace]) -> None:
        """Take over what is stored about an account."""
        for method, pace in saved.items():
            self.get(account_id, method).learn(pace)

    def resting_until(self, account_id: int, saved: Mapping[str, Pace], methods: Iterable[str]) -> float:
        """Until when Telegram wants no call of one of these methods, by what is known here or stored; 0 for never."""
        latest = 0.0
        for method in methods:
            pace = saved.get(method)
            stored = pace.blocked_until.timestamp() if pace is not None and pace.blocked_until is not None else 0.0
            latest = max(latest, stored, self.get(account_id, method).blocked_until())
        return latest
