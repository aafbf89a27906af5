"""Plain records of accounts and channels that the pool works with and the database keeps. No I/O here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

AccountState = Literal["active", "paused", "quarantined", "retired"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """What an account tells Telegram about itself; pinned, because a change looks like a stolen key."""

    model: str = "tg_ingest"
    system_version: str = "1.0"
    app_version: str = "0.1"
    language: str = "en"


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One Telegram account as the pool sees it; the sealed session stays in the store."""

    account_id: int
    label: str
    state: AccountState
    state_reason: str | None
    device: Device


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """What one (account, method) has learned: seconds between calls, and the wait that Telegram imposed.

    `ceiling` is the shortest interval known to be safe (None until a flood taught one). `blocked_until` (UTC) is when
    the last wait ended or will end; a past one also tells when the ceiling was last tried.
    """

    interval: float
    ceiling: float | None = None
    blocked_until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelInfo:
    """A channel as one account sees it; `access_hash` is valid for that account only."""

    channel_id: int
    access_hash: int
    title: str
    username: str | None
    kind: Literal["broadcast", "supergroup", "gigagroup"]
    is_forum: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A registered channel: the partition key `slug`, and the id it was bound to at the first resolve."""

    slug: str
    username: str | None
    channel_id: int | None


class AccountStore(Protocol):
    """What the session pool needs of a database. Calls block; errors are `StoreError`s. Safe to call from threads.

    A lock is exclusive over all processes and machines and ends with `unlock` or with this store's lock connection.
    """

    def accounts(self) -> list[Account]:
        """Every account, whatever its state, in the order of their ids."""
        ...

    def sealed_session(self, account_id: int) -> bytes:
        """The encrypted session of an account."""
        ...

    def try_lock(self, account_id: int) -> bool:
        """Take the account for this process, without waiting."""
        ...

    def unlock(self, account_id: int) -> None:
        """Give the account back."""
        ...

    def check_locks(self) -> None:
        """Raise a `StoreError` when the connection that holds the locks is gone (and with it every lock)."""
        ...

    def record_connected(self, account_id: int, holder: str) -> None:
        """Note who is about to open a Telegram connection for the account."""
        ...

    def record_disconnected(self, account_id: int) -> None:
        """Note that the Telegram connection was closed in order."""
        ...

    def connected_since(self, account_id: int) -> datetime | None:
        """When the last holder connected, if it never said that it disconnected: it may have died holding the key."""
        ...

    def set_state(self, account_id: int, state: AccountState, reason: str | None) -> None:
        """Retire, quarantine, pause or reactivate the account."""
        ...

    def paces(self, account_id: int) -> dict[str, Pace]:
        """What was learned, by method name."""
        ...

    def save_pace(self, account_id: int, method: str, pace: Pace) -> None:
        """Keep what was learned, so that a restart forgets nothing."""
        ...

    def access(self, account_id: int, channel_id: int) -> ChannelInfo | None:
        """The channel as this account last saw it, with the account's own access hash."""
        ...

    def save_access(self, account_id: int, channel: ChannelInfo) -> None:
        """Keep the channel as this account sees it."""
        ...

    def forget_access(self, account_id: int, channel_id: int) -> None:
        """Drop an access hash that Telegram no longer accepts."""
        ...
