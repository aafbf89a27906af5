"""A whole project for one test: emulated Telegram, PostgreSQL, accounts and settings, set up as an operator would."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from fix_emulator import EmulatorHandle, StartEmulator

from tg_ingest.definitions import build_defs
from tg_ingest.defs.partitions import CHANNELS
from tg_ingest.emulator.world import World
from tg_ingest.ingestion.sessions import import_session
from tg_ingest.postgres.stores import Stores
from tg_ingest.settings import Settings

Numbers = dict[str, float]


@dataclass
class Project:
    """What a test needs to ingest a world and to look at what came of it."""

    telegram: EmulatorHandle
    settings: Settings
    stores: Stores
    instance: dg.DagsterInstance

    def materialise(self, first: str, last: str | None = None, *, channel: str) -> dg.ExecuteInProcessResult:
        """Run the asset over windows of one channel, in this process; failures are part of the result."""
        self.instance.add_dynamic_partitions(str(CHANNELS.name), [channel])
        tags = {
            "dagster/asset_partition_range_start": f"{channel}|{first}",
            "dagster/asset_partition_range_end": f"{channel}|{last or first}",
        }
        job = build_defs().resolve_job_def("ingest_history")
        return job.execute_in_process(instance=self.instance, tags=tags, raise_on_error=False)

    def rows(self, query: str, *values: object) -> list[tuple]:
        """The rows of a query."""
        with self.stores.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query, values)]

    def facts(self, channel_id: int) -> list[tuple]:
        """Id, date, edit date, kind and text of every stored message, in the order of ids; times in seconds."""
        return self.rows(
            "SELECT message_id, extract(epoch FROM date)::bigint, extract(epoch FROM edit_date)::bigint, kind, text "
            "FROM telegram.messages WHERE channel_id = %s ORDER BY message_id",
            channel_id,
        )

    def truth(self, channel_id: int) -> list[tuple]:
        """The same of the world."""
        return [
            (f["message_id"], f["date"], f["edit_date"], f["kind"], f["text"] or f["rich_text"] or "")
            for f in self.telegram.truth(channel_id)
        ]


def numbers_of(result: dg.ExecuteInProcessResult) -> Numbers:
    """The numbers on the materialisation of a run."""
    metadata = result.get_asset_materialization_events()[0].materialization.metadata
    values = {name: entry.value for name, entry in metadata.items()}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    """The first line that an operator sees of a failed run."""
    failed = [event for event in result.all_events if event.is_step_failure]
    assert failed, "the run did not fail"
    explained = failed[0].step_failure_data.user_failure_data
    assert explained, f"not explained: {failed[0].step_failure_data.error}"
    return str(explained.description)


@pytest.fixture
def start_project(
    start_emulator: StartEmulator, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Project]]:
    """Sets up a project over a world; `accounts` limits how many of the world's accounts are known."""
    opened: list[Project] = []

    def start(world: str | World = "tiny", *, accounts: int = 3, **settings: object) -> Project:
        telegram = start_emulator(world)
        variables = {
            "HOME": tmp_path / "home",
            "DATABASE_URL": database,
            "API_ID": 1,
            "API_HASH": "test",
            "SECRET_KEY": "",
            "FIRST_WINDOW": "2024-01",
            "HISTORY_INTERVAL": 0,
            "RESOLVE_INTERVAL": 0,
            "HOLDER_GRACE": 0.2,
            "MAX_WAIT": 20,
            **settings,
        }
        for name, value in variables.items():
            monkeypatch.setenv(f"TG_INGEST_{name.upper()}", str(value))
        made = Settings.from_environment()
        for account in telegram.accounts()[:accounts]:
            import_session(made, account["label"], account["session"])
        project = Project(telegram, made, Stores.connect(database), dg.DagsterInstance.ephemeral())
        opened.append(project)
        return project

    yield start
    for project in opened:
        project.stores.close()
        project.instance.dispose()


@pytest.fixture
def project(start_project: Callable[..., Project]) -> Project:
    """A project over the tiny world: two channels, three months, no limits."""
    return start_project()
