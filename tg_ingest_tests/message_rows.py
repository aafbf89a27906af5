"""A factory of message rows for tests: it fills in what a test does not show."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from tg_ingest.messages.models import MessageRow
from tg_ingest.messages.part_stream import to_batch

CHANNEL = 1_234_567_890
SEEN = datetime(2024, 6, 1, 12, 0, 0, tzinfo=UTC)
_EMPTY: dict[str, Any] = dict.fromkeys(MessageRow._fields) | dict.fromkeys(
    ("is_post", "is_imported", "is_edit_hidden", "is_pinned", "is_silent", "has_protected_content"), False
)


def message(message_id: int, **columns: Any) -> MessageRow:
    """A valid message, except for the given columns; the content hash follows the text."""
    text = columns.get("text", f"text of {message_id}")
    defaults = {
        "channel_id": CHANNEL,
        "message_id": message_id,
        "date": datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=message_id % 1000),
        "kind": "message",
        "text": text,
        "text_source": "message",
        "layer": 229,
        "raw": '{"_":"Message"}',
        "content_hash": hash_of(text),
        "observed_at": SEEN,
        "account_id": 1,
    }
    return MessageRow(**{**_EMPTY, **defaults, **columns})


def hash_of(text: str | None) -> int:
    """A stable 64-bit number for a text."""
    digest = hashlib.blake2b((text or "").encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def table_of(*rows: MessageRow) -> pa.Table:
    """Rows as a table of the message schema, in the given order."""
    return pa.Table.from_batches([to_batch(rows)])
