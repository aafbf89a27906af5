"""What an operator relies on after something broke: nothing twice, nothing lost, and a run that says what it lacks."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg
import pytest
from fix_project import failure_of

from tg_ingest.definitions import build_defs
from tg_ingest.defs.partitions import CHANNELS
from tg_ingest.emulator.worlds import load
from tg_ingest.messages.spool import Spool

CHANNEL = "tiny_news"


def ingest_job():
    return build_defs().resolve_job_def("ingest_history")


@pytest.fixture
def channel_id(project):
    return next(c["channel_id"] for c in project.telegram.channels() if c["username"] == CHANNEL)


def history_calls(project):
    return sum(m["calls"] for m in project.telegram.served()["methods"] if m["method"] == "messages.getHistory")


def refuse_messages(project):
    with project.stores.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room'; END $$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON telegram.messages EXECUTE FUNCTION refuse()"
        )


def accept_messages(project):
    with project.stores.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER refuse ON telegram.messages")


def test_a_run_that_could_not_store_is_re_executed_from_failure_without_telegram(project, channel_id, tmp_path):
    refuse_messages(project)
    tags = {
        "dagster/asset_partition_range_start": f"{CHANNEL}|2024-01",
        "dagster/asset_partition_range_end": f"{CHANNEL}|2024-04",
    }
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        instance.add_dynamic_partitions(str(CHANNELS.name), [CHANNEL])
        job = dg.reconstructable(ingest_job)
        with dg.execute_job(job, instance, tags=tags) as failed:
            assert not failed.success
        assert project.facts(channel_id) == []
        asked = history_calls(project)
        accept_messages(project)
        options = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
        with dg.execute_job(job, instance, tags=tags, reexecution_options=options) as again:
            assert again.success
    assert history_calls(project) == asked
    assert project.facts(channel_id) == project.truth(channel_id)


def test_what_a_failed_run_fetched_is_adopted_by_the_next_one(project, channel_id):
    refuse_messages(project)
    assert "no room" in failure_of(project.materialise("2024-01", "2024-03", channel=CHANNEL))
    asked = history_calls(project)
    accept_messages(project)
    assert project.materialise("2024-01", "2024-03", channel=CHANNEL).success
    assert history_calls(project) == asked
    assert project.facts(channel_id)


@pytest.mark.timeout(180)
def test_a_run_that_was_killed_while_it_fetched_costs_at_most_the_page_in_flight(start_project):
    project = start_project(history_interval=0.3)  # slow enough to be killed in the middle
    channel_id = next(c["channel_id"] for c in project.telegram.channels() if c["username"] == CHANNEL)
    environment = {**os.environ, "TG_INGEST_DAGSTER_DATABASE_URL": os.environ["TG_INGEST_DATABASE_URL"]}
    environment.pop("DAGSTER_HOME", None)
    command = [sys.executable, "-m", "tg_ingest", "run", CHANNEL, "--from", "2024-01", "--to", "2024-04"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        deadline = time.monotonic() + 90
        waiting = 0
        with Spool(project.settings.spool) as spool:
            while waiting < 300:
                assert run.poll() is None, "the run ended before it could be killed"
                assert time.monotonic() < deadline
                waiting = spool.rows_waiting(channel_id)
                time.sleep(0.05)
        run.send_signal(signal.SIGKILL)
    asked_before = history_calls(project)
    result = project.materialise("2024-01", "2024-04", channel=CHANNEL)
    assert result.success, failure_of(result)
    assert project.facts(channel_id) == project.truth(channel_id)
    whole = 10 + 1  # pages of 960 messages, and the look at the newest id
    assert history_calls(project) - asked_before <= whole - waiting // 100 + 1
    assert project.telegram.served()["duplicated_keys"] == 0


def test_when_every_account_must_rest_the_run_stores_what_it_has_and_says_when_to_go_on(start_project):
    world = load("tiny", start=datetime(2024, 1, 1, tzinfo=UTC))
    world.accounts[:] = [replace(world.accounts[0], flag_after=6, flag_seconds=600)]
    project = start_project(world, max_wait=1)
    channel_id = next(c["channel_id"] for c in project.telegram.channels() if c["username"] == CHANNEL)
    failure = failure_of(project.materialise("2024-01", "2024-04", channel=CHANNEL))
    assert re.search(r"ids 1\.\.\d+ were not fetched: .*; go on after \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", failure)
    truth, stored = project.truth(channel_id), project.facts(channel_id)
    assert 400 <= len(stored) < len(truth)
    assert stored == truth[-len(stored) :]
    assert sum(method["calls_inside_wait"] for method in project.telegram.served()["methods"]) == 0
