"""API methods that read channels. Pages are glued together from messages that are serialised already."""

import re
import struct
from collections.abc import Iterable
from typing import Any

from telethon.tl import types as t

from tg_ingest.emulator import tl
from tg_ingest.emulator.faults import Page, disturb
from tg_ingest.emulator.rpc import RpcFailure
from tg_ingest.emulator.served import HistoryRequest
from tg_ingest.emulator.service import Caller
from tg_ingest.emulator.world import WorldChannel

_MAX_PAGE = 100  # "limit typically between 1 and 100", core.telegram.org/api/offsets; longer pages are never served
_DEFAULT_PAGE = 20  # what limit 0 stands for
_MAX_PEERS = 100
_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
_WORD64 = (1 << 64) - 1


def resolve_username(caller: Caller, request: Any) -> bytes:
    """Answer contacts.resolveUsername with the channel and the caller's own access hash."""
    wanted = request.username.removeprefix("@").lower()
    if not _USERNAME.fullmatch(wanted):
        raise RpcFailure(400, "USERNAME_INVALID")
    for channel in caller.service.world.channels.values():
        if channel.username is not None and channel.username.lower() == wanted:
            access_hash = caller.service.accounts.access_hash(caller.logged_in(), channel.channel_id)
            peer = t.PeerChannel(channel.channel_id)
            return bytes(t.contacts.ResolvedPeer(peer=peer, chats=[channel.chat(access_hash)], users=[]))
    raise RpcFailure(400, "USERNAME_NOT_OCCUPIED")


def get_channels(caller: Caller, request: Any) -> bytes:
    """Answer channels.getChannels."""
    found = [caller.channel(each) for each in request.id]
    return bytes(t.messages.Chats([channel.chat(access_hash) for channel, access_hash in found]))


def get_full_channel(caller: Caller, request: Any) -> bytes:
    """Answer channels.getFullChannel."""
    channel, access_hash = caller.channel(request.channel)
    full = channel.full(access_hash)
    linked = caller.service.world.channels.get(channel.spec.linked_id or 0)
    if linked is not None:
        linked_hash = caller.service.accounts.access_hash(caller.logged_in(), linked.channel_id)
        full.chats.append(linked.chat(linked_hash))
    return bytes(full)


def get_messages(caller: Caller, request: Any) -> bytes:
    """Answer channels.getMessages: the messages in the order asked for, messageEmpty for ids that do not exist."""
    channel, access_hash = caller.channel(request.channel)
    ids = [each.id for each in request.id[:_MAX_PAGE] if isinstance(each, t.InputMessageID)]
    if not ids:
        raise RpcFailure(400, "MESSAGE_IDS_EMPTY")
    caller.service.ledger.messages += len(ids)
    return _page(channel, access_hash, ids)


def get_history(caller: Caller, request: Any) -> bytes:
    """Answer messages.getHistory: offset, limit, then the id filters (core.telegram.org/api/offsets)."""
    channel, access_hash = caller.peer_channel(request.peer)
    if request.limit < 0:
        raise RpcFailure(400, "LIMIT_INVALID")
    limit = min(request.limit or _DEFAULT_PAGE, _MAX_PAGE)
    ids = channel.history(
        offset_id=request.offset_id,
        offset_date=0 if request.offset_date is None else int(request.offset_date.timestamp()),
        add_offset=request.add_offset,
        limit=limit,
        max_id=request.max_id,
        min_id=request.min_id,
    )
    if request.hash and request.hash & _WORD64 == ids_hash(ids):
        return bytes(t.messages.MessagesNotModified(count=channel.count))
    account = caller.logged_in().label
    fault = caller.service.faults.use(
        Page,
        account=account,
        method="messages.getHistory",
        fits=lambda page: (
            page.channel_id in {None, channel.channel_id}
            and (request.offset_id > 0 or page.effect != "duplicate_boundary")
        ),
    )
    empty: range | None = None
    if fault is not None:
        ids = disturb(ids, fault, offset_id=request.offset_id)
        empty = range(fault.lower, fault.upper + 1) if fault.effect == "message_empty" else None
    ledger = caller.service.ledger
    ledger.messages += len(ids)
    ledger.history.append(HistoryRequest(account, channel.channel_id, request.offset_id, request.limit, len(ids)))
    return _page(channel, access_hash, ids, empty=empty)


