"""Peak memory of one run over a whole channel, against the same process after its imports."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tg_ingest import local_database
from tg_ingest.demo.emulator_client import EmulatorClient
from tg_ingest.demo.processes import Processes, wait_for_line
from tg_ingest.ingestion.sessions import import_session
from tg_ingest.instance import dagster_environment
from tg_ingest.settings import Settings
from tg_ingest_tests.benchmarks.measurement import Measurement

_LIMIT_MB = 400.0
_MB = 1024.0 * 1024.0
_GIVEN = {
    "API_ID": "1",
    "API_HASH": "bench",
    "FIRST_WINDOW": "2023-01",
    "HISTORY_INTERVAL": "0",
    "RESOLVE_INTERVAL": "0",
}
_IDLE = "import tg_ingest.definitions, time; print('ready', flush=True); time.sleep(600)"


def memory(*, messages: int) -> Measurement:
    """One run over `messages` messages, in a process of its own, watched from outside ten times a second."""
    with tempfile.TemporaryDirectory(prefix="tg_ingest-bench-") as folder:
        home = Path(folder)
        given = {"HOME": folder, **_GIVEN}
        settings = Settings.from_environment({f"TG_INGEST_{name}": value for name, value in given.items()})
        processes = Processes(home / "processes")
        try:
            local_database.start(settings)
            environment = dagster_environment(settings) | settings.to_environment()
            world = ("--world", f"bench:{messages}", "--start", "2023-01")
            processes.start("emulator", "tg_ingest", "emulator", *world, environment=environment)
            emulator = EmulatorClient(json.loads(wait_for_line(processes, "emulator", within=60))["admin"])
            for account in emulator.accounts()[:4]:
                import_session(settings, account.label, account.session)
            channel = emulator.channels()[0]
            started = time.monotonic()
            peak = _peak_of([sys.executable, "-m", "tg_ingest", "run", channel.username], environment)
            seconds = time.monotonic() - started
            idle = _idle(environment)
        finally:
            processes.stop()
            local_database.destroy(settings)
    return Measurement(
        name="memory",
        ratio=round(peak / idle, 2),
        goal=f"at most {_LIMIT_MB:g} MB",
        ours=round(peak, 1),
        yardstick=round(idle, 1),
        unit="MB of resident memory",
        repeats=1,
        is_met=peak <= _LIMIT_MB,
        details={
            "messages": channel.messages,
            "seconds": round(seconds, 1),
            "messages_per_second": round(channel.messages / seconds),
        },
    )


def _peak_of(command: list[str], environment: dict[str, str]) -> float:
    """The highest resident memory of a process and its children, in MB. Raises when the command fails."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
        process, peak = psutil.Process(child.pid), 0.0
        while child.poll() is None:
            peak = max(peak, _resident(process))
            time.sleep(0.1)
        if child.returncode:
            assert child.stderr
            raise RuntimeError(child.stderr.read().decode()[-2000:])
    return peak


def _idle(environment: dict[str, str]) -> float:
    with subprocess.Popen([sys.executable, "-c", _IDLE], env=environment, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        resident = _resident(psutil.Process(child.pid))
        child.kill()
    return resident


def _resident(process: psutil.Process) -> float:
    total = 0.0
    for member in (process, *process.children(recursive=True)):
        try:
            total += member.memory_info().rss / _MB
        except psutil.NoSuchProcess:
            continue
    return total
