"""The shape of a message between Telegram and PostgreSQL: one row type, its Arrow schema, and what can go wrong.

The order of `MessageRow` is the order of `SCHEMA` and of the columns that are copied into PostgreSQL.
"""

from datetime import datetime
from typing import NamedTuple

import pyarrow as pa

_TIME = pa.timestamp("us", tz="UTC")


class MessageRow(NamedTuple):
    """One observation of one message.

    JSON columns hold compact UTF-8 JSON text. `raw` is the whole message without counters and without what differs
    from account to account; `content_hash` is a signed 64-bit hash of `raw`, so equal content has equal hashes.
    `problem` is None, or why the parser could not fill the typed columns (then only the keys and `raw` are reliable).
    """

    channel_id: int
    message_id: int
    date: datetime | None
    kind: str  # message | service
    sender_type: str | None  # user | channel | chat
    sender_id: int | None
    post_author: str | None
    is_post: bool
    via_bot_id: int | None
    text: str
    text_source: str  # message | rich_message
    entities: str | None  # JSON
    action_type: str | None
    action: str | None  # JSON
    media_type: str | None
    grouped_id: int | None
    reply_to_message_id: int | None
    reply_to_peer_type: str | None
    reply_to_peer_id: int | None
    reply_to_top_id: int | None
    topic_id: int | None
    quote_text: str | None
    reply_to_story_peer_type: str | None
    reply_to_story_peer_id: int | None
    reply_to_story_id: int | None
    forward_date: datetime | None
    forward_from_type: str | None
    forward_from_id: int | None
    forward_from_name: str | None
    forward_from_message_id: int | None
    forward_post_author: str | None
    is_imported: bool
    edit_date: datetime | None
    is_edit_hidden: bool
    is_pinned: bool
    is_silent: bool
    has_protected_content: bool
    ttl_seconds: int | None
    effect_id: int | None
    factcheck: str | None  # JSON
    restriction_reason: str | None  # JSON
    paid_stars: int | None
    layer: int
    raw: str  # JSON
    content_hash: int
    views: int | None
    forwards: int | None
    reply_count: int | None
    reaction_count: int | None
    reactions: str | None  # JSON
    poll_results: str | None  # JSON
    observed_at: datetime
    account_id: int
    problem: str | None


_TEXT = [
    "kind",
    "sender_type",
    "post_author",
    "text",
    "text_source",
    "entities",
    "action_type",
    "action",
    "media_type",
    "reply_to_peer_type",
    "quote_text",
    "reply_to_story_peer_type",
    "forward_from_type",
    "forward_from_name",
    "forward_post_author",
    "factcheck",
    "restriction_reason",
    "raw",
    "reactions",
    "poll_results",
    "problem",
]
_FLAGS = ["is_post", "is_imported", "is_edit_hidden", "is_pinned", "is_silent", "has_protected_content"]
_TIMES = ["date", "forward_date", "edit_date", "observed_at"]


def _type_of(column: str) -> pa.DataType:
    if column in _TEXT:
        return pa.large_string() if column == "raw" else pa.string()
    if column in _FLAGS:
        return pa.bool_()
    return _TIME if column in _TIMES else pa.int64()


SCHEMA = pa.schema([pa.field(name, _type_of(name)) for name in MessageRow._fields])
KEY = ("channel_id", "message_id")
COUNTERS = ("views", "forwards", "reply_count", "reaction_count", "reactions", "poll_results")


class Rejection(NamedTuple):
    """A message that Telegram served and PostgreSQL cannot hold as a row: why, and everything needed to try again."""

    channel_id: int
    message_id: int
    reason: str  # a stable word: date_out_of_range, nul_character, unparsed, database
    detail: str  # one line for a person: the column and the rule, never the message's text
    sqlstate: str | None
    raw: str  # JSON
    observed_at: datetime


class UpsertCounts(NamedTuple):
    """What storing a part changed in the database, in rows."""

    inserted: int
    updated: int
    unchanged: int
    stale: int  # an older observation than the stored one: left alone
    rejected: int

    def __add__(self, other: "UpsertCounts") -> "UpsertCounts":  # type: ignore[override]
        return UpsertCounts(*(a + b for a, b in zip(self, other, strict=True)))
