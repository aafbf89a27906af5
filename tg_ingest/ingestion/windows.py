"""Windows of time as ranges of message ids: boundaries are looked up once, kept, and inferred where they can be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tg_ingest.messages.coverage import IdRanges

FIRST_ID = 1


@dataclass(frozen=True, order=True, slots=True)
class Window:
    """A span of time [start, end), UTC."""

    start: datetime
    end: datetime


def joined(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same spans of time in as few windows as there can be."""
    joined: list[Window] = []
    for window in sorted(windows):
        if joined and window.start <= joined[-1].end:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    return tuple(joined)


@dataclass(frozen=True, kw_only=True, slots=True)
class Boundaries:
    """What is known of a channel's first message id at or after a moment.

    `known` maps moments to ids, `top_id` is the newest id (None when it is not known), `first_window` the moment before
    which nothing is told apart: what is older belongs to the first window, so that no id is in none.
    """

    known: Mapping[datetime, int]
    top_id: int | None
    first_window: datetime
    now: datetime

    def first_id(self, at: datetime) -> int | None:
        """The lowest id whose message was sent at `at` or later; None when Telegram has to be asked."""
        if at <= self.first_window:
            return FIRST_ID
        if at > self.now:
            return None if self.top_id is None else self.top_id + 1
        before, after = self._neighbours(at)
        return before if before == after else None

    def clamped(self, at: datetime, first_id: int) -> int:
        """An answer of Telegram, held between its neighbours: imported messages have dates out of order."""
        before, after = self._neighbours(at)
        return max(before, first_id if after is None else min(first_id, after))

    def _neighbours(self, at: datetime) -> tuple[int, int | None]:
        before = max((id_ for moment, id_ in self.known.items() if moment <= at), default=FIRST_ID)
        after = min((id_ for moment, id_ in self.known.items() if moment >= at), default=None)
        return before, after

    def ids(self, windows: Sequence[Window]) -> IdRanges | None:
        """The ids of the windows; None when a boundary is not known."""
        edges = [(self.first_id(window.start), self.first_id(window.end)) for window in windows]
        found = [(lower, upper) for lower, upper in edges if lower is not None and upper is not None]
        return IdRanges.of(found) if len(found) == len(edges) else None

    def unknown(self, windows: Sequence[Window]) -> list[datetime]:
        """The past moments to ask Telegram about, the latest first: an early answer may settle the rest."""
        moments = {moment for window in windows for moment in (window.start, window.end)}
        return sorted((m for m in moments if m <= self.now and self.first_id(m) is None), reverse=True)

    def needs_top(self, windows: Sequence[Window]) -> bool:
        """Whether a window is still open, so that its end is the newest message."""
        return any(window.end > self.now for window in windows)
