"""The ops of one ingestion run: fetch, validate, dedupe. Each is thin over `tg_ingest.ingestion`.

They hand each other references to parts on disk, never rows, so a run over millions of messages stays small and a
re-execution from failure does not call Telegram again.
"""

import dagster as dg

from tg_ingest.defs.failures import failures_explained
from tg_ingest.defs.partitions import windows_by_channel
from tg_ingest.defs.resources import DatabaseResource, SessionPoolResource, SpoolResource
from tg_ingest.ingestion.batch import ChannelBatch
from tg_ingest.ingestion.fetching import Limits, fetch_channel
from tg_ingest.ingestion.staging import dedupe_batch, validate_batch
from tg_ingest.settings import Settings


@dg.op(out=dg.Out(list, io_manager_key="staging"), tags={"kind": "telegram"})
async def fetch_history(
    context: dg.OpExecutionContext,
    session_pool: SessionPoolResource,
    database: DatabaseResource,
    spool: SpoolResource,
) -> list[ChannelBatch]:
    """Ask Telegram for the messages of these windows that were not seen yet, page by page, the newest first.

    Uses the accounts of the session pool in turns. Every page is on disk before the next is asked for: what a killed
    run fetched is adopted by the next one.
    """
    settings = Settings.from_environment()
    partitions = context.assets_def.partitions_def
    assert isinstance(partitions, dg.MultiPartitionsDefinition)  # noqa: S101  # build_defs made it
    limits = Limits(max_sessions=session_pool.sessions_per_run, max_wait=session_pool.max_wait_seconds)
    batches = []
    with failures_explained():
        pool = session_pool.opened()
        for slug, windows in windows_by_channel(context.partition_keys, partitions).items():
            batch = await fetch_channel(
                pool,
                stores=database.stores,
                spool=spool.spool,
                slug=slug,
                windows=windows,
                first_window=settings.first_window,
                run_id=context.run_id,
                limits=limits,
            )
            context.log.info(batch.summary())
            batches.append(batch)
    return batches


@dg.op(out=dg.Out(list, io_manager_key="staging"), tags={"kind": "pandas"})
def validate_messages(context: dg.OpExecutionContext, fetched: list) -> list[ChannelBatch]:
    """Hold every message against the rules of the table; what breaks one is kept apart, with reason and raw form."""
    with failures_explained():
        batches = [validate_batch(batch) for batch in fetched]
    for batch in batches:
        context.log.info("%s: %d messages rejected", batch.channel.slug, batch.rejected)
    return batches


@dg.op(out=dg.Out(list, io_manager_key="messages"), tags={"kind": "pandas"})
def dedupe_messages(context: dg.OpExecutionContext, validated: list) -> list[ChannelBatch]:
    """Keep one observation per message, the newest, over all parts."""
    with failures_explained():
        batches = [dedupe_batch(batch) for batch in validated]
    for batch in batches:
        context.log.info("%s: %d duplicates dropped", batch.channel.slug, batch.duplicates)
    return batches
