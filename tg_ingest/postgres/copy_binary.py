"""Arrow tables as PostgreSQL's binary COPY: the fastest way in, and lossless for every text."""

from collections.abc import Iterator
from typing import Any

import pgpq
import pgpq.encoders
import pgpq.schema
import psycopg2.extensions
import pyarrow as pa
from psycopg2 import sql

_READ_SIZE = 1 << 20  # psycopg2 asks for 8 KiB at a time otherwise: 128 times the calls
_BATCH_ROWS = 1_000  # what is in memory in encoded form: about 2 MB


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
    stream = _Stream(_encoded(table, jsonb))
    cursor.copy_expert(statement, stream, _READ_SIZE)  # type: ignore[arg-type]  # annotated as a text file, only read


class _Stream:
    """What psycopg2 reads from: `chunks` joined, one in memory at a time."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; nothing at the end, which psycopg2 takes for the end of the COPY."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = memoryview(chunk)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return bytes(taken)


def _encoded(table: pa.Table, jsonb: frozenset[str]) -> Iterator[bytes]:
    encoders = {field.name: _encoder(field, as_jsonb=field.name in jsonb) for field in table.schema}
    encoder = pgpq.ArrowToPostgresBinaryEncoder.new_with_encoders(table.schema, encoders)
    yield encoder.write_header()
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        yield encoder.write_batch(batch)
    yield encoder.finish()


def _encoder(field: pa.Field, *, as_jsonb: bool) -> Any:
    """The encoder of a column; pgpq does not name their common type."""
    if as_jsonb:
        return pgpq.encoders.StringEncoderBuilder.new_with_output(field, pgpq.schema.Jsonb())
    return pgpq.ArrowToPostgresBinaryEncoder.infer_encoder(field)
