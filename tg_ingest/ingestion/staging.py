"""Validation and dedupe of the parts of a batch. A part that is good as it is stays untouched on disk."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from tg_ingest.ingestion.batch import ChannelBatch, StagedPart
from tg_ingest.messages.dedupe import newest_per_key
from tg_ingest.messages.models import Rejection
from tg_ingest.messages.part_stream import failures_named
from tg_ingest.messages.spool import read_part
from tg_ingest.messages.validation import validate

_REJECTIONS = pa.schema(
    [
        ("channel_id", pa.int64()),
        ("message_id", pa.int64()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("sqlstate", pa.string()),
        ("raw", pa.large_string()),
        ("observed_at", pa.timestamp("us", tz="UTC")),
    ]
)


def validate_batch(batch: ChannelBatch) -> ChannelBatch:
    """Keep apart what breaks a rule of the table, with its reason; one part in memory at a time."""
    return replace(batch, parts=tuple(_validated(staged) for staged in batch.parts))


def dedupe_batch(batch: ChannelBatch) -> ChannelBatch:
    """Keep the newest observation of each message.

    A message that lies in two parts is settled by the store, which keeps the newer observation: memory stays bounded
    by one part.
    """
    return replace(batch, parts=tuple(_deduped(staged) for staged in batch.parts))


def rows_of(staged: StagedPart) -> pa.Table:
    """The rows to store: accepted, one a message, in the order of their keys."""
    return newest_per_key(_read(staged.accepted) if staged.accepted else read_part(staged.part))


def rejections_of(staged: StagedPart) -> list[Rejection]:
    """What validation kept apart."""
    if staged.rejections is None:
        return []
    return [Rejection(**row) for row in _read(staged.rejections).to_pylist()]


def files_beside(staged: StagedPart) -> Sequence[Path]:
    """The files that staging made for a part; they go when the part goes."""
    return [path for path in (staged.accepted, staged.rejections) if path is not None]


def _validated(staged: StagedPart) -> StagedPart:
    try:
        rows = read_part(staged.part)
    except FileNotFoundError:  # another run adopted and stored it: the coverage will tell
        return staged
    accepted, rejections = validate(rows, now=datetime.now(UTC))
    if not rejections:
        return staged
    columns = zip(*rejections, strict=True)
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, _REJECTIONS, strict=True)], schema=_REJECTIONS)
    return replace(
        staged,
        accepted=_write(accepted, staged.part.path.with_suffix(".accepted")),
        rejections=_write(table, staged.part.path.with_suffix(".rejections")),
        rejected=len(rejections),
    )


def _deduped(staged: StagedPart) -> StagedPart:
    try:
        rows = _read(staged.accepted) if staged.accepted else read_part(staged.part)
    except FileNotFoundError:
        return staged
    return replace(staged, duplicates=rows.num_rows - len(rows["message_id"].unique()))


def _write(table: pa.Table, path: Path) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")  # another run may have the file itself mapped
    with failures_named(path):
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with pa.OSFile(str(draft), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        draft.rename(path)
    return path


def _read(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()
