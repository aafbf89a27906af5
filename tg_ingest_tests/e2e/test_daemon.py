"""The main job as an operator runs it: a backfill launched at the webserver, executed by the daemon's runs."""

import pytest
from rich.console import Console

from tg_ingest.demo.proof import prove_channel
from tg_ingest.demo.run import backfill_everything
from tg_ingest.demo.watch import Watcher


@pytest.mark.timeout(240)
def test_a_backfill_through_webserver_and_daemon_brings_the_whole_world(services):
    with Watcher(services) as watcher:
        runs = backfill_everything(services, watcher, Console(stderr=True))  # raises when one of its runs fails
        assert len(runs) >= len(services.channels)
        for slug, channel_id in services.ids.items():
            proof = prove_channel(
                slug, services.emulator.facts(channel_id), watcher.facts(channel_id), advance=lambda: None
            )
            assert proof.holds, proof.examples
            assert proof.stored == services.channels[slug]
    assert services.emulator.manners().duplicated_keys == 0
