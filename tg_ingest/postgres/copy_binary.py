"""Arrow tables as PostgreSQL's binary COPY: the fastest way in, and lossless for every text."""

import io
from typing import Any

import pgpq
import pgpq.encoders
import pgpq.schema
import psycopg2.extensions
import pyarrow as pa
from psycopg2 import sql

_READ_SIZE = 1 << 20  # psycopg2 asks for 8 KiB at a time otherwise: 128 times the calls
_BATCH_ROWS = 2_000  # bounds the copies that are made of a batch


def copy_in(
    cursor: "psycopg2.extensions.cursor",
    target: sql.Identifier,
    table: pa.Table,
    *,
    jsonb: frozenset[str] = frozenset(),
) -> None:
    """COPY a table into the columns of the same names; columns named in `jsonb` are sent as that type."""
    columns = sql.SQL(", ").join(map(sql.Identifier, table.column_names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(target, columns)
    cursor.copy_expert(statement, _encoded(table, jsonb), _READ_SIZE)


def _encoded(table: pa.Table, jsonb: frozenset[str]) -> io.BytesIO:
    encoders = {field.name: _encoder(field, as_jsonb=field.name in jsonb) for field in table.schema}
    encoder = pgpq.ArrowToPostgresBinaryEncoder.new_with_encoders(table.schema, encoders)
    content = io.BytesIO()
    content.write(encoder.write_header())
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        content.write(encoder.write_batch(batch))
    content.write(encoder.finish())
    content.seek(0)
    return content


def _encoder(field: pa.Field, *, as_jsonb: bool) -> Any:
    """The encoder of a column; pgpq does not name their common type."""
    if as_jsonb:
        return pgpq.encoders.StringEncoderBuilder.new_with_output(field, pgpq.schema.Jsonb())
    return pgpq.ArrowToPostgresBinaryEncoder.infer_encoder(field)
