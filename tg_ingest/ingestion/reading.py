"""Reading stored messages back by windows: for assets downstream and for notebooks."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd

from tg_ingest.errors import ConfigurationError
from tg_ingest.ingestion.completeness import completeness_of
from tg_ingest.ingestion.windows import Window
from tg_ingest.postgres.reading import read_messages
from tg_ingest.postgres.stores import Stores


def read_windows(stores: Stores, windows: Mapping[str, Sequence[Window]], *, first_window: datetime) -> pd.DataFrame:
    """The messages of these windows of these channels, with their latest counters; one row a message."""
    frames = []
    for slug, spans in windows.items():
        known = completeness_of(stores, slug, spans, first_window=first_window)
        channel = stores.channels.get(slug)
        if known.wanted is None or channel is None or channel.channel_id is None:
            raise ConfigurationError(f"the windows of channel {slug!r} were never ingested: materialise them first")
        frames.append(read_messages(stores.engine, channel.channel_id, known.wanted))
    return pd.concat(frames, ignore_index=True)
