"""The ledger: what was asked, served and refused, by account and method, so that a test can hold the client to it."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_KEPT_REQUESTS = 20_000


class HistoryRequest(NamedTuple):
    """One served messages.getHistory: what was asked, and how many messages the answer held."""

    account: str
    channel_id: int
    offset_id: int
    limit: int
    messages: int


@dataclass(slots=True)
class MethodTally:
    """What one account did with one method. `window` is the length (seconds) that `most_in_window` looks at."""

    window: float | None = None
    calls: int = 0
    ok: int = 0
    floods: int = 0
    inside_wait: int = 0
    most_in_window: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    _recent: deque[float] = field(default_factory=deque)

    def note_call(self, now: float) -> None:
        """Count an arriving call, whatever becomes of it."""
        self.calls += 1
        if self.window is None:
            return
        self._recent.append(now)
        while now - self._recent[0] >= self.window:
            self._recent.popleft()
        self.most_in_window = max(self.most_in_window, len(self._recent))

    def as_json(self) -> dict[str, Any]:
        """Return the tally as plain data."""
        return {
            "calls": self.calls,
            "ok": self.ok,
            "floods": self.floods,
            "calls_inside_wait": self.inside_wait,
            "max_calls_in_window": self.most_in_window,
            "window_seconds": self.window,
            "errors": dict(self.errors),
        }


class Ledger:
    """Everything that is counted."""

    def __init__(self) -> None:
        self.messages = 0
        self.history: deque[HistoryRequest] = deque(maxlen=_KEPT_REQUESTS)
        self.internal_errors: list[str] = []
        self._methods: dict[tuple[str, str], MethodTally] = {}

    def tally(self, account: str, method: str, *, window: float | None = None) -> MethodTally:
        """Return the tally of one account and method, making it at first use."""
        tally = self._methods.get((account, method))
        if tally is None:
            tally = self._methods[account, method] = MethodTally(window=window)
        return tally

    def as_json(self) -> dict[str, Any]:
        """Return the whole ledger as plain data, one entry for each account and method."""
        return {
            "messages": self.messages,
            "internal_errors": self.internal_errors,
            "methods": [
                {"account": account, "method": method, **tally.as_json()}
                for (account, method), tally in self._methods.items()
            ],
            "history": [request._asdict() for request in self.history],
        }
