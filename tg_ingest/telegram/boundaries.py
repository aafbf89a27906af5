"""From dates to ids: Telegram pages by id, windows are times."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tg_ingest.accounts import ChannelInfo
from tg_ingest.errors import TelegramError
from tg_ingest.telegram.history import ensure_nothing, ids_below, own_messages, page_below
from tg_ingest.telegram.lease import Lease

FIRST_ID = 1
_STEP = 100
_MAX_STEPS = 50


@dataclass(frozen=True, slots=True)
class Top:
    """The newest end of a channel: id and date of its newest message, how many it shows, its event counter."""

    message_id: int
    date: datetime | None
    count: int | None
    pts: int | None
    is_inexact: bool


async def top_of(lease: Lease, channel: ChannelInfo) -> Top:
    """Ask for the newest message; id 0 when the channel shows none. Raises as `page_below` does."""
    answer = await lease.history(channel, limit=1)
    if not own_messages(answer, channel):
        answer = await lease.history(channel, limit=2)  # an end is asked for twice
    newest = max(own_messages(answer, channel), key=lambda m: m.id, default=None)
    if newest is None:
        ensure_nothing(answer, "messages.getHistory does not show the newest message")
        return Top(0, None, answer.count, answer.pts, answer.is_inexact)
    return Top(newest.id, newest.date, answer.count, answer.pts, answer.is_inexact)


async def first_id_since(lease: Lease, channel: ChannelInfo, since: datetime) -> int:
    """Find the lower id bound of a window that begins at `since`: 1 + the newest id with an earlier date.

    Two messages before the date and three from it on, as TDLib asks (get_dialog_message_by_date). With nothing older
    the bound is 1. A date after the newest message gives the newest id + 1: true now, and only until the next message.
    """
    answer = await lease.history(channel, offset_date=since, add_offset=-3, limit=5)
    if not own_messages(answer, channel):
        # Nothing on either side of a date is an empty channel, or a server that knows no place above the newest.
        answer = await lease.history(channel, offset_date=since, limit=_STEP)
        if not own_messages(answer, channel):
            ensure_nothing(answer, "messages.getHistory does not show what was sent before a date")
    page = own_messages(answer, channel)
    for _ in range(_MAX_STEPS):
        older = _newest_before(page, since)
        if older is not None:
            return older + 1
        lowest = min((m.id for m in page), default=0)
        if lowest <= FIRST_ID:
            return FIRST_ID
        # All of them are younger, or in the same second: look at what is below.
        answer = await page_below(lease, channel, lowest, limit=_STEP)
        page = own_messages(answer, channel)
        if not ids_below(answer, lowest, channel):
            return FIRST_ID
    raise TelegramError(f"no message before {since:%Y-%m-%d %H:%M} UTC within {_MAX_STEPS} pages of where it should be")


def _newest_before(page: Iterable[Any], since: datetime) -> int | None:
    """The newest id with an earlier date; an empty message has an id and no date."""
    return max((m.id for m in page if m.date is not None and m.date < since), default=None)
