"""What Dagster loads, without any service: definitions, partitions, the instance's storage."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from tg_ingest.definitions import build_defs
from tg_ingest.defs.assets import MESSAGES
from tg_ingest.defs.partitions import history_partitions, window_keys, windows_by_channel
from tg_ingest.defs.storage import InstanceStorage
from tg_ingest.errors import ConfigurationError
from tg_ingest.ingestion.windows import Window

ROOT = Path(__file__).parent.parent.parent
START = datetime(2024, 1, 1, tzinfo=UTC)


def month(number: int) -> datetime:
    return datetime(2024, number, 1, tzinfo=UTC)


def test_the_definitions_load_without_any_setting_or_server():
    settings = ("TG_INGEST_", "DAGSTER_")
    bare = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]
    done = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False)
    assert "All code locations passed validation" in done.stderr + done.stdout
    assert done.returncode == 0


def test_the_asset_tells_an_analyst_what_it_is():
    asset = build_defs().resolve_asset_graph().get(MESSAGES)
    assert asset.group_name == "telegram"
    assert asset.owners == ["team:ingestion"]
    assert asset.description
    assert asset.metadata["dagster/relation_identifier"] == "telegram.messages"
    columns = {column.name: column for column in asset.metadata["dagster/column_schema"].columns}
    assert columns["message_id"].description
    assert asset.backfill_policy == dg.BackfillPolicy.multi_run(max_partitions_per_run=12)


def test_windows_reach_from_the_first_to_the_current_one():
    keys = window_keys(history_partitions("month", START))
    assert (keys[0], keys[-1]) == ("2024-01", f"{datetime.now(UTC):%Y-%m}")
    assert window_keys(history_partitions("year", START))[-1] == f"{datetime.now(UTC):%Y}"


def test_keys_become_windows_of_their_channels():
    partitions = history_partitions("month", START)
    found = windows_by_channel(["b|2024-05", "a|2024-02", "a|2024-01"], partitions)
    assert found == {"a": (Window(month(1), month(2)), Window(month(2), month(3))), "b": (Window(month(5), month(6)),)}


def test_a_lasting_instance_without_a_database_says_how_to_set_one(monkeypatch, tmp_path):
    monkeypatch.delenv("TG_INGEST_DAGSTER_DATABASE_URL", raising=False)
    monkeypatch.setenv("TG_INGEST_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with pytest.raises(ConfigurationError, match="TG_INGEST_DAGSTER_DATABASE_URL"):
        InstanceStorage.from_config_value(None, {})
