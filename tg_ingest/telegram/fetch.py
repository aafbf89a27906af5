"""Fetching id ranges of one channel: sessions walk pieces of it, hand work on when they must rest, and spool pages.

What was fetched is safe in the spool, page by page. Whatever ends a fetch early, the rest is named in the report.
"""

import asyncio
import contextlib
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from tg_ingest.accounts import Channel, ChannelInfo
from tg_ingest.errors import (
    AccessLost,
    ChannelUnavailable,
    ConfigurationError,
    FloodWait,
    PoolTimeout,
    SessionRetired,
    TelegramError,
    TgIngestError,
    TransientTelegramError,
)
from tg_ingest.messages.coverage import IdRange, IdRanges
from tg_ingest.messages.spool import Part, Spool
from tg_ingest.telegram.backoff import LONGEST_TROUBLE, Backoff
from tg_ingest.telegram.channels import channel_for
from tg_ingest.telegram.history import walk
from tg_ingest.telegram.lease import CONNECT, HISTORY, Lease
from tg_ingest.telegram.pool import SessionPool

SHORT_FLOOD = 5  # seconds; a shorter wait is slept through, a longer one hands the work on
_IDLE_SECONDS = 1.0
_SETTLE_SECONDS = 0.02
_STALE_HASH = frozenset({"CHANNEL_INVALID", "PEER_ID_INVALID", "CHAT_ID_INVALID"})


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchReport:
    """What a fetch brought. `missing` is what was asked for and not seen, and then `reason` says why.

    `resume_at` (UTC) is when a session may go on, where Telegram said so.
    """

    parts: list[Part]
    fetched: int  # rows
    requests: int
    floods: int
    rotations: int
    retired: int
    seconds: float
    missing: IdRanges
    resume_at: datetime | None
    reason: str | None


