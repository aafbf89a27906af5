"""The database as a run uses it: one engine and the stores over it."""

from dataclasses import dataclass
from typing import Self

import sqlalchemy as sa

from tg_ingest.messages.coverage import IdRanges
from tg_ingest.postgres.account_store import PostgresAccountStore
from tg_ingest.postgres.channel_store import ChannelStore
from tg_ingest.postgres.connection import create_engine
from tg_ingest.postgres.coverage_store import read_coverage
from tg_ingest.postgres.migrate import require_current


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that is kept in PostgreSQL. `close` ends its connections."""

    engine: sa.Engine
    accounts: PostgresAccountStore
    channels: ChannelStore

    @classmethod
    def connect(cls, url: str) -> Self:
        """Connect; raises `SchemaOutdated` when a migration is missing, `StoreError` when nobody answers."""
        engine = create_engine(url)
        require_current(engine)
        return cls(engine, PostgresAccountStore(engine), ChannelStore(engine))

    def covered(self, channel_id: int) -> IdRanges:
        """The ids of a channel that were seen: stored, rejected, or not there."""
        return read_coverage(self.engine, channel_id)

    def close(self) -> None:
        """Give back every account lock and close the connections."""
        self.accounts.close()
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
