"""Real runs of the asset, in this process: real Telethon, emulated Telegram, real PostgreSQL."""

import itertools
from datetime import UTC, datetime

import dagster as dg
import pandas as pd
import pytest
from fix_project import failure_of, numbers_of

from tg_ingest.definitions import build_defs
from tg_ingest.defs.assets import MESSAGES
from tg_ingest.defs.partitions import history_partitions, windows_by_channel
from tg_ingest.errors import ConfigurationError
from tg_ingest.ingestion.completeness import completeness_of
from tg_ingest.ingestion.sessions import import_session

FIRST = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def channels(project):
    return {c["username"]: c["channel_id"] for c in project.telegram.channels() if c["username"]}


def test_a_channel_in_the_database_is_the_channel_in_the_world(project, channels):
    for slug, channel_id in channels.items():
        result = project.materialise("2024-01", "2024-04", channel=slug)
        assert result.success
        assert project.facts(channel_id) == project.truth(channel_id)
        assert [check.passed for check in result.get_asset_check_evaluations()] == [True]


def test_one_window_holds_the_messages_of_its_month_and_no_other(project, channels):
    slug, channel_id = next(iter(channels.items()))
    assert project.materialise("2024-02", channel=slug).success
    january, march = 1706745600, 1709251200  # 1 February and 1 March, UTC
    assert project.facts(channel_id) == [f for f in project.truth(channel_id) if january <= f[1] < march]


def test_a_second_run_asks_for_nothing_and_changes_nothing(project, channels):
    slug = next(iter(channels))
    first = numbers_of(project.materialise("2024-01", "2024-03", channel=slug))
    asked = project.telegram.served()["messages"]
    again = numbers_of(project.materialise("2024-01", "2024-03", channel=slug))
    assert first["inserted"] == first["fetched"] > 0
    assert (again["inserted"], again["updated"], again["fetched"], again["requests"]) == (0, 0, 0, 0)
    assert project.telegram.served()["messages"] == asked


def test_every_number_that_an_operator_asks_for_is_on_the_materialisation(project, channels):
    result = project.materialise("2024-01", channel=next(iter(channels)))
    metadata = result.get_asset_materialization_events()[0].materialization.metadata
    assert set(metadata) >= {
        *("fetched", "inserted", "updated", "unchanged", "rejected", "duplicates", "flood waits", "messages/s"),
        *("covered", "dagster/column_schema", "dagster/relation_identifier"),
    }


def test_each_partition_of_a_range_tells_its_own_row_count(project, channels):
    slug, channel_id = next(iter(channels.items()))
    events = project.materialise("2024-01", "2024-03", channel=slug).get_asset_materialization_events()
    counts = {str(e.partition): e.materialization.metadata["dagster/partition_row_count"].value for e in events}
    months = [1704067200, 1706745600, 1709251200, 1711929600]  # the first of January to April, UTC
    dates = [fact[1] for fact in project.truth(channel_id)]
    expected = [sum(start <= date < end for date in dates) for start, end in itertools.pairwise(months)]
    assert counts == dict(zip([f"{slug}|2024-01", f"{slug}|2024-02", f"{slug}|2024-03"], expected, strict=True))


def test_the_frame_that_is_read_back_holds_exactly_the_partitions_asked_for(project, channels):
    slug, channel_id = next(iter(channels.items()))
    project.materialise("2024-01", "2024-03", channel=slug)
    key = dg.MultiPartitionKey({"channel": slug, "window": "2024-02"})
    frame = build_defs().load_asset_value(MESSAGES, instance=project.instance, partition_key=key)
    assert isinstance(frame, pd.DataFrame)
    assert frame["message_id"].tolist() == [f[0] for f in project.truth(channel_id) if 1706745600 <= f[1] < 1709251200]


