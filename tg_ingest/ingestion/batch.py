"""What the ops of a run hand each other: references to parts of one channel's history, and numbers. Never rows."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tg_ingest.accounts import Channel
from tg_ingest.ingestion.windows import Boundaries, Window
from tg_ingest.messages.coverage import IdRanges
from tg_ingest.messages.spool import Part


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedPart:
    """A part of the spool and what validation and dedupe made of it.

    `accepted` and `rejections` are files beside the part; None means that every row is good as it lies there.
    """

    part: Part
    accepted: Path | None = None
    rejections: Path | None = None
    rejected: int = 0
    duplicates: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelBatch:
    """One channel's share of a run.

    `edges` tells where each of the `windows` begins; `wanted` are their ids, `covered` those that were stored before
    the run began. `fetched` counts rows from Telegram, `adopted` rows that an earlier run had fetched and not stored.
    """

    channel: Channel
    windows: tuple[Window, ...]
    edges: Boundaries
    wanted: IdRanges
    covered: IdRanges
    parts: tuple[StagedPart, ...]
    fetched: int
    adopted: int
    requests: int
    floods: int
    rotations: int
    retired: int
    seconds: float
    resume_at: datetime | None
    reason: str | None

    @property
    def rejected(self) -> int:
        """Rows that validation kept apart."""
        return sum(staged.rejected for staged in self.parts)

    @property
    def duplicates(self) -> int:
        """Rows that a newer observation of the same message made needless."""
        return sum(staged.duplicates for staged in self.parts)

    def summary(self) -> str:
        """One line for the run's log."""
        known = f"{self.covered.size:,} of {self.wanted.size:,} ids were known"
        asked = f"{self.fetched:,} messages fetched in {self.requests:,} requests and {self.seconds:.1f} s"
        pool = f"{self.floods} floods, {self.rotations} rotations, {self.retired} sessions retired"
        adopted = f", {self.adopted:,} adopted from an earlier run" if self.adopted else ""
        return f"{self.channel.slug}: {known}; {asked}{adopted}; {pool}"
