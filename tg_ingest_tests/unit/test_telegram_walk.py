"""The walk's decisions on answers that a well-behaved Telegram never gives."""

from datetime import UTC, datetime

import pytest
from telethon import functions
from telethon.tl import types as t

from tg_ingest.accounts import Account, ChannelInfo, Device
from tg_ingest.errors import AccessLost, TelegramError
from tg_ingest.messages.coverage import IdRange
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

    async def history(self, _channel, *, offset_id, limit):
        self.asked.append((offset_id, limit))
        answer = self._answers.pop(0)
        return answer if isinstance(answer, History) else history(*answer)


def history(*ids, **flags):
    found = [t.Message(id=i, peer_id=t.PeerChannel(5), date=SENT, message=str(i)) for i in ids]
    defaults = {"is_inexact": False, "is_not_modified": False, "is_restricted": False}
    return History(found, None, None, **{**defaults, **flags})


async def pages(lease, span):
    return [(tuple(page.covered), [row.message_id for row in page.rows]) async for page in walk(lease, CHANNEL, span)]


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


async def test_an_empty_span_asks_nothing():
    assert await pages(ScriptedLease(), IdRange(9, 9)) == []


def test_a_request_has_telegrams_name():
    assert method_name(functions.messages.GetPeerDialogsRequest([])) == "messages.getPeerDialogs"
    assert method_name(functions.contacts.ResolveUsernameRequest("x")) == "contacts.resolveUsername"
