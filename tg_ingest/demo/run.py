"""The demo from start to end: start the services, backfill twice through the daemon, prove the result, show it."""

import json
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tg_ingest import local_database
from tg_ingest.demo.processes import Processes
from tg_ingest.demo.progress import Display
from tg_ingest.demo.proof import ChannelProof, prove_channel
from tg_ingest.demo.services import Services, alone, demo_settings, has_state, running
from tg_ingest.demo.watch import Watcher
from tg_ingest.errors import TgIngestError
from tg_ingest.settings import Settings

_PATIENCE = 600.0


class DemoFailed(TgIngestError):
    """A backfill of the demo ended badly or not at all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo did. `seconds` is the first backfill, from its launch to the end of its last run."""

    messages: int
    expected: int
    missing: int
    duplicates: int
    mismatched: int
    unexpected: int
    rejected: int
    inserted_on_rerun: int
    updated_on_rerun: int
    flood_waits: int
    calls_inside_wait: int
    duplicated_keys: int
    rotations: int
    sessions_retired: int
    runs: int
    seconds: float
    messages_per_second: float

    @property
    def holds(self) -> bool:
        """Whether the promises were kept."""
        wrong = self.missing, self.duplicates, self.mismatched, self.unexpected
        rude = self.calls_inside_wait, self.duplicated_keys
        kept = not any((*wrong, *rude, self.inserted_on_rerun, self.updated_on_rerun))
        return kept and self.messages == self.expected > 0  # a world of nothing proves nothing


def reset_state(settings: Settings) -> None:
    """Stop what an earlier demo left running and delete its state; a folder that no demo made is left alone."""
    if not has_state(settings):
        return
    state = demo_settings(settings)
    with alone(state):
        Processes(state.home / "processes").stop_leftovers()
        local_database.destroy(state)
        shutil.rmtree(state.home)


def run_demo(settings: Settings, *, once: bool, as_json: bool) -> int:
    """Run the demo; returns the exit code: 0 only if the promises were kept."""
    console = Console(stderr=as_json)
    for order in (signal.SIGTERM, signal.SIGHUP):  # being told to stop is like Ctrl-C: stop all processes
        if signal.getsignal(order) != signal.SIG_IGN:  # nohup
            signal.signal(order, signal.default_int_handler)
    with running(demo_settings(settings), console) as services:
        console.print(f"Dagster UI: [link]{services.dagster.url}[/link]\n", highlight=False)
        outcome, proofs = ingest_twice_and_prove(services, console)
        show(console, outcome, proofs)
        if not once:
            _stay_open(services, console)
    if as_json:
        print(json.dumps(asdict(outcome)), flush=True)  # noqa: T201  # the result is the output, and its last line
    return 0 if outcome.holds else 1


def ingest_twice_and_prove(services: Services, console: Console) -> tuple[Outcome, list[ChannelProof]]:
    """Backfill every partition, backfill again, and hold every row against the world."""
    with Watcher(services) as watcher:
        return _watched(services, watcher, console)


def _watched(services: Services, watcher: Watcher, console: Console) -> tuple[Outcome, list[ChannelProof]]:
    started = time.monotonic()
    before = sum(watcher.stored().values())
    runs = backfill_everything(services, watcher, console)
    seconds = time.monotonic() - started
    stored = sum(watcher.stored().values())
    console.print("Once more, to show that nothing changes ...", highlight=False)
    rerun = backfill_everything(services, watcher, console)
    proofs = _prove(services, watcher, console)
    numbers = [services.dagster.numbers(run) for run in runs]
    again = [services.dagster.numbers(run) for run in rerun]
    return (
        Outcome(
            messages=sum(p.stored for p in proofs),
            expected=sum(p.expected for p in proofs),
            missing=sum(p.missing for p in proofs),
            duplicates=sum(p.duplicates for p in proofs),
            mismatched=sum(p.mismatched for p in proofs),
            unexpected=sum(p.unexpected for p in proofs),
            rejected=watcher.rejected(),
            inserted_on_rerun=int(sum(n["inserted"] for n in again)),
            updated_on_rerun=int(sum(n["updated"] for n in again)),
            **services.emulator.manners()._asdict(),
            rotations=int(sum(n["rotations"] for n in numbers + again)),
            sessions_retired=sum(s.state == "retired" for s in watcher.sessions()),
            runs=len(runs) + len(rerun),
            seconds=round(seconds, 1),
            messages_per_second=round((stored - before) / seconds, 1),
        ),
        proofs,
    )


def backfill_everything(services: Services, watcher: Watcher, console: Console) -> list[str]:
    """Backfill every partition through the daemon and follow it; returns the ids of its runs."""
    wanted = set(watcher.partitions())
    backfill_id = services.dagster.launch_backfill(watcher.partitions())
    deadline = time.monotonic() + _PATIENCE
    display = Display(console, services.channels)
    with display.shown():
        while True:
            services.processes.check()
            backfill = services.dagster.backfill(backfill_id)
            ended = sum(status in {"SUCCESS", "FAILURE", "CANCELED"} for status in backfill.runs.values())
            display.update(watcher.fetched(), watcher.sessions(), f"{ended} of {len(backfill.runs)} runs ended")
            if backfill.has_failed or (backfill.runs_ended and watcher.partitions_of(backfill.ranges) == wanted):
                break
            if time.monotonic() > deadline:
                raise DemoFailed(f"the backfill {backfill_id} did not end within {_PATIENCE:g} s")
            time.sleep(1.0)
    if backfill.has_failed:
        raise DemoFailed(f"the backfill ended as {backfill.status}; see {services.dagster.url}/runs/b/{backfill_id}")
    return list(backfill.runs)


def _prove(services: Services, watcher: Watcher, console: Console) -> list[ChannelProof]:
    proofs = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Comparing every row with the world", total=sum(services.channels.values()))
        for slug, channel_id in services.ids.items():
            world, rows = services.emulator.facts(channel_id), watcher.facts(channel_id)
            proofs.append(prove_channel(slug, world, rows, advance=lambda: progress.advance(task)))
    return proofs


def show(console: Console, outcome: Outcome, proofs: list[ChannelProof]) -> None:
    """Print the result: a table of channels, what it took, and whether it is proven."""
    table = Table("channel", "Telegram", "PostgreSQL", "missing", "duplicates", "mismatched", box=SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    for p in proofs:
        numbers = (p.expected, p.stored, p.missing, p.duplicates, p.mismatched)
        table.add_row(p.title, *(f"{number:,}" for number in numbers))
    console.print(table)
    for example in (e for p in proofs for e in p.examples):
        console.print(f"  {example}", style="red")
    console.print(
        f"{outcome.messages:,} messages in {outcome.seconds:g} s ({outcome.messages_per_second:,.0f}/s) by "
        f"{outcome.runs} runs; {outcome.flood_waits} flood waits, {outcome.rotations} rotations, "
        f"{outcome.sessions_retired} session retired; the second backfill inserted {outcome.inserted_on_rerun} "
        f"and updated {outcome.updated_on_rerun}.",
        highlight=False,
    )
    verdict = "[green]PROVEN[/]: the database is the world." if outcome.holds else "[red]NOT PROVEN[/]."
    console.print(verdict, highlight=False)


def _stay_open(services: Services, console: Console) -> None:
    console.print(f"\nThe Dagster UI is open at {services.dagster.url} - Ctrl-C stops everything.", highlight=False)
    with suppress(KeyboardInterrupt):
        while True:
            services.processes.check()
            time.sleep(1.0)
