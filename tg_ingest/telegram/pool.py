"""The session pool: leases accounts to whoever reads, one holder each over all processes, and lets tired ones rest.

Which account to try is decided from what the store says; the lock in the store decides whether it is free. Fetching,
retrying and rotating are the driver's business (`fetch`).
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Self

from tg_ingest.accounts import Account, AccountStore
from tg_ingest.errors import ConfigurationError, PoolTimeout, StoreError
from tg_ingest.telegram.checkout import Checkout
from tg_ingest.telegram.client import Client
from tg_ingest.telegram.clock import Clock
from tg_ingest.telegram.lease import CONNECT, HISTORY, RESOLVE, Lease
from tg_ingest.telegram.pacing import Pacers
from tg_ingest.telegram.standing import PoolStats, Standing, survey

# Seconds between calls to begin with, where nothing is set and nothing was learned.
START_INTERVALS = {HISTORY: 2.0, RESOLVE: 60.0}
_OTHER_INTERVAL = 1.0
_POLL_SECONDS = (0.5, 1.5)
_CHECK_TIMEOUT = 15.0

_log = logging.getLogger("tg_ingest.telegram.pool")


class SessionPool:
    """Accounts of a store, leased one at a time. Use as `async with`; an instance serves one event loop.

    `holder` names this process in the store. `grace_seconds` is how long an account rests whose last holder did not
    say that it had disconnected. `patience` is how long a wait imposed by Telegram may be to be slept through in
    place. When the store loses its locks the pool closes every connection and stays closed.
    """

    def __init__(
        self,
        store: AccountStore,
        *,
        unseal: Callable[[Account, bytes], str],
        api_id: int,
        api_hash: str,
        holder: str,
        rpc_deadline: float = 60.0,
        connect_deadline: float = 20.0,
        start_intervals: Mapping[str, float] | None = None,
        grace_seconds: float = 30.0,
        patience: float = 5.0,
        check_seconds: float = 3.0,
        clock: Clock | None = None,
    ) -> None:
        def new_client(account: Account, sealed: bytes) -> Client:
            return Client(
                unseal(account, sealed),
                api_id=api_id,
                api_hash=api_hash,
                device=account.device,
                rpc_deadline=rpc_deadline,
                connect_deadline=connect_deadline,
            )

        self._store = store
        self._grace = grace_seconds
        self._check_seconds = check_seconds
        self._clock = clock or Clock()
        self._pacers = Pacers({**START_INTERVALS, **(start_intervals or {})}, otherwise=_OTHER_INTERVAL)
        self._checkout = Checkout(
            store,
            new_client=new_client,
            pacers=self._pacers,
            holder=holder,
            grace_seconds=grace_seconds,
            patience=patience,
            clock=self._clock,
            ensure_held=self._ensure_held,
        )
        self._checked_at = 0.0
        self._standings: list[Standing] = []
        self._rotations = 0
        self._changed = asyncio.Event()
        self._watchdog: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<SessionPool {self.stats()}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Refuse further leases and end those that are out; each is given back by its own holder."""
        self._checkout.end("the pool was closed", locks_are_lost=False)
        self._changed.set()
        if self._watchdog is not None:
            self._watchdog.cancel()
            await asyncio.wait({self._watchdog})

    @asynccontextmanager
    async def lease(
        self,
        *,
        channel_id: int | None = None,
        wait: float = 0.0,
        exclude: Collection[int] = (),
        method: str = HISTORY,
    ) -> AsyncIterator[Lease]:
        """Lease the account that can call `method` soonest, first those that know the channel; connected.

        Waits up to `wait` seconds for one. Raises `PoolTimeout` naming who holds what, `ConfigurationError` when no
        account is usable at all, `PoolClosed`, and what connecting raises. `exclude` holds account ids.
        """
        lease = await self._acquire(channel_id=channel_id, wait=wait, exclude=exclude, method=method)
        try:
            yield lease
        finally:
            await self._bring_back(lease)

    @property
    def clock(self) -> Clock:
        """The pool's time."""
        return self._clock

    def usable_accounts(self) -> set[int]:
        """The ids of the accounts that were active when the store was last asked."""
        return {s.account.account_id for s in self._standings if s.account.state == "active"}

    def note_rotation(self, lease: Lease, *, reason: str) -> None:
        """Count that work moves from this lease's account to another one."""
        self._rotations += 1
        label = lease.account.label
        _log.info("%s hands its work on: %s", label, reason, extra={"tg_ingest": {"account": label, "reason": reason}})

    def stats(self) -> PoolStats:
        """Describe every account as it was last seen, and what was done so far."""
        now = self._clock.now()
        sessions = []
        for standing in self._standings:
            account_id = standing.account.account_id
            until = self._resting_until(standing, HISTORY)
            sessions.append(
                standing.described(
                    is_leased=self._checkout.is_taken(account_id),
                    is_held_elsewhere=account_id in self._checkout.held_elsewhere,
                    resting_until=until if until > now else None,
                    tally=self._checkout.tally_of(account_id),
                )
            )
        return PoolStats(tuple(sessions), self._rotations)

    async def refresh(self) -> None:
        """Ask the store for the accounts' states, so that `stats` is up to date."""
        self._standings = await asyncio.to_thread(survey, self._store, None)

    async def _bring_back(self, lease: Lease) -> None:
        label = lease.account.label
        try:
            await self._checkout.bring_back(lease)
        finally:
            self._changed.set()
        _log.info("%s is given back", label, extra={"tg_ingest": {"account": label}})

    async def _acquire(self, *, channel_id: int | None, wait: float, exclude: Collection[int], method: str) -> Lease:
        give_up = self._clock.now() + wait
        while True:
            self._checkout.ensure_open()
            self._watch()
            self._changed.clear()
            self._standings = await asyncio.to_thread(survey, self._store, channel_id)
            usable = self._usable(exclude)
            for standing in sorted(usable, key=lambda s: self._preference(s, method)):
                account_id = standing.account.account_id
                rests = self._resting_until(standing, method) > self._clock.now()
                if rests or self._checkout.is_taken(account_id):
                    continue
                lease = await self._checkout.take(account_id, method=method, give_up=give_up)
                if lease is not None:
                    return lease
            await self._pause(usable, method=method, give_up=give_up)

    def _usable(self, exclude: Collection[int]) -> list[Standing]:
        way_out = "import one with `tg-ingest session import`"
        if not self._standings:
            raise ConfigurationError(f"no Telegram account is registered; {way_out}")
        active = [s for s in self._standings if s.account.state == "active"]
        if not active:
            states = ", ".join(f"{s.account.label} is {s.account.state}" for s in self._standings)
            raise ConfigurationError(f"no Telegram account is usable ({states}); {way_out}")
        usable = [s for s in active if s.account.account_id not in exclude]
        if not usable:
            raise PoolTimeout("every usable session was tried", None)
        return usable

    def _preference(self, standing: Standing, method: str) -> tuple[float, bool, bool, float]:
        """Sort key: first those that connect, are not held nor left by a dead holder, know the channel, are rested."""
        account_id = standing.account.account_id
        return (
            self._checkout.stumbled_at.get(account_id, 0.0),
            standing.connected_since is not None,
            not standing.knows_channel,
            self._pacers.get(account_id, method).next_call_at(),
        )

    def _resting_until(self, standing: Standing, method: str) -> float:
        return self._pacers.resting_until(standing.account.account_id, standing.paces, (method, CONNECT))

    async def _pause(self, usable: list[Standing], *, method: str, give_up: float) -> None:
        """Wait for a chance: a rest ends, a lease here ends, or one elsewhere may. Raises `PoolTimeout`."""
        now = self._clock.now()
        ends = [until for s in usable if (until := self._resting_until(s, method)) > now]
        all_rest = len(ends) == len(usable)
        next_end = min(ends, default=now)
        if now >= give_up or (all_rest and next_end > give_up):
            next_free = datetime.fromtimestamp(next_end, UTC) if all_rest else None
            raise PoolTimeout(f"no session is free: {self._complaint(usable, method)}", next_free)
        poll = random.uniform(*_POLL_SECONDS)  # noqa: S311  # jitter, so that processes do not ask in step
        pause = next_end - now if all_rest else poll
        await self._clock.sleep_unless(self._changed, max(0.01, min(pause, give_up - now)))

    def _complaint(self, usable: list[Standing], method: str) -> str:
        now = self._clock.now()
        phrases = []
        for standing in usable:
            account, until = standing.account, self._resting_until(standing, method)
            if until > now:
                phrase = f"rests until {datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M:%S} UTC"
            elif self._checkout.is_taken(account.account_id):
                phrase = "works for this process"
            elif account.account_id in self._checkout.held_elsewhere:
                phrase = "is held by another process"
            else:
                phrase = f"was left connected and must rest {self._grace:g} s first"
            phrases.append(f"{account.label} {phrase}")
        return ", ".join(phrases)

    def _watch(self) -> None:
        if self._watchdog is None:
            self._watchdog = asyncio.create_task(self._watch_locks(), name="session pool: watch the locks")

    async def _watch_locks(self) -> None:
        while not self._checkout.is_ended:
            await asyncio.sleep(self._check_seconds)
            await self._check_locks()

    async def _check_locks(self) -> None:
        try:
            await asyncio.wait_for(asyncio.to_thread(self._store.check_locks), _CHECK_TIMEOUT)
        except Exception as error:  # noqa: BLE001  # whatever it is, nobody knows any more whether the locks hold
            reason = str(error) if isinstance(error, StoreError) else type(error).__name__
            _log.error("the locks are lost, every Telegram connection is closed: %s", reason)
            self._checkout.end("the database connection that held the locks is gone", locks_are_lost=True)
            self._changed.set()
        else:
            self._checked_at = self._clock.now()

    async def _ensure_held(self) -> None:
        """Check the locks before a call when the last check is old: a process that was paused wakes with its calls."""
        if abs(self._clock.now() - self._checked_at) > self._check_seconds + _CHECK_TIMEOUT:
            await self._check_locks()
