"""Storing the parts of a batch: one transaction a part, then the part may go."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime

from tg_ingest.errors import StoreError
from tg_ingest.ingestion.batch import ChannelBatch, StagedPart
from tg_ingest.ingestion.staging import files_beside, rejections_of, rows_of
from tg_ingest.ingestion.windows import joined
from tg_ingest.messages.coverage import IdRange, IdRanges
from tg_ingest.messages.models import UpsertCounts
from tg_ingest.postgres.stores import Stores
from tg_ingest.postgres.upsert import store_part


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredBatch:
    """A batch and what storing it changed; `missing` are wanted ids that are still not covered."""

    batch: ChannelBatch
    counts: UpsertCounts
    missing: IdRanges

    def summary(self) -> str:
        """One line for the run's log."""
        c = self.counts
        changed = f"{c.inserted:,} inserted, {c.updated:,} updated, {c.unchanged:,} unchanged, {c.stale:,} stale"
        return f"{self.batch.channel.slug}: {changed}, {c.rejected:,} rejected; {self.missing.size:,} ids not seen yet"

    def unfinished(self) -> str:
        """What is missing, why, and when to go on: for an operator."""
        why = self.batch.reason or "Telegram was not asked for them"
        when = f"; go on after {self.batch.resume_at:%Y-%m-%d %H:%M:%S} UTC" if self.batch.resume_at else ""
        return (
            f"{self.batch.channel.slug}: ids {self.missing} were not fetched: {why}{when}. What was fetched is stored; "
            "materialise the same partitions again and only the rest is asked for"
        )


def store_batch(batch: ChannelBatch, stores: Stores, *, run_id: str) -> StoredBatch:
    """Store every part, one in memory at a time. Repeating it changes nothing."""
    counts = UpsertCounts(0, 0, 0, 0, 0)
    for staged in batch.parts:
        counts += _store(staged, stores, run_id=run_id)
    assert batch.channel.channel_id is not None  # noqa: S101  # a batch is of a resolved channel
    missing = batch.wanted - stores.covered(batch.channel.channel_id)
    _note_inner_boundaries(batch, stores, batch.channel.channel_id)
    return StoredBatch(batch=batch, counts=counts, missing=missing)


def _note_inner_boundaries(batch: ChannelBatch, stores: Stores, channel_id: int) -> None:
    """Keep where each window begins: the stored messages tell it, so Telegram is only asked for the outer edges."""
    now = datetime.now(UTC)
    covered = stores.covered(channel_id)
    for span in joined(batch.windows):
        lower, upper = batch.edges.first_id(span.start), batch.edges.first_id(span.end)
        if lower is None or upper is None or IdRanges.of([(lower, upper)]) - covered:
            continue
        inner = [window.start for window in batch.windows if span.start < window.start < span.end]
        found = stores.channels.first_ids_since(channel_id, IdRange(lower, upper), [m for m in inner if m <= now])
        # Imported messages have dates out of order; windows must not overlap for that.
        rising = itertools.accumulate((found[moment] for moment in sorted(found)), max)
        stores.channels.save_boundaries(channel_id, dict(zip(sorted(found), rising, strict=True)))


def _store(staged: StagedPart, stores: Stores, *, run_id: str) -> UpsertCounts:
    part = staged.part
    try:
        rows, rejections = rows_of(staged), rejections_of(staged)
    except FileNotFoundError:
        # Another run adopted the part after this one's worker died. If it stored it, there is nothing to do.
        if part.covered - stores.covered(part.channel_id):
            raise StoreError(
                f"the part {part.path} is gone and not stored: run the partitions again from the start"
            ) from None
        return UpsertCounts(0, 0, 0, 0, 0)
    counts = store_part(
        stores.engine,
        rows,
        channel_id=part.channel_id,
        covered=part.covered,
        rejections=rejections,
        run_id=run_id,
    )
    for path in (*files_beside(staged), part.path):
        path.unlink(missing_ok=True)
    return counts