def test_an_edit_is_stored_and_the_earlier_text_is_kept(project, channels):
    slug, channel_id = next(iter(channels.items()))
    project.materialise("2024-01", "2024-04", channel=slug)
    message_id, old = next((f[0], f[4]) for f in project.truth(channel_id) if f[3] == "message" and f[4])
    project.telegram.edit(channel_id, message_id, "corrected")
    with project.stores.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM ingest.coverage")
    numbers = numbers_of(project.materialise("2024-01", "2024-04", channel=slug))
    assert (numbers["inserted"], numbers["updated"]) == (0, 1)
    assert project.facts(channel_id) == project.truth(channel_id)
    assert project.rows("SELECT text FROM telegram.message_versions WHERE message_id = %s", message_id) == [(old,)]


@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("no_such_channel", "no_such_channel"),
        ("x", "'x' is not a channel's username"),
        ("UPPER_case", "must be 'upper_case'"),
    ],
)
def test_a_channel_that_cannot_be_read_fails_the_run_with_one_clear_line(project, slug, said):
    failure = failure_of(project.materialise("2024-01", channel=slug))
    assert said in failure
    assert "\n" not in failure
    assert {channel.slug for channel in project.stores.channels.channels()} <= {slug}


def test_without_accounts_the_run_says_how_to_add_one(start_project):
    failure = failure_of(start_project(accounts=0).materialise("2024-01", channel="whatever"))
    assert "tg-ingest session import" in failure


def test_dates_out_of_order_leave_every_window_known_and_complete(project, channels):
    slug, channel_id = next(iter(channels.items()))
    project.materialise("2024-01", "2024-03", channel=slug)
    with project.stores.engine.begin() as connection:  # as an import does: an old date on a young id
        connection.exec_driver_sql(
            "UPDATE telegram.messages SET date = '2024-01-31 23:59:59+00' WHERE message_id = "
            "(SELECT max(message_id) - 1 FROM telegram.messages WHERE channel_id = %(id)s) AND channel_id = %(id)s",
            {"id": channel_id},
        )
    again = project.materialise("2024-01", "2024-03", channel=slug)
    assert [check.passed for check in again.get_asset_check_evaluations()] == [True]


def test_a_newest_message_that_was_deleted_unseen_is_asked_for_and_then_known(project, channels):
    slug, channel_id = next(iter(channels.items()))
    window = f"{datetime.now(UTC):%Y-%m}"
    assert project.materialise("2024-01", window, channel=slug).success
    top = project.stores.channels.top_message_id(channel_id)
    with project.stores.engine.begin() as connection:  # a run saw that there were three more, and was killed
        connection.exec_driver_sql("UPDATE telegram.channels SET top_message_id = top_message_id + 3")
    again = project.materialise("2024-01", window, channel=slug)
    assert [check.passed for check in again.get_asset_check_evaluations()] == [True]
    assert project.stores.channels.top_message_id(channel_id) == top + 3


def test_the_check_fails_and_names_the_ids_when_a_stored_history_has_a_hole(project, channels):
    slug, channel_id = next(iter(channels.items()))
    project.materialise("2024-01", "2024-03", channel=slug)
    with project.stores.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ingest.coverage SET covered = covered - '{[100,150)}'::int8multirange")
    windows = windows_by_channel([f"{slug}|2024-01", f"{slug}|2024-02"], history_partitions("month", FIRST))[slug]
    found = completeness_of(project.stores, slug, windows, first_window=FIRST)
    assert (found.is_complete, str(found.missing)) == (False, "100..149")
    result = project.materialise("2024-01", "2024-03", channel=slug)  # asks for the hole only, and mends it
    assert numbers_of(result)["fetched"] == len([f for f in project.truth(channel_id) if 100 <= f[0] < 150])
    assert [check.passed for check in result.get_asset_check_evaluations()] == [True]


@pytest.mark.parametrize("label", ["", "[/x]", "+4915112345678", "a b", "x" * 65])
def test_a_label_that_would_harm_a_log_is_refused(project, label):
    session = project.telegram.accounts()[0]["session"]
    with pytest.raises(ConfigurationError, match="is not a label"):
        import_session(project.settings, label, session)
