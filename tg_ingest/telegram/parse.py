"""One Telegram message into one `MessageRow`: every typed column, the canonical raw JSON and its hash.

The text is the wire's `message`, never Telethon's `text`, which is rewritten as markdown.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from telethon.tl import alltlobjects, types

from tg_ingest.messages.models import MessageRow
from tg_ingest.telegram.counters import poll_results_of, reactions_of
from tg_ingest.telegram.entities import entities_json
from tg_ingest.telegram.media import media_type_of
from tg_ingest.telegram.peers import forward_of, peer_of, reply_of
from tg_ingest.telegram.raw import canonical, content_hash
from tg_ingest.telegram.rich import plain_text

LAYER: int = alltlobjects.LAYER


def parse_messages(
    messages: Iterable[Any], *, channel_id: int, is_forum: bool, account_id: int, observed_at: datetime
) -> list[MessageRow]:
    """Turn messages of one channel into rows; a `MessageEmpty` (an id that holds nothing for this account) has no row.

    Never raises for a message: one of unexpected shape becomes a row with keys, raw and `problem`.
    """
    rows = []
    for message in messages:
        if isinstance(message, types.MessageEmpty):
            continue
        try:
            row = _row_of(
                message, channel_id=channel_id, is_forum=is_forum, account_id=account_id, observed_at=observed_at
            )
        except Exception as error:  # noqa: BLE001  # one malformed message must not cost its page; the row says what and where
            row = _unparsed(
                message, _where(error), channel_id=channel_id, account_id=account_id, observed_at=observed_at
            )
        rows.append(row)
    return rows


class _ForeignPeerError(ValueError):
    """The message says that it belongs to another chat."""


def _row_of(message: Any, *, channel_id: int, is_forum: bool, account_id: int, observed_at: datetime) -> MessageRow:
    if peer_of(message.peer_id) != ("channel", channel_id):
        raise _ForeignPeerError
    if isinstance(message, types.MessageService):
        return _service_row(
            message, channel_id=channel_id, is_forum=is_forum, account_id=account_id, observed_at=observed_at
        )
    raw = canonical(message)
    sender_type, sender_id = peer_of(message.from_id)
    text, text_source = _text_of(message)
    reply = reply_of(message, is_forum=is_forum)
    forward = forward_of(message.fwd_from)
    reaction_count, reactions = reactions_of(message.reactions)
    # By position, in the order of MessageRow: by name the same call costs 3 us more for each message.
    return MessageRow(
        channel_id,  # channel_id
        message.id,  # message_id
        message.date,  # date
        "message",  # kind
        sender_type,  # sender_type
        sender_id,  # sender_id
        message.post_author,  # post_author
        bool(message.post),  # is_post
        message.via_bot_id,  # via_bot_id
        text,  # text
        text_source,  # text_source
        entities_json(message.message, message.entities),  # entities
        None,  # action_type
        None,  # action
        media_type_of(message.media),  # media_type
        message.grouped_id,  # grouped_id
        reply.message_id,  # reply_to_message_id
        reply.peer_type,  # reply_to_peer_type
        reply.peer_id,  # reply_to_peer_id
        reply.top_id,  # reply_to_top_id
        reply.topic_id,  # topic_id
        reply.quote_text,  # quote_text
        reply.story_peer_type,  # reply_to_story_peer_type
        reply.story_peer_id,  # reply_to_story_peer_id
        reply.story_id,  # reply_to_story_id
        forward.date,  # forward_date
        forward.from_type,  # forward_from_type
        forward.from_id,  # forward_from_id
        forward.from_name,  # forward_from_name
        forward.message_id,  # forward_from_message_id
        forward.post_author,  # forward_post_author
        forward.is_imported,  # is_imported
        message.edit_date,  # edit_date
        bool(message.edit_hide),  # is_edit_hidden
        bool(message.pinned),  # is_pinned
        bool(message.silent),  # is_silent
        bool(message.noforwards),  # has_protected_content
        message.ttl_period,  # ttl_seconds
        message.effect,  # effect_id
        _json_of(message.factcheck),  # factcheck
        _json_of(message.restriction_reason),  # restriction_reason
        message.paid_message_stars,  # paid_stars
        LAYER,  # layer
        raw.decode(),  # raw
        content_hash(raw),  # content_hash
        message.views,  # views
        message.forwards,  # forwards
        None if message.replies is None else message.replies.replies,  # reply_count
        reaction_count,  # reaction_count
        reactions,  # reactions
        poll_results_of(message.media),  # poll_results
        observed_at,  # observed_at
        account_id,  # account_id
        None,  # problem
    )


def _service_row(
    message: Any, *, channel_id: int, is_forum: bool, account_id: int, observed_at: datetime
) -> MessageRow:
    raw = canonical(message)
    sender_type, sender_id = peer_of(message.from_id)
    reply = reply_of(message, is_forum=is_forum)
    if type(message.action) is types.MessageActionTopicCreate:
        reply = reply._replace(topic_id=message.id)  # a topic's id is that of the message that created it
    reaction_count, reactions = reactions_of(message.reactions)
    return _empty_row(channel_id, message.id, observed_at, account_id)._replace(
        date=message.date,
        kind="service",
        sender_type=sender_type,
        sender_id=sender_id,
        is_post=bool(message.post),
        action_type=type(message.action).__name__.removeprefix("MessageAction"),
        action=canonical(message.action).decode(),
        reply_to_message_id=reply.message_id,
        reply_to_peer_type=reply.peer_type,
        reply_to_peer_id=reply.peer_id,
        reply_to_top_id=reply.top_id,
        topic_id=reply.topic_id,
        quote_text=reply.quote_text,
        is_silent=bool(message.silent),
        ttl_seconds=message.ttl_period,
        raw=raw.decode(),
        content_hash=content_hash(raw),
        reaction_count=reaction_count,
        reactions=reactions,
    )


def _text_of(message: Any) -> tuple[str, str]:
    """The text and where it was found: a rich message may have content while `message` is empty."""
    if not message.message and message.rich_message is not None:
        return plain_text(message.rich_message), "rich_message"
    return message.message, "message"


def _json_of(item: Any) -> str | None:
    return canonical(item).decode() if item else None


def _where(error: Exception) -> str:
    """Name the error and the function that met it; never its text, which may quote the message."""
    trace = error.__traceback__
    place = "parse"
    while trace is not None:
        if "tg_ingest" in trace.tb_frame.f_globals.get("__name__", ""):
            place = trace.tb_frame.f_code.co_name.lstrip("_")
        trace = trace.tb_next
    return f"{type(error).__name__.lstrip('_')}: {place}"


def _unparsed(message: Any, problem: str, *, channel_id: int, account_id: int, observed_at: datetime) -> MessageRow:
    """The row of a message that could not be read: its keys, as much of it as can be written down, and the reason."""
    message_id = message.id if isinstance(getattr(message, "id", None), int) else 0
    try:
        raw = canonical(message)
    except Exception:  # noqa: BLE001  # the object is broken beyond its own fields; its keys and the problem remain
        raw = canonical({"_": type(message).__name__, "id": message_id})
    row = _empty_row(channel_id, message_id, observed_at, account_id)
    return row._replace(raw=raw.decode(), content_hash=content_hash(raw), problem=problem)


def _empty_row(channel_id: int, message_id: int, observed_at: datetime, account_id: int) -> MessageRow:
    values: dict[str, Any] = dict.fromkeys(MessageRow._fields)
    values |= {
        "channel_id": channel_id,
        "message_id": message_id,
        "kind": "message",
        "is_post": False,
        "text": "",
        "text_source": "message",
        "is_imported": False,
        "is_edit_hidden": False,
        "is_pinned": False,
        "is_silent": False,
        "has_protected_content": False,
        "layer": LAYER,
        "raw": "{}",
        "content_hash": 0,
        "observed_at": observed_at,
        "account_id": account_id,
    }
    return MessageRow(**values)
