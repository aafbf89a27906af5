"""The tables that the pipeline works with: channels to read, progress, rejections, accounts and what they learned."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tg_ingest.postgres.schema import INGEST, METADATA, bigint, flag, jsonb, key, moment, real, text

_NOW = sa.text("now()")


def _account_key(comment: str) -> sa.Column[int]:
    account = sa.ForeignKey("ingest.accounts.account_id", ondelete="CASCADE")
    return sa.Column("account_id", sa.BigInteger, account, primary_key=True, autoincrement=False, comment=comment)


REGISTERED_CHANNELS = sa.Table(
    "registered_channels",
    METADATA,
    text("slug", "Partition key in Dagster, chosen once", primary_key=True, null=False),
    text("username", "Public name without the @ to resolve the channel by"),
    bigint("channel_id", "Numeric id that the slug was bound to at the first resolve; never rebound"),
    moment("added_at", "When the channel was registered", null=False, default=_NOW),
    sa.UniqueConstraint("channel_id"),
    schema=INGEST,
    comment="Channels to ingest",
)

COVERAGE = sa.Table(
    "coverage",
    METADATA,
    key("channel_id", "Numeric id of the channel"),
    sa.Column(
        "covered",
        postgresql.INT8MULTIRANGE,
        nullable=False,
        comment="Message ids that were asked for and stored, rejected, or not there",
    ),
    moment("updated_at", "When the coverage last grew", null=False, default=_NOW),
    schema=INGEST,
    comment="The only truth about progress: grows in the transaction that stores the rows",
)

CONFIRMATIONS = sa.Table(
    "confirmations",
    METADATA,
    key("channel_id", "Numeric id of the channel"),
    text("subject", "What was confirmed: content or counters", primary_key=True, null=False),
    key("bucket", "Message id divided by 10,000: keeps a lookup to a handful of rows"),
    sa.Column(
        "observed_at", sa.DateTime(timezone=True), primary_key=True, comment="When it was seen again, without a change"
    ),
    sa.Column("ids", postgresql.INT8MULTIRANGE, nullable=False, comment="Messages that were seen unchanged"),
    sa.CheckConstraint("subject IN ('content', 'counters')", name="subject"),
    schema=INGEST,
    comment="When unchanged messages were last seen, by ranges of ids: so that a late older look changes nothing",
)

BOUNDARIES = sa.Table(
    "boundaries",
    METADATA,
    key("channel_id", "Numeric id of the channel"),
    sa.Column("at", sa.DateTime(timezone=True), primary_key=True, comment="Start of a time window"),
    bigint("first_message_id", "Lowest id whose message was sent at that time or later", null=False),
    schema=INGEST,
    comment="Where time windows begin in the ids of a channel; looked up once",
)

REJECTIONS = sa.Table(
    "rejections",
    METADATA,
    sa.Column("rejection_id", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="Order of arrival"),
    bigint("channel_id", "Numeric id of the channel", null=False),
    bigint("message_id", "Id of the message as Telegram gave it", null=False),
    text("reason", "The rule that the message broke, as a stable word", null=False),
    text("detail", "The column and the rule, for a person", null=False),
    text("sqlstate", "PostgreSQL's error code, when the database refused the row"),
    text("raw", "The whole message as text, to try again with", null=False),
    sa.Column("raw_md5", sa.Text, sa.Computed("md5(raw)", persisted=True), nullable=False, comment="Digest of `raw`"),
    moment("observed_at", "When the message was seen", null=False),
    moment("first_rejected_at", "When it was first rejected", null=False, default=_NOW),
    moment("resolved_at", "When an observation of the message, this one or a later one, was stored after all"),
    text("run_id", "Run that rejected it first", null=False),
    sa.UniqueConstraint("channel_id", "message_id", "reason", "raw_md5"),
    schema=INGEST,
    comment="Messages that Telegram served and that could not be stored as rows",
)

ACCOUNTS = sa.Table(
    "accounts",
    METADATA,
    sa.Column("account_id", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="Number of the account"),
    text("label", "Name that the operator gave", null=False),
    text("state", "active, paused, quarantined or retired", null=False),
    text("state_reason", "Why it is in this state"),
    jsonb("device", "What the account tells Telegram about its device; never changed", null=False),
    text("holder", "Who last opened a Telegram connection with it"),
    moment("connected_at", "When that connection was opened; empty after it was closed in order"),
    moment("added_at", "When the account was added", null=False, default=_NOW),
    sa.UniqueConstraint("label"),
    sa.CheckConstraint("state IN ('active', 'paused', 'quarantined', 'retired')", name="state"),
    schema=INGEST,
    comment="Telegram accounts of the session pool",
)

SESSION_SECRETS = sa.Table(
    "session_secrets",
    METADATA,
    _account_key("Number of the account"),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="Session with its auth key, encrypted"),
    text("key_id", "Which secret key it is encrypted with", null=False),
    moment("updated_at", "When it was last sealed", null=False, default=_NOW),
    schema=INGEST,
    comment="Encrypted sessions; the auth key is the account",
)

PACES = sa.Table(
    "paces",
    METADATA,
    _account_key("Number of the account"),
    text("method", "Telegram method", primary_key=True, null=False),
    real("interval", "Seconds between two calls", null=False),
    real("ceiling", "Shortest interval known to be safe, once a flood taught it"),
    moment("blocked_until", "End of the wait that Telegram imposed"),
    moment("updated_at", "When this was learned", null=False, default=_NOW),
    schema=INGEST,
    comment="What each account has learned about Telegram's limits, by method",
)

CHANNEL_ACCESS = sa.Table(
    "channel_access",
    METADATA,
    _account_key("Number of the account"),
    key("channel_id", "Numeric id of the channel"),
    bigint("access_hash", "Telegram's key to the channel, valid for this account only", null=False),
    text("title", "Title as this account last saw it", null=False),
    text("username", "Public name as this account last saw it"),
    text("kind", "broadcast, supergroup or gigagroup", null=False),
    flag("is_forum", "Whether the group is divided into topics"),
    moment("seen_at", "When this account last resolved the channel", null=False, default=_NOW),
    schema=INGEST,
    comment="Channels as each account sees them",
)
