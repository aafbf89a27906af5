"""The spool on a real disk: what is appended survives a kill, and a part has one living owner."""

import fcntl
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from tg_ingest.errors import StoreError
from tg_ingest.messages.coverage import IdRange, IdRanges
from tg_ingest.messages.part_stream import to_batch
from tg_ingest.messages.spool import Page, Part, Spool, read_part
from tg_ingest_tests.message_rows import CHANNEL, message, table_of

# A process of its own, as a killed run is: it appends two pages, says so, and then waits for its end.
KEEP_OPEN = """
import sys
from pathlib import Path
from tg_ingest.messages.coverage import IdRange
from tg_ingest.messages.spool import Page, Spool
from tg_ingest_tests.message_rows import CHANNEL, message
spool = Spool(Path(sys.argv[1]))
with spool.open_part(CHANNEL, run_id="killed") as finished:
    finished.append(Page(IdRange(200, 300), [message(250)]))
writer = spool.open_part(CHANNEL, run_id="killed")
writer.append(Page(IdRange(1, 11), [message(i) for i in range(1, 11)]))
writer.append(Page(IdRange(11, 21), []))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def spool(tmp_path: Path):
    with Spool(tmp_path / "spool") as spool:
        yield spool


@pytest.fixture
def other_run(tmp_path: Path):
    """A process with a finished part of 1 row and an unfinished one of 10 rows."""
    process = subprocess.Popen(
        [sys.executable, "-c", KEEP_OPEN, str(tmp_path / "spool")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def ids(part: Part) -> list[int]:
    return read_part(part)["message_id"].to_pylist()


def test_a_part_holds_every_row_and_column_as_it_was_appended(spool):
    rows = [message(1, text="ж\U0001f600\r\n", entities="[]", views=7), message(2, text="", date=None, raw="x" * 9)]
    with spool.open_part(CHANNEL, run_id="r") as writer:
        writer.append(Page(IdRange(1, 5), rows))
        writer.append(Page(IdRange(5, 9), []))
        part = writer.close()
    assert part is not None
    assert (part.channel_id, part.covered, part.rows) == (CHANNEL, IdRanges.of([(1, 9)]), 2)
    assert read_part(part).equals(table_of(*rows))
    assert writer.close() == part


def test_a_part_without_a_page_is_no_part(spool, tmp_path):
    with spool.open_part(CHANNEL, run_id="r") as writer:
        pass
    assert writer.close() is None
    assert list(tmp_path.rglob("*.arrow*")) == []


def test_a_page_without_rows_still_covers_its_ids(spool):
    with spool.open_part(CHANNEL, run_id="r") as writer:
        writer.append(Page(IdRange(50, 150), []))
    part = writer.close()
    assert part is not None
    assert (part.covered, part.rows, ids(part)) == (IdRanges.of([(50, 150)]), 0, [])


def test_a_part_survives_json():
    part = Part(path=Path("/a b/c.arrow"), channel_id=5, covered=IdRanges.of([(1, 3), (7, 9)]), rows=4)
    assert Part.from_json(part.to_json()) == part


def test_rows_waiting_counts_unfinished_parts_too(spool):
    assert spool.rows_waiting(CHANNEL) == 0
    with spool.open_part(CHANNEL, run_id="r") as writer:
        writer.append(Page(IdRange(1, 5), [message(1), message(2)]))
        assert spool.rows_waiting(CHANNEL) == 2
    part = writer.close()
    assert spool.rows_waiting(CHANNEL) == 2
    spool.discard(part)
    spool.discard(part)
    assert spool.rows_waiting(CHANNEL) == 0


def test_a_killed_run_loses_no_appended_page_and_its_parts_keep_their_paths(spool, other_run, tmp_path):
    finished_before = set(tmp_path.rglob("*.arrow"))
    kill(other_run)
    newest, salvaged = spool.adopt(CHANNEL, run_id="heir")
    assert (newest.covered, newest.rows, ids(newest)) == (IdRanges.of([(200, 300)]), 1, [250])
    assert finished_before == {newest.path}
    assert (salvaged.covered, salvaged.rows) == (IdRanges.of([(1, 21)]), 10)
    assert ids(salvaged) == list(range(1, 11))


def test_a_living_run_is_never_robbed(spool, other_run):
    assert other_run.poll() is None
    assert spool.adopt(CHANNEL, run_id="thief") == []
    assert spool.rows_waiting(CHANNEL) == 11


def test_an_adopted_part_has_an_owner_again(spool, other_run, tmp_path):
    kill(other_run)
    assert len(spool.adopt(CHANNEL, run_id="first heir")) == 2
    with Spool(tmp_path / "spool") as second:
        assert second.adopt(CHANNEL, run_id="second heir") == []
        spool.close()
        assert len(second.adopt(CHANNEL, run_id="second heir")) == 2


@pytest.mark.parametrize("torn", [1, 7, 100, 2000])
def test_a_half_written_page_is_dropped_and_the_pages_before_it_stay(spool, other_run, tmp_path, torn):
    kill(other_run)
    [unfinished] = tmp_path.rglob("*.arrow.open")
    scrap = tmp_path / "scrap"
    with pa.OSFile(str(scrap), "wb") as sink, pa.ipc.new_stream(sink, to_batch([]).schema) as writer:
        start = sink.tell()
        writer.write_batch(to_batch([message(i) for i in range(30, 40)]), custom_metadata={"covered": "30 40"})
    with unfinished.open("ab") as file:
        file.write(scrap.read_bytes()[start : start + torn])
    salvaged = spool.adopt(CHANNEL, run_id="heir")[-1]
    assert (salvaged.covered, ids(salvaged)) == (IdRanges.of([(1, 21)]), list(range(1, 11)))


@pytest.mark.parametrize("size", [0, 3, 200])
def test_a_run_that_was_killed_before_its_first_page_leaves_nothing(spool, other_run, tmp_path, size):
    kill(other_run)
    [unfinished] = tmp_path.rglob("*.arrow.open")
    os.truncate(unfinished, size)
    [part] = spool.adopt(CHANNEL, run_id="heir")
    assert part.covered == IdRanges.of([(200, 300)])
    assert not unfinished.exists()


@pytest.mark.parametrize("pages_before", [[], [Page(IdRange(1, 5), [message(1)])]], ids=["first page", "later page"])
def test_a_full_disk_is_named_and_costs_only_the_page_that_did_not_fit(spool, pages_before):
    """RLIMIT_FSIZE stands for the full disk: the same write fails, in the same place (EFBIG instead of ENOSPC)."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with spool.open_part(CHANNEL, run_id="r") as writer:
            for page in pages_before:
                writer.append(page)
            resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, limits[1]))
            with pytest.raises(StoreError, match=r"cannot write the spool at .*File too large; free space"):
                writer.append(Page(IdRange(5, 9), [message(6, raw="x" * 100_000)]))
            writer.append(Page(IdRange(9, 12), [message(9)]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    part = writer.close()
    assert part is not None
    kept = [*pages_before, Page(IdRange(9, 12), [message(9)])]
    assert (part.covered, ids(part)) == (
        IdRanges.of(page.covered for page in kept),
        [row.message_id for page in kept for row in page.rows],
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_the_error_of_a_really_full_disk_reads_well(spool):
    with spool.open_part(CHANNEL, run_id="r") as writer:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, writer._file._file)
        os.close(full)
        with pytest.raises(StoreError, match="No space left on device; free space there or set TG_INGEST_HOME"):
            writer.append(Page(IdRange(1, 5), [message(1)]))
    assert writer.close() is None


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot write the spool at .*file.*Not a directory"):
        Spool(tmp_path / "file").open_part(CHANNEL, run_id="r")


def test_nobody_else_can_read_the_spool(spool, tmp_path):
    spool.open_part(CHANNEL, run_id="r/../../x").close()
    with spool.open_part(CHANNEL, run_id="r/../../x") as writer:
        writer.append(Page(IdRange(1, 5), [message(1)]))
    for path in (tmp_path / "spool", *(tmp_path / "spool").rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_closed_spool_leaves_no_empty_folder(spool, tmp_path):
    with spool.open_part(CHANNEL, run_id="r") as writer:
        writer.append(Page(IdRange(1, 5), [message(1)]))
    part = writer.close()
    part.path.with_suffix(".accepted").write_text("made beside the part by a run that was killed")
    spool.discard(part)
    spool.close()
    assert [path.name for path in (tmp_path / "spool" / str(CHANNEL)).iterdir()] == ["lock"]


def test_a_folder_does_not_vanish_while_another_run_adopts(spool, tmp_path):
    spool.open_part(CHANNEL, run_id="r").close()
    [folder] = (path for path in (tmp_path / "spool" / str(CHANNEL)).iterdir() if path.is_dir())
    closing = threading.Thread(target=spool.close)
    with (folder.parent / "lock").open("a") as adopter:
        fcntl.flock(adopter, fcntl.LOCK_EX)
        closing.start()
        closing.join(0.2)
        assert (folder / "owner").exists()
    closing.join()
    assert not folder.exists()


@pytest.mark.parametrize("size", [0, 10_000])
def test_a_damaged_part_is_not_taken_for_ids_without_messages(spool, size):
    with spool.open_part(CHANNEL, run_id="r") as writer:
        for lower in (1, 5, 9):
            writer.append(Page(IdRange(lower, lower + 4), [message(lower, raw="x" * 3000)]))
    part = writer.close()
    os.truncate(part.path, size)
    with pytest.raises(StoreError, match="is damaged: run the partitions again from the start"):
        read_part(part)


def test_a_lone_surrogate_is_replaced_and_the_page_goes_on(spool):
    with spool.open_part(CHANNEL, run_id="r") as writer:
        writer.append(Page(IdRange(1, 5), [message(1, text="a\ud83db"), message(2, text="\ud83d\ude00")]))
    assert read_part(writer.close())["text"].to_pylist() == ["a�b", "\U0001f600"]
