"""What the demo reads from the outside while the runs work: the database, the spool, the sessions' states."""

from collections.abc import Iterable, Iterator
from typing import Self

import pyarrow as pa

from tg_ingest.accounts import Account
from tg_ingest.defs.partitions import history_partitions, window_keys
from tg_ingest.demo.emulator_client import Fact
from tg_ingest.demo.progress import SessionState
from tg_ingest.demo.services import Services
from tg_ingest.messages.coverage import IdRanges
from tg_ingest.messages.spool import Spool
from tg_ingest.postgres.reading import iterate_messages
from tg_ingest.postgres.stores import Stores

_EVERYTHING = IdRanges.of([(0, 2**62)])


class Watcher:
    """Looks, and changes nothing. Use as a context manager."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stores = Stores.connect(services.settings.database_url)
        self._spool = Spool(services.settings.spool)
        settings = services.settings
        self._windows = window_keys(history_partitions(settings.grain, settings.first_window))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stores.close()

    def partitions(self) -> list[str]:
        """Every partition key of every channel of the world."""
        return [f"{slug}|{window}" for slug in self._services.channels for window in self._windows]

    def partitions_of(self, ranges: Iterable[tuple[str, str]]) -> set[str]:
        """Every partition key in ranges of them; a range lies within one channel."""
        found = set()
        for first, last in ranges:
            slug, first_window = first.split("|")
            last_window = last.split("|")[1]
            found |= {f"{slug}|{window}" for window in self._windows if first_window <= window <= last_window}
        return found

    def stored(self) -> dict[str, int]:
        """Messages in the database, by channel."""
        count = self._stores.channels.stored_messages
        return {slug: count(channel_id) for slug, channel_id in self._services.ids.items()}

    def fetched(self) -> dict[str, int]:
        """Messages that are here: in the database, or on disk on the way to it."""
        waiting = self._spool.rows_waiting
        return {slug: count + waiting(self._services.ids[slug]) for slug, count in self.stored().items()}

    def rejected(self) -> int:
        """Messages that could not be stored as rows."""
        count = self._stores.channels.rejected_messages
        return sum(map(count, self._services.ids.values()))

    def facts(self, channel_id: int) -> Iterator[Fact]:
        """What the database says of every message of a channel, in the order of ids."""
        for frame in iterate_messages(self._stores.engine, channel_id, _EVERYTHING, columns=Fact._fields):
            columns = pa.Table.from_pandas(frame, preserve_index=False)
            yield from map(Fact, *(columns[name].to_pylist() for name in Fact._fields))

    def sessions(self) -> list[SessionState]:
        """Every account's state."""
        return [self._state(account) for account in self._stores.accounts.accounts()]

    def _state(self, account: Account) -> SessionState:
        accounts = self._stores.accounts
        rests = [p.blocked_until for p in accounts.paces(account.account_id).values() if p.blocked_until]
        working = account.state == "active" and accounts.connected_since(account.account_id) is not None
        return SessionState(
            label=account.label,
            state="working" if working else "idle" if account.state == "active" else account.state,
            reason=account.state_reason,
            resting_until=max(rests, default=None),
        )
