"""The emulator's HTTP side and its process: what the demo and an operator see."""

import asyncio
import json
import logging
import signal
import socket
import struct
import subprocess
import sys
from datetime import date

import httpx
import pytest

from tg_ingest.emulator import crypto
from tg_ingest.emulator.run import serve
from tg_ingest.emulator.server import CannotServe, check_host
from tg_ingest.emulator.worlds import load

CHANNEL = 2200000201


@pytest.fixture
def http(start_emulator):
    with httpx.Client(base_url=start_emulator("tiny", seed=3).admin_url) as client:
        yield client


def test_health_accounts_and_channels(http):
    assert http.get("/health").json() == {"status": "ok", "world": "tiny", "seed": 3}
    first = http.get("/accounts").json()[0]
    assert set(first) == {"label", "user_id", "phone", "session"}
    channel = http.get("/channels").json()[0]
    assert (channel["channel_id"], channel["username"], channel["kind"]) == (CHANNEL, "tiny_news", "broadcast")
    hashes = channel["access_hashes"]
    assert len(set(hashes.values())) == len(hashes) == 3


def test_sessions_are_the_same_after_a_restart_but_for_the_port(start_emulator):
    first, second = start_emulator("tiny", seed=3), start_emulator("tiny", seed=3)
    other = start_emulator("tiny", seed=4)
    keys = [each.emulator.service.accounts.keys_of("tiny-1")[0].secret for each in (first, second, other)]
    assert keys[0] == keys[1] != keys[2]


def test_truth_is_streamed_for_a_half_open_range(http):
    lines = http.get(f"/truth/{CHANNEL}", params={"lower": 1, "upper": 50}).text.splitlines()
    truths = [json.loads(line) for line in lines]
    assert truths[0]["message_id"] == 1
    assert all(1 <= each["message_id"] < 50 for each in truths)
    assert set(truths[0]) == {"message_id", "date", "edit_date", "kind", "text", "rich_text"}
    everything = http.get(f"/truth/{CHANNEL}").text.splitlines()
    assert len(everything) == http.get("/channels").json()[0]["messages"]


@pytest.mark.parametrize(
    ("method", "path", "document", "reason"),
    [
        ("GET", "/truth/1", None, "channel_id: there is no channel 1"),
        ("GET", f"/truth/{CHANNEL}?lower=x", None, "lower: 'x'"),
        ("POST", "/faults", {"kind": "flood"}, "seconds"),
        ("POST", "/faults", {"kind": "revoke", "account": "nobody"}, "account: there is no account 'nobody'"),
        ("GET", f"/truth/{CHANNEL}?lower={'9' * 5000}", None, "lower: '999"),
        ("POST", f"/channels/{CHANNEL}/post", {}, "text: must be a JSON str"),
        ("POST", f"/channels/{CHANNEL}/post", {"text": "\ud800"}, "text: half a surrogate pair"),
        ("POST", f"/channels/{CHANNEL}/post", {"text": "x" * 4097}, "text: longer than the 4096"),
        ("POST", f"/channels/{CHANNEL}/edit", {"message_id": 1, "text": "x"}, "message_id"),
        ("POST", f"/channels/{CHANNEL}/edit", {"message_id": 10**6, "text": "x"}, "no message 1000000"),
        ("POST", f"/channels/{CHANNEL}/delete", {"message_ids": [10**6]}, "message_ids"),
    ],
)
def test_a_wrong_request_names_the_field(http, method, path, document, reason):
    # json.dumps writes escapes, so that half a surrogate pair gets through.
    answer = http.request(method, path, content=json.dumps(document))
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000], ids=["torn", "nested too deeply"])
def test_a_body_that_is_no_json_is_refused(http, body):
    answer = http.post("/faults", content=body)
    assert (answer.status_code, answer.json()["error"].startswith("the body is no JSON")) == (400, True)


def test_faults_are_cleared(http):
    assert http.post("/faults", json={"kind": "silence", "times": None}).json()["armed"] == 1
    assert http.delete("/faults").json() == {"did": "clear", "faults": 1}


