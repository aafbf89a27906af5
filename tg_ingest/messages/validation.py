"""What makes an observed message unfit to be a row, as named rules over whole columns.

Only what PostgreSQL or its readers cannot hold, or what cannot be true, is refused; JSON syntax is left to the
database, which refuses single rows as well. A refused message is not lost: it becomes a `Rejection` with its raw form.
"""

# pyarrow.compute makes its functions when it is imported, unseen by type checkers.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tg_ingest.messages.models import SCHEMA, Rejection

_TELEGRAM_BEGAN = datetime(2013, 8, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAR_FUTURE = datetime(2200, 1, 1, tzinfo=UTC)  # Telegram's 32-bit times end long before; years over 9999 break readers
_CLOCK_SKEW = timedelta(days=1)
_HIGHEST_ID = 2**53  # Telegram's own promise for its ids
_LONGEST_TEXT = 1_000_000  # 4,096 for a message, more for rich ones: far above both, far below what hurts
_LONGEST_RAW = 2**24  # bytes; Telegram's largest frame
_REQUIRED = (
    *("kind", "is_post", "text", "text_source", "is_imported", "is_edit_hidden", "is_pinned", "is_silent"),
    *("has_protected_content", "layer", "raw", "content_hash", "observed_at", "account_id"),
)
_JSONB = ("entities", "action", "factcheck", "restriction_reason", "reactions", "poll_results")
_STRINGS = tuple(
    field.name for field in SCHEMA if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
)
# \u0000 in JSON, but not the text \\u0000 that an escaped backslash begins; `jsonb` cannot hold the character (22P05).
_ESCAPED_NUL = r"(^|[^\\])(\\\\)*\\u0000"


class _Rule(NamedTuple):
    reason: str
    columns: tuple[str, ...]
    breaks: Callable[[pa.ChunkedArray, datetime], pa.ChunkedArray]
    detail: str


def _outside(lowest: datetime, highest: datetime | None) -> Callable[[pa.ChunkedArray, datetime], pa.ChunkedArray]:
    """Whether a time lies before `lowest` or after `highest`; None means as much in the future as clocks may differ."""

    def breaks(column: pa.ChunkedArray, now: datetime) -> pa.ChunkedArray:
        top = highest or now + _CLOCK_SKEW
        return pc.or_(pc.less(column, _time(lowest)), pc.greater(column, _time(top)))

    return breaks


def _time(moment: datetime) -> pa.Scalar:
    return pa.scalar(moment, type=pa.timestamp("us", tz="UTC"))


RULES = (
    _Rule("unparsed", ("problem",), lambda column, _: pc.is_valid(column), "the parser could not fill the columns"),
    _Rule(
        "id_out_of_range",
        ("channel_id", "message_id"),
        lambda column, _: pc.or_kleene(
            pc.is_null(column), pc.or_kleene(pc.less(column, 1), pc.greater(column, _HIGHEST_ID))
        ),
        "not between 1 and 2^53",
    ),
    _Rule("date_missing", ("date",), lambda column, _: pc.is_null(column), "empty"),
    _Rule("value_missing", _REQUIRED, lambda column, _: pc.is_null(column), "empty"),
    _Rule("date_out_of_range", ("date",), _outside(_TELEGRAM_BEGAN, None), "before Telegram began, or in the future"),
    _Rule(
        "date_out_of_range",
        ("forward_date", "edit_date", "observed_at"),
        _outside(_EPOCH, _FAR_FUTURE),
        "before 1970 or after 2200",
    ),
    _Rule(
        "unknown_kind",
        ("kind",),
        lambda column, _: pc.invert(pc.is_in(column, value_set=pa.array(["message", "service"]))),
        "neither message nor service",
    ),
    _Rule("nul_character", _STRINGS, lambda column, _: pc.match_substring(column, "\0"), "holds a NUL character"),
    _Rule(
        "nul_character",
        _JSONB,
        lambda column, _: pc.match_substring_regex(column, _ESCAPED_NUL),
        "holds an escaped NUL character",
    ),
    _Rule(
        "text_too_long",
        ("text", "quote_text"),
        lambda column, _: pc.greater(pc.utf8_length(column), _LONGEST_TEXT),
        "more than 1,000,000 characters",
    ),
    _Rule(
        "raw_too_long",
        ("raw",),
        lambda column, _: pc.greater(pc.binary_length(column), _LONGEST_RAW),
        "more than 16 MiB",
    ),
)


def validate(table: pa.Table, *, now: datetime) -> tuple[pa.Table, list[Rejection]]:
    """Split a table of `SCHEMA` into the rows that may be stored, in their order, and rejections for the others.

    A row is rejected once, by the first of `RULES` that it breaks.
    """
    refused = np.zeros(table.num_rows, dtype=bool)
    rejections: list[Rejection] = []
    for rule in RULES:
        for column in rule.columns:
            breaks = pc.fill_null(rule.breaks(table[column], now), False).to_numpy()
            found = np.flatnonzero(breaks & ~refused)
            refused[found] = True
            rejections += _reject(table.take(pa.array(found)), rule, column, now)
    return (table.filter(pa.array(~refused)) if rejections else table), rejections


def _reject(rows: pa.Table, rule: _Rule, column: str, now: datetime) -> list[Rejection]:
    return [
        Rejection(
            channel_id=row["channel_id"] or 0,
            message_id=row["message_id"] or 0,
            reason=rule.reason,
            detail=f"{column}: {row['problem'] or rule.detail}" if column == "problem" else f"{column}: {rule.detail}",
            sqlstate=None,
            raw=row["raw"] or "null",
            observed_at=row["observed_at"] or now,
        )
        for row in rows.select(["channel_id", "message_id", "problem", "raw", "observed_at"]).to_pylist()
    ]
