"""The walk: every message of an id range, newest first, page by page, with proof of what each page covers.

messages.getHistory is asked for messages below a cursor; the next cursor is the lowest id of the answer, empty messages
included. A short page is not the end and neither is a page without content: only a page without entries is.
"""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

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
    while cursor > span.lower:
        limit = min(PAGE_SIZE, cursor - span.lower)
        answer = await lease.history(channel, offset_id=cursor, limit=limit)
        below = _ids_below(answer, cursor)
        if not below:
            # Wrong in silence would be worst here, so the end is asked for a second time, in other words.
            answer = await lease.history(
                channel, offset_id=cursor, limit=_OTHER_SIZE if limit > _OTHER_SIZE else limit + 1
            )
            below = _ids_below(answer, cursor)
        bottom = max(min(below), span.lower) if below else _bottom_without_entries(answer, cursor, span)
        yield Page(IdRange(bottom, cursor), _rows(lease, channel, answer, IdRange(bottom, cursor)))
        cursor = bottom


def _ids_below(answer: History, cursor: int) -> list[int]:
    """Ids that move the walk on. Whatever else an answer holds, repeated or from above, neither helps nor harms."""
    return [message.id for message in answer.messages if message.id < cursor]


def _bottom_without_entries(answer: History, cursor: int, span: IdRange) -> int:
    """Where the walk stands after two answers without an older message: at the bottom, if they can be believed."""
    if answer.is_restricted:
        raise AccessLost("CHANNEL_RESTRICTED")  # Telegram hides everything; that is not the same as nothing
    if answer.is_not_modified or answer.messages:
        raise TelegramError(f"messages.getHistory does not move below id {cursor}")
    return span.lower


def _rows(lease: Lease, channel: ChannelInfo, answer: History, covered: IdRange) -> list[MessageRow]:
    seen: set[int] = set()
    inside = []
    for message in answer.messages:
        if covered.lower <= message.id < covered.upper and message.id not in seen:
            seen.add(message.id)
            inside.append(message)
    return parse_messages(
        inside,
        channel_id=channel.channel_id,
        is_forum=channel.is_forum,
        account_id=lease.account.account_id,
        observed_at=datetime.fromtimestamp(lease.clock.now(), UTC),
    )
