"""Storing parts in a real PostgreSQL: nothing lost, nothing twice, the newest wins, one bad row stops nobody."""

import contextlib
import itertools
import threading
from datetime import timedelta

import psycopg2
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tg_ingest.errors import StoreError
from tg_ingest.messages.coverage import IdRanges
from tg_ingest.messages.dedupe import newest_per_key
from tg_ingest.messages.models import MessageRow, Rejection, UpsertCounts
from tg_ingest.postgres.connection import create_engine
from tg_ingest.postgres.coverage_store import read_coverage
from tg_ingest.postgres.reading import iterate_messages, read_messages
from tg_ingest.postgres.upsert import store_part
from tg_ingest_tests.message_rows import CHANNEL, SEEN, hash_of, message, table_of

ALL = IdRanges.of([(1, 2**53)])


def store(engine: sa.Engine, *rows: MessageRow, channel_id=CHANNEL, covered=None, rejections=(), run_id="run"):
    return store_part(
        engine,
        newest_per_key(table_of(*rows)),
        channel_id=channel_id,
        covered=covered or IdRanges(),
        rejections=list(rejections),
        run_id=run_id,
    )


def query(engine: sa.Engine, sql: str, **parameters):
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql), parameters)]


def texts(engine: sa.Engine):
    return query(engine, "SELECT message_id, text FROM telegram.messages ORDER BY channel_id, message_id")


def later(seconds: int):
    return SEEN + timedelta(seconds=seconds)


def test_a_new_row_is_stored_in_every_column_and_read_back(engine):
    row = message(
        5,
        text="ж\U0001f600\\\r\n\t",
        entities='[{"_":"bold"}]',
        raw='{"a": 1e400, "b":"\\u0000"}',
        sender_id=-(2**63),
        edit_date=later(1),
        views=2**40,
        reactions='{"👍":1}',
        account_id=42,
    )
    assert store(engine, row, run_id="first") == UpsertCounts(1, 0, 0, 0, 0)
    frame = read_messages(engine, CHANNEL, ALL)
    [stored] = frame.to_dict("records")
    renamed = row._asdict() | {"seen_by": 42, "entities": '[{"_": "bold"}]', "reactions": '{"👍": 1}'}
    for name in set(renamed) - {"account_id", "problem"}:
        expected = renamed[name]
        assert frame[name].isna().tolist() == [expected is None], name
        assert expected is None or stored[name] == expected, name
    assert (stored["version"], stored["run_id"], stored["first_seen_at"]) == (1, "first", SEEN)
    assert stored["is_deleted"] is False
    assert str(frame["views"].dtype) == "int64[pyarrow]"
    assert str(frame["date"].dtype) == "timestamp[us, tz=UTC][pyarrow]"


def test_frames_are_bounded_and_only_chosen_ids_and_columns_are_read(engine):
    store(engine, *(message(i) for i in range(1, 10_012)))
    ids = IdRanges.of([(1, 3), (5, 10_010)])
    frames = list(iterate_messages(engine, CHANNEL, ids, columns=["message_id", "views"]))
    assert [len(frame) for frame in frames] == [2, 10_000, 5]
    assert list(frames[0].columns) == ["message_id", "views"]
    assert read_messages(engine, 7, ALL).empty


def test_a_replay_writes_nothing_and_says_so(engine):
    rows = [message(i, views=i, reactions='{"a":1}') for i in range(1, 2001)]
    covered = IdRanges.of([(1, 2500)])
    assert store(engine, *rows, covered=covered).inserted == 2000
    position = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
    with engine.connect() as connection:  # hint bits are logged once, at the first look
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")
    [[before]] = query(engine, position)
    assert store(engine, *rows, covered=covered) == UpsertCounts(0, 0, 2000, 0, 0)
    [[after]] = query(engine, position)
    assert (after - before) / 2000 < 5, "bytes of write-ahead log per unchanged row"
    assert query(engine, "SELECT DISTINCT version FROM telegram.messages") == [(1,)]


def test_a_changed_text_keeps_its_earlier_version(engine):
    store(engine, message(1, text="a", observed_at=later(1)), message(2), run_id="one")
    counts = store(engine, message(1, text="b", observed_at=later(2)), message(2), message(3), run_id="two")
    assert counts == UpsertCounts(inserted=1, updated=1, unchanged=1, stale=0, rejected=0)
    changed = "SELECT text, version, first_seen_at, observed_at, run_id FROM telegram.messages WHERE message_id = 1"
    assert query(engine, changed) == [("b", 2, later(1), later(2), "two")]
    assert query(
        engine, "SELECT message_id, version, text, observed_at, replaced_at FROM telegram.message_versions"
    ) == [(1, 1, "a", later(1), later(2))]


