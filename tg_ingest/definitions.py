"""What Dagster loads. `build_defs` is the one seam: tests and other deployments pass their own resources."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from tg_ingest.defs.assets import messages_asset
from tg_ingest.defs.checks import history_complete
from tg_ingest.defs.io_managers import MessagesIOManager
from tg_ingest.defs.jobs import ingest_history
from tg_ingest.defs.partitions import history_partitions
from tg_ingest.defs.resources import DatabaseResource, SessionPoolResource, SpoolResource
from tg_ingest.settings import Settings


def build_defs(*, resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Assemble assets, checks, jobs and resources from the settings in the environment; connects to nothing."""
    settings = Settings.from_environment()
    partitions = history_partitions(settings.grain, settings.first_window)
    database = DatabaseResource()
    resources: dict[str, Any] = {
        "database": database,
        "session_pool": SessionPoolResource(
            database=database, sessions_per_run=settings.sessions_per_run, max_wait_seconds=settings.max_wait
        ),
        "spool": SpoolResource(),
        "staging": dg.FilesystemIOManager(base_dir=str(settings.staging)),
        "messages": MessagesIOManager(database=database),
    }
    return dg.Definitions(
        assets=[messages_asset(partitions, windows_per_run=settings.windows_per_run)],
        asset_checks=[history_complete(partitions, first_window=settings.first_window)],
        jobs=[ingest_history],
        resources=resources | dict(resource_overrides or {}),
        executor=dg.in_process_executor,  # one event loop and session pool a run; the run is what is isolated
    )


defs = build_defs()
