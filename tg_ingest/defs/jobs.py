"""Jobs: what an operator launches by name."""

import dagster as dg

from tg_ingest.defs.assets import MESSAGES

ingest_history = dg.define_asset_job(
    "ingest_history",
    selection=dg.AssetSelection.assets(MESSAGES),
    description="Ingest the chosen windows of the chosen channels. For many at once, backfill telegram/messages.",
)
