"""Partitions: channel x time window, and the translation between Dagster's keys and plain windows. Nothing else."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import dagster as dg

from tg_ingest.ingestion.windows import Window
from tg_ingest.settings import Grain

CHANNELS = dg.DynamicPartitionsDefinition(name="channels")
_GRAINS: dict[Grain, tuple[str, str]] = {"month": ("0 0 1 * *", "%Y-%m"), "year": ("0 0 1 1 *", "%Y")}


def history_partitions(grain: Grain, first_window: datetime) -> dg.MultiPartitionsDefinition:
    """Channel x month (or year), from the first window up to and including the current one."""
    cron, form = _GRAINS[grain]
    windows = dg.TimeWindowPartitionsDefinition(
        start=first_window.strftime(form), fmt=form, cron_schedule=cron, timezone="UTC", end_offset=1
    )
    return dg.MultiPartitionsDefinition({"channel": CHANNELS, "window": windows})


def window_keys(partitions: dg.MultiPartitionsDefinition) -> list[str]:
    """The keys of every window, the oldest first."""
    return list(partitions.get_partitions_def_for_dimension("window").get_partition_keys())


def windows_by_key(keys: Iterable[str], partitions: dg.MultiPartitionsDefinition) -> dict[str, tuple[str, Window]]:
    """The channel and the window that each partition key names."""
    times = partitions.get_partitions_def_for_dimension("window")
    assert isinstance(times, dg.TimeWindowPartitionsDefinition)  # noqa: S101  # history_partitions made it
    named = {}
    for key in keys:
        dimensions = partitions.get_partition_key_from_str(str(key)).keys_by_dimension
        span = times.time_window_for_partition_key(dimensions["window"])
        named[str(key)] = dimensions["channel"], Window(span.start, span.end)
    return named


def windows_by_channel(keys: Iterable[str], partitions: dg.MultiPartitionsDefinition) -> dict[str, tuple[Window, ...]]:
    """The windows that partition keys name, per channel, the oldest first."""
    wanted: dict[str, list[Window]] = defaultdict(list)
    for channel, window in windows_by_key(keys, partitions).values():
        wanted[channel].append(window)
    return {channel: tuple(sorted(windows)) for channel, windows in sorted(wanted.items())}
