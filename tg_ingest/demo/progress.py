"""What the demo shows while it works: a bar per channel, messages per second, each session's state.

On a terminal it is drawn in place; elsewhere a line is printed now and then.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

_SECONDS_BETWEEN_LINES = 10.0


@dataclass(frozen=True, slots=True)
class SessionState:
    """One session as an operator wants to see it."""

    label: str
    state: str  # idle | working | retired | quarantined | paused
    reason: str | None
    resting_until: datetime | None

    def describe(self) -> str:
        """One or two words and, where there is one, the wait that is left."""
        if self.state == "retired":
            return f"retired ({self.reason})"
        rest = (self.resting_until - datetime.now(UTC)).total_seconds() if self.resting_until else 0
        return f"cooling down for {rest:.0f} s" if rest > 1 else self.state


class Display:
    """Draws what it is told; knows nothing of databases or Telegram."""

    def __init__(self, console: Console, totals: dict[str, int]) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=30), MofNCompleteColumn(), console=console
        )
        self._tasks: dict[str, TaskID] = {
            name: self._bars.add_task(name, total=total) for name, total in totals.items()
        }
        self._started = time.monotonic()
        self._said_at = self._started
        self._at_start: int | None = None
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator["Display"]:
        """Keep the picture on the screen while the block runs."""
        if not self._console.is_terminal:
            yield self
            return
        with Live(console=self._console, refresh_per_second=4) as self._live:
            yield self
        self._live = None

    def update(self, done: dict[str, int], sessions: list[SessionState], runs: str) -> None:
        """Show how many messages of each channel are here, and what every session does."""
        for name, count in done.items():
            self._bars.update(self._tasks[name], completed=count)
        total = sum(done.values())
        self._at_start = total if self._at_start is None else self._at_start
        rate = (total - self._at_start) / max(time.monotonic() - self._started, 0.001)
        summary = f"{total:,} messages, {rate:,.0f}/s, {runs}"
        if self._live:
            self._live.update(Group(self._bars, Text(summary), _table(sessions)))
        elif time.monotonic() - self._said_at >= _SECONDS_BETWEEN_LINES:
            self._said_at = time.monotonic()
            states = "; ".join(f"{s.label} {s.describe()}" for s in sessions)
            self._console.print(f"{summary} | {states}", markup=False, highlight=False, soft_wrap=True)


def _table(sessions: list[SessionState]) -> Table:
    table = Table("session", "state", box=None, padding=(0, 2, 0, 0))
    for session in sessions:
        colour = {"working": "green", "retired": "red"}.get(session.state, "")
        described = session.describe()
        table.add_row(session.label, Text(described, style="yellow" if described.startswith("cooling") else colour))
    return table
