"""Limits per (account, method) as Telegram has them: a quota, and a wait that is imposed when the quota is exceeded.

Pure: times are seconds of any monotonic clock and are passed in.
"""

import math
from collections import deque
from typing import Protocol

from tg_ingest.emulator.world import LimitSpec

_TOLERANCE = 1e-6  # seconds; whoever waits as long as he was told must not fail by a rounding error


class Window(Protocol):
    """A way of counting calls."""

    def take(self, now: float) -> float:
        """Count one call and return 0, or count nothing and return the seconds until one is possible."""
        ...


class FixedWindow:
    """`requests` calls in each window of `seconds`; a window begins with the first call after the last one ended."""

    def __init__(self, requests: int, seconds: float) -> None:
        self._requests = requests
        self._seconds = seconds
        self._began = float("-inf")
        self._used = 0

    def take(self, now: float) -> float:
        """Count one call."""
        if now + _TOLERANCE >= self._began + self._seconds:
            self._began, self._used = now, 0
        if self._used >= self._requests:
            return self._began + self._seconds - now
        self._used += 1
        return 0.0


class SlidingWindow:
    """At most `requests` calls in any `seconds`."""

    def __init__(self, requests: int, seconds: float) -> None:
        self._seconds = seconds
        self._calls: deque[float] = deque(maxlen=requests)

    def take(self, now: float) -> float:
        """Count one call."""
        full = len(self._calls) == self._calls.maxlen
        if full and now + _TOLERANCE < self._calls[0] + self._seconds:
            return self._calls[0] + self._seconds - now
        self._calls.append(now)
        return 0.0


class TokenBucket:
    """A burst of `requests` calls, refilled evenly at `requests` per `seconds`."""

    def __init__(self, requests: int, seconds: float) -> None:
        self._capacity = float(requests)
        self._rate = requests / seconds
        self._tokens = self._capacity
        self._filled_at: float | None = None

    def take(self, now: float) -> float:
        """Count one call."""
        if self._filled_at is not None:
            self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens + _TOLERANCE * self._rate < 1.0:
            return (1.0 - self._tokens) / self._rate
        self._tokens -= 1.0
        return 0.0


class Quota:
    """One account's standing with one method: its window, and the wait imposed on it.

    A call that exceeds the window is refused with a wait; every call inside the wait is refused again with what is
    left of it. With `escalate` above 1 each refusal lengthens the next wait by that factor, until a whole window
    passed after a wait without another refusal.
    """

    def __init__(self, spec: LimitSpec | None) -> None:
        self.inside_wait = 0
        self._spec = spec
        self._window = None if spec is None else _window(spec)
        self._wait_until = float("-inf")
        self._level = 0

    def refusal(self, now: float) -> int | None:
        """Count one call; return None when it may pass, else the whole seconds of FLOOD_WAIT."""
        if self.is_waiting(now):
            self.inside_wait += 1
            if self._spec is not None and self._spec.escalate > 1.0:
                return self._impose(self._wait_until - now, now)
            return math.ceil(self._wait_until - now)
        if self._spec is None or self._window is None:
            return None
        missing = self._window.take(now)
        if missing <= 0.0:
            return None
        if now > self._wait_until + self._spec.seconds:
            self._level = 0
        return self._impose(missing if self._spec.wait is None else float(self._spec.wait), now)

    def is_waiting(self, now: float) -> bool:
        """Tell whether a wait is imposed now."""
        return now + _TOLERANCE < self._wait_until

    def impose(self, seconds: int, now: float) -> int:
        """Impose a wait out of turn, as Telegram does with flagged accounts."""
        self._wait_until = max(self._wait_until, now + seconds)
        return math.ceil(self._wait_until - now)

    def _impose(self, wait: float, now: float) -> int:
        factor = 1.0 if self._spec is None else self._spec.escalate**self._level
        self._level += 1
        return self.impose(math.ceil(wait * factor), now)


def _window(spec: LimitSpec) -> Window:
    match spec.kind:
        case "fixed":
            return FixedWindow(spec.requests, spec.seconds)
        case "sliding":
            return SlidingWindow(spec.requests, spec.seconds)
        case "bucket":
            return TokenBucket(spec.requests, spec.seconds)
    raise ValueError(f"limit kind {spec.kind!r} is none of fixed, sliding, bucket")
