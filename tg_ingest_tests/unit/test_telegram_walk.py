"""The walk's decisions on answers that a well-behaved Telegram never gives."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telethon import functions
from telethon.tl import types as t

from tg_ingest.accounts import Account, ChannelInfo, Device
from tg_ingest.errors import AccessLost, TelegramError
from tg_ingest.messages.coverage import IdRange
from tg_ingest.telegram.boundaries import Top, first_id_since, top_of
from tg_ingest.telegram.client import History, method_name
from tg_ingest.telegram.clock import Clock
from tg_ingest.telegram.history import walk

SENT = datetime(2024, 1, 1, tzinfo=UTC)
CHANNEL = ChannelInfo(channel_id=5, access_hash=1, title="x", username="x", kind="broadcast", is_forum=False)


class ScriptedLease:
    """Answers as told, and remembers what was asked."""

    account = Account(account_id=1, label="a", state="active", state_reason=None, device=Device())
    clock = Clock()

    def __init__(self, *answers):
        self._answers = list(answers)
        self.asked = []

    async def history(self, _channel, *, offset_id=0, limit, **_place):
        self.asked.append((offset_id, limit))
        answer = self._answers.pop(0)
        return answer if isinstance(answer, History) else history(*answer)


def message(number, *, channel_id=5):
    return t.Message(id=number, peer_id=t.PeerChannel(channel_id), date=SENT, message=str(number))


def empty(number):
    return t.MessageEmpty(id=number, peer_id=None)


def history(*given, **flags):
    found = [message(item) if isinstance(item, int) else item for item in given]
    defaults = {"is_inexact": False, "is_not_modified": False, "is_restricted": False}
    return History(found, None, None, **{**defaults, **flags})


async def pages(lease, span):
    return [(tuple(page.covered), [row.message_id for row in page.rows]) async for page in walk(lease, CHANNEL, span)]


async def top(lease: Any) -> Top:
    return await top_of(lease, CHANNEL)


async def first_id(lease: Any, since: datetime) -> int:
    return await first_id_since(lease, CHANNEL, since)


async def test_ids_outside_of_the_question_are_no_evidence():
    lease = ScriptedLease((9, 12, 8, 8, 3), (5, 4))
    assert await pages(lease, IdRange(4, 10)) == [((4, 10), [9, 8])]
    assert lease.asked == [(10, 6)]


async def test_an_empty_answer_is_believed_at_the_second_time():
    lease = ScriptedLease((), (6,), (), ())
    assert await pages(lease, IdRange(1, 500)) == [((6, 500), [6]), ((1, 6), [])]
    assert lease.asked == [(500, 100), (500, 40), (6, 5), (6, 6)]


async def test_an_answer_that_does_not_move_the_walk_ends_it_with_an_error():
    lease = ScriptedLease((9, 10), (10, 11))
    with pytest.raises(TelegramError, match="does not move below id 9"):
        await pages(lease, IdRange(1, 9))


async def test_not_modified_is_not_the_end():
    same = history(is_not_modified=True)
    with pytest.raises(TelegramError, match="does not move"):
        await pages(ScriptedLease(same, same), IdRange(1, 9))


async def test_a_restricted_channel_hides_and_does_not_end():
    hidden = history(is_restricted=True)
    with pytest.raises(AccessLost, match="CHANNEL_RESTRICTED"):
        await pages(ScriptedLease(hidden, hidden), IdRange(1, 9))


async def test_a_strangers_low_id_does_not_skip_what_is_above_it():
    lease = ScriptedLease((9, message(2, channel_id=6), 8), (7, 6), (5, 4, 3, 2, 1))
    assert await pages(lease, IdRange(1, 10)) == [((8, 10), [9, 8]), ((6, 8), [7, 6]), ((1, 6), [5, 4, 3, 2, 1])]


async def test_an_id_below_one_is_no_evidence():
    assert await pages(ScriptedLease((9, 8, empty(0)), (7,)), IdRange(7, 10)) == [((8, 10), [9, 8]), ((7, 8), [7])]


async def test_only_strangers_do_not_move_the_walk():
    lost = history(message(3, channel_id=6))
    with pytest.raises(TelegramError, match="does not move below id 9"):
        await pages(ScriptedLease(lost, lost), IdRange(1, 9))


async def test_two_messages_in_the_wrong_order_at_the_edge_of_a_page_both_arrive():
    lease = ScriptedLease((9, 8, 6), (7, 5, 6), (4,))
    assert await pages(lease, IdRange(4, 10)) == [((6, 10), [9, 8, 6]), ((5, 6), [7, 5]), ((4, 5), [4])]


async def test_of_one_id_served_twice_the_message_counts_and_not_the_empty_one():
    lease = ScriptedLease((empty(9), 9, message(8, channel_id=6), 8))
    [(_, rows)] = await pages(lease, IdRange(8, 10))
    assert rows == [9, 8]


async def test_a_page_of_empty_messages_is_covered_and_has_no_rows():
    lease = ScriptedLease((empty(9), empty(8)), (empty(7), 6))
    assert await pages(lease, IdRange(6, 10)) == [((8, 10), []), ((6, 8), [6])]


LATER = datetime(2024, 6, 1, tzinfo=UTC)


async def test_an_empty_answer_to_a_date_is_asked_for_in_other_words():
    lease = ScriptedLease((), (9, 8, 7))
    assert await first_id(lease, LATER) == 10
    assert lease.asked == [(0, 5), (0, 100)]


async def test_the_end_below_a_date_is_asked_for_twice():
    early = datetime(2023, 1, 1, tzinfo=UTC)
    assert await first_id(ScriptedLease((9, 8), (), ()), early) == 1
    seconds_before = history(message(3))
    seconds_before.messages[0].date = early - timedelta(days=1)
    assert await first_id(ScriptedLease((9, 8), (), seconds_before), early) == 4


async def test_a_stranger_is_no_answer_to_a_date():
    lease = ScriptedLease((message(900, channel_id=6), 4, 3))
    assert await first_id(lease, LATER) == 5


async def test_a_channel_is_empty_only_at_the_second_time():
    assert (await top(ScriptedLease((), (9,)))).message_id == 9
    assert (await top(ScriptedLease((), ()))).message_id == 0


@pytest.mark.parametrize(("flag", "kind"), [("is_restricted", AccessLost), ("is_not_modified", TelegramError)])
async def test_a_hidden_channel_has_neither_top_nor_dates(flag, kind):
    hidden = history(**{flag: True})
    with pytest.raises(kind):
        await top(ScriptedLease(hidden, hidden))
    with pytest.raises(kind):
        await first_id(ScriptedLease(hidden, hidden), LATER)


async def test_an_empty_span_asks_nothing():
    assert await pages(ScriptedLease(), IdRange(9, 9)) == []


def test_a_request_has_telegrams_name():
    assert method_name(functions.messages.GetPeerDialogsRequest([])) == "messages.getPeerDialogs"
    assert method_name(functions.contacts.ResolveUsernameRequest("x")) == "contacts.resolveUsername"
