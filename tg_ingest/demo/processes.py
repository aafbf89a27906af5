"""Child processes of the demo: started in groups of their own, logged to files, stopped in reverse order.

What a killed demo left running is found by its note (pid and start time) and stopped at the next start.
"""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from tg_ingest.errors import TgIngestError


class ProcessDied(TgIngestError):
    """A child ended by itself; the message names it and shows the end of its log."""


class Processes:
    """Starts Python modules as processes; `stop` ends each group, gently first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def start(self, name: str, module: str, *arguments: str, environment: Mapping[str, str]) -> None:
        """Run `python -m module arguments...`; its output goes to `<name>.log`."""
        with self.log(name).open("wb") as log:
            child = subprocess.Popen(  # noqa: S603  # our own interpreter and modules
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(environment),
                start_new_session=True,
            )
        self._running[name] = child
        note = {"pid": child.pid, "started": psutil.Process(child.pid).create_time()}
        self._note(name).write_text(json.dumps(note))

    def log(self, name: str) -> Path:
        """The file that holds the output of a process."""
        return self._folder / f"{name}.log"

    def check(self) -> None:
        """Raise `ProcessDied` when a child is gone."""
        for name, child in self._running.items():
            if child.poll() is not None:
                tail = "\n".join(self.log(name).read_text(errors="replace").splitlines()[-15:])
                raise ProcessDied(f"{name} ended with code {child.returncode}; the end of {self.log(name)}:\n{tail}")

    def stop(self) -> None:
        """End every child, the last started first."""
        while self._running:
            name, child = self._running.popitem()
            _end_group(child.pid)
            child.wait()
            self._note(name).unlink(missing_ok=True)

    def stop_leftovers(self) -> None:
        """End what an earlier demo, killed before it could clean up, left running in this folder."""
        for note in self._folder.glob("*.process.json"):
            with contextlib.suppress(psutil.NoSuchProcess, json.JSONDecodeError):  # killed before the note was whole
                left = json.loads(note.read_text())
                if psutil.Process(left["pid"]).create_time() == left["started"]:
                    _end_group(left["pid"])
            note.unlink(missing_ok=True)

    def _note(self, name: str) -> Path:
        return self._folder / f"{name}.process.json"


def _end_group(leader: int, *, patience: float = 10.0) -> None:
    """Ask the process to stop, then what it left behind, then kill: at most `patience` seconds for each step."""
    try:
        root = psutil.Process(leader)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for members, order in (([root], signal.SIGTERM), (family, signal.SIGTERM), (family, signal.SIGKILL)):
        for process in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(order)
        psutil.wait_procs(members, timeout=patience)


def free_port(preferred: int) -> int:
    """`preferred` on 127.0.0.1 if nobody has it, else one that the system gives."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
    raise ProcessDied("no free port on 127.0.0.1")


def wait_for_line(processes: Processes, name: str, *, within: float) -> str:
    """The first complete line that a process writes to its log."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        processes.check()
        first, newline, _ = processes.log(name).read_text(errors="replace").partition("\n")
        if newline:
            return first
        time.sleep(0.1)
    raise ProcessDied(f"{name} said nothing for {within:g} s; see {processes.log(name)}")