def get_peer_dialogs(caller: Caller, request: Any) -> bytes:
    """Answer messages.getPeerDialogs: top message and pts of up to 100 channels."""
    found = [caller.peer_channel(getattr(each, "peer", None)) for each in request.peers[:_MAX_PEERS]]
    dialogs = [bytes(_dialog(channel)) for channel, _ in found]
    shown = [channel for channel, _ in found if channel.count]
    messages = [channel.message_bytes(channel.top_id) for channel in shown]
    users = list(dict.fromkeys(user for channel in shown for user in channel.users_for([channel.top_id])))
    chats = [bytes(channel.chat(access_hash)) for channel, access_hash in found]
    state = bytes(t.updates.State(pts=1, qts=0, date=caller.service.now(), seq=1, unread_count=0))
    vectors = b"".join(tl.vector(each) for each in (dialogs, messages, chats, users))
    return tl.uint32(t.messages.PeerDialogs.CONSTRUCTOR_ID) + vectors + state


def get_channel_difference(caller: Caller, request: Any) -> bytes:
    """Answer updates.getChannelDifference: empty at the current pts, too long for any other; no events are kept."""
    channel, access_hash = caller.channel(request.channel)
    if request.pts <= 0:
        raise RpcFailure(400, "PERSISTENT_TIMESTAMP_EMPTY" if request.pts == 0 else "PERSISTENT_TIMESTAMP_INVALID")
    if request.pts >= channel.pts:
        return bytes(t.updates.ChannelDifferenceEmpty(pts=channel.pts, final=True, timeout=30))
    ids = channel.history(
        offset_id=0, offset_date=0, add_offset=0, limit=min(max(request.limit, 1), _MAX_PAGE), max_id=0, min_id=0
    )
    # flags: final (bit 0) and timeout (bit 1)
    head = struct.pack("<IIi", t.updates.ChannelDifferenceTooLong.CONSTRUCTOR_ID, 0b11, 30) + bytes(_dialog(channel))
    messages = [channel.message_bytes(each) for each in ids]
    lists = (messages, [bytes(channel.chat(access_hash))], channel.users_for(ids))
    return head + b"".join(tl.vector(each) for each in lists)


def ids_hash(ids: Iterable[int]) -> int:
    """Return the hash by which a client says what it has (core.telegram.org/api/offsets#hash-generation)."""
    value = 0
    for each in ids:
        value ^= value >> 21
        value ^= value << 35 & _WORD64
        value ^= value >> 4
        value = value + each & _WORD64
    return value


def _page(channel: WorldChannel, access_hash: int, ids: list[int], *, empty: range | None = None) -> bytes:
    """Serialise messages.channelMessages; `count` is the number of all visible messages, `pts` the channel's."""
    blank = empty if empty is not None else range(0)
    messages = [
        channel.message_bytes(each) if each not in blank and channel.exists(each) else _message_empty(channel, each)
        for each in ids
    ]
    head = struct.pack("<IIii", t.messages.ChannelMessages.CONSTRUCTOR_ID, 0, channel.pts, channel.count)
    topics: list[bytes] = []
    lists = (messages, topics, [bytes(channel.chat(access_hash))], channel.users_for(ids))
    return head + b"".join(tl.vector(each) for each in lists)


def _message_empty(channel: WorldChannel, message_id: int) -> bytes:
    return bytes(t.MessageEmpty(id=message_id, peer_id=t.PeerChannel(channel.channel_id)))


def _dialog(channel: WorldChannel) -> t.Dialog:
    return t.Dialog(
        peer=t.PeerChannel(channel.channel_id),
        top_message=channel.top_id,
        read_inbox_max_id=0,
        read_outbox_max_id=0,
        unread_count=0,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=t.PeerNotifySettings(),
        pts=channel.pts,
    )
