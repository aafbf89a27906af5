CREATE SCHEMA ingest;

CREATE TABLE ingest.accounts (
    account_id BIGINT GENERATED ALWAYS AS IDENTITY,
    label TEXT NOT NULL,
    state TEXT NOT NULL,
    state_reason TEXT,
    device JSONB NOT NULL,
    holder TEXT,
    connected_at TIMESTAMP WITH TIME ZONE,
    added_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (account_id),
    CONSTRAINT accounts_label_key UNIQUE (label),
    CONSTRAINT accounts_state_check CHECK (state IN ('active', 'paused', 'quarantined', 'retired'))
);

CREATE TABLE ingest.boundaries (
    channel_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    first_message_id BIGINT NOT NULL,
    CONSTRAINT boundaries_pkey PRIMARY KEY (channel_id, at)
);

CREATE TABLE ingest.confirmations (
    channel_id BIGINT NOT NULL,
    subject TEXT NOT NULL,
    bucket BIGINT NOT NULL,
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ids INT8MULTIRANGE NOT NULL,
    CONSTRAINT confirmations_pkey PRIMARY KEY (channel_id, subject, bucket, observed_at),
    CONSTRAINT confirmations_subject_check CHECK (subject IN ('content', 'counters'))
);

CREATE TABLE ingest.coverage (
    channel_id BIGINT NOT NULL,
    covered INT8MULTIRANGE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT coverage_pkey PRIMARY KEY (channel_id)
);

CREATE TABLE ingest.registered_channels (
    slug TEXT NOT NULL,
    username TEXT,
    channel_id BIGINT,
    added_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT registered_channels_pkey PRIMARY KEY (slug),
    CONSTRAINT registered_channels_channel_id_key UNIQUE (channel_id)
);

CREATE TABLE ingest.rejections (
    rejection_id BIGINT GENERATED ALWAYS AS IDENTITY,
    channel_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    sqlstate TEXT,
    raw TEXT NOT NULL,
    raw_md5 TEXT GENERATED ALWAYS AS (md5(raw)) STORED NOT NULL,
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    first_rejected_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    run_id TEXT NOT NULL,
    CONSTRAINT rejections_pkey PRIMARY KEY (rejection_id),
    CONSTRAINT rejections_channel_id_message_id_reason_raw_md5_key UNIQUE (channel_id, message_id, reason, raw_md5)
);

CREATE TABLE ingest.channel_access (
    account_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    access_hash BIGINT NOT NULL,
    title TEXT NOT NULL,
    username TEXT,
    kind TEXT NOT NULL,
    is_forum BOOLEAN NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT channel_access_pkey PRIMARY KEY (account_id, channel_id),
    CONSTRAINT channel_access_account_id_fkey FOREIGN KEY(account_id) REFERENCES ingest.accounts (account_id) ON DELETE CASCADE
);

CREATE TABLE ingest.paces (
    account_id BIGINT NOT NULL,
    method TEXT NOT NULL,
    interval DOUBLE PRECISION NOT NULL,
    ceiling DOUBLE PRECISION,
    blocked_until TIMESTAMP WITH TIME ZONE,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT paces_pkey PRIMARY KEY (account_id, method),
    CONSTRAINT paces_account_id_fkey FOREIGN KEY(account_id) REFERENCES ingest.accounts (account_id) ON DELETE CASCADE
);

CREATE TABLE ingest.session_secrets (
    account_id BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    key_id TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT session_secrets_pkey PRIMARY KEY (account_id),
    CONSTRAINT session_secrets_account_id_fkey FOREIGN KEY(account_id) REFERENCES ingest.accounts (account_id) ON DELETE CASCADE
);