def test_an_older_observation_changes_nothing(engine):
    store(engine, message(1, text="new", observed_at=later(9), views=9))
    assert store(engine, message(1, text="old", observed_at=later(1), views=1)) == UpsertCounts(0, 0, 0, 1, 0)
    assert texts(engine) == [(1, "new")]
    assert query(engine, "SELECT views FROM telegram.message_counters") == [(9,)]


def test_a_text_that_was_changed_and_changed_back_is_not_undone_by_a_late_old_page(engine):
    store(engine, message(1, text="a", views=1, observed_at=later(1)))
    store(engine, message(1, text="a", views=1, observed_at=later(3)))
    assert store(engine, message(1, text="b", views=2, observed_at=later(2))).stale == 1
    assert texts(engine) == [(1, "a")]
    assert query(engine, "SELECT views FROM telegram.message_counters") == [(1,)]
    assert store(engine, message(1, text="b", views=2, observed_at=later(4))).updated == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_looks_of_the_same_microsecond_end_alike_in_any_order(engine, order):
    low, high = sorted("ab", key=hash_of)
    looks = [message(1, text=text, observed_at=later(second)) for text, second in ((low, 1), (low, 3), (high, 3))]
    for index in order:
        store(engine, looks[index])
    assert texts(engine) == [(1, high)]


def test_confirmations_do_not_pile_up(engine):
    for second in range(5):
        store(engine, *(message(i, observed_at=later(second)) for i in range(1, 400)))
    assert query(engine, "SELECT subject, observed_at, ids::text FROM ingest.confirmations ORDER BY subject") == [
        ("content", later(4), "{[1,400)}"),
        ("counters", later(4), "{[1,400)}"),
    ]


def test_counters_change_without_touching_the_content(engine):
    store(engine, message(1, views=1, reactions='{"a":1}'))
    counts = store(engine, message(1, views=2, reactions='{"a":2}', observed_at=later(1)))
    assert counts.unchanged == 1
    query_counters = "SELECT views, reactions, observed_at FROM telegram.message_counters"
    assert query(engine, query_counters) == [(2, {"a": 2}, later(1))]
    assert query(engine, "SELECT version, observed_at FROM telegram.messages") == [(1, SEEN)]
    store(engine, message(1, views=None, reactions=None, observed_at=later(2)))
    assert query(engine, query_counters) == [(None, None, later(2))]


def test_coverage_grows_with_the_rows_and_also_where_there_are_none(engine):
    assert read_coverage(engine, CHANNEL) == IdRanges()
    store(engine, message(5), covered=IdRanges.of([(1, 10)]))
    assert store(engine, covered=IdRanges.of([(10, 20), (30, 40)])) == UpsertCounts(0, 0, 0, 0, 0)
    assert read_coverage(engine, CHANNEL) == IdRanges.of([(1, 20), (30, 40)])
    assert read_coverage(engine, 1) == IdRanges()


def test_nothing_is_stored_when_anything_fails(engine):
    query_all = "SELECT (SELECT count(*) FROM telegram.messages), (SELECT count(*) FROM ingest.rejections)"
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE ingest.coverage ADD CHECK (upper(covered) < 100)")
    refusal = Rejection(CHANNEL, 2, "unparsed", "x", None, "{}", SEEN)
    with pytest.raises(StoreError, match="23514 check_violation"):
        store(engine, message(1), covered=IdRanges.of([(1, 200)]), rejections=[refusal])
    assert query(engine, query_all) == [(0, 0)]
    assert read_coverage(engine, CHANNEL) == IdRanges()


@pytest.mark.parametrize("rows", [[message(2), message(1)], [message(1), message(1)], [message(1, channel_id=7)]])
def test_a_part_out_of_order_is_a_mistake_of_the_caller(engine, rows):
    with pytest.raises(ValueError, match="ascending order, each once"):
        store_part(engine, table_of(*rows), channel_id=CHANNEL, covered=IdRanges(), rejections=[], run_id="r")


BAD = {
    3: ({"entities": "{'single': quotes}"}, "22P02"),
    4: ({"action": r'{"m":"\u0000"}'}, "22P05"),
    5: ({"factcheck": r'{"m":"\ud83d"}'}, "22P02"),
    6: ({"raw": "not json"}, "22P02"),
    7: ({"text": "a\0b"}, "22021"),
    8: ({"date": None}, "23502"),
    9: ({"kind": "other"}, "23514"),
    10: ({"reactions": "{"}, "22P02"),
}


