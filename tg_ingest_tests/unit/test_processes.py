import json
import socket
import subprocess
import sys

import psutil
import pytest

from tg_ingest.demo.processes import ProcessDied, Processes, free_port, wait_for_line


@pytest.fixture
def processes(tmp_path):
    made = Processes(tmp_path / "processes")
    yield made
    made.stop()


def test_a_process_that_ends_by_itself_is_named_with_the_end_of_its_log(processes, tmp_path):
    processes.start("oracle", "this", environment={})  # prints a poem and ends
    oracle = psutil.Process(json.loads((tmp_path / "processes" / "oracle.process.json").read_text())["pid"])
    oracle.wait(timeout=10)
    with pytest.raises(ProcessDied, match=r"oracle ended with code (?s:.*)Namespaces are one honking great idea"):
        processes.check()


def test_a_process_that_says_nothing_is_given_up(processes):
    processes.start("mute", "timeit", "-n", "1", "-r", "1", "import time; time.sleep(600)", environment={})
    with pytest.raises(ProcessDied, match="mute said nothing"):
        wait_for_line(processes, "mute", within=0.2)


def test_stop_ends_the_children_of_a_child_too(processes, tmp_path):
    (tmp_path / "family.py").write_text(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    processes.start("family", "family", environment={"PYTHONPATH": str(tmp_path)})
    grandchild = psutil.Process(int(wait_for_line(processes, "family", within=20)))
    processes.stop()
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_what_a_killed_demo_left_running_is_stopped_at_the_next_start(tmp_path):
    folder = tmp_path / "processes"
    Processes(folder)
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    note = folder / "web.process.json"
    note.write_text(json.dumps({"pid": left.pid, "started": psutil.Process(left.pid).create_time()}))
    Processes(folder).stop_leftovers()
    assert not psutil.pid_exists(left.pid)
    left.wait()
    assert not note.exists()


def test_a_stranger_with_a_reused_pid_is_left_alone(tmp_path):
    folder = tmp_path / "processes"
    Processes(folder)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        (folder / "web.process.json").write_text(json.dumps({"pid": stranger.pid, "started": 12345.0}))
        Processes(folder).stop_leftovers()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_note_that_was_cut_off_by_a_kill_does_not_stop_the_next_demo(tmp_path):
    processes = Processes(tmp_path)
    note = tmp_path / "web.process.json"
    note.write_text('{"pid": 1')
    processes.stop_leftovers()
    assert not note.exists()


def test_a_taken_port_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
