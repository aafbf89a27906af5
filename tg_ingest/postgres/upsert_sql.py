"""The SQL of storing a part. Column lists come from the schema; everything else is written out. Values are parameters.

Temporary tables live as long as their connection and are emptied by each commit: making them for each part would double
the time of small ones. JSON is staged as text, so that staging cannot fail on its syntax.
"""

# ruff: noqa: S608  # names and types of the schema are put into these statements, never values

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tg_ingest.messages.models import COUNTERS, KEY, MessageRow
from tg_ingest.postgres import schema_telegram
from tg_ingest.postgres.schema_ingest import CONFIRMATIONS

# Columns of a message in the order of `MessageRow`, under the names that the table has for them.
RENAMED = {"account_id": "seen_by"}
CONTENT = tuple(RENAMED.get(name, name) for name in MessageRow._fields if name not in COUNTERS and name != "problem")
COUNTED = (*KEY, *COUNTERS, "observed_at")
_BUCKET = 10_000


def _type(table: sa.Table, column: str) -> str:
    return table.c[column].type.compile(dialect=postgresql.dialect()).lower()


def _is_json(table: sa.Table, column: str) -> bool:
    return _type(table, column).startswith("json")


def _stage(table: sa.Table, columns: tuple[str, ...]) -> str:
    """Definitions of a staging table's columns."""
    return ", ".join(f"{name} {'text' if _is_json(table, name) else _type(table, name)}" for name in columns)


def _cast(table: sa.Table, columns: tuple[str, ...]) -> str:
    """Columns of a stage, in the types of the table."""
    return ", ".join(f"s.{name}::{_type(table, name)}" if _is_json(table, name) else f"s.{name}" for name in columns)


