"""Id ranges as PostgreSQL's `int8multirange`, in its text form: psycopg2 has no type for it."""

import re

from tg_ingest.messages.coverage import IdRanges

_RANGE = re.compile(r"\[(-?\d+),(-?\d+)\)")  # PostgreSQL writes ranges of integers half-open


def to_multirange(ranges: IdRanges) -> str:
    """The text of a multirange literal."""
    return "{" + ",".join(f"[{lower},{upper})" for lower, upper in ranges) + "}"


def from_multirange(text: str) -> IdRanges:
    """Read the text that PostgreSQL gives for a multirange."""
    return IdRanges.of((int(lower), int(upper)) for lower, upper in _RANGE.findall(text))