async def fetch_history(
    pool: SessionPool,
    *,
    channel: Channel,
    ranges: IdRanges,
    spool: Spool,
    run_id: str,
    piece_size: int = 10_000,
    max_sessions: int = 4,
    max_wait: float = 60.0,
    max_trouble: float = LONGEST_TROUBLE,
) -> FetchReport:
    """Fetch every message of `ranges` into parts of the spool, the newest piece first.

    One worker waits up to `max_wait` seconds for a session, the others take what is free. Telegram may be out of reach
    for `max_trouble` seconds. When all sessions must rest
    for longer, the report says so. Raises `PoolClosed` and `StoreError`; and only when nothing was fetched
    `ChannelUnavailable`, `ConfigurationError` and other `TelegramError`s. Parts stay in the spool in any case.
    """
    if channel.channel_id is None:
        raise ConfigurationError(f"channel '{channel.slug}' was never resolved; register it first")
    fetch = _Fetch(
        pool,
        channel=channel,
        ranges=ranges,
        spool=spool,
        run_id=run_id,
        piece_size=piece_size,
        max_trouble=max_trouble,
    )
    count = min(max_sessions, len(fetch.pieces))
    workers = {asyncio.create_task(fetch.work(max_wait=None if number else max_wait)) for number in range(count)}
    pending = set(workers)
    try:
        while pending and not fetch.over.is_set():
            done, pending = await asyncio.wait(pending, timeout=_IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for worker in done:
                worker.result()
    finally:
        for worker in pending:
            worker.cancel()  # it waits for a session or for work that will not come
        if workers:
            await asyncio.wait(workers)
    return fetch.report()


class _Fetch:
    """What the workers of one fetch share."""

    def __init__(
        self,
        pool: SessionPool,
        *,
        channel: Channel,
        ranges: IdRanges,
        spool: Spool,
        run_id: str,
        piece_size: int,
        max_trouble: float,
    ) -> None:
        self.pieces = deque(ranges.split(piece_size))
        self.over = asyncio.Event()
        self._pool = pool
        self._channel = channel
        self._channel_id = channel.channel_id or 0
        self._spool = spool
        self._run_id = run_id
        self._max_trouble = max_trouble
        self._began_at = time.monotonic()
        self._missing = ranges
        self._parts: list[Part] = []
        self._no_access: dict[int, str] = {}
        self._cannot_look_up: dict[int, float] = {}  # until when
        self._resolved_again: set[int] = set()
        self._trying = 0  # workers that are about to get a session
        self._working = 0
        self._requests = self._floods = self._rotations = self._retired = 0
        self._stopped_by: TgIngestError | None = None

    async def work(self, *, max_wait: float | None) -> None:
        """Lease sessions and walk pieces until all are done; without `max_wait`, only with sessions that are free."""
        backoff = Backoff(self._pool.clock, budget=self._max_trouble)
        while not self.over.is_set():
            if not self.pieces:  # those at work may still hand one back
                await self._idle()
                continue
            try:
                await self._lease_and_use(max_wait or 0.0, backoff)
            except PoolTimeout as error:
                if max_wait is not None and await self._nobody_works():
                    self._stop(self._without_sessions(error))
                else:
                    await self._idle()
            except TransientTelegramError as error:
                if not await backoff.wait():
                    self._stop(error)
            except (TelegramError, ConfigurationError) as error:
                self._stop(error)

    def report(self) -> FetchReport:
        """Sum up; raises what ended the fetch when nothing was fetched, unless it was only the lack of a session."""
        error = self._stopped_by if self._missing else None
        if error is not None and not self._parts and not isinstance(error, PoolTimeout):
            raise error
        return FetchReport(
            parts=sorted(self._parts, key=lambda part: part.covered.ranges[-1], reverse=True),
            fetched=sum(part.rows for part in self._parts),
            requests=self._requests,
            floods=self._floods,
            rotations=self._rotations,
            retired=self._retired,
            seconds=time.monotonic() - self._began_at,
            missing=self._missing,
            resume_at=error.next_free_at if isinstance(error, PoolTimeout) else None,
            reason=None if error is None else str(error),
        )

    async def _lease_and_use(self, wait: float, backoff: Backoff) -> None:
        async with contextlib.AsyncExitStack() as stack:
            self._trying += 1
            try:
                tried = self._no_access.keys() | self._cannot_look_up.keys()
                leasing = self._pool.lease(channel_id=self._channel_id, wait=wait, exclude=tried)
                lease = await stack.enter_async_context(leasing)
            finally:
                self._trying -= 1
            self._working += 1
            try:
                await self._use(lease, backoff)
            finally:
                self._working -= 1
                self._requests += lease.calls
                self._floods += lease.floods
        if not self.pieces and not self._working:
            self.over.set()

    async def _use(self, lease: Lease, backoff: Backoff) -> None:
        """Walk pieces with one session until it must rest, is dead, or nothing is left."""
        account_id = lease.account.account_id
        while self.pieces and not self.over.is_set():
            try:
                await self._walk_next(lease, backoff)
            except FloodWait as flood:
                if flood.seconds > SHORT_FLOOD:
                    reason = f"{flood.method} must wait {flood.seconds} s"
                    if flood.method not in {HISTORY, CONNECT}:  # it could read, if only it knew the channel
                        self._cannot_look_up[account_id] = self._pool.clock.now() + flood.seconds
                    return self._hand_on(lease, reason)
            except SessionRetired as death:
                self._retired += 1
                return self._hand_on(lease, death.reason)
            except AccessLost as loss:
                if loss.reason not in _STALE_HASH or account_id in self._resolved_again:
                    self._no_access[account_id] = loss.reason
                    return self._hand_on(lease, loss.reason)
                self._resolved_again.add(account_id)  # the hash that was stored is gone: ask by name, once
            except TransientTelegramError:
                if not await backoff.wait():
                    raise
        return None

    async def _walk_next(self, lease: Lease, backoff: Backoff) -> None:
        """Walk one piece into a part; what is left of it after an error goes back to the front of the queue."""
        piece = left = self.pieces.popleft()
        try:
            info = await self._seen_by(lease)
            with self._spool.open_part(self._channel_id, run_id=self._run_id) as part:
                try:
                    async with contextlib.aclosing(walk(lease, info, piece)) as pages:
                        async for page in pages:
                            part.append(page)
                            left = IdRange(piece.lower, page.covered.lower)
                            backoff.reset()
                finally:
                    self._keep(part.close())
        finally:
            if left.size > 0:
                self.pieces.appendleft(left)

    async def _seen_by(self, lease: Lease) -> ChannelInfo:
        """The channel as this account sees it. A username that leads elsewhere is this account's loss alone."""
        try:
            return await channel_for(lease, self._channel)
        except ChannelUnavailable as error:
            raise AccessLost(str(error)) from error

    def _keep(self, part: Part | None) -> None:
        if part is not None:
            self._parts.append(part)
            self._missing -= part.covered

    def _hand_on(self, lease: Lease, reason: str) -> None:
        self._rotations += 1
        self._pool.note_rotation(lease, reason=reason)

    def _without_sessions(self, error: PoolTimeout) -> TgIngestError:
        """What the lack of a session means: when each that is usable lost the channel, the channel is out of reach."""
        usable = self._pool.usable_accounts()
        if self._no_access and usable <= self._no_access.keys():
            reasons = "; ".join(dict.fromkeys(self._no_access.values()))
            return ChannelUnavailable(f"no session can read channel '{self._channel.slug}': {reasons}")
        if self._cannot_look_up and usable <= self._no_access.keys() | self._cannot_look_up.keys():
            next_free = datetime.fromtimestamp(min(self._cannot_look_up.values()), UTC)
            return PoolTimeout(
                f"no session may look up '{self._channel.slug}' before {next_free:%H:%M:%S} UTC", next_free
            )
        return error

    async def _nobody_works(self) -> bool:
        """Whether no other worker has a session, once those that are about to get one have got it or not."""
        while self._trying:  # noqa: ASYNC110  # a try is over in milliseconds, or it becomes work
            await asyncio.sleep(_SETTLE_SECONDS)
        return not self._working

    def _stop(self, error: TgIngestError) -> None:
        self._stopped_by = error
        self.over.set()

    async def _idle(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), _IDLE_SECONDS)
