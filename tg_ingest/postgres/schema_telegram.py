"""The tables that analysts read: messages, their counters and earlier versions, channels, and a joining view."""

import sqlalchemy as sa

from tg_ingest.postgres.schema import METADATA, TELEGRAM, archived_json, bigint, flag, jsonb, key, moment, text

MESSAGES = sa.Table(
    "messages",
    METADATA,
    key("channel_id", "Numeric id of the channel, without the -100 prefix that bots see"),
    key("message_id", "Id of the message in its channel; ids grow with time and have gaps"),
    moment("date", "When the message was sent", null=False),
    text("kind", "message, or service for an event such as a pinned message or a new title", null=False),
    text("sender_type", "Kind of sender: user, channel or chat; empty for a post of the channel itself"),
    bigint("sender_id", "Id of the sender among its kind; empty for a post of the channel itself"),
    text("post_author", "Signature under a channel post"),
    flag("is_post", "Whether it is a post of a broadcast channel, and not a message in a group"),
    bigint("via_bot_id", "Id of the inline bot that produced the message"),
    text("text", "Text or caption exactly as sent, without markup; empty when there is none", null=False),
    text("text_source", "Where the text was found: message or rich_message", null=False),
    jsonb("entities", "Formatting, links and mentions; offsets and lengths count UTF-16 units, as Telegram does"),
    text("action_type", "Type of the event of a service message, by its name in Telegram's schema"),
    jsonb("action", "The event of a service message"),
    text("media_type", "Type of the attachment: photo, video, document, web_page, poll, geo and others"),
    bigint("grouped_id", "Shared by the messages of one album"),
    bigint("reply_to_message_id", "Id of the message that this one answers"),
    text("reply_to_peer_type", "Kind of the chat that holds the answered message, when it is another chat"),
    bigint("reply_to_peer_id", "Id of the chat that holds the answered message, when it is another chat"),
    bigint("reply_to_top_id", "Id of the message that began the thread"),
    bigint("topic_id", "Id of the forum topic; 1 is the general topic"),
    text("quote_text", "Part of the answered message that is quoted"),
    text("reply_to_story_peer_type", "Kind of the owner of the story that this message answers"),
    bigint("reply_to_story_peer_id", "Id of the owner of the story that this message answers"),
    bigint("reply_to_story_id", "Id of the story that this message answers"),
    moment("forward_date", "When the forwarded original was sent"),
    text("forward_from_type", "Kind of the original sender of a forward: user, channel or chat"),
    bigint("forward_from_id", "Id of the original sender of a forward"),
    text("forward_from_name", "Name of an original sender who hides the account"),
    bigint("forward_from_message_id", "Id of the forwarded original in its channel"),
    text("forward_post_author", "Signature under the forwarded original"),
    flag("is_imported", "Whether the message was imported from another messenger"),
    moment("edit_date", "When the message was last edited; a new preview or reaction can set it too"),
    flag("is_edit_hidden", "Whether Telegram's apps do not show the message as edited"),
    flag("is_pinned", "Whether the message was pinned when it was observed"),
    flag("is_silent", "Whether it was sent without a notification"),
    flag("has_protected_content", "Whether forwarding and saving are switched off for it"),
    bigint("ttl_seconds", "Seconds after which Telegram deletes the message"),
    bigint("effect_id", "Id of the animated effect"),
    jsonb("factcheck", "Fact check that Telegram attached"),
    jsonb("restriction_reason", "Where and why the message is not shown"),
    bigint("paid_stars", "Stars that were paid for sending it"),
    bigint("layer", "Layer of Telegram's schema that `raw` was read with", null=False),
    archived_json("raw", "The whole message without counters and without what differs between accounts"),
    bigint("content_hash", "64-bit hash of `raw`: equal content has equal hashes", null=False),
    moment("observed_at", "When the stored content was first seen in this form", null=False),
    bigint("seen_by", "Account that saw the stored content (ingest.accounts)", null=False),
    sa.Column(
        "version", sa.Integer, nullable=False, server_default=sa.text("1"), comment="1, and one more for each change"
    ),
    moment("first_seen_at", "When the message was first seen", null=False),
    moment("missing_since", "When Telegram first did not serve a message that it had served before"),
    moment("deleted_at", "When the deletion was learned of; the row stays"),
    text("deleted_evidence", "How the deletion was learned of"),
    text("run_id", "Run that stored the present content", null=False),
    sa.CheckConstraint("kind IN ('message', 'service')", name="kind"),
    sa.Index(None, "channel_id", "date"),
    schema=TELEGRAM,
    comment="One row for each message of each channel, in its latest observed form",
)

