"""The `tg-ingest` command: thin; each command imports what it needs when it is called.

Exit codes: 0 done; 1 the job failed or is not complete; 2 bad use (a wrong argument or setting); 130 interrupted.
"""

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tg_ingest.errors import ChannelUnavailable, ConfigurationError, TgIngestError
from tg_ingest.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
db = typer.Typer(no_args_is_help=True, help="The messages' database.")
session = typer.Typer(no_args_is_help=True, help="The Telegram accounts that read.")
channel = typer.Typer(no_args_is_help=True, help="The channels to ingest.")
app.add_typer(db, name="db")
app.add_typer(session, name="session")
app.add_typer(channel, name="channel")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; what the user can mend is one line on standard error and a non-zero exit code."""
    try:
        app(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="tg-ingest")
    except (ConfigurationError, ChannelUnavailable) as error:
        _complain(error)
        sys.exit(2)
    except TgIngestError as error:
        _complain(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _complain(error: TgIngestError) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"tg-ingest: {error}", markup=False)


@app.command()
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the proof instead of leaving the UI open.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End standard output with one JSON object.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Empty the state folder and end.")] = False,
) -> None:
    """Ingest an emulated Telegram into an embedded PostgreSQL through Dagster, and prove that nothing is missing."""
    from tg_ingest.demo.run import reset_state, run_demo

    settings = Settings.from_environment()
    if reset:
        reset_state(settings)
        return
    raise typer.Exit(run_demo(settings, once=once, as_json=as_json))


@app.command()
def emulator(
    *,
    world: Annotated[str, typer.Option(help="A built-in world (demo, tiny, bench:N) or a JSON file.")] = "demo",
    seed: Annotated[int, typer.Option(help="The world is computed from it.")] = 1,
    start: Annotated[str, typer.Option(help="The world's first month.")] = "2023-01",
    state: Annotated[Path | None, typer.Option(help="A folder that keeps the server's RSA key.")] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The MTProto port; 0 takes a free one.")] = 0,
    admin_port: Annotated[int, typer.Option(help="The admin interface's port; 0 takes a free one.")] = 0,
) -> None:
    """Serve a local Telegram over real MTProto, for the demo and the tests. Prints one JSON line when it is ready."""
    from tg_ingest.emulator.run import run as run_emulator
    from tg_ingest.emulator.worlds import WorldError

    try:
        run_emulator(world, seed=seed, start=_month(start), host=host, port=port, admin_port=admin_port, state=state)
    except WorldError as error:
        raise ConfigurationError(str(error)) from error


def _month(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise ConfigurationError(f"{text!r} is not a month: give one such as 2023-11") from None


@app.command()
def run(
    slug: Annotated[str, typer.Argument(metavar="CHANNEL", help="A channel that `channel list` shows, or a username.")],
    *,
    first: Annotated[
        str, typer.Option("--from", help="The first window, such as 2024-01. Default: the very first.")
    ] = "",
    last: Annotated[str, typer.Option("--to", help="The last window. Default: the current one.")] = "",
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for Telegram or a free account.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Ingest a channel in this process, recorded in Dagster like any other run. For cron, and for a first look."""
    from tg_ingest.local_run import run_channel

    settings = Settings.from_environment()
    with Console(stderr=True).status(f"Ingesting {escape(slug)} ..."):
        numbers = run_channel(settings, slug, first=first, last=last, max_wait=wait)
    if as_json:
        typer.echo(json.dumps(numbers, default=str))
    else:
        _show(["", slug], list(numbers.items()), as_json=False)


@app.command("dagster", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dagster_command(context: typer.Context) -> None:
    """Run Dagster's own command with this project's instance and databases, such as `tg-ingest dagster dev`."""
    from tg_ingest.instance import dagster_environment, instance_file

    arguments = context.args
    if arguments[:1] == ["dev"] and not {"-w", "--workspace", "-m", "-f"} & set(arguments):
        arguments = [*arguments, "-w", str(instance_file("workspace.yaml"))]
    command = [sys.executable, "-m", "dagster", *arguments]
    os.execve(sys.executable, command, dagster_environment(Settings.from_environment()))  # noqa: S606  # no shell


@db.command("start")
def db_start() -> None:
    """Start the embedded PostgreSQL and bring it up to date. It runs until `tg-ingest db stop`."""
    from tg_ingest.local_database import start

    Console().print(f"PostgreSQL runs: {start(Settings.from_environment())}", highlight=False)


@db.command("stop")
def db_stop() -> None:
    """Stop the embedded PostgreSQL; its data stays."""
    from tg_ingest.local_database import stop

    stop(Settings.from_environment())


@db.command("migrate")
def db_migrate() -> None:
    """Bring the database's schema up to date."""
    from tg_ingest.postgres.migrate import migrate

    applied = migrate(Settings.from_environment().database_url)
    Console().print(f"applied: {', '.join(applied)}" if applied else "the schema is up to date", highlight=False)


@session.command("import")
def session_import(
    label: Annotated[str, typer.Argument(help="Your own name for the account, such as reader-1.")],
    source: Annotated[str, typer.Argument(help="A Telethon .session file, or - to read a StringSession.")] = "-",
) -> None:
    """Add an account from an existing Telethon session. The key is sealed before it is stored."""
    from tg_ingest.ingestion.sessions import import_session

    if source == "-":
        text = typer.prompt("StringSession", hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
    else:
        text = source
    import_session(Settings.from_environment(), label, text.strip())
    Console().print(f"session {label}: stored, sealed", highlight=False, markup=False)


@session.command("list")
def session_list(*, as_json: Json = False) -> None:
    """Show every account's state."""
    from tg_ingest.ingestion.sessions import list_sessions

    _show(["label", "state", "reason", "resting until"], list_sessions(Settings.from_environment()), as_json=as_json)


@channel.command("add")
def channel_add(
    names: Annotated[list[str], typer.Argument(help="Usernames, with or without @ or https://t.me/.")],
) -> None:
    """Register public channels and give each its partitions in Dagster. Telegram is asked at the first run."""
    from tg_ingest.local_run import add_channels

    for slug in add_channels(Settings.from_environment(), names):
        Console().print(f"channel {slug}: registered", highlight=False)


@channel.command("list")
def channel_list(*, as_json: Json = False) -> None:
    """Show the registered channels, and how much of each is stored."""
    from tg_ingest.ingestion.channels import list_channels

    columns = ["channel", "id", "messages", "ids not seen yet"]
    _show(columns, list_channels(Settings.from_environment()), as_json=as_json)


def _show(columns: list[str], rows: Sequence[tuple[object, ...]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=str))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*map(_harmless, row))
    Console(markup=False, highlight=False).print(table)


def _harmless(cell: object) -> str:
    """What comes from Telegram may hold terminal escapes: show only what is printable."""
    return "" if cell is None else "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(cell))
