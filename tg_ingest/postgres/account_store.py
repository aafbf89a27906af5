"""Accounts, their sealed sessions, what they learned, and the lock that keeps an account with one holder."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tg_ingest.accounts import Account, AccountState, ChannelInfo, Device, Pace
from tg_ingest.errors import StoreError
from tg_ingest.postgres.advisory_locks import AdvisoryLocks
from tg_ingest.postgres.connection import run_transaction
from tg_ingest.postgres.schema_ingest import ACCOUNTS, CHANNEL_ACCESS, PACES, SESSION_SECRETS

_PACE_COLUMNS = ("interval", "ceiling", "blocked_until")
_CHANNEL_COLUMNS = ("channel_id", "access_hash", "title", "username", "kind", "is_forum")


class PostgresAccountStore:
    """The `AccountStore` over PostgreSQL. Safe to call from threads; `close` gives every lock back."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._locks = AdvisoryLocks(engine)

    def close(self) -> None:
        """Give every lock back."""
        self._locks.close()

    def add_account(self, label: str, *, seal: Callable[[int], tuple[bytes, str]], device: Device) -> Account:
        """Add an account; `seal` gets its new number and returns the encrypted session and the id of its key.

        Raises `StoreError` when the label is taken.
        """

        def add(connection: sa.Connection) -> Account:
            columns = {"label": label, "state": "active", "device": asdict(device)}
            account_id = connection.execute(
                postgresql.insert(ACCOUNTS).values(columns).on_conflict_do_nothing().returning(ACCOUNTS.c.account_id)
            ).scalar()
            if account_id is None:
                raise StoreError(f"an account with the label '{label}' exists already")
            self._put_secret(connection, account_id, *seal(account_id))
            return Account(account_id=account_id, label=label, state="active", state_reason=None, device=device)

        return run_transaction(self._engine, add)

    def reseal(self, account_id: int, *, sealed: bytes, key_id: str) -> None:
        """Replace the encrypted session, after a new login or with a new secret key."""
        run_transaction(self._engine, lambda connection: self._put_secret(connection, account_id, sealed, key_id))

    def account(self, label: str) -> Account | None:
        """The account of that label."""
        return next((account for account in self.accounts() if account.label == label), None)

    def remove_account(self, account_id: int) -> None:
        """Forget the account with its session and all that it learned; messages keep its number."""
        self._execute(sa.delete(ACCOUNTS).where(ACCOUNTS.c.account_id == account_id))

    def accounts(self) -> list[Account]:
        """Every account, whatever its state, in the order of their ids."""
        return [
            Account(
                account_id=row.account_id,
                label=row.label,
                state=row.state,
                state_reason=row.state_reason,
                device=Device(**row.device),
            )
            for row in self._rows(sa.select(ACCOUNTS).order_by(ACCOUNTS.c.account_id))
        ]

    def sealed_session(self, account_id: int) -> bytes:
        """The encrypted session of an account; `StoreError` when it has none."""
        found = self._rows(sa.select(SESSION_SECRETS.c.sealed).where(SESSION_SECRETS.c.account_id == account_id))
        if not found:
            raise StoreError(f"account {account_id} has no session; log it in")
        return bytes(found[0].sealed)

    def try_lock(self, account_id: int) -> bool:
        """Take the account for this process, without waiting."""
        return self._locks.try_lock(account_id)

    def unlock(self, account_id: int) -> None:
        """Give the account back."""
        self._locks.unlock(account_id)

    def check_locks(self) -> None:
        """Raise a `StoreError` when the connection that holds the locks is gone (and with it every lock)."""
        self._locks.check()

    def record_connected(self, account_id: int, holder: str) -> None:
        """Note who is about to open a Telegram connection for the account."""
        self._change_account(account_id, holder=holder, connected_at=sa.func.now())

    def record_disconnected(self, account_id: int) -> None:
        """Note that the Telegram connection was closed in order."""
        self._change_account(account_id, connected_at=None)

    def connected_since(self, account_id: int) -> datetime | None:
        """When the last holder connected, if it never said that it disconnected: it may have died holding the key."""
        found = self._rows(sa.select(ACCOUNTS.c.connected_at).where(ACCOUNTS.c.account_id == account_id))
        return found[0].connected_at if found else None

    def set_state(self, account_id: int, state: AccountState, reason: str | None) -> None:
        """Retire, quarantine, pause or reactivate the account."""
        self._change_account(account_id, state=state, state_reason=reason)

    def paces(self, account_id: int) -> dict[str, Pace]:
        """What was learned, by method name."""
        rows = self._rows(sa.select(PACES).where(PACES.c.account_id == account_id))
        return {row.method: Pace(**{name: getattr(row, name) for name in _PACE_COLUMNS}) for row in rows}

    def save_pace(self, account_id: int, method: str, pace: Pace) -> None:
        """Keep what was learned, so that a restart forgets nothing."""
        learned = {**asdict(pace), "updated_at": sa.func.now()}
        insert = postgresql.insert(PACES).values(account_id=account_id, method=method, **learned)
        self._execute(insert.on_conflict_do_update(index_elements=["account_id", "method"], set_=learned))

    def access(self, account_id: int, channel_id: int) -> ChannelInfo | None:
        """The channel as this account last saw it, with the account's own access hash."""
        found = self._rows(sa.select(CHANNEL_ACCESS).where(*_is_access(account_id, channel_id)))
        return ChannelInfo(**{name: getattr(found[0], name) for name in _CHANNEL_COLUMNS}) if found else None

    def save_access(self, account_id: int, channel: ChannelInfo) -> None:
        """Keep the channel as this account sees it."""
        seen = {**asdict(channel), "seen_at": sa.func.now()}
        insert = postgresql.insert(CHANNEL_ACCESS).values(account_id=account_id, **seen)
        self._execute(insert.on_conflict_do_update(index_elements=["account_id", "channel_id"], set_=seen))

    def forget_access(self, account_id: int, channel_id: int) -> None:
        """Drop an access hash that Telegram no longer accepts."""
        self._execute(sa.delete(CHANNEL_ACCESS).where(*_is_access(account_id, channel_id)))

    @staticmethod
    def _put_secret(connection: sa.Connection, account_id: int, sealed: bytes, key_id: str) -> None:
        secret = {"sealed": sealed, "key_id": key_id, "updated_at": sa.func.now()}
        insert = postgresql.insert(SESSION_SECRETS).values(account_id=account_id, **secret)
        connection.execute(insert.on_conflict_do_update(index_elements=["account_id"], set_=secret))

    def _change_account(self, account_id: int, **columns: Any) -> None:
        self._execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.account_id == account_id).values(columns))

    def _execute(self, statement: sa.Executable) -> None:
        run_transaction(self._engine, lambda connection: connection.execute(statement))

    def _rows(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        return run_transaction(self._engine, lambda connection: list(connection.execute(query)))


def _is_access(account_id: int, channel_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return CHANNEL_ACCESS.c.account_id == account_id, CHANNEL_ACCESS.c.channel_id == channel_id
