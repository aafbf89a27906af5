"""The file format of the spool: an append-only Arrow IPC stream, one record batch a page, with the page's id range.

Not Parquet: a Parquet file cannot be read before its footer is written, and a killed run may lose only pages in flight.
"""

import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from tg_ingest.errors import StoreError
from tg_ingest.messages.coverage import IdRange, IdRanges
from tg_ingest.messages.models import SCHEMA, MessageRow

_RANGE = b"covered"


class Stored(NamedTuple):
    """One page as it lies in a file."""

    covered: IdRange
    batch: pa.RecordBatch


class PageFile:
    """Appends pages to a new file, readable by its owner only. `append` returns when the operating system has the page.

    A page that does not fit (disk full, quota) is taken back entirely; the pages before it stay good, and a later page
    may fit again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with failures_named(path):
            # O_APPEND: after a page was cut off, the next one begins at the new end.
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        # The stream is formed in memory and handed over page by page, because Arrow's own files cannot step back.
        self._formed = io.BytesIO()
        self._end = 0
        self._writer = self._new_writer()

    def append(self, rows: Sequence[MessageRow], covered: IdRange) -> None:
        """Write one page; raises `StoreError` when the disk does not take it."""
        self._writer.write_batch(to_batch(rows), custom_metadata={_RANGE: b"%d %d" % covered})
        self._hand_over()

    def close(self) -> None:
        """Close the file. It has no end mark: a reader takes the end of the file for the end of the stream."""
        os.close(self._file)

    def _new_writer(self) -> pa.ipc.RecordBatchStreamWriter:
        """A writer that puts the schema, without which nothing can be read, before its first page."""
        return pa.ipc.new_stream(_Forward(self._formed), SCHEMA)

    def _hand_over(self) -> None:
        """Write what was formed to the file, all or nothing."""
        content = self._formed.getvalue()
        self._formed.seek(0)
        self._formed.truncate()
        try:
            with failures_named(self.path):
                written = 0
                while written < len(content):
                    written += os.write(self._file, content[written:] if written else content)
        except StoreError:
            os.truncate(self.path, self._end)
            if not self._end:
                self._writer = self._new_writer()  # the schema was taken back, too
            raise
        self._end += len(content)


class _Forward(io.RawIOBase):
    """What Arrow writes to: it only moves forward, though what was written is taken away behind it."""

    def __init__(self, target: io.BytesIO) -> None:
        self._target = target
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any, /) -> int:
        written = self._target.write(content)
        self._position += written
        return written

    def tell(self) -> int:
        return self._position


class failures_named:  # noqa: N801  # reads as a phrase where it is used
    """Turn a failed write into a `StoreError` that names the path and the way out."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OSError):
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise StoreError(
                f"cannot write the spool at {self._path}: {reason}; free space there or set TG_INGEST_HOME"
            ) from error


def to_batch(rows: Sequence[MessageRow]) -> pa.RecordBatch:
    """Turn rows into one Arrow batch of `SCHEMA`.

    Arrow holds UTF-8 only. The TL parser replaces malformed bytes, so a lone surrogate can only come from cutting text;
    here it becomes U+FFFD rather than stop the page.
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(SCHEMA)
    try:
        arrays = [pa.array(column, type=field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    except UnicodeEncodeError:
        return to_batch([MessageRow(*map(_without_lone_surrogates, row)) for row in rows])
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def pages(path: Path) -> Iterator[Stored]:
    """Every complete page of a file, mapped into memory; what a killed writer left half-written ends the iteration."""
    with pa.memory_map(str(path)) as source:
        try:
            reader = pa.ipc.open_stream(source)
        except (pa.ArrowInvalid, OSError):  # killed before the schema was written
            return
        while True:
            try:
                batch, metadata = reader.read_next_batch_with_custom_metadata()
            except (StopIteration, pa.ArrowInvalid, OSError):
                return
            lower, upper = metadata[_RANGE].split()
            yield Stored(IdRange(int(lower), int(upper)), batch)


def contents(path: Path) -> tuple[IdRanges, int]:
    """The ids and the number of rows of a file's complete pages."""
    covered, rows = IdRanges(), 0
    for page in pages(path):
        covered, rows = covered | IdRanges.of([page.covered]), rows + page.batch.num_rows
    return covered, rows


def _without_lone_surrogates(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
