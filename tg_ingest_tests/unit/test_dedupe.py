"""The newest observation of a message wins, once, in any order."""

from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tg_ingest.messages.coverage import IdRanges
from tg_ingest.messages.dedupe import newest_over_parts, newest_per_key
from tg_ingest.messages.spool import Part
from tg_ingest_tests.message_rows import CHANNEL, SEEN, message, table_of

OBSERVATION = st.builds(
    lambda channel, message_id, second, text, account: message(
        message_id,
        channel_id=channel,
        observed_at=SEEN + timedelta(seconds=second),
        text=text,
        account_id=account,
    ),
    st.sampled_from([1, 2]),
    st.integers(1, 6),
    st.integers(0, 3),
    st.sampled_from("ab"),
    st.sampled_from([1, 2]),
)
OBSERVATIONS = st.lists(OBSERVATION, max_size=20)


def rank(row):
    return row["observed_at"], row["content_hash"], row["account_id"]


@given(OBSERVATIONS)
def test_each_message_is_left_once_in_the_order_of_keys_with_its_newest_observation(rows):
    newest = newest_per_key(table_of(*rows)).to_pylist()
    keys = [(row["channel_id"], row["message_id"]) for row in newest]
    assert keys == sorted({(row.channel_id, row.message_id) for row in rows})
    for row in newest:
        same = [r._asdict() for r in rows if (r.channel_id, r.message_id) == (row["channel_id"], row["message_id"])]
        assert rank(row) == max(map(rank, same))


@given(OBSERVATIONS, st.randoms(use_true_random=False))
def test_the_order_of_observations_does_not_matter_and_a_second_time_changes_nothing(rows, random):
    newest = newest_per_key(table_of(*rows))
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert newest_per_key(table_of(*shuffled)).equals(newest)
    assert newest_per_key(newest).equals(newest)


@given(st.lists(st.lists(OBSERVATION.filter(lambda row: row.channel_id == 1), max_size=8), max_size=4))
def test_parts_that_overlap_give_each_message_once_over_all_of_them(parts_rows):
    tables = {Path(str(n)): table_of(*rows) for n, rows in enumerate(parts_rows)}
    parts = [
        Part(
            path=Path(str(n)),
            channel_id=CHANNEL,
            covered=IdRanges.of((row.message_id, row.message_id + 1) for row in rows),
            rows=len(rows),
        )
        for n, rows in enumerate(parts_rows)
    ]
    left = list(newest_over_parts(parts, read=lambda part: tables[part.path]))
    assert [part for part, _ in left] == parts
    rows = [row for _, table in left for row in table.to_pylist()]
    expected = newest_per_key(table_of(*(row for rows in parts_rows for row in rows))).to_pylist()
    assert sorted(rows, key=lambda row: row["message_id"]) == expected
