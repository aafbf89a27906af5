"""Pages on disk between Telegram and PostgreSQL: what was fetched is never fetched again, whoever dies in between.

`root/<channel id>/<run>-<random>/` belongs to one owner, who lives while it holds a lock on the folder's `owner` file.
Parts stay at their paths all their life: an adopter takes the dead owner's lock, so references to parts stay valid.
"""

import contextlib
import fcntl
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import pyarrow as pa

from tg_ingest.errors import StoreError
from tg_ingest.messages import part_stream
from tg_ingest.messages.coverage import IdRange, IdRanges
from tg_ingest.messages.models import SCHEMA, MessageRow

_FINISHED = ".arrow"
_UNFINISHED = ".arrow.open"


class Page(NamedTuple):
    """What one request brought: the ids that are known now, and a row for each of them that exists."""

    covered: IdRange
    rows: list[MessageRow]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A finished file of the spool."""

    path: Path
    channel_id: int
    covered: IdRanges
    rows: int

    def to_json(self) -> dict[str, Any]:
        """The part as plain JSON values."""
        covered = [[lower, upper] for lower, upper in self.covered]
        return {"path": str(self.path), "channel_id": self.channel_id, "covered": covered, "rows": self.rows}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The part that `to_json` described."""
        covered = IdRanges.of((lower, upper) for lower, upper in values["covered"])
        return cls(path=Path(values["path"]), channel_id=values["channel_id"], covered=covered, rows=values["rows"])


class PartWriter:
    """Collects pages into one part. Leaving the `with` block finishes it, after an error too: its pages are good."""

    def __init__(self, folder: Path, channel_id: int) -> None:
        self._final = folder / f"{secrets.token_hex(6)}{_FINISHED}"
        self._file = part_stream.PageFile(self._final.with_suffix(_UNFINISHED))
        self._channel_id = channel_id
        self._covered = IdRanges()
        self._pages = 0
        self._closed = False
        self.rows = 0

    def append(self, page: Page) -> None:
        """Add a page; from then on a killed process does not lose it. Raises `StoreError` when the disk is full."""
        self._file.append(page.rows, page.covered)
        self._covered |= IdRanges.of([page.covered])
        self._pages += 1
        self.rows += len(page.rows)

    def close(self) -> Part | None:
        """Finish the part; None when no page was added. A second call returns the same part."""
        if not self._closed:
            self._closed = True
            self._file.close()
            if self._pages:
                self._file.path.rename(self._final)
            else:
                self._file.path.unlink()
        if not self._pages:
            return None
        return Part(path=self._final, channel_id=self._channel_id, covered=self._covered, rows=self.rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Spool:
    """The parts under one root folder. An instance owns what it opens and adopts until `close`, or until it dies."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._owned: dict[Path, IO[str]] = {}
        self._folders: dict[tuple[int, str], Path] = {}

    def open_part(self, channel_id: int, *, run_id: str) -> PartWriter:
        """Begin a part; use it as a context manager. Raises `StoreError` when the folder cannot be written."""
        return PartWriter(self._folder(channel_id, run_id), channel_id)

    def adopt(self, channel_id: int, *, run_id: str) -> list[Part]:
        """Take over every part of the channel whose owner is dead, in the order of their ids, newest first.

        From unfinished parts the complete pages are kept. The parts of living owners, this one too, are left alone.
        `run_id` names the adopter in the folders it takes over.
        """
        adopted = []
        with self._alone(channel_id) as channel:
            for folder in sorted(path for path in channel.iterdir() if path.is_dir()):
                if folder in self._owned or not self._take(folder, run_id):
                    continue
                adopted += _finished_parts(folder, channel_id)
        return sorted(adopted, key=lambda part: part.covered.ranges[-1].upper, reverse=True)

    def rows_waiting(self, channel_id: int) -> int:
        """How many rows lie in the channel's parts, whoever owns them, unfinished parts included."""
        rows = 0
        for path in self._channel(channel_id).glob("*/*.arrow*"):
            with contextlib.suppress(FileNotFoundError):  # discarded or renamed in this moment
                rows += part_stream.contents(path)[1]
        return rows

    def discard(self, part: Part) -> None:
        """Remove a part whose rows are in PostgreSQL; nothing happens when it is gone already."""
        part.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Give up ownership: parts that are left may be adopted by others. Folders without parts are removed."""
        for folder, owner in self._owned.items():
            with owner, contextlib.suppress(OSError), (folder.parent / "lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # an adopter must not find a folder that vanishes under its hands
                _remove_without_parts(folder)
        self._owned.clear()
        self._folders.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _channel(self, channel_id: int) -> Path:
        return self._root / str(channel_id)

    def _folder(self, channel_id: int, run_id: str) -> Path:
        """This owner's folder for one run of a channel."""
        known = self._folders.get((channel_id, run_id))
        if known is not None:
            return known
        with self._alone(channel_id) as channel:
            folder = channel / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', run_id)[:80]}-{secrets.token_hex(4)}"
            with part_stream.failures_named(folder):
                folder.mkdir(mode=0o700)
            if not self._take(folder, run_id):
                raise StoreError(f"somebody else took the new spool folder {folder}")
        self._folders[channel_id, run_id] = folder
        return folder

    def _take(self, folder: Path, run_id: str) -> bool:
        """Become the owner of a folder, unless another one lives."""
        lock = _open_lock(folder / "owner")
        if not _locked(lock):
            lock.close()
            return False
        lock.truncate(0)
        lock.write(f"{run_id}\n")
        lock.flush()
        self._owned[folder] = lock
        return True

    @contextlib.contextmanager
    def _alone(self, channel_id: int) -> Iterator[Path]:
        """The channel's folder, while nobody else makes or adopts folders in it."""
        channel = self._channel(channel_id)
        with part_stream.failures_named(channel):
            channel.mkdir(mode=0o700, parents=True, exist_ok=True)
            for made in (self._root, channel):  # `parents` ignores the mode
                made.chmod(0o700)
        with _open_lock(channel / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield channel


def read_part(part: Part) -> pa.Table:
    """All pages of a part as one table of `SCHEMA`, mapped into memory and not copied.

    Raises `StoreError` when the file holds less than the part claims: its ids would count as seen without their rows.
    """
    pages = list(part_stream.pages(part.path))
    table = pa.Table.from_batches([page.batch for page in pages], schema=SCHEMA)
    if table.num_rows != part.rows or IdRanges.of(page.covered for page in pages) != part.covered:
        raise StoreError(f"the part {part.path} is damaged: run the partitions again from the start")
    return table


def _finished_parts(folder: Path, channel_id: int) -> list[Part]:
    """Finish what a dead owner left behind, and describe all of its parts."""
    parts = []
    for path in sorted(folder.glob("*.arrow*")):
        covered, rows = part_stream.contents(path)
        if not covered:
            path.unlink()
            continue
        final = path.with_suffix("") if path.name.endswith(_UNFINISHED) else path
        path.rename(final)
        parts.append(Part(path=final, channel_id=channel_id, covered=covered, rows=rows))
    return parts


def _remove_without_parts(folder: Path) -> None:
    """Remove an owned folder once its parts are gone, with what a killed run made beside them."""
    left = list(folder.iterdir())
    if any(path.name.endswith((_FINISHED, _UNFINISHED)) for path in left):
        return
    for path in left:
        path.unlink(missing_ok=True)
    folder.rmdir()


def _open_lock(path: Path) -> IO[str]:
    with part_stream.failures_named(path):
        lock = path.open("a")
        path.chmod(0o600)
        return lock


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
