"""An unmodified Telethon against the emulator, over real sockets."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from telethon import TelegramClient, errors
from telethon import functions as f
from telethon import types as t
from telethon.network import ConnectionTcpAbridged, ConnectionTcpFull, ConnectionTcpIntermediate
from telethon.sessions import MemorySession, StringSession

from tg_ingest.emulator.methods_account import LOGIN_CODE
from tg_ingest.emulator.world import AccountSpec, LimitSpec, World
from tg_ingest.emulator.worlds import load

CHANNEL = 2200000201
START = datetime(2024, 1, 1, tzinfo=UTC)
DEADLINE = 20.0


def tiny(*accounts: AccountSpec) -> World:
    world = load("tiny", seed=3, start=START)
    return World(world.name, world.seed, world.channels, list(accounts) or world.accounts)


def account(label: str = "solo", **fields: Any) -> AccountSpec:
    return AccountSpec(label=label, user_id=6900000777, phone="9996620777", **fields)


@contextlib.asynccontextmanager
async def client_for(session: Any, *, connection: Any = ConnectionTcpFull, **options: Any) -> AsyncIterator[Any]:
    settings = {"receive_updates": False, "flood_sleep_threshold": 0, "request_retries": 1, "connection_retries": 2}
    client: Any = TelegramClient(
        session,
        1,
        "hash",
        connection=connection,
        raise_last_call_error=True,
        retry_delay=0,
        **{**settings, **options},
    )
    try:
        async with asyncio.timeout(DEADLINE):
            await client.connect()
            yield client
    finally:
        await client.disconnect()


def logged_in(emulator, label: str = "solo", **options: Any):
    return client_for(StringSession(emulator.session(label)), **options)


def peer(emulator, label: str = "solo", channel_id: int = CHANNEL) -> t.InputPeerChannel:
    return t.InputPeerChannel(channel_id, emulator.access_hash(label, channel_id))


def as_channel(named: t.InputPeerChannel) -> t.InputChannel:
    return t.InputChannel(named.channel_id, named.access_hash)


def history(channel: t.InputPeerChannel, *, offset_id: int = 0, limit: int = 100, hash: int = 0):  # noqa: A002 - the API's name
    return f.messages.GetHistoryRequest(
        peer=channel, offset_id=offset_id, offset_date=None, add_offset=0, limit=limit, max_id=0, min_id=0, hash=hash
    )


async def walk(client: Any, channel: t.InputPeerChannel, *, limit: int = 100) -> list[Any]:
    messages, cursor = [], 0
    while page := (await client(history(channel, offset_id=cursor, limit=limit))).messages:
        messages += page
        cursor = page[-1].id
    return messages


def ids(page: Any) -> list[int]:
    return [message.id for message in page.messages]


@pytest.mark.parametrize("connection", [ConnectionTcpAbridged, ConnectionTcpIntermediate, ConnectionTcpFull])
async def test_from_an_empty_session_to_the_whole_history(start_emulator, connection):
    emulator = start_emulator(tiny(account()))
    session = MemorySession()
    session.set_dc(2, emulator.host, emulator.port)
    async with client_for(session, connection=connection) as client:
        assert await client.get_me() is None
        await client.send_code_request("+9996620777")
        assert (await client.sign_in("+9996620777", LOGIN_CODE)).id == 6900000777
        found = await client(f.contacts.ResolveUsernameRequest("tiny_news"))
        channel = t.InputPeerChannel(found.chats[0].id, found.chats[0].access_hash)
        messages = await walk(client, channel)
    truth = emulator.truth(CHANNEL)
    assert [message.id for message in reversed(messages)] == [each["message_id"] for each in truth]
    texts = [getattr(message, "message", None) or "" for message in reversed(messages)]
    assert texts == [each["text"] for each in truth]
    dates = [int(message.date.timestamp()) for message in reversed(messages)]
    assert dates == [each["date"] for each in truth]


async def test_the_wrong_login_code_and_unknown_numbers_are_refused(start_emulator):
    emulator = start_emulator(tiny(account()))
    session = MemorySession()
    session.set_dc(2, emulator.host, emulator.port)
    async with client_for(session) as client:
        with pytest.raises(errors.PhoneNumberInvalidError):
            await client.send_code_request("+12025550100")
        sent = await client.send_code_request("+9996620777")
        with pytest.raises(errors.PhoneCodeInvalidError):
            await client.sign_in("+9996620777", "12345", phone_code_hash=sent.phone_code_hash)
        with pytest.raises(errors.PhoneCodeExpiredError):
            await client.sign_in("+9996620777", LOGIN_CODE, phone_code_hash="other")
        with pytest.raises(errors.AuthKeyUnregisteredError):
            await client(f.contacts.ResolveUsernameRequest("tiny_news"))


async def test_a_page_tells_count_and_pts_and_is_capped_at_a_hundred(start_emulator):
    emulator = start_emulator(tiny(account()))
    channel = peer(emulator)
    world = emulator.world.channels[CHANNEL]
    async with logged_in(emulator) as client:
        page = await client(history(channel, limit=500))
        assert (len(page.messages), page.count, page.pts) == (100, world.count, world.pts)
        assert page.messages[0].id == world.top_id
        assert len((await client(history(channel, limit=0))).messages) == 20
        with pytest.raises(errors.LimitInvalidError):
            await client(history(channel, limit=-1))


async def test_a_page_the_client_already_has_is_not_sent_again(start_emulator):
    emulator = start_emulator(tiny(account()))
    async with logged_in(emulator) as client:
        page = await client(history(peer(emulator), limit=3))
        value = 0
        for message in page.messages:  # core.telegram.org/api/offsets#hash-generation
            value ^= value >> 21
            value = (value ^ value << 35) % 2**64
            value = ((value ^ value >> 4) + message.id) % 2**64
        signed = value - 2**64 if value >= 2**63 else value
        again = await client(history(peer(emulator), limit=3, hash=signed))
    assert isinstance(again, t.messages.MessagesNotModified)


async def test_channel_methods_answer_as_telegram_does(start_emulator):
    emulator = start_emulator(tiny(account()))
    channel, world = peer(emulator), emulator.world.channels[CHANNEL]
    named = as_channel(channel)
    gone = next(each for each in range(1, world.top_id) if not world.exists(each))
    async with logged_in(emulator) as client:
        found = await client(f.channels.GetMessagesRequest(named, [t.InputMessageID(1), t.InputMessageID(gone)]))
        assert [type(message).__name__ for message in found.messages] == ["MessageService", "MessageEmpty"]
        assert (await client(f.channels.GetChannelsRequest([named]))).chats[0].title == world.title
        assert (await client(f.channels.GetFullChannelRequest(named))).full_chat.pts == world.pts
        dialogs = await client(f.messages.GetPeerDialogsRequest([t.InputDialogPeer(channel)]))
        assert (dialogs.dialogs[0].pts, dialogs.dialogs[0].top_message) == (world.pts, world.top_id)
        assert dialogs.messages[0].id == world.top_id
        nothing = t.ChannelMessagesFilterEmpty()
        same = await client(f.updates.GetChannelDifferenceRequest(named, nothing, world.pts, 100))
        assert isinstance(same, t.updates.ChannelDifferenceEmpty)
        old = await client(f.updates.GetChannelDifferenceRequest(named, nothing, 1, 10))
        assert (type(old).__name__, len(old.messages), old.dialog.pts) == ("ChannelDifferenceTooLong", 10, world.pts)


async def test_access_belongs_to_the_account_and_the_channel_must_be_public(start_emulator):
    world = tiny(account(), AccountSpec(label="other", user_id=6900000778, phone="9996620778"))
    world.channels[CHANNEL + 1].is_private = True
    emulator = start_emulator(world)
    async with logged_in(emulator) as client:
        with pytest.raises(errors.ChannelInvalidError):
            await client(history(peer(emulator, "other")))
        with pytest.raises(errors.ChannelPrivateError):
            await client(history(peer(emulator, channel_id=CHANNEL + 1)))
        with pytest.raises(errors.UsernameNotOccupiedError):
            await client(f.contacts.ResolveUsernameRequest("nobody_here"))
        with pytest.raises(errors.UsernameInvalidError):
            await client(f.contacts.ResolveUsernameRequest("1"))
        with pytest.raises(errors.MethodInvalidError):
            await client(f.messages.GetDhConfigRequest(version=0, random_length=16))


async def test_a_limit_floods_and_calls_inside_the_wait_are_counted(start_emulator):
    limit = LimitSpec(kind="sliding", requests=2, seconds=30.0, wait=60)
    emulator = start_emulator(tiny(account(limits={"messages.getHistory": limit})))
    async with logged_in(emulator) as client:
        for _ in range(2):
            await client(history(peer(emulator)))
        for _ in range(3):
            # Telethon remembers no wait of a call without updates, so that each of these reaches the server.
            with pytest.raises(errors.FloodWaitError) as flood:
                await client(history(peer(emulator)))
            assert flood.value.seconds == 60
        await client(f.channels.GetFullChannelRequest(as_channel(peer(emulator))))
    tally = next(each for each in emulator.served()["methods"] if each["method"] == "messages.getHistory")
    assert (tally["calls"], tally["ok"], tally["floods"], tally["calls_inside_wait"]) == (5, 2, 3, 2)
    assert (tally["max_calls_in_window"], tally["errors"]) == (5, {"FLOOD_WAIT_60": 3})
    assert [(each["offset_id"], each["limit"], each["messages"]) for each in emulator.served()["history"]] == [
        (0, 100, 100),
        (0, 100, 100),
    ]


async def test_calls_inside_the_wait_of_a_repeated_flood_are_counted(start_emulator):
    emulator = start_emulator(tiny(account()))
    emulator.fault("flood", method="messages.getHistory", seconds=60, times=None)
    async with logged_in(emulator) as client:
        for _ in range(3):
            with pytest.raises(errors.FloodWaitError):
                await client(history(peer(emulator)))
    tally = next(each for each in emulator.served()["methods"] if each["method"] == "messages.getHistory")
    assert (tally["floods"], tally["calls_inside_wait"]) == (3, 2)


async def test_an_account_is_flagged_once_and_then_revoked(start_emulator):
    emulator = start_emulator(tiny(account(flag_after=1, flag_seconds=900)))
    async with logged_in(emulator) as client:
        await client(history(peer(emulator)))
        with pytest.raises(errors.FloodWaitError) as flood:
            await client(history(peer(emulator)))
        assert flood.value.seconds == 900
    emulator = start_emulator(tiny(account(revoke_after=2)))
    async with logged_in(emulator) as client:
        for _ in range(2):
            await client(history(peer(emulator)))
        for _ in range(2):
            with pytest.raises(errors.SessionRevokedError):
                await client(history(peer(emulator)))


async def test_a_revoked_key_says_why_and_a_forgotten_one_is_unknown(start_emulator):
    emulator = start_emulator(tiny(account()))
    async with logged_in(emulator) as client:
        emulator.fault("revoke", account="solo", error="USER_DEACTIVATED_BAN")
        with pytest.raises(errors.UserDeactivatedBanError):
            await client(history(peer(emulator)))
        emulator.fault("revoke", account="solo", error="AUTH_KEY_NOT_FOUND")
        with pytest.raises(errors.AuthKeyNotFound):
            await client(history(peer(emulator)))


async def test_a_key_that_sends_on_two_connections_is_dead_for_good(start_emulator):
    emulator = start_emulator(tiny(account()))
    async with logged_in(emulator) as first:
        await first(history(peer(emulator)))
        with pytest.raises(errors.AuthKeyDuplicatedError):
            async with logged_in(emulator):
                pass
        with pytest.raises(errors.AuthKeyDuplicatedError):
            await first(history(peer(emulator)))
    served = emulator.served()
    assert served["duplicated_keys"] == 1
    key = next(key for key in served["keys"] if key["account"] == "solo")
    assert (key["connections_opened"], key["max_simultaneous_sending"], key["dead"]) == (2, 2, "AUTH_KEY_DUPLICATED")


async def test_one_connection_after_the_other_is_allowed(start_emulator):
    emulator = start_emulator(tiny(account()))
    for _ in range(3):
        async with logged_in(emulator) as client:
            await client(history(peer(emulator), limit=1))
    assert emulator.served()["duplicated_keys"] == 0


@pytest.mark.parametrize(("when", "served"), [("before", 1), ("after", 2), ("half", 2)])
async def test_a_lost_connection_is_survived_and_the_call_repeated(start_emulator, when, served):
    emulator = start_emulator(tiny(account()))
    async with logged_in(emulator) as client:
        emulator.fault("drop", when=when, method="messages.getHistory")
        page = await asyncio.wait_for(client(history(peer(emulator), limit=2)), DEADLINE)
        assert len(page.messages) == 2
    tally = next(each for each in emulator.served()["methods"] if each["method"] == "messages.getHistory")
    assert tally["ok"] == served
    assert emulator.served()["duplicated_keys"] == 0


async def test_errors_latency_and_silence_happen_on_demand(start_emulator):
    emulator = start_emulator(tiny(account()))
    async with logged_in(emulator) as client:
        emulator.fault("error", method="messages.getHistory", code=400, message="CHANNEL_PRIVATE")
        with pytest.raises(errors.ChannelPrivateError):
            await client(history(peer(emulator)))
        emulator.fault("flood", method="messages.getHistory", seconds=7)
        with pytest.raises(errors.FloodWaitError) as flood:
            await client(history(peer(emulator)))
        assert flood.value.seconds == 7
        full = f.channels.GetFullChannelRequest(as_channel(peer(emulator)))
        emulator.fault("latency", method="channels.getFullChannel", milliseconds=200)
        began = asyncio.get_running_loop().time()
        await client(full)
        assert asyncio.get_running_loop().time() - began > 0.19
        emulator.fault("silence", method="channels.getFullChannel")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client(full), 0.3)
        assert (await client(full)).full_chat.id == CHANNEL


async def test_pages_can_be_disturbed(start_emulator):
    emulator = start_emulator(tiny(account()))
    channel = peer(emulator)
    async with logged_in(emulator) as client:
        right = ids(await client(history(channel, limit=10, offset_id=500)))
        pages = {}
        for effect in ("empty", "duplicate_boundary", "reversed", "swapped", "short"):
            emulator.fault("page", effect=effect, cap=4)
            pages[effect] = ids(await client(history(channel, limit=10, offset_id=500)))
        assert pages["empty"] == []
        assert pages["duplicate_boundary"] == [500, *right[:-1]]
        assert pages["reversed"] == right[::-1]
        assert sorted(pages["swapped"]) == sorted(right)
        assert pages["swapped"] != right
        assert pages["short"] == right[:4]
        emulator.fault("page", effect="message_empty", lower=right[3], upper=right[1])
        page = await client(history(channel, limit=10, offset_id=500))
        assert ids(page) == right
        assert [message.id for message in page.messages if isinstance(message, t.MessageEmpty)] == right[1:4]


async def test_large_answers_are_packed_when_the_server_packs(start_emulator):
    emulator = start_emulator(tiny(account()), gzip_answers=True)
    async with logged_in(emulator) as client:
        messages = await walk(client, peer(emulator))
    assert len(messages) == emulator.world.channels[CHANNEL].count


async def test_salts_may_change_under_a_running_client(start_emulator):
    emulator = start_emulator(tiny(account()))
    async with logged_in(emulator) as client:
        await client(history(peer(emulator)))
        assert emulator.fault("rotate_salts", account="solo")["keys"] == 1
        assert len((await client(history(peer(emulator)))).messages) == 100


@pytest.mark.parametrize("ahead", [-100_000, -1000, 100, 100_000])
async def test_a_client_with_a_wrong_clock_learns_the_right_time(start_emulator, ahead):
    emulator = start_emulator(tiny(account()))
    emulator.emulator.service.clock = lambda: time.time() - ahead
    async with logged_in(emulator) as client:
        assert len((await client(history(peer(emulator), limit=3))).messages) == 3


async def test_descriptions_and_dialogs_name_every_peer(start_emulator):
    emulator = start_emulator(load("demo", seed=3, start=START))
    group = peer(emulator, "demo-1", channel_id=2200000102)
    world = emulator.world.channels[group.channel_id]
    while world.message_bytes(world.top_id) and not world.users_for([world.top_id]):
        world.delete([world.top_id])
    async with logged_in(emulator, "demo-1") as client:
        full = await client(f.channels.GetFullChannelRequest(as_channel(group)))
        hashes = {chat.id: chat.access_hash for chat in full.chats}
        assert hashes == {
            each: emulator.access_hash("demo-1", each) for each in (group.channel_id, full.full_chat.linked_chat_id)
        }
        dialogs = await client(f.messages.GetPeerDialogsRequest([t.InputDialogPeer(group)]))
        assert [user.id for user in dialogs.users] == [dialogs.messages[0].from_id.user_id]


async def test_many_calls_at_once_and_ordered_calls_are_served(start_emulator):
    emulator = start_emulator(tiny(account()))
    channel = peer(emulator)
    async with logged_in(emulator) as client:
        pages = await asyncio.gather(*(client(history(channel, offset_id=n, limit=1)) for n in range(2, 42)))
        assert all(len(page.messages) == 1 for page in pages)
        first, second = await client([history(channel, limit=1), history(channel, limit=2)], ordered=True)
        assert (len(first.messages), len(second.messages)) == (1, 2)


async def test_the_clients_wrappers_are_checked(start_emulator):
    emulator = start_emulator(tiny(account()))
    async with logged_in(emulator) as client:
        with pytest.raises(errors.TakeoutInvalidError):
            await client(f.InvokeWithTakeoutRequest(5, f.updates.GetStateRequest()))
        takeout = await client(f.account.InitTakeoutSessionRequest(message_channels=True))
        state = await client(f.InvokeWithTakeoutRequest(takeout.id, f.updates.GetStateRequest()))
        assert state.seq == 1
        with pytest.raises(errors.ConnectionLayerInvalidError):
            await client(f.InvokeWithLayerRequest(100, f.updates.GetStateRequest()))
        with pytest.raises(errors.MsgWaitFailedError):
            await client(f.InvokeAfterMsgRequest(12, f.updates.GetStateRequest()))


async def test_what_happens_live_is_seen(start_emulator):
    emulator = start_emulator(tiny(account()))
    channel = peer(emulator)
    async with logged_in(emulator) as client:
        before = await client(history(channel, limit=1))
        posted = emulator.post(CHANNEL, "fresh news")
        page = await client(history(channel, limit=2))
        assert (page.messages[0].id, page.messages[0].message, page.count) == (posted, "fresh news", before.count + 1)
        emulator.edit(CHANNEL, posted, "corrected news")
        edited = (await client(history(channel, limit=1))).messages[0]
        assert edited.message == "corrected news"
        assert edited.edit_date is not None
        emulator.delete(CHANNEL, [posted])
        after = await client(history(channel, limit=1))
        assert (after.messages[0].id, after.count) == (before.messages[0].id, before.count)
        assert after.pts > page.pts > before.pts


async def test_a_bug_of_the_emulator_shows_as_an_internal_error(start_emulator, monkeypatch):
    emulator = start_emulator(tiny(account()))
    channel = peer(emulator)
    monkeypatch.setattr(type(emulator.world.channels[CHANNEL]), "message_bytes", lambda _self, each: {}[each])
    async with logged_in(emulator) as client:
        with pytest.raises(errors.RPCError, match="INTERNAL_SERVER_ERROR"):
            await client(history(channel))
    assert "KeyError" in emulator.served()["internal_errors"][0]
    emulator.emulator.service.ledger.internal_errors.clear()


async def test_logging_out_ends_the_session(start_emulator):
    emulator = start_emulator(tiny(account()))
    async with logged_in(emulator) as client:
        channel = peer(emulator)
        await client(f.auth.LogOutRequest())
        with pytest.raises(errors.AuthKeyUnregisteredError):
            await client(history(channel))
