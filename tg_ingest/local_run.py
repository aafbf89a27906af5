"""Runs and registrations from the command line, on this machine's Dagster instance."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg
from dagster_postgres.utils import DagsterPostgresException

from tg_ingest.definitions import build_defs
from tg_ingest.defs.partitions import CHANNELS, history_partitions, window_keys
from tg_ingest.defs.resources import DatabaseResource, SessionPoolResource
from tg_ingest.errors import ConfigurationError, StoreError, TgIngestError
from tg_ingest.ingestion.channels import register, slug_of
from tg_ingest.instance import dagster_environment
from tg_ingest.postgres.stores import Stores
from tg_ingest.settings import Settings

_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"


class RunFailed(TgIngestError):
    """A run ended without having done everything; the message is the failure's own."""


def add_channels(settings: Settings, names: Sequence[str]) -> list[str]:
    """Register channels and give each its partitions; returns their slugs. Repeating it changes nothing."""
    with Stores.connect(settings.database_url) as stores, _instance(settings) as instance:
        slugs = [register(stores, name) for name in names]
        instance.add_dynamic_partitions(str(CHANNELS.name), slugs)
    return slugs


def run_channel(settings: Settings, name: str, *, first: str, last: str, max_wait: float) -> dict[str, object]:
    """Ingest a range of a channel's windows in this process; returns what the run left on its materialisation.

    `max_wait` is how many seconds it waits for Telegram or a free account. Raises `RunFailed` with what made the run
    fail, in one line.
    """
    slug = slug_of(name)
    start, end = _chosen_windows(settings, first, last)
    add_channels(settings, [slug])
    with _instance(settings) as instance:
        pool = SessionPoolResource(
            database=DatabaseResource(), sessions_per_run=settings.sessions_per_run, max_wait_seconds=max_wait
        )
        job = build_defs(resource_overrides={"session_pool": pool}).resolve_job_def("ingest_history")
        result = job.execute_in_process(
            instance=instance,
            tags={_RANGE_START: f"{slug}|{start}", _RANGE_END: f"{slug}|{end}"},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},  # the command speaks for itself
            raise_on_error=False,
        )
    if not result.success:
        raise RunFailed(_first_failure(result))
    if not all(check.passed for check in result.get_asset_check_evaluations()):
        raise RunFailed(f"{slug} is stored, but not complete: see its check history_complete in the Dagster UI")
    materialised = result.get_asset_materialization_events()[0].materialization.metadata
    return {label: entry.value for label, entry in materialised.items() if not label.startswith("dagster/")}


def _chosen_windows(settings: Settings, first: str, last: str) -> tuple[str, str]:
    windows = window_keys(history_partitions(settings.grain, settings.first_window))
    chosen = first or windows[0], last or windows[-1]
    for window in chosen:
        if window not in windows:
            raise ConfigurationError(f"there is no window {window!r}: choose one from {windows[0]} to {windows[-1]}")
    if chosen[0] > chosen[1]:
        raise ConfigurationError(f"the window {chosen[0]} is after {chosen[1]}")
    return chosen


def _first_failure(result: dg.ExecuteInProcessResult) -> str:
    """What made the run fail: the description of a `dagster.Failure`, else the first line of the error."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data is not None and failure.user_failure_data.description:
                return failure.user_failure_data.description
            if failure.error is not None:
                return failure.error.message.strip().splitlines()[0]
    return "the run failed; see it in the Dagster UI"


@contextmanager
def _instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    os.environ.update(dagster_environment(settings))  # the code that Dagster loads reads its settings from here
    try:
        instance = dg.DagsterInstance.get()
    except DagsterPostgresException as error:  # its text does not say what to mend
        raise StoreError(
            f"Dagster's database is out of reach ({error}): start it, or correct its address in the environment"
        ) from error
    with instance:
        yield instance