@pytest.mark.parametrize("stored_before", [False, True], ids=["new rows", "changed rows"])
def test_only_the_bad_rows_of_a_batch_are_rejected_each_with_its_code(engine, stored_before):
    ids = range(1, 15)
    if stored_before:
        store(engine, *(message(i, text="before", observed_at=later(-1)) for i in ids))
    rows = [message(i, **({"raw": f'{{"id":{i}}}'} | BAD.get(i, ({},))[0])) for i in ids]
    counts = store(engine, *rows)
    assert counts.rejected == 8
    rejected = query(engine, "SELECT message_id, sqlstate, reason FROM ingest.rejections ORDER BY message_id")
    assert rejected == [(i, state, "database") for i, (_, state) in BAD.items()]
    # Counters alone were bad in message 10: its content is stored.
    stored = [i for i, text in texts(engine) if text != "before"]
    assert stored == [1, 2, 10, 11, 12, 13, 14]
    assert query(engine, "SELECT raw FROM ingest.rejections WHERE message_id IN (3, 6) ORDER BY message_id") == [
        ('{"id":3}',),
        ("not json",),
    ]
    assert store(engine, *rows).rejected == 8
    assert query(engine, "SELECT count(*) FROM ingest.rejections") == [(8,)]


def test_a_message_that_is_stored_well_later_resolves_its_rejection(engine):
    older = Rejection(CHANNEL, 1, "unparsed", "problem: x", None, '{"nul":"\0"}', later(1))
    newer = Rejection(CHANNEL, 2, "unparsed", "problem: x", None, "{}", later(9))
    assert store(engine, rejections=[older, newer]).rejected == 2
    store(engine, message(1, observed_at=later(5)), message(2, observed_at=later(5)), rejections=[older])
    rows = query(engine, "SELECT message_id, raw, resolved_at IS NOT NULL FROM ingest.rejections ORDER BY message_id")
    assert rows == [(1, '{"nul":"\\u0000"}', True), (2, "{}", False)]


def test_a_rejection_is_open_when_the_newest_look_at_its_message_was_bad_in_any_order(engine):
    def bad(second: int) -> Rejection:
        return Rejection(CHANNEL, 1, "unparsed", "problem: x", None, "{}", later(second))

    open_since = "SELECT observed_at FROM ingest.rejections WHERE resolved_at IS NULL"
    store(engine, message(1, observed_at=later(5)))
    store(engine, rejections=[bad(1)])
    assert query(engine, open_since) == []
    store(engine, rejections=[bad(9), bad(7)])
    assert query(engine, open_since) == [(later(9),)]
    store(engine, message(1, text="late", observed_at=later(8)), rejections=[bad(1)])
    assert query(engine, open_since) == [(later(9),)]
    store(engine, message(1, text="good", observed_at=later(10)))
    assert query(engine, open_since) == []
    assert query(engine, "SELECT count(*) FROM ingest.rejections") == [(1,)]


@pytest.mark.parametrize("column", ["entities", "raw", "reactions"])
def test_json_that_is_too_deep_for_postgresql_stops_nobody(engine, column):
    assert store(engine, message(1, **{column: "[" * 200_000}), message(2)).rejected == 1
    assert query(engine, "SELECT message_id, sqlstate FROM ingest.rejections") == [(1, "54001")]
    assert (2, "text of 2") in texts(engine)


# Observations of one message at distinct times; content and counters come and go.
STORY = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([None, 1, 2])), min_size=1, max_size=5).map(
    lambda states: [(second, text, views) for second, (text, views) in enumerate(states)]
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stories=st.dictionaries(st.integers(1, 4), STORY, min_size=1), data=st.data())
def test_any_order_and_grouping_of_observations_ends_with_the_newest_of_each_message(engine, stories, data):
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "TRUNCATE telegram.messages, telegram.message_counters, telegram.message_versions, ingest.confirmations"
        )
    rows = [
        message(i, text=text, views=views, observed_at=later(second))
        for i, story in stories.items()
        for second, text, views in story
    ]
    order = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(rows)), max_size=4)) | {0, len(rows)})
    for start, end in itertools.pairwise(cuts):
        for _ in range(data.draw(st.integers(1, 2))):  # every part may come twice
            store(engine, *order[start:end])
    expected = [(i, stories[i][-1][1], stories[i][-1][2]) for i in sorted(stories)]
    sql = "SELECT message_id, text, views FROM telegram.messages_with_counters ORDER BY message_id"
    assert query(engine, sql) == expected


def test_writers_of_the_same_rows_in_parallel_lose_and_double_nothing(engine, database):
    """Eight parts over the same 600 ids from four connections at once, each part newer than the one before."""
    errors = []
    start = threading.Barrier(4)

    def write(worker: int) -> None:
        own = create_engine(database)
        start.wait()
        try:
            for turn in range(2):
                second = worker + 4 * turn
                rows = [message(i, text=f"v{second}", views=second, observed_at=later(second)) for i in range(1, 601)]
                store(own, *rows, covered=IdRanges.of([(1 + 100 * worker, 700)]))
        except BaseException as error:
            errors.append(error)
            raise
        finally:
            own.dispose()

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    summary = "SELECT count(*), min(text), max(text), min(views), max(views) FROM telegram.messages_with_counters"
    assert query(engine, summary) == [(600, "v7", "v7", 7, 7)]
    versions = "SELECT count(*) FROM telegram.message_versions v WHERE v.message_id = m.message_id"
    assert query(engine, f"SELECT count(*) FROM telegram.messages m WHERE m.version - 1 <> ({versions})") == [(0,)]
    assert read_coverage(engine, CHANNEL) == IdRanges.of([(1, 700)])