def _prefixed(prefix: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{prefix}.{name}" for name in columns)


_MESSAGES, _COUNTERS = schema_telegram.MESSAGES, schema_telegram.COUNTERS
JSONB = frozenset(name for name in CONTENT if _type(_MESSAGES, name) == "jsonb")
_COLUMNS = ", ".join(CONTENT)
_EARLIER = tuple(column.name for column in schema_telegram.VERSIONS.columns if column.name != "replaced_at")

CREATE_STAGES = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS staged_keys (
    channel_id bigint, message_id bigint, content_hash bigint, observed_at timestamptz, position integer
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS staged_messages ({_stage(_MESSAGES, CONTENT)}) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS staged_counters ({_stage(_COUNTERS, COUNTED)}) ON COMMIT DELETE ROWS;
"""

EMPTY_STAGES = "TRUNCATE staged_keys, staged_messages, staged_counters"

# A batch is small beside its tables and finds its rows through their primary keys. The planner would know, if it had
# statistics: a table that is being filled for the first time has none, and a wrong guess costs a factor of 50.
# Before version 18 PostgreSQL forbids a plan by a monstrous cost, and that would have each statement compiled first.
PLAN_BY_KEYS = """
SET LOCAL jit = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
"""

# What is not in the answer is stored already, in the same form. A row is stale when its message is known from a later
# look, be it the one that is stored or one that merely confirmed it.
PROBE = f"""
SELECT s.position, t.channel_id IS NULL AS is_new,
    t.channel_id IS NOT NULL AND (
        (t.observed_at, t.content_hash) >= (s.observed_at, s.content_hash)
        OR EXISTS (
            SELECT FROM ingest.confirmations AS c
            WHERE c.channel_id = s.channel_id AND c.subject = 'content' AND c.bucket = s.message_id / {_BUCKET}
                AND c.observed_at >= s.observed_at AND c.ids @> s.message_id
                AND (c.observed_at, t.content_hash) >= (s.observed_at, s.content_hash)
        )
    ) AS is_stale
FROM staged_keys AS s
LEFT JOIN telegram.messages AS t USING (channel_id, message_id)
WHERE t.content_hash IS DISTINCT FROM s.content_hash
"""

INSERT_STAGED = f"""
INSERT INTO telegram.messages ({_COLUMNS}, first_seen_at, run_id)
SELECT {_cast(_MESSAGES, CONTENT)}, s.observed_at, %(run_id)s
FROM staged_messages AS s
ORDER BY s.channel_id, s.message_id
ON CONFLICT (channel_id, message_id) DO NOTHING
"""

# From here on every staged message has a row that is committed or ours; the lock keeps it as it is until the update.
_IS_NEWER = "s.content_hash <> t.content_hash AND (s.observed_at, s.content_hash) > (t.observed_at, t.content_hash)"
KEEP_EARLIER = f"""
WITH earlier AS (
    SELECT {_prefixed("t", _EARLIER)}, s.observed_at AS replaced_at
    FROM telegram.messages AS t
    JOIN staged_messages AS s USING (channel_id, message_id)
    WHERE {_IS_NEWER}
    ORDER BY t.channel_id, t.message_id
    FOR UPDATE OF t
)
INSERT INTO telegram.message_versions ({", ".join(_EARLIER)}, replaced_at)
SELECT {", ".join(_EARLIER)}, replaced_at FROM earlier
"""

UPDATE_CHANGED = f"""
UPDATE telegram.messages AS t
SET ({", ".join(CONTENT[2:])}) = ROW({_cast(_MESSAGES, CONTENT[2:])}),
    version = t.version + 1, run_id = %(run_id)s,
    missing_since = NULL, deleted_at = NULL, deleted_evidence = NULL
FROM staged_messages AS s
WHERE t.channel_id = s.channel_id AND t.message_id = s.message_id AND {_IS_NEWER}
"""

_SET_COUNTERS = ", ".join(f"{name} = excluded.{name}" for name in COUNTED[2:])
MERGE_COUNTERS = f"""
INSERT INTO telegram.message_counters AS t ({", ".join(COUNTED)})
SELECT {_cast(_COUNTERS, COUNTED)}
FROM staged_counters AS s
LEFT JOIN telegram.message_counters AS t USING (channel_id, message_id)
WHERE t.channel_id IS NULL
    OR t.observed_at < s.observed_at
    AND ({_prefixed("t", COUNTERS)}) IS DISTINCT FROM ({_cast(_COUNTERS, COUNTERS)})
    AND NOT EXISTS (
        SELECT FROM ingest.confirmations AS c
        WHERE c.channel_id = s.channel_id AND c.subject = 'counters' AND c.bucket = s.message_id / {_BUCKET}
            AND c.observed_at >= s.observed_at AND c.ids @> s.message_id
    )
ORDER BY s.channel_id, s.message_id
ON CONFLICT (channel_id, message_id) DO UPDATE SET {_SET_COUNTERS}
WHERE t.observed_at < excluded.observed_at
    AND ({_prefixed("t", COUNTERS)}) IS DISTINCT FROM ({_prefixed("excluded", COUNTERS)})
"""

_CONFIRM = f"""
WITH seen AS (
    SELECT s.message_id / {_BUCKET} AS bucket, s.observed_at,
        range_agg(int8range(s.message_id, s.message_id + 1)) AS ids
    FROM {{stage}} AS s
    JOIN {{table}} AS t USING (channel_id, message_id)
    WHERE t.observed_at < s.observed_at {{and_same}}
    GROUP BY 1, 2
), unknown AS (
    SELECT seen.bucket, seen.observed_at, seen.ids - coalesce(known.ids, '{{{{}}}}') AS ids
    FROM seen
    CROSS JOIN LATERAL (
        SELECT range_agg(single) AS ids
        FROM ingest.confirmations AS c, unnest(c.ids) AS single
        WHERE c.channel_id = %(channel_id)s AND c.subject = '{{subject}}' AND c.bucket = seen.bucket
            AND c.observed_at >= seen.observed_at
    ) AS known
)
INSERT INTO ingest.confirmations AS c ({", ".join(CONFIRMATIONS.columns.keys())})
SELECT %(channel_id)s, '{{subject}}', bucket, observed_at, ids FROM unknown WHERE NOT isempty(ids)
ON CONFLICT (channel_id, subject, bucket, observed_at) DO UPDATE SET ids = c.ids + excluded.ids
RETURNING c.bucket, c.observed_at
"""
CONFIRM_CONTENT = _CONFIRM.format(
    stage="staged_keys",
    table="telegram.messages",
    and_same="AND t.content_hash = s.content_hash",
    subject="content",
)
CONFIRM_COUNTERS = _CONFIRM.format(
    stage="staged_counters", table="telegram.message_counters", and_same="", subject="counters"
)

# What the newest looks confirm, no older confirmation needs to say.
FORGET_OLDER = """
WITH newest AS (
    SELECT n.bucket, min(n.observed_at) AS since, range_agg(single) AS ids
    FROM ingest.confirmations AS n, unnest(n.ids) AS single
    WHERE n.channel_id = %(channel_id)s AND n.subject = %(subject)s AND n.bucket = ANY(%(buckets)s)
        AND n.observed_at = ANY(%(observed_at)s)
    GROUP BY n.bucket
), shrunk AS (
    UPDATE ingest.confirmations AS c SET ids = c.ids - newest.ids
    FROM newest
    WHERE c.channel_id = %(channel_id)s AND c.subject = %(subject)s AND c.bucket = newest.bucket
        AND c.observed_at < newest.since AND c.ids && newest.ids AND NOT c.ids <@ newest.ids
)
DELETE FROM ingest.confirmations AS c
USING newest
WHERE c.channel_id = %(channel_id)s AND c.subject = %(subject)s AND c.bucket = newest.bucket
    AND c.observed_at < newest.since AND c.ids <@ newest.ids
"""

# One writer of a channel at a time, until the commit.
LOCK_CHANNEL = """
INSERT INTO ingest.coverage (channel_id, covered) VALUES (%(channel_id)s, '{}') ON CONFLICT DO NOTHING;
SELECT FROM ingest.coverage WHERE channel_id = %(channel_id)s FOR NO KEY UPDATE;
"""

EXTEND_COVERAGE = """
UPDATE ingest.coverage SET covered = covered + %(covered)s::int8multirange, updated_at = now()
WHERE channel_id = %(channel_id)s AND NOT covered @> %(covered)s::int8multirange
"""

# The same rejection is one row, of its latest look: a message that was good in between is missing again.
INSERT_REJECTIONS = """
INSERT INTO ingest.rejections AS r (channel_id, message_id, reason, detail, sqlstate, raw, observed_at, run_id)
VALUES %s
ON CONFLICT (channel_id, message_id, reason, raw_md5) DO UPDATE
SET observed_at = excluded.observed_at, resolved_at = NULL
WHERE r.observed_at < excluded.observed_at
"""

# A rejection may come late, when a later look at its message is stored already.
RESOLVE_LATE_REJECTIONS = """
UPDATE ingest.rejections AS r SET resolved_at = now()
FROM unnest(%(channels)s::bigint[], %(ids)s::bigint[]) AS k (channel_id, message_id)
JOIN telegram.messages AS t USING (channel_id, message_id)
WHERE r.channel_id = k.channel_id AND r.message_id = k.message_id
    AND r.resolved_at IS NULL AND r.observed_at < t.observed_at
"""

RESOLVE_REJECTIONS = """
UPDATE ingest.rejections AS r SET resolved_at = now()
FROM staged_keys AS k
WHERE r.channel_id = k.channel_id AND r.message_id = k.message_id
    AND r.resolved_at IS NULL AND r.observed_at <= k.observed_at
"""

# A row is judged by storing it, alone, in a copy of the table with the same types and constraints: so the verdict is
# that of PostgreSQL, on every version of it.
JUDGES = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS judged_messages
    (LIKE telegram.messages INCLUDING CONSTRAINTS INCLUDING DEFAULTS) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS judged_counters
    (LIKE telegram.message_counters INCLUDING CONSTRAINTS) ON COMMIT DELETE ROWS;
CREATE OR REPLACE FUNCTION pg_temp.verdict_on_messages(place tid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pg_temp.judged_messages ({_COLUMNS}, first_seen_at, run_id)
    SELECT {_cast(_MESSAGES, CONTENT)}, s.observed_at, '' FROM pg_temp.staged_messages AS s WHERE s.ctid = place;
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE OR REPLACE FUNCTION pg_temp.verdict_on_counters(place tid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pg_temp.judged_counters ({", ".join(COUNTED)})
    SELECT {_cast(_COUNTERS, COUNTED)} FROM pg_temp.staged_counters AS s WHERE s.ctid = place;
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
"""

_REMOVE_BAD = """
WITH judged AS MATERIALIZED (
    SELECT s.ctid AS place, pg_temp.verdict_on_{subject}(s.ctid) AS verdict FROM staged_{subject} AS s
), removed AS (
    DELETE FROM staged_{subject} AS s USING judged AS j
    WHERE s.ctid = j.place AND j.verdict IS NOT NULL
    RETURNING s.message_id, j.verdict
)
SELECT message_id, left(verdict, 5), substr(verdict, 7) FROM removed
"""
REMOVE_BAD_MESSAGES = _REMOVE_BAD.format(subject="messages")
REMOVE_BAD_COUNTERS = _REMOVE_BAD.format(subject="counters")

# A refused message is neither confirmed nor resolved, and counted nowhere.
FORGET_REFUSED = """
DELETE FROM staged_keys WHERE message_id = ANY(%(ids)s);
DELETE FROM staged_counters WHERE message_id = ANY(%(ids)s);
"""
