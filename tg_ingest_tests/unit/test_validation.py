"""Each rule refuses its case, says why, and lets its neighbours pass."""

from datetime import UTC, datetime, timedelta

import pytest

from tg_ingest.messages.validation import RULES, validate
from tg_ingest_tests.message_rows import CHANNEL, SEEN, message, table_of

NOW = datetime(2024, 6, 2, tzinfo=UTC)


def verdict(**columns) -> tuple[str, str] | None:
    """Reason and detail for one row between two good ones, which must pass untouched."""
    before, after = message(1), message(3)
    accepted, rejections = validate(table_of(before, message(**{"message_id": 2, **columns}), after), now=NOW)
    ids = accepted["message_id"].to_pylist()
    if not rejections:
        assert len(ids) == 3
        return None
    assert ids == [1, 3]
    [rejection] = rejections
    assert rejection.sqlstate is None
    return rejection.reason, rejection.detail


@pytest.mark.parametrize(
    ("columns", "reason", "detail"),
    [
        ({"problem": "no such constructor"}, "unparsed", "problem: no such constructor"),
        ({"message_id": 0}, "id_out_of_range", "message_id: not between 1 and 2^53"),
        ({"message_id": -1}, "id_out_of_range", "message_id: not between 1 and 2^53"),
        ({"channel_id": 2**53 + 1}, "id_out_of_range", "channel_id: not between 1 and 2^53"),
        ({"date": None}, "date_missing", "date: empty"),
        ({"raw": None}, "value_missing", "raw: empty"),
        ({"content_hash": None}, "value_missing", "content_hash: empty"),
        ({"date": datetime(1970, 1, 1, tzinfo=UTC)}, "date_out_of_range", "date: before Telegram began, or"),
        ({"date": NOW + timedelta(days=1, seconds=1)}, "date_out_of_range", "date: before Telegram began, or"),
        ({"edit_date": datetime(2300, 1, 1, tzinfo=UTC)}, "date_out_of_range", "edit_date: before 1970"),
        ({"forward_date": datetime(1969, 1, 1, tzinfo=UTC)}, "date_out_of_range", "forward_date: before 1970"),
        ({"kind": "poll"}, "unknown_kind", "kind: neither message nor service"),
        ({"text": "a\0b"}, "nul_character", "text: holds a NUL character"),
        ({"raw": '{"a":"\0"}'}, "nul_character", "raw: holds a NUL character"),
        ({"forward_from_name": "\0"}, "nul_character", "forward_from_name: holds a NUL character"),
        ({"entities": r'[{"url":"\u0000"}]'}, "nul_character", "entities: holds an escaped NUL"),
        ({"reactions": r'"\\\u0000"'}, "nul_character", "reactions: holds an escaped NUL"),
        ({"text": "x" * 1_000_001}, "text_too_long", "text: more than 1,000,000"),
        ({"raw": '"' + "x" * 2**24 + '"'}, "raw_too_long", "raw: more than 16 MiB"),
    ],
)
def test_an_unfit_row_is_refused_by_name_and_column(columns, reason, detail):
    found = verdict(**columns)
    assert found is not None
    assert found[0] == reason
    assert found[1].startswith(detail)


@pytest.mark.parametrize(
    "columns",
    [
        {"date": datetime(2013, 8, 14, tzinfo=UTC)},
        {"date": NOW + timedelta(hours=23)},
        {"message_id": 2**53},
        {"text": ""},
        {"text": "שלום \U0001f468‍\U0001f469‍\U0001f467 \r\n\t\\ '\""},
        {"entities": r'"\\u0000"'},  # a backslash and the text u0000
        {"raw": r'{"a":"\u0000"}'},  # `json` keeps it as text
        {"forward_date": datetime(2009, 1, 1, tzinfo=UTC)},  # imported from an older messenger
        {"kind": "service", "action_type": "pin", "action": "{}"},
    ],
)
def test_an_unusual_row_passes(columns):
    assert verdict(**columns) is None


def test_a_clean_table_is_handed_on_as_it_is():
    table = table_of(*(message(i) for i in range(1, 50)))
    accepted, rejections = validate(table, now=NOW)
    assert accepted is table
    assert rejections == []


def test_a_row_that_breaks_several_rules_is_rejected_once_with_its_raw_form():
    row = message(0, date=None, text="\0", raw='{"whole":1}')
    accepted, [rejection] = validate(table_of(row), now=NOW)
    assert accepted.num_rows == 0
    assert rejection == (CHANNEL, 0, "id_out_of_range", "message_id: not between 1 and 2^53", None, '{"whole":1}', SEEN)


def test_no_message_text_is_in_a_detail():
    _, rejections = validate(table_of(message(1, text="secret\0"), message(2, quote_text="secret\0")), now=NOW)
    assert len(rejections) == 2
    assert not any("secret" in rejection.detail for rejection in rejections)


def test_an_empty_table_is_valid():
    accepted, rejections = validate(table_of(), now=NOW)
    assert (accepted.num_rows, rejections) == (0, [])


def test_reasons_are_stable_words():
    assert {rule.reason for rule in RULES} == {
        *("unparsed", "id_out_of_range", "date_missing", "value_missing", "date_out_of_range", "unknown_kind"),
        *("nul_character", "text_too_long", "raw_too_long"),
    }
