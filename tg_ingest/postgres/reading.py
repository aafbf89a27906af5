"""Stored messages as pandas frames, for checks and for analysts: bounded memory, right types."""

from collections.abc import Iterator, Sequence

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from tg_ingest.messages.coverage import IdRanges
from tg_ingest.postgres.connection import translated
from tg_ingest.postgres.schema import TELEGRAM
from tg_ingest.postgres.schema_telegram import COUNTERS, MESSAGES, VIEW_COLUMN_COMMENTS, VIEW_NAME

_CHUNK_ROWS = 10_000
_TIME = pd.ArrowDtype(pa.timestamp("us", tz="UTC"))
_COLUMN_OF = {
    **{column.name: column for column in COUNTERS.columns},
    **{column.name: column for column in MESSAGES.columns},
    "counters_observed_at": COUNTERS.c.observed_at,
}


def read_messages(
    engine: sa.Engine, channel_id: int, ids: IdRanges, *, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Messages of the ids with their latest counters, by id; for more than fits in memory use `iterate_messages`.

    `columns` are those of telegram.messages_with_counters, all by default. JSON columns are text.
    """
    names = list(columns or VIEW_COLUMN_COMMENTS)
    frames = list(iterate_messages(engine, channel_id, ids, columns=names))
    return pd.concat(frames, ignore_index=True) if frames else _frame([], names)


def iterate_messages(
    engine: sa.Engine, channel_id: int, ids: IdRanges, *, columns: Sequence[str] | None = None
) -> Iterator[pd.DataFrame]:
    """The same in frames of at most 10,000 rows, through a server-side cursor: one frame is in memory at a time."""
    names = list(columns or VIEW_COLUMN_COMMENTS)
    with translated(engine), engine.connect() as connection:
        streaming = connection.execution_options(stream_results=True, max_row_buffer=_CHUNK_ROWS)
        for lower, upper in ids:
            rows = streaming.execute(_query(names), {"channel_id": channel_id, "lower": lower, "upper": upper})
            for chunk in rows.partitions(_CHUNK_ROWS):
                yield _frame(chunk, names)


def _query(names: Sequence[str]) -> sa.Select:
    # JSON as text: a driver that parses it would cost more than the rest, and fails on some of what `json` may hold.
    view = sa.table(VIEW_NAME, *map(sa.column, (*names, "channel_id", "message_id")), schema=TELEGRAM)
    chosen = [sa.cast(view.c[name], sa.Text).label(name) if _is_json(name) else view.c[name] for name in names]
    return (
        sa.select(*chosen)
        .where(view.c.channel_id == sa.bindparam("channel_id"))
        .where(view.c.message_id >= sa.bindparam("lower"), view.c.message_id < sa.bindparam("upper"))
        .order_by(view.c.message_id)
    )


def _is_json(name: str) -> bool:
    return name in _COLUMN_OF and isinstance(_COLUMN_OF[name].type, sa.JSON)


def _frame(rows: Sequence[sa.Row], names: Sequence[str]) -> pd.DataFrame:
    """Rows as a frame of fixed types: an absent number must not turn its column into floats."""
    values = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pd.DataFrame({name: pd.array(v, dtype=_dtype(name)) for name, v in zip(names, values, strict=True)})


def _dtype(name: str) -> pd.ArrowDtype:
    if name == "is_deleted":
        return pd.ArrowDtype(pa.bool_())
    column = _COLUMN_OF[name]
    if isinstance(column.type, sa.DateTime):
        return _TIME
    if isinstance(column.type, sa.Boolean):
        return pd.ArrowDtype(pa.bool_())
    return pd.ArrowDtype(pa.int64() if isinstance(column.type, sa.Integer) else pa.string())
