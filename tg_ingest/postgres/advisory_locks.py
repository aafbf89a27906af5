"""Exclusive locks over all processes and machines, held by one database connection and gone with it.

The connection must reach PostgreSQL itself: a pooler in transaction mode would hand the lock to strangers.
"""

import contextlib
import threading

import psycopg2
import sqlalchemy as sa

from tg_ingest.errors import StoreError, TransientStoreError
from tg_ingest.postgres.connection import connect_arguments, translated

_NAMESPACE = 1_952_935_525  # first key of every lock of this project; the second is the account's number
# A machine that vanished must free its accounts within about a minute, so the server probes the connection, too.
_SETTINGS = {
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "idle_session_timeout": "0",
    "statement_timeout": "10s",
}


class AdvisoryLocks:
    """Locks by number. A lock is exclusive between threads of this process as well. Safe to call from threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._guard = threading.Lock()
        self._connection: psycopg2.extensions.connection | None = None
        self._held: set[int] = set()
        self._lost: set[int] = set()

    def try_lock(self, number: int) -> bool:
        """Take a lock without waiting; False when anybody holds it, this process included."""
        with self._guard:
            # PostgreSQL would grant the same session the same lock again, so this process asks itself first.
            if number in self._held or number in self._lost:
                return False
            taken = self._ask("SELECT pg_try_advisory_lock(%s, %s)", number)
            if taken:
                self._held.add(number)
            return taken

    def unlock(self, number: int) -> None:
        """Give a lock back; a lock that was lost with its connection needs no more than this to be forgotten."""
        with self._guard:
            self._lost.discard(number)
            if number in self._held:
                self._held.remove(number)
                with contextlib.suppress(StoreError):  # a broken connection gave it back already
                    self._ask("SELECT pg_advisory_unlock(%s, %s)", number)

    def check(self) -> None:
        """Raise `TransientStoreError` when locks were lost, until each of their holders has unlocked."""
        with self._guard:
            if self._held:
                with contextlib.suppress(StoreError):
                    self._ask("SELECT pg_backend_pid() IS NOT NULL")
            if self._lost:
                numbers = ", ".join(map(str, sorted(self._lost)))
                raise TransientStoreError(f"the database connection that held the locks is gone; lost: {numbers}")

    def close(self) -> None:
        """Close the connection and thereby give every lock back."""
        with self._guard:
            self._held.clear()
            self._lost.clear()
            self._drop_connection()

    def _ask(self, question: str, *numbers: int) -> bool:
        try:
            with translated(self._engine):
                if self._connection is None:
                    self._connection = self._connect()
                cursor = self._connection.cursor()
                cursor.execute(question, (_NAMESPACE, *numbers) if numbers else None)
                answer = cursor.fetchone()
                return bool(answer and answer[0])
        except StoreError:
            self._lost |= self._held
            self._held.clear()
            self._drop_connection()
            raise

    def _connect(self) -> "psycopg2.extensions.connection":
        _, arguments = self._engine.dialect.create_connect_args(self._engine.url)
        settings = {**connect_arguments(**_SETTINGS), "application_name": "tg_ingest account locks"}
        connection = psycopg2.connect(**{**arguments, **settings})
        connection.autocommit = True
        return connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None
