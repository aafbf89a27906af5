"""Finding the rows that PostgreSQL refuses, so that one bad row does not stop its batch, and writing them down."""

# pyarrow.compute makes its functions when it is imported, unseen by type checkers.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Iterable

import numpy as np
import psycopg2.extensions
import psycopg2.extras
import pyarrow as pa
import pyarrow.compute as pc

from tg_ingest.messages.models import Rejection
from tg_ingest.postgres import upsert_sql

_REASON = "database"
_NUL_STATE = "22021"


def without_nul(table: pa.Table) -> tuple[pa.Table, list[Rejection]]:
    """Take out the rows that cannot even be staged: PostgreSQL has no text with a NUL character."""
    bad = np.zeros(table.num_rows, dtype=bool)
    for field in table.schema:
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            bad |= pc.fill_null(pc.match_substring(table[field.name], "\0"), False).to_numpy()
    if not bad.any():
        return table, []
    refused = [
        (i, _NUL_STATE, "a text holds a NUL character") for i in table.filter(pa.array(bad))["message_id"].to_pylist()
    ]
    return table.filter(pa.array(~bad)), rejections_of(table, refused)


def remove_bad(cursor: "psycopg2.extensions.cursor", statement: str, table: pa.Table) -> list[Rejection]:
    """Take the rows out of a stage that its target would refuse, and describe them. Costs a savepoint a row."""
    cursor.execute(upsert_sql.JUDGES)
    cursor.execute(statement)
    return rejections_of(table, cursor.fetchall())


def rejections_of(table: pa.Table, refused: Iterable[tuple[int, str, str]]) -> list[Rejection]:
    """Rejections for messages of the table, given as id, SQLSTATE and PostgreSQL's words."""
    verdicts = {message_id: (state, words) for message_id, state, words in refused}
    chosen = table.filter(pc.is_in(table["message_id"], value_set=pa.array(list(verdicts), type=pa.int64())))
    return [
        Rejection(
            channel_id=row["channel_id"],
            message_id=row["message_id"],
            reason=_REASON,
            detail=verdicts[row["message_id"]][1],
            sqlstate=verdicts[row["message_id"]][0],
            raw=row["raw"],
            observed_at=row["observed_at"],
        )
        for row in chosen.select(["channel_id", "message_id", "raw", "observed_at"]).to_pylist()
    ]


def write_rejections(cursor: "psycopg2.extensions.cursor", rejections: Iterable[Rejection], *, run_id: str) -> None:
    """Write rejections down, each once however often it comes."""
    storable = sorted(map(_storable, rejections), key=lambda r: r.observed_at)
    latest = {(r.channel_id, r.message_id, r.reason, r.raw): (*r, run_id) for r in storable}
    if latest:
        values = [latest[key] for key in sorted(latest)]
        psycopg2.extras.execute_values(cursor, upsert_sql.INSERT_REJECTIONS, values, page_size=500)
        keys = {"channels": [key[0] for key in latest], "ids": [key[1] for key in latest]}
        cursor.execute(upsert_sql.RESOLVE_LATE_REJECTIONS, keys)


def _storable(rejection: Rejection) -> Rejection:
    """The rejection with NUL characters as JSON escapes them: the same text for whoever parses it again."""
    return rejection._replace(
        raw=rejection.raw.replace("\0", "\\u0000"),
        detail=rejection.detail.replace("\0", ""),
        sqlstate=rejection.sqlstate,
    )
