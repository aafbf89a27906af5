"""One account in use: its connection, one call at a time, each paced and recorded."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from tg_ingest.accounts import Account, AccountStore, ChannelInfo
from tg_ingest.errors import (
    AccessLost,
    FloodWait,
    PoolClosed,
    SessionRetired,
    TelegramError,
    TransientTelegramError,
)
from tg_ingest.telegram.client import Client, History
from tg_ingest.telegram.clock import Clock
from tg_ingest.telegram.failures import state_for
from tg_ingest.telegram.pacing import Pacer

T = TypeVar("T")

HISTORY = "messages.getHistory"
RESOLVE = "contacts.resolveUsername"
CONNECT = "connect"

# A few short waits for this method were each followed by one of 15 to 22 hours: rest after the first, for longer.
REST_AT_LEAST = {RESOLVE: 3600}

_log = logging.getLogger("tg_ingest.telegram.pool")


class Lease:
    """An account that nobody else uses now. Made by `SessionPool.lease` only.

    A wait that Telegram imposed is slept through when it ends within `patience` seconds, else raised as `FloodWait`
    without a call. The connection is opened when it is needed and again after a failure.
    """

    def __init__(
        self,
        account: Account,
        *,
        store: AccountStore,
        new_client: Callable[[], Client],
        pacer_for: Callable[[str], Pacer],
        clock: Clock,
        ensure_held: Callable[[], Awaitable[None]],
        patience: float,
    ) -> None:
        self.account = account
        self.calls = 0
        self.floods = 0
        self.clock = clock
        self._ensure_held = ensure_held
        self._store = store
        self._new_client = new_client
        self._client: Client | None = None
        self._pacer_for = pacer_for
        self._paced: set[str] = set()
        self._patience = patience
        self._one_call = asyncio.Lock()
        self._ended = asyncio.Event()
        self._end_reason = "the lease is over"

    def __repr__(self) -> str:
        return f"<Lease of {self.account.label}: {self.calls} calls, {self.floods} floods>"

    @property
    def is_connected(self) -> bool:
        """Whether a connection to Telegram is open."""
        return self._client is not None and self._client.is_connected

    async def history(
        self,
        channel: ChannelInfo,
        *,
        offset_id: int = 0,
        limit: int,
        offset_date: datetime | None = None,
        add_offset: int = 0,
    ) -> History:
        """Call messages.getHistory; an access hash that Telegram refuses is forgotten."""

        def ask(client: Client) -> Awaitable[History]:
            return client.history(
                channel, offset_id=offset_id, limit=limit, offset_date=offset_date, add_offset=add_offset
            )

        try:
            return await self.call(HISTORY, ask)
        except AccessLost:
            await asyncio.to_thread(self._store.forget_access, self.account.account_id, channel.channel_id)
            raise

    async def resolve_username(self, username: str) -> ChannelInfo:
        """Call contacts.resolveUsername and keep what it says for this account."""
        found = await self.call("contacts.resolveUsername", lambda client: client.resolve_username(username))
        await asyncio.to_thread(self._store.save_access, self.account.account_id, found)
        return found

    async def known_channel(self, channel_id: int) -> ChannelInfo | None:
        """Look up the channel as this account last saw it; no call to Telegram."""
        return await asyncio.to_thread(self._store.access, self.account.account_id, channel_id)

    async def call(self, method: str, action: Callable[[Client], Awaitable[T]]) -> T:
        """Make one paced call.

        Raises what `Client` raises, `FloodWait` also instead of calling inside a long wait, and `PoolClosed` when the
        pool lost its locks meanwhile.
        """
        async with self._one_call:
            pacer = self._pacer_for(method)
            self._paced.add(method)
            await self._wait_for_turn(method, pacer)
            await self._ensure_held()
            client = await self._connected()
            pacer.call_started(self.clock.now())
            self.calls += 1
            try:
                answer = await action(client)
            except TelegramError as error:
                self._raise_if_ended()
                await self._note_failure(method, error)
                raise
            pacer.call_answered(self.clock.now())
            return answer

    async def connect(self) -> None:
        """Open the connection now rather than at the first call."""
        async with self._one_call:
            await self._connected()

    async def close(self) -> None:
        """Close the connection, in seconds at most; calls that wait raise `PoolClosed`."""
        self._ended.set()
        if self._client is not None:
            await self._client.disconnect()

    def fail(self, reason: str) -> None:
        """Cut the connection at once: the account may belong to somebody else from now on."""
        self._end_reason = reason
        self._ended.set()
        if self._client is not None:
            self._client.abort()

    def save_paces(self) -> None:
        """Store what was learned. Blocks."""
        for method in self._paced:
            self._store.save_pace(self.account.account_id, method, self._pacer_for(method).pace())

    async def _wait_for_turn(self, method: str, pacer: Pacer) -> None:
        now = self.clock.now()
        imposed = pacer.blocked_until() - now
        if imposed > self._patience:
            raise FloodWait(method, int(imposed) + 1)
        if await self.clock.sleep_unless(self._ended, pacer.next_call_at() - now):
            self._raise_if_ended()

    async def _connected(self) -> Client:
        self._raise_if_ended()
        if self._client is not None and self._client.is_connected:
            return self._client
        if self._client is not None:
            await self._client.disconnect()
        await self._wait_for_turn(CONNECT, self._pacer_for(CONNECT))  # a wait imposed on connecting holds here, too
        self._client = self._new_client()
        try:
            await self._client.connect()
        except TelegramError as error:
            self._raise_if_ended()
            await self._note_failure(CONNECT, error)
            raise
        if self._ended.is_set():  # the locks were lost while it connected
            self._client.abort()
            self._raise_if_ended()
        return self._client

    def _raise_if_ended(self) -> None:
        if self._ended.is_set():
            raise PoolClosed(self._end_reason)

    async def _note_failure(self, method: str, error: TelegramError) -> None:
        """Keep what an error teaches about the account, before anybody acts on it."""
        label, account_id = self.account.label, self.account.account_id
        if isinstance(error, FloodWait):
            self.floods += 1
            pacer = self._pacer_for(method)
            self._paced.add(method)
            # Every account of a pool that came back in the same second would look like what it is.
            margin = 1.0 + random.uniform(0.0, min(4.0, error.seconds / 10))  # noqa: S311  # no secret
            seconds = max(error.seconds, REST_AT_LEAST.get(method, 0))
            pacer.flooded(self.clock.now(), seconds, margin=margin)
            note = {"account": label, "method": method, "seconds": error.seconds}
            _log.warning("%s cools down: %s for %d s", label, method, error.seconds, extra={"tg_ingest": note})
            await asyncio.to_thread(self._store.save_pace, account_id, method, pacer.pace())
        elif isinstance(error, SessionRetired):
            state = state_for(error.reason)
            note = {"account": label, "state": state, "reason": error.reason}
            _log.error("%s is %s: %s", label, state, error.reason, extra={"tg_ingest": note})
            await asyncio.to_thread(self._store.set_state, account_id, state, error.reason)
        elif isinstance(error, TransientTelegramError):
            _log.info("%s: %s", label, error, extra={"tg_ingest": {"account": label, "method": method}})
