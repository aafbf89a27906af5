"""Asset checks: what must hold for the stored messages. They read the database and never call Telegram."""

from datetime import datetime

import dagster as dg

from tg_ingest.defs.assets import MESSAGES
from tg_ingest.defs.failures import failures_explained
from tg_ingest.defs.partitions import windows_by_channel
from tg_ingest.defs.resources import DatabaseResource
from tg_ingest.ingestion.completeness import Completeness, completeness_of


def history_complete(partitions: dg.MultiPartitionsDefinition, *, first_window: datetime) -> dg.AssetChecksDefinition:
    """The check that every id of the partitions was seen, or that names the ids that were not."""

    @dg.asset_check(asset=MESSAGES, name="history_complete")
    def check(context: dg.AssetCheckExecutionContext, database: DatabaseResource) -> dg.AssetCheckResult:
        """Every message id between the first and the last of the partitions was inside a page that Telegram served.

        Fails with the id ranges that were not: materialise the same partitions again and only those are asked for.
        """
        with failures_explained():
            found = [
                completeness_of(database.stores, slug, windows, first_window=first_window)
                for slug, windows in windows_by_channel(context.partition_keys, partitions).items()
            ]
        return dg.AssetCheckResult(
            passed=all(channel.is_complete for channel in found),
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={channel.slug: dg.MetadataValue.md(_described(channel)) for channel in found},
        )

    return check


def _described(channel: Completeness) -> str:
    if channel.is_complete:
        return f"ids {channel.wanted}: all seen, {channel.stored:,} messages stored, {channel.rejected:,} rejected"
    return f"not seen: ids {channel.missing}" if channel.missing else "the ids of these windows are not known yet"
