"""Engines, the boundary that translates the driver's errors, and the one place that retries transactions."""

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import psycopg2
import psycopg2.errorcodes
import sqlalchemy as sa
from sqlalchemy import exc

from tg_ingest.errors import ConfigurationError, StoreError, TransientStoreError

_DIALECT = "postgresql+psycopg2"
_SPELLINGS = ("postgres", "postgresql", _DIALECT)
_MEND = "start the server or correct TG_INGEST_DATABASE_URL"
_SESSION_SETTINGS = {
    "statement_timeout": "10min",  # far above the slowest batch; a stuck statement must not hold a run for ever
    "lock_timeout": "1min",
    "idle_in_transaction_session_timeout": "5min",  # a paused process must not hold row locks
    "timezone": "UTC",
}
# Connection trouble, deadlock, serialisation failure, too many connections, lock timeout, server going down.
_TRANSIENT_CLASSES = ("08", "57P")
_TRANSIENT_CODES = frozenset({"40P01", "40001", "53300", "55P03", "57014", "25P03"})
_ROW_DATA_CLASSES = ("22", "23")  # their messages quote values
_ATTEMPTS = 5
_FIRST_WAIT_SECONDS = 0.1

T = TypeVar("T")


def parse_url(url: str) -> sa.URL:
    """Read a database URL in any usual spelling; raises `ConfigurationError` that never shows the password."""
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in _SPELLINGS or not parsed.database:
        raise ConfigurationError(
            "the database URL is not of the form postgresql://user:password@host:port/database; "
            "correct TG_INGEST_DATABASE_URL"
        )
    return parsed.set(drivername=_DIALECT)


def connect_arguments(**settings: str) -> dict[str, object]:
    """Arguments of every connection: deadlines, keepalives and session settings, to which `settings` add."""
    options = {**_SESSION_SETTINGS, **settings}
    return {
        "connect_timeout": 10,
        "keepalives": 1,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "application_name": f"tg_ingest {os.getpid()}",
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
    }


def create_engine(url: str, *, pool_size: int = 4) -> sa.Engine:
    """Make an engine with a small bounded pool; nothing connects yet."""
    return sa.create_engine(
        parse_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=60,
        pool_pre_ping=True,
        hide_parameters=True,  # parameters are row data, and errors end in logs
        connect_args=connect_arguments(),
    )


@contextlib.contextmanager
def translated(engine: sa.Engine) -> Iterator[None]:
    """Turn errors of psycopg2 and SQLAlchemy into `StoreError`s of one line, without row data."""
    try:
        yield
    except exc.DBAPIError as error:
        raise _translate(error.orig, engine.url) from _harmless(error.orig)
    except psycopg2.Error as error:
        raise _translate(error, engine.url) from _harmless(error)
    except exc.TimeoutError as error:
        raise TransientStoreError(f"all {engine.pool.status()} connections are in use") from error


def run_transaction(
    engine: sa.Engine, work: Callable[[sa.Connection], T], *, sleep: Callable[[float], None] = time.sleep
) -> T:
    """Run `work` in a transaction of its own, again on a fresh connection while the failure is transient.

    `work` must be repeatable. This is the only place that retries: do not nest it.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with translated(engine), engine.begin() as connection:
                return work(connection)
        except TransientStoreError:
            if attempt == _ATTEMPTS:
                raise
            # Jitter, because writers that retry in step deadlock again in step.
            sleep(_FIRST_WAIT_SECONDS * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311  # not a secret
    raise AssertionError("unreachable")


def _translate(error: BaseException | None, url: sa.URL) -> StoreError:
    code = getattr(error, "pgcode", None)
    place = f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"
    if code is None:
        return _without_code(str(error), place)
    name = psycopg2.errorcodes.lookup(code).lower()
    diagnosis = getattr(error, "diag", None)
    if code.startswith(_ROW_DATA_CLASSES):
        where = ".".join(filter(None, (getattr(diagnosis, n, None) for n in ("table_name", "constraint_name"))))
        return StoreError(f"PostgreSQL refused a value: {code} {name}{f' ({where})' if where else ''}")
    message = f"PostgreSQL at {place}: {getattr(diagnosis, 'message_primary', None) or name} ({code})"
    is_transient = code in _TRANSIENT_CODES or code.startswith(_TRANSIENT_CLASSES)
    return TransientStoreError(message) if is_transient else StoreError(message)


def _without_code(text: str, place: str) -> StoreError:
    """Errors of libpq itself have no SQLSTATE: the connection was refused, or it broke."""
    line = " ".join(text.split())
    reason = line.rpartition("FATAL: ")[2] if "FATAL: " in line else line.partition(" failed: ")[2] or line
    reason = reason.partition(" Is the server running")[0].strip()
    if "FATAL: " in line and not any(word in line for word in ("starting up", "shutting down", "too many")):
        return StoreError(f"PostgreSQL at {place} refuses the connection: {reason}; correct TG_INGEST_DATABASE_URL")
    return TransientStoreError(f"PostgreSQL at {place} is out of reach: {reason}; {_MEND}")


def _harmless(error: BaseException | None) -> BaseException | None:
    """The cause to show in a traceback: none where PostgreSQL's detail quotes the row."""
    code = getattr(error, "pgcode", None) or ""
    return None if code.startswith(_ROW_DATA_CLASSES) else error
