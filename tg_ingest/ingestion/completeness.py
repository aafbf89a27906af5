"""What is known of the ids of a channel's windows: seen, not seen, or not known yet. Reads the database only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tg_ingest.ingestion.windows import Boundaries, Window
from tg_ingest.messages.coverage import IdRanges
from tg_ingest.postgres.stores import Stores


@dataclass(frozen=True, kw_only=True, slots=True)
class Completeness:
    """A channel's windows: the ids they span (None when they were never looked up), what is missing, what is there."""

    slug: str
    wanted: IdRanges | None
    missing: IdRanges
    stored: int
    rejected: int

    @property
    def is_complete(self) -> bool:
        """Whether every id of the windows was seen."""
        return self.wanted is not None and not self.missing


def completeness_of(stores: Stores, slug: str, windows: Sequence[Window], *, first_window: datetime) -> Completeness:
    """Look up what is known; a channel that no run has resolved yet is not complete."""
    channel = stores.channels.get(slug)
    if channel is None or channel.channel_id is None:
        return Completeness(slug=slug, wanted=None, missing=IdRanges(), stored=0, rejected=0)
    channel_id = channel.channel_id
    edges = Boundaries(
        known=stores.channels.boundaries(channel_id),
        top_id=stores.channels.top_message_id(channel_id),
        first_window=first_window,
        now=datetime.now(UTC),
    )
    wanted = edges.ids(windows)
    if wanted is None:
        return Completeness(slug=slug, wanted=None, missing=IdRanges(), stored=0, rejected=0)
    return Completeness(
        slug=slug,
        wanted=wanted,
        missing=wanted - stores.covered(channel_id),
        stored=sum(stores.channels.stored_messages(channel_id, ids) for ids in wanted),
        rejected=sum(stores.channels.rejected_messages(channel_id, ids) for ids in wanted),
    )
