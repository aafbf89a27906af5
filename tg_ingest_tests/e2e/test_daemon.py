"""The main job as an operator runs it: a backfill launched at the webserver, executed by the daemon's runs."""

import time

import pytest

from tg_ingest.demo.proof import prove_channel
from tg_ingest.demo.watch import Watcher


def follow(services, backfill_id, *, within=100.0):
    deadline = time.monotonic() + within
    while not (backfill := services.dagster.backfill(backfill_id)).is_over:
        assert time.monotonic() < deadline, f"still {backfill}"
        time.sleep(0.5)
    return backfill


@pytest.mark.timeout(240)
def test_a_backfill_through_webserver_and_daemon_brings_the_whole_world(services):
    watcher = Watcher(services)
    backfill = follow(services, services.dagster.launch_backfill(watcher.partitions()))
    assert not backfill.has_failed
    assert len(backfill.runs) >= len(services.channels)
    for slug, channel_id in services.ids.items():
        proof = prove_channel(
            slug, services.emulator.facts(channel_id), watcher.facts(channel_id), advance=lambda: None
        )
        assert proof.holds, proof.examples
        assert proof.stored == services.channels[slug]
    assert services.emulator.manners().duplicated_keys == 0
