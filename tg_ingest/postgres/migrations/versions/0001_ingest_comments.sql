COMMENT ON TABLE ingest.accounts IS 'Telegram accounts of the session pool';
COMMENT ON COLUMN ingest.accounts.account_id IS 'Number of the account';
COMMENT ON COLUMN ingest.accounts.label IS 'Name that the operator gave';
COMMENT ON COLUMN ingest.accounts.state IS 'active, paused, quarantined or retired';
COMMENT ON COLUMN ingest.accounts.state_reason IS 'Why it is in this state';
COMMENT ON COLUMN ingest.accounts.device IS 'What the account tells Telegram about its device; never changed';
COMMENT ON COLUMN ingest.accounts.holder IS 'Who last opened a Telegram connection with it';
COMMENT ON COLUMN ingest.accounts.connected_at IS 'When that connection was opened; empty after it was closed in order';
COMMENT ON COLUMN ingest.accounts.added_at IS 'When the account was added';

COMMENT ON TABLE ingest.boundaries IS 'Where time windows begin in the ids of a channel; looked up once';
COMMENT ON COLUMN ingest.boundaries.channel_id IS 'Numeric id of the channel';
COMMENT ON COLUMN ingest.boundaries.at IS 'Start of a time window';
COMMENT ON COLUMN ingest.boundaries.first_message_id IS 'Lowest id whose message was sent at that time or later';

COMMENT ON TABLE ingest.confirmations IS 'When unchanged messages were last seen, by ranges of ids: so that a late older look changes nothing';
COMMENT ON COLUMN ingest.confirmations.channel_id IS 'Numeric id of the channel';
COMMENT ON COLUMN ingest.confirmations.subject IS 'What was confirmed: content or counters';
COMMENT ON COLUMN ingest.confirmations.bucket IS 'Message id divided by 10,000: keeps a lookup to a handful of rows';
COMMENT ON COLUMN ingest.confirmations.observed_at IS 'When it was seen again, without a change';
COMMENT ON COLUMN ingest.confirmations.ids IS 'Messages that were seen unchanged';

COMMENT ON TABLE ingest.coverage IS 'The only truth about progress: grows in the transaction that stores the rows';
COMMENT ON COLUMN ingest.coverage.channel_id IS 'Numeric id of the channel';
COMMENT ON COLUMN ingest.coverage.covered IS 'Message ids that were asked for and stored, rejected, or not there';
COMMENT ON COLUMN ingest.coverage.updated_at IS 'When the coverage last grew';

COMMENT ON TABLE ingest.registered_channels IS 'Channels to ingest';
COMMENT ON COLUMN ingest.registered_channels.slug IS 'Partition key in Dagster, chosen once';
COMMENT ON COLUMN ingest.registered_channels.username IS 'Public name without the @ to resolve the channel by';
COMMENT ON COLUMN ingest.registered_channels.channel_id IS 'Numeric id that the slug was bound to at the first resolve; never rebound';
COMMENT ON COLUMN ingest.registered_channels.added_at IS 'When the channel was registered';

COMMENT ON TABLE ingest.rejections IS 'Messages that Telegram served and that could not be stored as rows';
COMMENT ON COLUMN ingest.rejections.rejection_id IS 'Order of arrival';
COMMENT ON COLUMN ingest.rejections.channel_id IS 'Numeric id of the channel';
COMMENT ON COLUMN ingest.rejections.message_id IS 'Id of the message as Telegram gave it';
COMMENT ON COLUMN ingest.rejections.reason IS 'The rule that the message broke, as a stable word';
COMMENT ON COLUMN ingest.rejections.detail IS 'The column and the rule, for a person';
COMMENT ON COLUMN ingest.rejections.sqlstate IS 'PostgreSQL''s error code, when the database refused the row';
COMMENT ON COLUMN ingest.rejections.raw IS 'The whole message as text, to try again with';
COMMENT ON COLUMN ingest.rejections.raw_md5 IS 'Digest of `raw`';
COMMENT ON COLUMN ingest.rejections.observed_at IS 'When the message was seen';
COMMENT ON COLUMN ingest.rejections.first_rejected_at IS 'When it was first rejected';
COMMENT ON COLUMN ingest.rejections.resolved_at IS 'When an observation of the message, this one or a later one, was stored after all';
COMMENT ON COLUMN ingest.rejections.run_id IS 'Run that rejected it first';

COMMENT ON TABLE ingest.channel_access IS 'Channels as each account sees them';
COMMENT ON COLUMN ingest.channel_access.account_id IS 'Number of the account';
COMMENT ON COLUMN ingest.channel_access.channel_id IS 'Numeric id of the channel';
COMMENT ON COLUMN ingest.channel_access.access_hash IS 'Telegram''s key to the channel, valid for this account only';
COMMENT ON COLUMN ingest.channel_access.title IS 'Title as this account last saw it';
COMMENT ON COLUMN ingest.channel_access.username IS 'Public name as this account last saw it';
COMMENT ON COLUMN ingest.channel_access.kind IS 'broadcast, supergroup or gigagroup';
COMMENT ON COLUMN ingest.channel_access.is_forum IS 'Whether the group is divided into topics';
COMMENT ON COLUMN ingest.channel_access.seen_at IS 'When this account last resolved the channel';

COMMENT ON TABLE ingest.paces IS 'What each account has learned about Telegram''s limits, by method';
COMMENT ON COLUMN ingest.paces.account_id IS 'Number of the account';
COMMENT ON COLUMN ingest.paces.method IS 'Telegram method';
COMMENT ON COLUMN ingest.paces.interval IS 'Seconds between two calls';
COMMENT ON COLUMN ingest.paces.ceiling IS 'Shortest interval known to be safe, once a flood taught it';
COMMENT ON COLUMN ingest.paces.blocked_until IS 'End of the wait that Telegram imposed';
COMMENT ON COLUMN ingest.paces.updated_at IS 'When this was learned';

COMMENT ON TABLE ingest.session_secrets IS 'Encrypted sessions; the auth key is the account';
COMMENT ON COLUMN ingest.session_secrets.account_id IS 'Number of the account';
COMMENT ON COLUMN ingest.session_secrets.sealed IS 'Session with its auth key, encrypted';
COMMENT ON COLUMN ingest.session_secrets.key_id IS 'Which secret key it is encrypted with';
COMMENT ON COLUMN ingest.session_secrets.updated_at IS 'When it was last sealed';
