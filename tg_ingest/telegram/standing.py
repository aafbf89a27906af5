"""What the pool knows about each account, and how it tells."""

from dataclasses import dataclass
from datetime import UTC, datetime

from tg_ingest.accounts import Account, AccountStore, Pace


@dataclass(frozen=True, slots=True)
class Tally:
    """What an account did through this pool."""

    calls: int = 0
    floods: int = 0

    def plus(self, calls: int, floods: int) -> "Tally":
        """Add a lease's work."""
        return Tally(self.calls + calls, self.floods + floods)


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionStats:
    """One account: `state` is working, free, cooling_down, held_elsewhere, paused, quarantined or retired."""

    label: str
    state: str
    reason: str | None
    cooling_until: datetime | None
    calls: int
    floods: int


@dataclass(frozen=True, slots=True)
class PoolStats:
    """All accounts of a pool, and how often work moved from one to another."""

    sessions: tuple[SessionStats, ...]
    rotations: int

    @property
    def calls(self) -> int:
        """Calls to Telegram through this pool."""
        return sum(session.calls for session in self.sessions)

    @property
    def floods(self) -> int:
        """Flood waits that Telegram imposed on calls of this pool."""
        return sum(session.floods for session in self.sessions)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One account as the store describes it."""

    account: Account
    paces: dict[str, Pace]
    connected_since: datetime | None
    knows_channel: bool

    def described(
        self, *, is_leased: bool, is_held_elsewhere: bool, resting_until: float | None, tally: Tally
    ) -> SessionStats:
        """Put the account's state into words."""
        if self.account.state != "active":
            state = self.account.state
        elif is_leased:
            state = "working"
        elif resting_until is not None:
            state = "cooling_down"
        else:
            state = "held_elsewhere" if is_held_elsewhere else "free"
        return SessionStats(
            label=self.account.label,
            state=state,
            reason=self.account.state_reason,
            cooling_until=None if resting_until is None else datetime.fromtimestamp(resting_until, UTC),
            calls=tally.calls,
            floods=tally.floods,
        )


def survey(store: AccountStore, channel_id: int | None, *, only: int | None = None) -> list[Standing]:
    """Ask the store about every account (or one); details of the active ones only. Blocks."""
    standings = []
    for account in store.accounts():
        if only is not None and account.account_id != only:
            continue
        is_active = account.state == "active"
        standings.append(
            Standing(
                account=account,
                paces=store.paces(account.account_id) if is_active else {},
                connected_since=store.connected_since(account.account_id) if is_active else None,
                knows_channel=is_active
                and channel_id is not None
                and store.access(account.account_id, channel_id) is not None,
            )
        )
    return standings
