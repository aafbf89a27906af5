"""The account store over a real PostgreSQL: what is kept, and that a lock has one holder."""

import threading
from datetime import UTC, datetime

import psycopg2
import pytest
import sqlalchemy as sa

from tg_ingest.accounts import AccountStore, ChannelInfo, Device, Pace
from tg_ingest.errors import StoreError, TransientStoreError
from tg_ingest.postgres.account_store import PostgresAccountStore
from tg_ingest.postgres.connection import create_engine

DEVICE = Device(model="Pixel", system_version="14", app_version="2.0", language="de")


@pytest.fixture
def store(engine: sa.Engine):
    store = PostgresAccountStore(engine)
    yield store
    store.close()


@pytest.fixture
def other_process(database: str):
    """A store with connections of its own, as another process has."""
    engine = create_engine(database)
    store = PostgresAccountStore(engine)
    yield store
    store.close()
    engine.dispose()


def add(store: PostgresAccountStore, label: str = "first") -> int:
    return store.add_account(
        label, seal=lambda number: (f"sealed for {number}".encode(), "k1"), device=DEVICE
    ).account_id


def kill_lock_connection(database: str) -> None:
    """End the server process that holds the locks, as a restart of the database would."""
    connection = psycopg2.connect(database)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE application_name = 'tg_ingest account locks' AND datname = current_database()"
    )
    connection.close()


def test_an_added_account_is_listed_with_its_device_and_its_session_is_sealed_for_its_number(store):
    protocol: AccountStore = store  # the type checker compares every method with the protocol
    account_id = add(store)
    [account] = protocol.accounts()
    assert (account.account_id, account.label, account.state, account.device) == (account_id, "first", "active", DEVICE)
    assert protocol.sealed_session(account_id) == f"sealed for {account_id}".encode()
    assert store.account("first") == account
    assert store.account("second") is None


def test_a_label_is_given_once(store):
    add(store)
    with pytest.raises(StoreError, match="label 'first' exists already"):
        add(store)


def test_a_removed_account_takes_its_secrets_with_it(store):
    account_id = add(store)
    store.save_pace(account_id, "messages.getHistory", Pace(interval=1.0))
    store.remove_account(account_id)
    assert store.accounts() == []
    assert store.paces(account_id) == {}
    with pytest.raises(StoreError, match="has no session"):
        store.sealed_session(account_id)


def test_a_new_login_replaces_the_session(store):
    account_id = add(store)
    store.reseal(account_id, sealed=b"new", key_id="k2")
    assert store.sealed_session(account_id) == b"new"


def test_a_lock_has_one_holder_between_processes_and_within_one(store, other_process):
    assert store.try_lock(7)
    assert not store.try_lock(7)
    assert not other_process.try_lock(7)
    assert other_process.try_lock(8)
    store.unlock(7)
    assert other_process.try_lock(7)


def test_threads_that_race_for_a_lock_leave_one_winner(store):
    start = threading.Barrier(8)
    won = []

    def race() -> None:
        start.wait()
        won.append(store.try_lock(7))

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_a_lost_connection_loses_every_lock_and_says_so_until_all_are_given_back(store, other_process, database):
    assert store.try_lock(7)
    assert store.try_lock(8)
    store.check_locks()
    kill_lock_connection(database)
    with pytest.raises(TransientStoreError, match="lost: 7, 8"):
        store.check_locks()
    assert other_process.try_lock(7)
    assert not store.try_lock(7)
    store.unlock(7)
    with pytest.raises(TransientStoreError, match="lost: 8"):
        store.check_locks()
    store.unlock(8)
    store.check_locks()
    assert not store.try_lock(7)
    assert store.try_lock(8)


def test_taking_another_lock_on_a_dead_connection_does_not_hide_the_loss(store, database):
    assert store.try_lock(7)
    kill_lock_connection(database)
    with pytest.raises(StoreError):
        store.try_lock(8)
    assert store.try_lock(8)
    with pytest.raises(StoreError, match="lost: 7"):
        store.check_locks()


def test_a_closed_store_gives_its_locks_back(store, other_process):
    assert store.try_lock(7)
    store.close()
    assert other_process.try_lock(7)


def test_a_holder_that_died_is_remembered_until_one_disconnects_in_order(store):
    account_id = add(store)
    assert store.connected_since(account_id) is None
    store.record_connected(account_id, "host:1")
    since = store.connected_since(account_id)
    assert since is not None
    assert since.tzinfo is not None
    store.record_disconnected(account_id)
    assert store.connected_since(account_id) is None


def test_a_state_is_kept_with_its_reason(store):
    account_id = add(store)
    store.set_state(account_id, "retired", "AUTH_KEY_UNREGISTERED")
    [account] = store.accounts()
    assert (account.state, account.state_reason) == ("retired", "AUTH_KEY_UNREGISTERED")


def test_paces_are_kept_by_method_and_the_last_one_counts(store):
    account_id = add(store)
    blocked = datetime(2024, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    store.save_pace(account_id, "a", Pace(interval=1.25))
    store.save_pace(account_id, "b", Pace(interval=2.0))
    store.save_pace(account_id, "a", Pace(interval=2.5, ceiling=1.0, blocked_until=blocked))
    assert store.paces(account_id) == {
        "a": Pace(interval=2.5, ceiling=1.0, blocked_until=blocked),
        "b": Pace(interval=2.0),
    }


def test_an_access_hash_belongs_to_one_account(store):
    first, second = add(store, "first"), add(store, "second")
    channel = ChannelInfo(
        channel_id=10**10, access_hash=-(2**63), title="T", username=None, kind="broadcast", is_forum=False
    )
    store.save_access(first, channel)
    assert store.access(first, 10**10) == channel
    assert store.access(second, 10**10) is None
    store.forget_access(first, 10**10)
    assert store.access(first, 10**10) is None
