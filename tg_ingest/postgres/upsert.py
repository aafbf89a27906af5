"""Storing a part: rows, counters, earlier versions, rejections and coverage in one transaction.

Unchanged rows are found by their keys and hashes alone: they are not sent, not parsed and cost no write-ahead log. New
rows are copied straight into the table. Only changed rows are staged and merged. Every step may be repeated without
effect. A channel has one writer at a time: an older look that changes a message and a newer one that merely confirms it
write to different tables, so two writers that do not wait for each other could leave the older text.
"""

from typing import NamedTuple, cast

import numpy as np
import psycopg2
import psycopg2.errors
import psycopg2.extensions
import pyarrow as pa
import sqlalchemy as sa
from psycopg2 import sql

from tg_ingest.messages.coverage import IdRanges
from tg_ingest.messages.models import KEY, Rejection, UpsertCounts
from tg_ingest.postgres import rejecting, upsert_sql
from tg_ingest.postgres.connection import run_transaction
from tg_ingest.postgres.copy_binary import copy_in
from tg_ingest.postgres.multirange import to_multirange

BATCH_ROWS = 10_000  # the fastest size measured; at 100,000 the planner leaves the index
_REFUSED = (
    psycopg2.DataError,
    psycopg2.IntegrityError,
    *(psycopg2.errors.lookup(code) for code in ("54000", "54001")),  # limits of the program, as too deep JSON
)
_MESSAGES = sql.Identifier("telegram", "messages")


class _Probed(NamedTuple):
    """Positions of the rows that are not stored in this form, ascending, and how many rows are out of date."""

    new: np.ndarray
    changed: np.ndarray
    stale: int


class _Merged(NamedTuple):
    """What became of the rows that were staged."""

    inserted: int
    updated: int
    stale: int
    refused: list[Rejection]


def store_part(
    engine: sa.Engine,
    table: pa.Table,
    *,
    channel_id: int,
    covered: IdRanges,
    rejections: list[Rejection],
    run_id: str,
) -> UpsertCounts:
    """Store the rows of one channel, with what could not become a row and the ids that are known now; all or nothing.

    `table` has `SCHEMA`, ascending ids, each once (`ValueError` otherwise); it may be empty. What PostgreSQL refuses
    becomes a rejection as well. A transient failure is tried again as a whole. Raises `StoreError`.
    """
    _require_keys(table, channel_id)

    def store(connection: sa.Connection) -> UpsertCounts:
        # SQLAlchemy owns the transaction; COPY and savepoints around it are the driver's.
        driver = cast("psycopg2.extensions.connection", connection.connection.driver_connection)
        with driver.cursor() as cursor:
            counts = UpsertCounts(0, 0, 0, 0, len(rejections))
            cursor.execute(upsert_sql.CREATE_STAGES)
            cursor.execute(upsert_sql.PLAN_BY_KEYS)
            cursor.execute(upsert_sql.LOCK_CHANNEL, {"channel_id": channel_id})
            rejecting.write_rejections(cursor, rejections, run_id=run_id)
            for start in range(0, table.num_rows, BATCH_ROWS):
                counts += _store_batch(cursor, table.slice(start, BATCH_ROWS), channel_id, run_id)
            if covered:
                known = {"channel_id": channel_id, "covered": to_multirange(covered)}
                cursor.execute(upsert_sql.EXTEND_COVERAGE, known)
            return counts

    return run_transaction(engine, store)


def _require_keys(table: pa.Table, channel_id: int) -> None:
    ids = table["message_id"].to_numpy()
    if (np.diff(ids) <= 0).any() or (table["channel_id"].to_numpy() != channel_id).any():
        raise ValueError(f"a part holds messages of one channel ({channel_id}) in ascending order, each once")


def _store_batch(cursor: psycopg2.extensions.cursor, table: pa.Table, channel_id: int, run_id: str) -> UpsertCounts:
    """Store up to `BATCH_ROWS` rows."""
    cursor.execute(upsert_sql.EMPTY_STAGES)
    table, refused = rejecting.without_nul(table)
    probed = _probe(cursor, table)
    content = _content(table)
    copied = _copy_new(cursor, _rows_at(content, probed.new), run_id)
    staged = probed.changed if copied else np.union1d(probed.new, probed.changed)
    merged = _merge(cursor, _rows_at(content, staged), run_id)
    refused += merged.refused
    refused += _merge_counters(cursor, table, refused)
    rejecting.write_rejections(cursor, refused, run_id=run_id)
    cursor.execute(upsert_sql.RESOLVE_REJECTIONS)
    if len(probed.new) < table.num_rows:
        _confirm(cursor, channel_id)
    return UpsertCounts(
        inserted=copied + merged.inserted,
        updated=merged.updated,
        unchanged=table.num_rows - len(probed.new) - len(probed.changed) - probed.stale,
        stale=probed.stale + merged.stale,
        rejected=len(refused),
    )