def test_only_loopback_is_served_unless_asked_for():
    check_host("127.0.0.1", allow_any=False)
    check_host("0.0.0.0", allow_any=True)
    with pytest.raises(ValueError, match=r"not on 0\.0\.0\.0"):
        check_host("0.0.0.0", allow_any=False)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"\xee" * 4 + struct.pack("<I", 40) + b"\x01" * 40, struct.pack("<Ii", 4, -404)),
        (b"\xef\x0a" + b"\x01" * 40, struct.pack("<Bi", 1, -404)),
        (b"\xee" * 4 + struct.pack("<I", 20) + bytes(20), struct.pack("<Ii", 4, -404)),
        (b"GET / HTTP/1.1\r\n\r\n", b""),
    ],
    ids=["unknown key", "unknown key, abridged", "no handshake", "not MTProto"],
)
def test_strangers_get_the_transport_error_and_are_disconnected(start_emulator, sent, answer):
    emulator = start_emulator("tiny", seed=3)
    with socket.create_connection((emulator.host, emulator.port), timeout=10) as connection:
        connection.sendall(sent)
        received = b""
        while chunk := connection.recv(100):
            received += chunk
    assert received == answer


def test_a_call_before_init_connection_is_refused(start_emulator):
    emulator = start_emulator("tiny", seed=3)
    key = emulator.emulator.service.accounts.keys_of("tiny-1")[0]
    now = emulator.emulator.service.clock()
    header = struct.pack("<Q8sQii", key.salts.current(now), b"session1", int(now) << 32, 1, 4)
    packet = crypto.encrypt_message(key.secret, header + struct.pack("<I", 0xC4F9186B), sender="client")
    with socket.create_connection((emulator.host, emulator.port), timeout=10) as connection:
        connection.sendall(b"\xee" * 4 + struct.pack("<I", len(packet)) + packet)
        reader = connection.makefile("rb")
        answer = reader.read(int.from_bytes(reader.read(4), "little"))
    assert b"CONNECTION_NOT_INITED" in crypto.decrypt_message(key.secret, answer, sender="server")


@pytest.mark.parametrize("option", ["port", "admin_port"])
def test_a_port_that_cannot_be_used_is_told_in_one_line(option):
    program = "import sys; from datetime import datetime, UTC; from tg_ingest.emulator.run import run;"
    program += f"run('tiny', seed=3, start=datetime(2024, 1, 1, tzinfo=UTC), {option}=int(sys.argv[1]))"
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        for port, reason in ((taken, f"127.0.0.1, port {taken}: Address already in use"), (70000, "70000 is no port")):
            ended = subprocess.run(
                [sys.executable, "-c", program, str(port)], capture_output=True, text=True, timeout=30, check=False
            )
            assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
            assert reason in ended.stderr


def test_a_folder_that_cannot_keep_the_key_is_named(tmp_path):
    (tmp_path / "server_key.pem").write_text("not a key")
    with pytest.raises(CannotServe, match="cannot be kept in"):
        asyncio.run(serve(load("tiny", seed=3, start=date(2024, 1, 1)), state=tmp_path))


def test_starting_the_admin_side_leaves_the_processs_logging_alone(start_emulator):
    closed = []

    class Handler(logging.Handler):
        def close(self) -> None:
            closed.append(self)
            super().close()

    handler = Handler()
    start_emulator("tiny", seed=3)
    assert closed == []
    handler.close()


def test_a_process_prints_one_line_and_ends_cleanly_at_sigterm(tmp_path):
    program = (
        "import sys; from datetime import datetime, UTC; from pathlib import Path;"
        "from tg_ingest.emulator.run import run;"
        "run('tiny', seed=3, start=datetime(2024, 1, 1, tzinfo=UTC), state=Path(sys.argv[1]))"
    )
    keys = []
    for _ in range(2):
        command = [sys.executable, "-c", program, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert set(ready) == {"host", "port", "admin", "public_key", "world"}
            assert httpx.get(ready["admin"] + "/health").json()["status"] == "ok"
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
            assert (process.returncode, out, err) == (0, "", "")
        keys.append(ready["public_key"])
    assert keys[0] == keys[1]
