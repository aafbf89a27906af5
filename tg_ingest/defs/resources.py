"""Resources: the messages' database, the spool and the rotating session pool. Secrets stay out of run config."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dagster as dg
from pydantic import Field, PrivateAttr

from tg_ingest.ingestion.pool import open_pool
from tg_ingest.messages.spool import Spool
from tg_ingest.postgres.stores import Stores
from tg_ingest.settings import Settings
from tg_ingest.telegram.pool import SessionPool


class DatabaseResource(dg.ConfigurableResource):
    """The messages' database. Its address is TG_INGEST_DATABASE_URL and is shown nowhere."""

    _stores: Stores | None = PrivateAttr(default=None)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002  # Dagster's signature
        """Close the connections."""
        if self._stores is not None:
            self._stores.close()
            self._stores = None

    @property
    def stores(self) -> Stores:
        """The database, connected at first use; raises `SchemaOutdated` when it needs a migration."""
        if self._stores is None:
            self._stores = Stores.connect(Settings.from_environment().database_url)
        return self._stores


class SpoolResource(dg.ConfigurableResource):
    """Where fetched pages lie until they are stored. A run owns its parts while it lives; others adopt them after."""

    _spool: Spool | None = PrivateAttr(default=None)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002  # Dagster's signature
        """Give up what was not stored, for another run to adopt."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    @property
    def spool(self) -> Spool:
        """The spool, opened at first use."""
        if self._spool is None:
            self._spool = Spool(Settings.from_environment().spool)
        return self._spool


class SessionPoolResource(dg.ConfigurableResource):
    """The Telegram accounts that read, taken in turns; see `ingest.accounts` for their states."""

    sessions_per_run: int = Field(default=4, ge=1, description="How many accounts one run may use at the same time.")
    max_wait_seconds: float = Field(
        default=300.0, ge=0, description="How long a run waits for an account to be free before it stores and ends."
    )
    database: DatabaseResource

    _pool: SessionPool | None = PrivateAttr(default=None)

    @asynccontextmanager
    async def yield_for_execution(  # type: ignore[override]  # Dagster takes async generators and annotates sync ones
        self,
        context: dg.InitResourceContext,  # noqa: ARG002  # Dagster's signature
    ) -> AsyncIterator["SessionPoolResource"]:
        """Give every account back when the run ends, however it ends."""
        try:
            yield self
        finally:
            if self._pool is not None:
                await self._pool.close()

    def opened(self) -> SessionPool:
        """The pool, opened at first use: a run over parts that are fetched already needs no account."""
        if self._pool is None:
            self._pool = open_pool(Settings.from_environment(), self.database.stores)
        return self._pool
