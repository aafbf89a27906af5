"""Which ids of a channel are known. Written by `upsert.store_part` alone, together with the rows."""

import sqlalchemy as sa

from tg_ingest.messages.coverage import IdRanges
from tg_ingest.postgres.connection import run_transaction
from tg_ingest.postgres.multirange import from_multirange
from tg_ingest.postgres.schema_ingest import COVERAGE


def read_coverage(engine: sa.Engine, channel_id: int) -> IdRanges:
    """The ids that were asked for and stored, rejected, or not there."""
    query = sa.select(sa.cast(COVERAGE.c.covered, sa.Text)).where(COVERAGE.c.channel_id == channel_id)
    text = run_transaction(engine, lambda connection: connection.execute(query).scalar())
    return from_multirange(text) if text else IdRanges()
