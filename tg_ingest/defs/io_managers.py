"""The IO manager of telegram/messages: stores parts on the way out, reads a DataFrame on the way in."""

import time

import dagster as dg
import pandas as pd

from tg_ingest.defs.assets import TABLE, column_schema
from tg_ingest.defs.failures import failures_explained
from tg_ingest.defs.partitions import windows_by_channel, windows_by_key
from tg_ingest.defs.resources import DatabaseResource
from tg_ingest.ingestion.batch import ChannelBatch
from tg_ingest.ingestion.completeness import completeness_of
from tg_ingest.ingestion.reading import read_windows
from tg_ingest.ingestion.storing import StoredBatch, store_batch
from tg_ingest.settings import Settings


class MessagesIOManager(dg.ConfigurableIOManager):
    """Upserts parts into telegram.messages, each in one transaction with the coverage that it proves."""

    database: DatabaseResource

    def handle_output(self, context: dg.OutputContext, obj: list[ChannelBatch]) -> None:
        """Store every part; what could not be fetched fails the run after everything else is safe."""
        started = time.monotonic()
        with failures_explained():
            stored = [store_batch(batch, self.database.stores, run_id=context.run_id) for batch in obj]
        for batch in stored:
            context.log.info(batch.summary())
        metadata = _metadata(stored, seconds=time.monotonic() - started)
        unfinished = [batch for batch in stored if batch.missing]
        if unfinished:
            raise dg.Failure(
                description="; ".join(batch.unfinished() for batch in unfinished),
                metadata=metadata,
                allow_retries=False,
            )
        context.add_output_metadata(metadata)
        with failures_explained():
            self._describe_partitions(context)

    def _describe_partitions(self, context: dg.OutputContext) -> None:
        """Tell of each partition what is its own: how many rows it has now, and which ids it spans."""
        first_window = Settings.from_environment().first_window
        for key, (slug, window) in windows_by_key(context.asset_partition_keys, _partitions(context)).items():
            known = completeness_of(self.database.stores, slug, [window], first_window=first_window)
            described = {"dagster/partition_row_count": known.stored, "ids": str(known.wanted)}
            context.step_context.add_asset_metadata(described, context.asset_key, key)

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """The messages of exactly the partitions asked for, with their latest counters."""
        with failures_explained():
            return read_windows(
                self.database.stores,
                windows_by_channel(context.asset_partition_keys, _partitions(context)),
                first_window=Settings.from_environment().first_window,
            )


def _partitions(context: dg.OutputContext | dg.InputContext) -> dg.MultiPartitionsDefinition:
    partitions = context.asset_partitions_def
    assert isinstance(partitions, dg.MultiPartitionsDefinition)  # noqa: S101  # build_defs made it
    return partitions


def _metadata(stored: list[StoredBatch], *, seconds: float) -> dict[str, dg.MetadataValue]:
    """What one run did, in the order in which an operator asks for it."""
    fetched = sum(b.batch.fetched for b in stored)
    fetching = sum(b.batch.seconds for b in stored)
    number, text = dg.MetadataValue.int, dg.MetadataValue.text
    return {
        "fetched": number(fetched),
        "inserted": number(sum(b.counts.inserted for b in stored)),
        "updated": number(sum(b.counts.updated for b in stored)),
        "unchanged": number(sum(b.counts.unchanged for b in stored)),
        "stale": number(sum(b.counts.stale for b in stored)),
        "rejected": number(sum(b.counts.rejected for b in stored)),
        "duplicates": number(sum(b.batch.duplicates for b in stored)),
        "covered": text("; ".join(f"{b.batch.channel.slug}: ids {b.batch.wanted - b.missing}" for b in stored)),
        "requests": number(sum(b.batch.requests for b in stored)),
        "flood waits": number(sum(b.batch.floods for b in stored)),
        "rotations": number(sum(b.batch.rotations for b in stored)),
        "sessions retired": number(sum(b.batch.retired for b in stored)),
        "messages/s": dg.MetadataValue.float(round(fetched / max(fetching + seconds, 0.001), 1)),
        "seconds fetching": dg.MetadataValue.float(round(fetching, 3)),
        "seconds storing": dg.MetadataValue.float(round(seconds, 3)),
        "dagster/column_schema": dg.MetadataValue.table_schema(column_schema()),
        "dagster/relation_identifier": text(TABLE),
    }
