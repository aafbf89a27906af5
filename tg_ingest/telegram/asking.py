"""Questions of a few calls (who is this, what is the newest id), put to whichever session can answer."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tg_ingest.errors import (
    AccessLost,
    ChannelUnavailable,
    FloodWait,
    PoolTimeout,
    SessionRetired,
    TransientTelegramError,
)
from tg_ingest.telegram.backoff import LONGEST_TROUBLE, Backoff
from tg_ingest.telegram.lease import HISTORY, Lease
from tg_ingest.telegram.pool import SessionPool

Answer = TypeVar("Answer")


async def ask(
    pool: SessionPool,
    question: Callable[[Lease], Awaitable[Answer]],
    *,
    max_wait: float,
    max_trouble: float = LONGEST_TROUBLE,
    channel_id: int | None = None,
    method: str = HISTORY,
) -> Answer:
    """Lease sessions in turn until one of them can answer; each is waited for up to `max_wait` seconds.

    `question` may be asked again from its beginning. Raises `ChannelUnavailable` when every session lost the channel,
    `PoolTimeout` when none is free in time, and what no other session would answer differently.
    """
    backoff = Backoff(pool.clock, budget=max_trouble)
    no_access: dict[int, str] = {}
    floods: dict[int, FloodWait] = {}
    while True:
        try:
            tried = no_access.keys() | floods.keys()
            async with pool.lease(channel_id=channel_id, wait=max_wait, exclude=tried, method=method) as lease:
                try:
                    return await question(lease)
                except (FloodWait, SessionRetired) as error:
                    if isinstance(error, FloodWait) and error.method != method:
                        floods[lease.account.account_id] = error  # the pool would offer it again at once
                    pool.note_rotation(lease, reason=str(error))
                except AccessLost as loss:
                    no_access[lease.account.account_id] = loss.reason
                    pool.note_rotation(lease, reason=loss.reason)
        except PoolTimeout as error:
            usable = pool.usable_accounts()
            if no_access and usable <= no_access.keys():
                reasons = ", ".join(sorted(set(no_access.values())))
                raise ChannelUnavailable(f"no session can read the channel ({reasons})") from error
            if floods and usable <= no_access.keys() | floods.keys():
                raise min(floods.values(), key=lambda flood: flood.seconds) from error
            raise
        except TransientTelegramError:
            if not await backoff.wait():
                raise
