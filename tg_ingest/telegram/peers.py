"""Peers, reply headers and forward headers as columns."""

from datetime import datetime
from typing import Any, NamedTuple

from telethon.tl import types

_PEERS = {
    types.PeerUser: ("user", "user_id"),
    types.PeerChannel: ("channel", "channel_id"),
    types.PeerChat: ("chat", "chat_id"),
}
GENERAL_TOPIC = 1


class Reply(NamedTuple):
    """What a message answers."""

    message_id: int | None = None
    peer_type: str | None = None
    peer_id: int | None = None
    top_id: int | None = None
    topic_id: int | None = None
    quote_text: str | None = None
    story_peer_type: str | None = None
    story_peer_id: int | None = None
    story_id: int | None = None


class Forward(NamedTuple):
    """Where a message was forwarded from."""

    date: datetime | None = None
    from_type: str | None = None
    from_id: int | None = None
    from_name: str | None = None
    message_id: int | None = None
    post_author: str | None = None
    is_imported: bool = False


_NO_REPLY = Reply()
_NO_FORWARD = Forward()


def peer_of(peer: Any) -> tuple[str | None, int | None]:
    """Split a peer into its type (user, channel, chat) and its bare positive id."""
    if peer is None:
        return None, None
    kind, field = _PEERS[type(peer)]
    return kind, getattr(peer, field)


def reply_of(message: Any, *, is_forum: bool) -> Reply:
    """Read the reply header; in a forum every message has a topic, the general one (id 1) when none is named."""
    header = message.reply_to
    general = GENERAL_TOPIC if is_forum else None
    if header is None:
        return Reply(topic_id=general) if is_forum else _NO_REPLY
    if type(header) is types.MessageReplyStoryHeader:
        peer_type, peer_id = peer_of(header.peer)
        return Reply(story_peer_type=peer_type, story_peer_id=peer_id, story_id=header.story_id, topic_id=general)
    peer_type, peer_id = peer_of(header.reply_to_peer_id)
    # https://core.telegram.org/api/forum: the first answer in a topic names it as the message that it replies to.
    topic = (header.reply_to_top_id or header.reply_to_msg_id) if header.forum_topic else general
    return Reply(header.reply_to_msg_id, peer_type, peer_id, header.reply_to_top_id, topic, header.quote_text or None)


def forward_of(header: Any) -> Forward:
    """Read the forward header; a hidden sender has a name and no id."""
    if header is None:
        return _NO_FORWARD
    from_type, from_id = peer_of(header.from_id)
    return Forward(
        header.date,
        from_type,
        from_id,
        header.from_name,
        header.channel_post,
        header.post_author,
        bool(header.imported),
    )
