"""Processes of the pipeline, each with a session pool over the real account store, that talk to a running emulator."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest
from fix_emulator import EmulatorHandle

from tg_ingest.accounts import Channel, ChannelInfo, Device
from tg_ingest.emulator.world import AccountSpec, World
from tg_ingest.emulator.worlds import load
from tg_ingest.messages.models import MessageRow
from tg_ingest.messages.spool import Part, Spool, read_part
from tg_ingest.postgres.account_store import PostgresAccountStore
from tg_ingest.postgres.connection import create_engine
from tg_ingest.telegram.clock import Clock
from tg_ingest.telegram.credentials import key_id, seal, unseal
from tg_ingest.telegram.pool import SessionPool

NEWS = Channel(slug="tiny_news", username="tiny_news", channel_id=2_200_000_201)
TALK = Channel(slug="tiny_talk", username="tiny_talk", channel_id=2_200_000_202)
KEY = bytes(range(32))


def skipping_clock() -> tuple[Clock, list[float]]:
    """A clock that sleeps a thousand times faster than it says, and the list of what was slept."""
    slept: list[float] = []

    async def skip(seconds: float) -> None:
        await asyncio.sleep(seconds / 1000)
        slept.append(seconds)

    return Clock(now=lambda: time.time() + sum(slept), sleep=skip), slept


@dataclass
class Process:
    """What one process of the pipeline holds."""

    store: PostgresAccountStore
    pool: SessionPool

    def account_id(self, label: str) -> int:
        account = self.store.account(label)
        assert account is not None
        return account.account_id

    def state(self, label: str) -> str:
        account = self.store.account(label)
        assert account is not None
        return account.state


class Processes:
    """Starts processes over one database; the first one registers the emulator's accounts."""

    def __init__(self, database: str, stack: contextlib.ExitStack) -> None:
        self._database = database
        self._stack = stack

    def start(self, emulator: EmulatorHandle, *, interval: float = 0.0, **settings: Any) -> Process:
        engine = create_engine(self._database)
        self._stack.callback(engine.dispose)
        store = PostgresAccountStore(engine)
        self._stack.callback(store.close)
        known = {account.label for account in store.accounts()}
        for account in emulator.accounts():
            if account["label"] not in known:
                register(store, account["label"], account["session"])
        pool = SessionPool(
            store,
            unseal=lambda account, sealed: unseal(sealed, key=KEY, account_id=account.account_id),
            api_id=1,
            api_hash="test",
            holder="test",
            start_intervals={"messages.getHistory": interval, "contacts.resolveUsername": 0.0},
            **settings,
        )
        return Process(store, pool)

    def kill_lock_connections(self) -> None:
        """End the server processes that hold locks, as a restart of the database would."""
        with contextlib.closing(psycopg2.connect(self._database)) as connection:
            connection.autocommit = True
            connection.cursor().execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE application_name = 'tg_ingest account locks' AND datname = current_database()"
            )


@pytest.fixture
def processes(database: str) -> Iterator[Processes]:
    with contextlib.ExitStack() as stack:
        yield Processes(database, stack)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool") as opened:
        yield opened


def register(store: PostgresAccountStore, label: str, session: str) -> int:
    """Import an account, as the command line does."""
    return store.add_account(
        label,
        seal=lambda number: (seal(session, key=KEY, account_id=number), key_id(KEY)),
        device=Device(),
    ).account_id


def tiny_world(*accounts: AccountSpec) -> World:
    """The tiny world: two channels, and three accounts without limits unless others are given."""
    world = load("tiny", seed=1, start=datetime(2024, 1, 1, tzinfo=UTC))
    return World(world.name, world.seed, world.channels, list(accounts) or world.accounts)


def account(number: int, **fields: Any) -> AccountSpec:
    return AccountSpec(label=f"tiny-{number}", user_id=6_900_000_100 + number, phone=f"9996620100{number}", **fields)


def info_of(emulator: EmulatorHandle, channel: Channel, label: str) -> ChannelInfo:
    """The channel as an account would see it after resolving its name."""
    assert channel.channel_id is not None
    return ChannelInfo(
        channel_id=channel.channel_id,
        access_hash=emulator.access_hash(label, channel.channel_id),
        title=channel.slug,
        username=channel.username,
        kind="broadcast",
        is_forum=False,
    )


def let_know(process: Process, emulator: EmulatorHandle, *labels: str, channel: Channel = NEWS) -> None:
    """Store the access of accounts to a channel, as if they had resolved it in an earlier run."""
    for label in labels:
        process.store.save_access(process.account_id(label), info_of(emulator, channel, label))


def tally(emulator: EmulatorHandle, label: str, method: str = "messages.getHistory") -> dict[str, Any]:
    """What the emulator counted for an account and a method."""
    found = [m for m in emulator.served()["methods"] if (m["account"], m["method"]) == (label, method)]
    return found[0] if found else {"calls": 0, "ok": 0, "floods": 0, "calls_inside_wait": 0, "errors": {}}


def facts(rows: list[MessageRow]) -> list[tuple[Any, ...]]:
    """What the emulator's truth says about messages, taken from rows; in the order of ids."""
    return sorted(
        (
            row.message_id,
            int(row.date.timestamp()) if row.date else None,
            int(row.edit_date.timestamp()) if row.edit_date else None,
            row.kind,
            row.text,
        )
        for row in rows
    )


def truth(emulator: EmulatorHandle, channel: Channel, **bounds: int) -> list[tuple[Any, ...]]:
    answer = httpx.get(f"{emulator.admin_url}/truth/{channel.channel_id}", params=bounds, timeout=30.0)
    answer.raise_for_status()
    # Not `iter_lines`: texts hold U+2028 and other characters that Python takes for the end of a line.
    return sorted(
        (t["message_id"], t["date"], t["edit_date"], t["kind"], t.get("rich_text") or t["text"])
        for t in map(json.loads, filter(None, answer.text.split("\n")))
    )


def rows_of(parts: list[Part]) -> list[MessageRow]:
    return [MessageRow(**row) for part in parts for row in read_part(part).to_pylist()]