def _probe(cursor: psycopg2.extensions.cursor, table: pa.Table) -> _Probed:
    """Ask which rows the database lacks or has in another form; only keys and hashes travel."""
    position = pa.array(np.arange(table.num_rows, dtype="int32"))
    keys = table.select([*KEY, "content_hash", "observed_at"]).append_column("position", position)
    copy_in(cursor, sql.Identifier("staged_keys"), keys)
    cursor.execute(upsert_sql.PROBE)
    answers = cursor.fetchall()
    new = sorted(position for position, is_new, _ in answers if is_new)
    changed = sorted(position for position, is_new, is_stale in answers if not is_new and not is_stale)
    return _Probed(
        np.array(new, dtype="int64"), np.array(changed, dtype="int64"), len(answers) - len(new) - len(changed)
    )


def _rows_at(table: pa.Table, positions: np.ndarray) -> pa.Table:
    """These rows; all of them are the table itself and not a copy."""
    return table if len(positions) == table.num_rows else table.take(pa.array(positions))


def _content(table: pa.Table) -> pa.Table:
    """The columns of `telegram.messages`, under its names."""
    renamed = [upsert_sql.RENAMED.get(name, name) for name in table.column_names]
    return table.rename_columns(renamed).select(upsert_sql.CONTENT)


def _copy_new(cursor: psycopg2.extensions.cursor, rows: pa.Table, run_id: str) -> int:
    """Copy rows into the table; 0 when another writer was faster or a row is refused: then they must be merged."""
    if not rows.num_rows:
        return 0
    run = pa.array([run_id]).take(pa.array(np.zeros(rows.num_rows, dtype="int64")))
    rows = rows.append_column("first_seen_at", rows["observed_at"]).append_column("run_id", run)
    cursor.execute("SAVEPOINT copied")
    try:
        copy_in(cursor, _MESSAGES, rows, jsonb=upsert_sql.JSONB)
    except _REFUSED:
        cursor.execute("ROLLBACK TO SAVEPOINT copied")
        return 0
    return rows.num_rows


def _merge(cursor: psycopg2.extensions.cursor, rows: pa.Table, run_id: str) -> _Merged:
    """Stage rows and merge them; earlier content goes to the versions, refused rows to the rejections."""
    if not rows.num_rows:
        return _Merged(0, 0, 0, [])
    copy_in(cursor, sql.Identifier("staged_messages"), rows)
    refused: list[Rejection] = []
    cursor.execute("SAVEPOINT merged")
    try:
        inserted, updated = _merge_stage(cursor, run_id)
    except _REFUSED:
        cursor.execute("ROLLBACK TO SAVEPOINT merged")
        refused = rejecting.remove_bad(cursor, upsert_sql.REMOVE_BAD_MESSAGES, rows)
        inserted, updated = _merge_stage(cursor, run_id)
    return _Merged(inserted, updated, rows.num_rows - inserted - updated - len(refused), refused)


def _merge_stage(cursor: psycopg2.extensions.cursor, run_id: str) -> tuple[int, int]:
    """Insert what is missing and update what is older; returns both numbers of rows."""
    cursor.execute(upsert_sql.INSERT_STAGED, {"run_id": run_id})
    inserted = cursor.rowcount
    cursor.execute(upsert_sql.KEEP_EARLIER)
    cursor.execute(upsert_sql.UPDATE_CHANGED, {"run_id": run_id})
    return inserted, cursor.rowcount


def _merge_counters(
    cursor: psycopg2.extensions.cursor, table: pa.Table, already_refused: list[Rejection]
) -> list[Rejection]:
    """Write the counters that changed; returns rejections for those that PostgreSQL refuses."""
    copy_in(cursor, sql.Identifier("staged_counters"), table.select(upsert_sql.COUNTED))
    _forget_keys(cursor, already_refused)
    cursor.execute("SAVEPOINT counted")
    try:
        cursor.execute(upsert_sql.MERGE_COUNTERS)
    except _REFUSED:
        cursor.execute("ROLLBACK TO SAVEPOINT counted")
        refused = rejecting.remove_bad(cursor, upsert_sql.REMOVE_BAD_COUNTERS, table)
        cursor.execute(upsert_sql.MERGE_COUNTERS)
        _forget_keys(cursor, refused)
        return refused
    return []


def _forget_keys(cursor: psycopg2.extensions.cursor, refused: list[Rejection]) -> None:
    """Take refused messages out of the stages: they are neither counted, confirmed nor resolved."""
    if refused:
        cursor.execute(upsert_sql.FORGET_REFUSED, {"ids": [rejection.message_id for rejection in refused]})


def _confirm(cursor: psycopg2.extensions.cursor, channel_id: int) -> None:
    """Remember which unchanged rows were seen again, later than what is stored: an older look may still arrive."""
    for subject, statement in (
        ("content", upsert_sql.CONFIRM_CONTENT),
        ("counters", upsert_sql.CONFIRM_COUNTERS),
    ):
        cursor.execute(statement, {"channel_id": channel_id})
        written = cursor.fetchall()
        if written:
            buckets, moments = ([*set(values)] for values in zip(*written, strict=True))
            newest = {"channel_id": channel_id, "subject": subject, "buckets": buckets, "observed_at": moments}
            cursor.execute(upsert_sql.FORGET_OLDER, newest)
