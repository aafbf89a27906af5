"""Taking one account out of the store and bringing it back: the lock, the grace, the connection, in that order.

Every step can be cancelled; none leaves a lock or a connection behind.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from tg_ingest.accounts import Account, AccountStore
from tg_ingest.errors import FloodWait, PoolClosed, SessionRetired, StoreError, TransientTelegramError
from tg_ingest.telegram.client import Client
from tg_ingest.telegram.clock import Clock, uninterrupted
from tg_ingest.telegram.lease import CONNECT, Lease
from tg_ingest.telegram.pacing import Pacers
from tg_ingest.telegram.standing import Standing, Tally, survey

_log = logging.getLogger("tg_ingest.telegram.pool")


class Checkout:
    """The accounts that this process holds.

    `new_client` makes an unconnected client of an account's sealed session; `ensure_held` ends everything when the
    locks are found to be lost.
    """

    def __init__(
        self,
        store: AccountStore,
        *,
        new_client: Callable[[Account, bytes], Client],
        pacers: Pacers,
        holder: str,
        grace_seconds: float,
        patience: float,
        clock: Clock,
        ensure_held: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._new_client = new_client
        self._pacers = pacers
        self._holder = holder
        self._grace = grace_seconds
        self._patience = patience
        self._clock = clock
        self._ensure_held = ensure_held
        self._taken: dict[int, Lease | None] = {}  # None while a lease is being made
        self._tallies: dict[int, Tally] = {}
        self._locks_are_lost = False
        self._ended = asyncio.Event()
        self._end_reason = ""
        self.held_elsewhere: set[int] = set()
        self.stumbled_at: dict[int, float] = {}

    def is_taken(self, account_id: int) -> bool:
        """Whether this process uses the account, or is about to."""
        return account_id in self._taken

    def tally_of(self, account_id: int) -> Tally:
        """What the account did through this process, a lease that is out included."""
        tally, lease = self._tallies.get(account_id, Tally()), self._taken.get(account_id)
        return tally if lease is None else tally.plus(lease.calls, lease.floods)

    def ensure_open(self) -> None:
        """Raise `PoolClosed` after `end`."""
        if self._ended.is_set():
            raise PoolClosed(self._end_reason)

    @property
    def is_ended(self) -> bool:
        """Whether `end` was called."""
        return self._ended.is_set()

    def end(self, reason: str, *, locks_are_lost: bool) -> None:
        """Cut every connection and take out nothing more; leases are still brought back by those who hold them."""
        if self._ended.is_set():
            return
        self._end_reason = reason
        self._locks_are_lost = locks_are_lost
        self._ended.set()
        for lease in self._taken.values():
            if lease is not None:
                lease.fail(reason)

    async def take(self, account_id: int, *, method: str, give_up: float) -> Lease | None:
        """Lock an account, wait for its grace, connect; None when it turns out not to be available by `give_up`."""
        self._taken[account_id] = None
        lease: Lease | None = None
        is_locked = False
        try:
            is_locked = await self._lock(account_id)
            if is_locked:
                lease = await self._open(account_id, method=method, give_up=give_up)
        finally:
            if is_locked and lease is None:
                await uninterrupted(self._unlock(account_id))
            elif lease is None:
                del self._taken[account_id]
        if is_locked:
            self.held_elsewhere.discard(account_id)
        else:
            self.held_elsewhere.add(account_id)
        return lease

    async def bring_back(self, lease: Lease) -> None:
        """Disconnect, store what was learned, unlock. Finishes even when the caller is cancelled."""
        await uninterrupted(self._bring_back(lease))

    async def _bring_back(self, lease: Lease) -> None:
        try:
            await self._close(lease)
        finally:
            await self._unlock(lease.account.account_id)

    async def _lock(self, account_id: int) -> bool:
        """Take the account's lock; a cancellation meanwhile gives it back."""
        taking = asyncio.ensure_future(asyncio.to_thread(self._store.try_lock, account_id))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            await uninterrupted(self._undo(taking, account_id))
            raise

    async def _undo(self, taking: "asyncio.Future[bool]", account_id: int) -> None:
        await asyncio.wait({taking})
        if taking.exception() is None and taking.result():
            await asyncio.to_thread(self._store.unlock, account_id)

    async def _open(self, account_id: int, *, method: str, give_up: float) -> Lease | None:
        """Make the lease of a locked account. What was known before the lock is asked again: it may have changed."""
        found = await asyncio.to_thread(survey, self._store, None, only=account_id)
        if not found or found[0].account.state != "active":
            return None
        standing = found[0]
        resting_until = self._pacers.resting_until(account_id, standing.paces, (method, CONNECT))
        if resting_until > self._clock.now() or not await self._outwait_holder(standing, give_up):
            return None
        self._pacers.learn(account_id, standing.paces)
        lease = await self._new_lease(standing.account)
        await asyncio.to_thread(self._store.record_connected, account_id, self._holder)
        self._taken[account_id] = lease
        return await self._connected(lease)

    async def _connected(self, lease: Lease) -> Lease | None:
        account = lease.account
        try:
            self.ensure_open()
            await lease.connect()
        except BaseException as error:
            await uninterrupted(self._close(lease))
            self._settle(account.account_id)
            if isinstance(error, SessionRetired | FloodWait):
                return None  # the lease has noted it; another account may do
            if isinstance(error, TransientTelegramError):
                self.stumbled_at[account.account_id] = self._clock.now()
            raise
        self.stumbled_at.pop(account.account_id, None)
        _log.info("%s is leased", account.label, extra={"tg_ingest": {"account": account.label}})
        return lease

    async def _outwait_holder(self, standing: Standing, give_up: float) -> bool:
        """Let time pass until a holder that died, or lost its lock without noticing, has let go of the key."""
        if standing.connected_since is None:
            return True
        if self._clock.now() + self._grace > give_up:
            return False
        label = standing.account.label
        note = {"account": label, "seconds": self._grace}
        _log.warning("%s was left connected; it rests %g s first", label, self._grace, extra={"tg_ingest": note})
        if await self._clock.sleep_unless(self._ended, self._grace):
            self.ensure_open()
        return True

    async def _new_lease(self, account: Account) -> Lease:
        sealed = await asyncio.to_thread(self._store.sealed_session, account.account_id)
        return Lease(
            account,
            store=self._store,
            new_client=lambda: self._new_client(account, sealed),
            pacer_for=lambda method: self._pacers.get(account.account_id, method),
            clock=self._clock,
            ensure_held=self._ensure_held,
            patience=self._patience,
        )

    async def _close(self, lease: Lease) -> None:
        await lease.close()
        if not self._locks_are_lost:  # else the account may be somebody else's, who waits because this was not noted
            await asyncio.to_thread(self._note_closed, lease)

    def _note_closed(self, lease: Lease) -> None:
        try:
            lease.save_paces()
            self._store.record_disconnected(lease.account.account_id)
        except StoreError as error:
            # The next holder finds the account unclean and waits; nothing that was fetched is lost.
            _log.warning("%s: not noted as disconnected: %s", lease.account.label, error)

    async def _unlock(self, account_id: int) -> None:
        try:
            await asyncio.to_thread(self._store.unlock, account_id)
        except StoreError as error:
            _log.warning("account %d: the lock ends with its connection: %s", account_id, error)
        finally:
            self._settle(account_id)
            del self._taken[account_id]

    def _settle(self, account_id: int) -> None:
        """Add up what a lease did that is over."""
        self._tallies[account_id] = self.tally_of(account_id)
        self._taken[account_id] = None