COUNTERS = sa.Table(
    "message_counters",
    METADATA,
    key("channel_id", "Numeric id of the channel"),
    key("message_id", "Id of the message in its channel"),
    bigint("views", "Views that Telegram counted"),
    bigint("forwards", "Forwards that Telegram counted"),
    bigint("reply_count", "Comments or replies in the thread"),
    bigint("reaction_count", "Reactions of all kinds together"),
    jsonb("reactions", "Reactions by kind"),
    jsonb("poll_results", "Votes of a poll by option"),
    moment("observed_at", "When these numbers were first seen together", null=False),
    schema=TELEGRAM,
    comment="Latest numbers of each message: they change at every look, so they live apart from the content",
    postgresql_with={"fillfactor": 85},  # room for heap-only updates
)

VERSIONS = sa.Table(
    "message_versions",
    METADATA,
    key("channel_id", "Numeric id of the channel"),
    key("message_id", "Id of the message in its channel"),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False, comment="Number of this earlier version"),
    text("text", "Text of this version", null=False),
    jsonb("entities", "Formatting of this version"),
    text("media_type", "Type of the attachment of this version"),
    moment("edit_date", "Edit date that Telegram gave for this version"),
    archived_json("raw", "The whole message in this version"),
    bigint("content_hash", "64-bit hash of `raw`", null=False),
    moment("observed_at", "When this version was first seen", null=False),
    moment("replaced_at", "When the observation that replaced it was made", null=False),
    schema=TELEGRAM,
    comment="Earlier content of messages whose content changed between two observations",
)

CHANNELS = sa.Table(
    "channels",
    METADATA,
    key("channel_id", "Numeric id of the channel"),
    text("slug", "Partition key of the channel in Dagster", null=False),
    text("username", "Public name without the @, as last seen"),
    text("title", "Title as last seen", null=False),
    text("kind", "broadcast, supergroup or gigagroup", null=False),
    flag("is_forum", "Whether the group is divided into topics"),
    bigint("top_message_id", "Highest message id that Telegram reported"),
    bigint("available_min_id", "Messages up to this id were hidden from members by the channel"),
    bigint("message_count", "Number of messages that Telegram reported"),
    sa.Column("is_count_inexact", sa.Boolean, comment="Whether Telegram called that number inexact"),
    bigint("pts", "Telegram's event counter of the channel"),
    moment("observed_at", "When the channel was last looked at", null=False),
    sa.UniqueConstraint("slug"),
    schema=TELEGRAM,
    comment="One row for each channel that was resolved",
)

VIEW_NAME = "messages_with_counters"
VIEW_COMMENT = "Messages with their latest numbers; `is_deleted` tells the ones that Telegram no longer serves"
VIEW_COLUMNS = (
    *(f"m.{column.name}" for column in MESSAGES.columns),
    *(f"c.{column.name}" for column in COUNTERS.columns if column.name not in MESSAGES.columns),
    "c.observed_at AS counters_observed_at",
    "m.deleted_at IS NOT NULL AS is_deleted",
)
VIEW_COLUMN_COMMENTS = {
    **{column.name: column.comment for column in MESSAGES.columns},
    **{column.name: column.comment for column in COUNTERS.columns if column.name not in MESSAGES.columns},
    "counters_observed_at": COUNTERS.c.observed_at.comment,
    "is_deleted": "Whether Telegram no longer serves the message",
}
