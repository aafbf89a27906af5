"""A channel as others see it: the short object that comes with every answer, and the full description."""

from datetime import UTC, datetime

from telethon.tl import types as tl
from telethon.tl.types.messages import ChatFull

from tg_ingest.emulator.content.draw import mix
from tg_ingest.emulator.content.spec import ChannelSpec

_ONLINE_ONE_IN = 50


def chat_of(spec: ChannelSpec, access_hash: int, *, created: int) -> tl.Channel:
    """The channel, for the account that this access hash was given to."""
    return tl.Channel(
        id=spec.channel_id,
        title=spec.title,
        photo=tl.ChatPhoto(photo_id=_photo_id(spec), dc_id=2),
        date=datetime.fromtimestamp(created, UTC),
        broadcast=spec.kind == "broadcast",
        megagroup=spec.kind == "supergroup",
        forum=bool(spec.topics),
        has_link=spec.linked_id is not None,
        access_hash=access_hash,
        username=spec.username,
        participants_count=spec.participants,
    )


def full_of(spec: ChannelSpec, chats: list[tl.TypeChat], *, pts: int, unread: int) -> ChatFull:
    """The full description, with the short objects of the channels that it names."""
    full = tl.ChannelFull(
        id=spec.channel_id,
        about=spec.about,
        read_inbox_max_id=0,
        read_outbox_max_id=0,
        unread_count=unread,
        chat_photo=tl.PhotoEmpty(_photo_id(spec)),
        notify_settings=tl.PeerNotifySettings(),
        bot_info=[],
        pts=pts,
        participants_count=spec.participants,
        online_count=spec.participants // _ONLINE_ONE_IN if spec.kind == "supergroup" else None,
        linked_chat_id=spec.linked_id,
        hidden_prehistory=spec.available_min_id > 0,
        available_min_id=spec.available_min_id or None,
        available_reactions=tl.ChatReactionsAll(allow_custom=True),
    )
    return ChatFull(full_chat=full, chats=chats, users=[])


def _photo_id(spec: ChannelSpec) -> int:
    return mix(spec.channel_id) >> 2
