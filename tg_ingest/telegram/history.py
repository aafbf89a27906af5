"""The walk: every message of an id range, newest first, page by page, with proof of what each page covers.

messages.getHistory is asked for messages below a cursor; the next cursor is the lowest id of the answer, empty messages
included. A short page is not the end and neither is a page without content: only a page without entries is.
"""

from collections.abc import AsyncGenerator, Collection
from datetime import UTC, datetime
from typing import Any

from telethon.tl import types

from tg_ingest.accounts import ChannelInfo
from tg_ingest.errors import AccessLost, TelegramError
from tg_ingest.messages.coverage import IdRange
from tg_ingest.messages.models import MessageRow
from tg_ingest.messages.spool import Page
from tg_ingest.telegram.client import History
from tg_ingest.telegram.lease import Lease
from tg_ingest.telegram.parse import parse_messages

PAGE_SIZE = 100  # Telegram never sends more
_OTHER_SIZE = 40


async def walk(lease: Lease, channel: ChannelInfo, span: IdRange) -> AsyncGenerator[Page, None]:
    """Yield pages from the top of `span` down to its bottom; together their ranges are exactly `span`.

    A page's range is what the caller may count as seen once the page is safe. Errors leave the walk where it was: the
    caller goes on below the last page. Raises `TelegramError` when Telegram's answers do not move the cursor.
    """
    cursor = span.upper
    known: set[int] = set()  # ids with a row in the page before
    while cursor > span.lower:
        answer = await page_below(lease, channel, cursor, limit=min(PAGE_SIZE, cursor - span.lower))
        bottom = max(min(ids_below(answer, cursor, channel), default=span.lower), span.lower)
        # Up to the top of the span, not of the page: of two messages in the wrong order the later one is still new.
        rows = _rows(lease, channel, answer, IdRange(bottom, span.upper), known)
        yield Page(IdRange(bottom, cursor), rows)
        known = {row.message_id for row in rows}
        cursor = bottom


async def page_below(lease: Lease, channel: ChannelInfo, cursor: int, *, limit: int) -> History:
    """Ask for messages below `cursor`; an answer without one means that there is none.

    Raises `AccessLost` when Telegram hides the channel, and `TelegramError` for answers that prove nothing.
    """
    answer = await lease.history(channel, offset_id=cursor, limit=limit)
    if not ids_below(answer, cursor, channel):
        # Wrong in silence would be worst here, so the end is asked for a second time, in other words.
        answer = await lease.history(channel, offset_id=cursor, limit=_OTHER_SIZE if limit > _OTHER_SIZE else limit + 1)
        if not ids_below(answer, cursor, channel):
            ensure_nothing(answer, f"messages.getHistory does not move below id {cursor}")
    return answer


def ids_below(answer: History, cursor: int, channel: ChannelInfo) -> list[int]:
    """Ids that move the walk on. Whatever else an answer holds, repeated or from above, neither helps nor harms."""
    return [message.id for message in own_messages(answer, channel) if message.id < cursor]


def own_messages(answer: History, channel: ChannelInfo) -> list[Any]:
    """The messages that are evidence of this channel's ids: a stranger's low id would skip all ids above it."""
    return [m for m in answer.messages if m.id > 0 and _is_of(m, channel.channel_id)]


def ensure_nothing(answer: History, complaint: str) -> None:
    """Raise unless an answer without a usable message means that there is none."""
    if answer.is_restricted:
        raise AccessLost("CHANNEL_RESTRICTED")  # Telegram hides everything; that is not the same as nothing
    if answer.is_not_modified or answer.messages:
        raise TelegramError(complaint)


def _is_of(message: Any, channel_id: int) -> bool:
    peer = message.peer_id
    if peer is None:
        return _is_empty(message)  # only these may leave their peer out
    return type(peer) is types.PeerChannel and peer.channel_id == channel_id


def _is_empty(message: Any) -> bool:
    return isinstance(message, types.MessageEmpty)


def _rows(
    lease: Lease, channel: ChannelInfo, answer: History, inside: IdRange, known: Collection[int]
) -> list[MessageRow]:
    """Rows of the ids that are inside and not known yet, one for each."""
    found: dict[int, Any] = {}
    for message in answer.messages:
        if inside.lower <= message.id < inside.upper and message.id not in known and not _is_empty(message):
            found.setdefault(message.id, message)
    found |= {m.id: m for m in reversed(own_messages(answer, channel)) if m.id in found and not _is_empty(m)}
    return parse_messages(
        found.values(),
        channel_id=channel.channel_id,
        is_forum=channel.is_forum,
        account_id=lease.account.account_id,
        observed_at=datetime.fromtimestamp(lease.clock.now(), UTC),
    )
