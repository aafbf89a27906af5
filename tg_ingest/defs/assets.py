"""The assets: one graph-backed asset whose ops fetch, validate and dedupe, and whose IO manager stores."""

import dagster as dg

from tg_ingest.defs.ops import dedupe_messages, fetch_history, validate_messages
from tg_ingest.postgres.description import messages_columns

MESSAGES = dg.AssetKey(["telegram", "messages"])
TABLE = "telegram.messages"


def column_schema() -> dg.TableSchema:
    """The columns of telegram.messages, with the comments that the database holds as well."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(c.name, c.type, c.comment, dg.TableColumnConstraints(nullable=c.is_nullable))
            for c in messages_columns()
        ],
        constraints=dg.TableConstraints(other=["PRIMARY KEY (channel_id, message_id)"]),
    )


def messages_asset(partitions: dg.MultiPartitionsDefinition, *, windows_per_run: int) -> dg.AssetsDefinition:
    """The history of every channel, partitioned by channel and time window."""

    @dg.graph_asset(
        key=MESSAGES,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=windows_per_run),
        group_name="telegram",
        kinds={"telegram", "postgres"},
        owners=["team:ingestion"],
        metadata={"dagster/column_schema": column_schema(), "dagster/relation_identifier": TABLE},
    )
    def messages() -> list:
        """Every message of the registered channels, one row per (channel, message), as it was last seen.

        Only ids that were never seen are asked for; storing is idempotent. Edits keep the earlier text in
        `telegram.message_versions`; views, forwards and reactions are in `telegram.message_counters`.
        """
        return dedupe_messages(validate_messages(fetch_history()))

    return messages
