"""Everything that the demo runs, each in a process of its own: PostgreSQL, emulator, Dagster's webserver and daemon."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from tg_ingest import local_database
from tg_ingest.demo.dagster_api import DagsterApi
from tg_ingest.demo.emulator_client import EmulatorClient
from tg_ingest.demo.processes import Processes, free_port, wait_for_line
from tg_ingest.errors import ConfigurationError
from tg_ingest.ingestion.sessions import import_session
from tg_ingest.instance import dagster_environment, instance_file
from tg_ingest.local_run import add_channels
from tg_ingest.settings import Settings

_YEARS = 3
_WORLD_TAIL_DAYS = 5  # the world's newest messages are of the first days of its last month: keep them in the past
# The demo's Telegram allows 30 requests in 1 s where the real one was seen to allow 30 in 30 s. The pace starts a bit
# too fast, so that a flood can be seen, and a run takes all windows of a channel, so that a bar is a run.
_FASTER = {"history_interval": 0.03, "resolve_interval": 0.5, "holder_grace": 3.0, "windows_per_run": 60}


@dataclass(frozen=True, slots=True)
class Services:
    """What runs, and how to talk to it."""

    settings: Settings
    dagster: DagsterApi
    emulator: EmulatorClient
    processes: Processes
    channels: dict[str, int]  # slug -> visible messages in the world
    ids: dict[str, int]


def demo_settings(settings: Settings) -> Settings:
    """The operator's settings with the demo's own Telegram, database and scaled times."""
    home = settings.home / "demo"  # apart from an operator's own keys and databases: `--reset` deletes it
    return replace(
        settings,
        home=home,
        spool=home / "spool",
        database=None,
        dagster_database=None,
        api_id=1,
        api_hash="demo",
        grain="month",
        first_window=_world_start(home),
        **_FASTER,
    )


def has_state(settings: Settings) -> bool:
    """Whether a demo was ever started in the operator's state folder."""
    return _note(settings.home / "demo").exists()


@contextmanager
def running(settings: Settings, console: Console, *, world: str = "demo") -> Iterator[Services]:
    """Start everything, register accounts and channels, and stop everything at the end, whatever happens."""
    os.environ.pop("DAGSTER_HOME", None)  # the demo's instance is its own, whatever the operator's is
    with ExitStack() as stack:
        stack.enter_context(alone(settings))
        processes = Processes(settings.home / "processes")
        processes.stop_leftovers()
        console.print("Starting PostgreSQL, the Telegram emulator and Dagster ...", highlight=False)
        stack.callback(local_database.stop, settings)
        local_database.start(settings)
        stack.callback(processes.stop)
        services = _start(settings, processes, world)
        stack.callback(services.emulator.close)
        stack.callback(services.dagster.close)
        stack.callback(console.print, "Stopping ...")
        yield services


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold the demo's folder: a second demo would stop the processes of the first."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (settings.home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"a demo is at work in {settings.home}: stop it first, or set TG_INGEST_HOME to another folder"
            ) from None
        yield


def _start(settings: Settings, processes: Processes, world: str) -> Services:
    environment = dagster_environment(settings) | settings.to_environment()
    start = settings.first_window.strftime("%Y-%m")
    processes.start("emulator", "tg_ingest", "emulator", "--world", world, "--start", start, environment=environment)
    port = free_port(3000)
    workspace = str(instance_file("workspace.yaml"))
    web = ("-w", workspace, "-h", "127.0.0.1", "-p", str(port))
    processes.start("webserver", "dagster_webserver", *web, environment=environment)
    emulator = EmulatorClient(json.loads(wait_for_line(processes, "emulator", within=60))["admin"])
    for account in emulator.accounts():
        import_session(settings, account.label, account.session)
    channels = emulator.channels()
    dagster = DagsterApi(f"http://127.0.0.1:{port}")
    dagster.wait_until_ready(within=120, check=processes.check)
    processes.start("daemon", "dagster._daemon", "run", "-w", workspace, environment=environment)
    add_channels(settings, [channel.username for channel in channels])
    return Services(
        settings,
        dagster,
        emulator,
        processes,
        channels={c.username.lower(): c.messages for c in channels},
        ids={c.username.lower(): c.channel_id for c in channels},
    )


def _world_start(home: Path) -> datetime:
    """The world's first month: three years before the first demo of this state folder, and the same ever after."""
    note = _note(home)
    if not note.exists():
        if home.exists() and any(home.iterdir()):  # `--reset` would delete it
            raise ConfigurationError(f"{home} holds something else: give the demo a state folder of its own")
        today = datetime.now(UTC) - timedelta(days=_WORLD_TAIL_DAYS)
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        note.write_text(json.dumps({"start": f"{today.year - _YEARS}-{today.month:02d}"}))
    return datetime.strptime(json.loads(note.read_text())["start"], "%Y-%m").replace(tzinfo=UTC)


def _note(home: Path) -> Path:
    """What the demo leaves in a state folder that is its own."""
    return home / "demo.json"