@contextlib.contextmanager
def uncommitted(engine: sa.Engine, database: str, row: MessageRow, *, tables=("messages", "message_counters")):
    """Another writer that has written the row to the tables and not committed yet; gives its connection."""
    store(engine, row._replace(message_id=10**6))
    writer = psycopg2.connect(database)
    cursor = writer.cursor()
    for table in tables:
        move = f"UPDATE telegram.{table} SET message_id = %s WHERE message_id = %s"
        cursor.execute(move, (row.message_id, 10**6))
    yield writer
    writer.close()


WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def wait_for_a_waiting_session(engine: sa.Engine, writer: threading.Thread) -> int:
    """The process id of the one session that waits for a lock."""
    while not (found := query(engine, WAITING)):
        assert writer.is_alive()
    return found[0][0]


def test_a_newer_look_that_confirms_wins_over_an_older_change_that_is_being_stored(engine, database):
    """The older writer cannot commit before the newer one has either ended or begun to wait for it."""
    known = IdRanges.of([(1, 2)])
    store(engine, message(1, text="a", views=1, observed_at=later(1)), covered=known)
    older, newer = (
        threading.Thread(target=store, args=(engine, message(1, text=text, views=views, observed_at=later(second))))
        for text, views, second in (("b", 2, 2), ("a", 1, 3))
    )
    with psycopg2.connect(database) as blocker, blocker.cursor() as cursor:
        cursor.execute("LOCK TABLE telegram.message_versions IN SHARE MODE")
        older.start()
        wait_for_a_waiting_session(engine, older)
        newer.start()
        while newer.is_alive() and len(query(engine, WAITING)) < 2:
            newer.join(0.01)
    blocker.close()
    older.join()
    newer.join()
    assert query(engine, "SELECT text, views FROM telegram.messages_with_counters") == [("a", 1)]


@pytest.mark.parametrize(
    ("mine", "expected", "counts"),
    [
        (later(1), ("theirs", 9), UpsertCounts(inserted=1, updated=0, unchanged=0, stale=1, rejected=0)),
        (later(9), ("mine", 1), UpsertCounts(inserted=1, updated=1, unchanged=0, stale=0, rejected=0)),
    ],
    ids=["older", "newer"],
)
def test_a_new_row_that_another_writer_commits_first_is_merged_with_it(engine, database, mine, expected, counts):
    results = []
    rows = [message(1, text="mine", views=1, observed_at=mine), message(2)]
    writer = threading.Thread(target=lambda: results.append(store(engine, *rows)))
    with uncommitted(engine, database, message(1, text="theirs", views=9, observed_at=later(5))) as other:
        writer.start()
        wait_for_a_waiting_session(engine, writer)
        other.commit()
        writer.join()
    assert results == [counts]
    sql = "SELECT text, views FROM telegram.messages_with_counters WHERE message_id = 1"
    assert query(engine, sql) == [expected]


def test_older_counters_that_arrive_while_newer_ones_are_being_committed_are_dropped(engine, database):
    theirs = message(1, views=9, observed_at=later(5))
    with uncommitted(engine, database, theirs, tables=["message_counters"]) as other:
        writer = threading.Thread(target=lambda: store(engine, message(1, views=1, observed_at=later(1))))
        writer.start()
        wait_for_a_waiting_session(engine, writer)
        other.commit()
        writer.join()
    assert query(engine, "SELECT views FROM telegram.message_counters") == [(9,)]


def test_a_connection_that_dies_in_the_middle_is_replaced_and_the_part_is_stored_once(engine, database):
    """Another session holds the table, the writer waits for it, and its connection is killed in this moment."""
    blocker = psycopg2.connect(database)
    cursor = blocker.cursor()
    cursor.execute("LOCK TABLE telegram.messages IN SHARE MODE")
    results = []
    writer = threading.Thread(target=lambda: results.append(store(engine, message(1), covered=IdRanges.of([(1, 5)]))))
    writer.start()
    cursor.execute("SELECT pg_terminate_backend(%s)", (wait_for_a_waiting_session(engine, writer),))
    blocker.rollback()
    blocker.close()
    writer.join()
    assert results == [UpsertCounts(1, 0, 0, 0, 0)]
    assert texts(engine) == [(1, "text of 1")]
