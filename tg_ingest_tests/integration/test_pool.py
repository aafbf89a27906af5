"""The session pool over the real store: one holder per account, whatever happens to the holder."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta

import pytest
from fix_telegram import NEWS, account, info_of, let_know, skipping_clock, tally, tiny_world

from tg_ingest.accounts import Pace
from tg_ingest.errors import ConfigurationError, FloodWait, PoolClosed, PoolTimeout, TransientTelegramError
from tg_ingest.telegram.clock import Clock

HISTORY = "messages.getHistory"


@pytest.fixture
def emulator(start_emulator):
    return start_emulator(tiny_world(account(1), account(2)))


@pytest.fixture
def lonely(start_emulator):
    """A Telegram with one account."""
    return start_emulator(tiny_world(account(1)))


async def look(lease, emulator):
    return await lease.history(info_of(emulator, NEWS, lease.account.label), limit=1)


async def test_a_lease_connects_and_says_goodbye(processes, emulator):
    process = processes.start(emulator)
    async with process.pool as pool:
        async with pool.lease() as lease:
            assert lease.is_connected
            assert process.store.connected_since(lease.account.account_id) is not None
            assert {s.label: s.state for s in pool.stats().sessions} == {"tiny-1": "working", "tiny-2": "free"}
            await look(lease, emulator)
        assert not lease.is_connected
        assert process.store.connected_since(lease.account.account_id) is None
        assert [(s.label, s.state, s.calls) for s in pool.stats().sessions] == [
            ("tiny-1", "free", 1),
            ("tiny-2", "free", 0),
        ]


async def test_two_processes_never_hold_the_same_account(processes, emulator):
    one, two = processes.start(emulator), processes.start(emulator)
    async with one.pool, two.pool, one.pool.lease() as first, two.pool.lease() as second:
        assert {first.account.label, second.account.label} == {"tiny-1", "tiny-2"}
        with pytest.raises(PoolTimeout, match=r"tiny-1 works for this process, tiny-2 is held by another process"):
            async with one.pool.lease():
                pass


async def test_a_process_takes_over_what_another_gave_back(processes, lonely):
    one, two = processes.start(lonely), processes.start(lonely)
    async with one.pool, two.pool:
        async with one.pool.lease():
            waiting = asyncio.create_task(_lease_for_a_moment(two.pool, wait=20))
            await asyncio.sleep(0)
        assert await waiting == "tiny-1"


async def _lease_for_a_moment(pool, **arguments):
    async with pool.lease(**arguments) as lease:
        return lease.account.label


async def test_many_tasks_of_one_process_share_accounts_one_at_a_time(processes, emulator):
    process = processes.start(emulator)
    held: set[str] = set()

    async def work():
        async with process.pool.lease(wait=30) as lease:
            assert lease.account.label not in held
            held.add(lease.account.label)
            await look(lease, emulator)
            held.remove(lease.account.label)

    async with process.pool:
        await asyncio.gather(*(work() for _ in range(8)))
    assert sum(tally(emulator, label)["ok"] for label in ("tiny-1", "tiny-2")) == 8


async def test_without_a_usable_account_the_way_out_is_named(processes, emulator):
    process = processes.start(emulator)
    for label in ("tiny-1", "tiny-2"):
        process.store.set_state(process.account_id(label), "retired", "SESSION_REVOKED")
    with pytest.raises(ConfigurationError, match=r"tiny-1 is retired, .*`tg-ingest session import`"):
        async with process.pool.lease():
            pass
    for label in ("tiny-1", "tiny-2"):
        process.store.remove_account(process.account_id(label))
    with pytest.raises(ConfigurationError, match=r"no Telegram account is registered; .*`tg-ingest session import`"):
        async with process.pool.lease():
            pass


async def test_the_account_that_knows_the_channel_comes_first(processes, emulator):
    process = processes.start(emulator)
    let_know(process, emulator, "tiny-2")
    async with process.pool as pool, pool.lease(channel_id=NEWS.channel_id) as lease:
        assert lease.account.label == "tiny-2"


async def test_a_flood_wait_outlives_the_process(processes, lonely):
    lonely.fault("flood", seconds=900, method=HISTORY)
    one = processes.start(lonely)
    async with one.pool as pool, pool.lease() as lease:
        with pytest.raises(FloodWait, match="900 s"):
            await look(lease, lonely)
        with pytest.raises(FloodWait):  # raised without a call
            await look(lease, lonely)
        assert pool.stats().floods == 1
        # At once, not when the lease ends: the process may be killed before.
        assert one.store.paces(lease.account.account_id)[HISTORY].blocked_until is not None
    with pytest.raises(PoolTimeout, match=r"tiny-1 rests until") as caught:
        async with processes.start(lonely).pool.lease(wait=1):
            pass
    assert caught.value.next_free_at is not None
    assert timedelta(seconds=890) < caught.value.next_free_at - datetime.now(UTC) < timedelta(seconds=910)
    assert tally(lonely, "tiny-1")["calls"] == 1


async def test_a_resting_account_is_waited_for(processes, lonely):
    clock, slept = skipping_clock()
    process = processes.start(lonely, clock=clock)
    blocked = Pace(interval=1.0, ceiling=None, blocked_until=datetime.now(UTC) + timedelta(seconds=20))
    process.store.save_pace(process.account_id("tiny-1"), HISTORY, blocked)
    async with process.pool as pool, pool.lease(wait=30):
        pass
    assert sum(slept) == pytest.approx(20, abs=2)


async def test_a_revoked_session_retires_and_another_one_goes_on(processes, emulator):
    emulator.fault("revoke", account="tiny-1", error="SESSION_REVOKED")
    process = processes.start(emulator)
    async with process.pool as pool:
        for _ in range(2):
            with contextlib.suppress(Exception):
                async with pool.lease() as lease:
                    await look(lease, emulator)
        await pool.refresh()
        assert {s.label: (s.state, s.reason) for s in pool.stats().sessions} == {
            "tiny-1": ("retired", "SESSION_REVOKED"),
            "tiny-2": ("free", None),
        }
    assert (tally(emulator, "tiny-1")["ok"], tally(emulator, "tiny-2")["ok"] >= 1) == (0, True)


async def test_a_flood_on_the_way_in_passes_the_work_to_another_account(processes, emulator):
    emulator.fault("flood", seconds=900, account="tiny-1", method="users.getUsers")
    process = processes.start(emulator)
    async with process.pool as pool, pool.lease() as lease:
        assert lease.account.label == "tiny-2"
        flooded = pool.stats().sessions[0]
        assert (flooded.label, flooded.state, flooded.floods) == ("tiny-1", "cooling_down", 1)


async def test_a_flood_on_connecting_again_is_waited_for(processes, lonely):
    async with processes.start(lonely).pool as pool, pool.lease() as lease:
        lonely.fault("drop", when="after", method=HISTORY)
        lonely.fault("flood", seconds=1, method="users.getUsers")
        with pytest.raises(TransientTelegramError):
            await look(lease, lonely)
        with pytest.raises(FloodWait, match="connect"):
            await look(lease, lonely)
        assert (await look(lease, lonely)).count is not None
    assert tally(lonely, "tiny-1", "users.getUsers")["calls_inside_wait"] == 0


async def test_a_long_flood_on_connecting_again_is_raised_without_a_call(processes, lonely):
    async with processes.start(lonely).pool as pool, pool.lease() as lease:
        lonely.fault("drop", when="after", method=HISTORY)
        lonely.fault("flood", seconds=900, method="users.getUsers")
        with pytest.raises(TransientTelegramError):
            await look(lease, lonely)
        for _ in range(3):
            with pytest.raises(FloodWait, match="connect"):
                await look(lease, lonely)
    assert tally(lonely, "tiny-1", "users.getUsers")["calls"] == 2
    assert tally(lonely, "tiny-1", "users.getUsers")["calls_inside_wait"] == 0


async def test_a_connection_remembers_no_users(processes, lonely):
    async with processes.start(lonely).pool as pool, pool.lease() as lease:
        await lease.resolve_username("tiny_talk")
        assert lease._client._telethon.session._entities == set()  # memory has no other witness


async def test_a_key_that_the_server_forgot_is_quarantined(processes, emulator):
    emulator.fault("revoke", account="tiny-1", error="AUTH_KEY_NOT_FOUND")
    process = processes.start(emulator)
    async with process.pool as pool, pool.lease() as lease:
        assert lease.account.label == "tiny-2"
    assert process.state("tiny-1") == "quarantined"


async def test_an_account_left_connected_rests_before_the_next_holder_connects(processes, lonely):
    clock, slept = skipping_clock()
    process = processes.start(lonely, clock=clock, grace_seconds=30.0)
    process.store.record_connected(process.account_id("tiny-1"), "a process that was killed")
    with pytest.raises(PoolTimeout, match="tiny-1 was left connected and must rest 30 s first"):
        async with process.pool.lease(wait=5):
            pass
    assert tally(lonely, "tiny-1", "help.getConfig")["calls"] == 0
    slept.clear()
    async with process.pool as pool, pool.lease(wait=40):
        assert sum(slept) == pytest.approx(30)


async def test_a_cancelled_wait_leaves_nothing_behind(processes, lonely):
    one, two = processes.start(lonely), processes.start(lonely)
    async with one.pool, two.pool:
        async with one.pool.lease():
            waiting = asyncio.create_task(_lease_for_a_moment(two.pool, wait=60))
            await asyncio.sleep(0.05)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert await _lease_for_a_moment(one.pool) == "tiny-1"


async def test_a_cancelled_holder_gives_the_account_back(processes, lonely):
    one, two = processes.start(lonely), processes.start(lonely)
    holding = asyncio.Event()

    async def hold():
        async with one.pool.lease():
            holding.set()
            await asyncio.sleep(60)

    async with one.pool, two.pool:
        task = asyncio.create_task(hold())
        await holding.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # impatient: while it gives the account back
        with pytest.raises(asyncio.CancelledError):
            await task
        assert one.store.connected_since(one.account_id("tiny-1")) is None
        assert await _lease_for_a_moment(two.pool) == "tiny-1"


@pytest.mark.parametrize("moment", [0.0, 0.002, 0.005, 0.01, 0.02])
async def test_a_cancellation_while_leasing_never_leaves_a_lock(processes, lonely, moment):
    one, two = processes.start(lonely), processes.start(lonely, grace_seconds=0.0)
    async with one.pool, two.pool:
        task = asyncio.create_task(_lease_for_a_moment(one.pool))
        await asyncio.sleep(moment)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert await _lease_for_a_moment(two.pool, wait=1) == "tiny-1"


async def test_closing_the_pool_ends_its_leases(processes, lonely):
    one, two = processes.start(lonely), processes.start(lonely)
    async with two.pool:
        async with one.pool.lease() as lease:
            await one.pool.close()
            assert not lease.is_connected
            with pytest.raises(PoolClosed, match="the pool was closed"):
                await look(lease, lonely)
        with pytest.raises(PoolClosed):
            async with one.pool.lease():
                pass
        assert await _lease_for_a_moment(two.pool) == "tiny-1"


async def test_a_lost_lock_cuts_the_connection_at_once(processes, lonely):
    lonely.fault("silence", method=HISTORY)
    process = processes.start(lonely, check_seconds=0.05)
    async with process.pool as pool, pool.lease() as lease:
        calling = asyncio.create_task(look(lease, lonely))
        await asyncio.sleep(0.05)
        processes.kill_lock_connections()
        with pytest.raises(PoolClosed, match="the database connection that held the locks is gone"):
            await asyncio.wait_for(calling, 5)
        assert not lease.is_connected
    # Not noted as disconnected: whoever comes next waits until this process has surely let go of the key.
    assert process.store.connected_since(lease.account.account_id) is not None


async def test_a_process_that_was_paused_asks_for_its_locks_before_it_calls(processes, lonely):
    paused = [0.0]
    clock = Clock(now=lambda: time.time() + paused[0])
    process = processes.start(lonely, clock=clock, check_seconds=1000.0)  # the watchdog sleeps through all of this
    async with process.pool as pool, pool.lease() as lease:
        await look(lease, lonely)
        processes.kill_lock_connections()
        paused[0] = 2000.0
        with pytest.raises(PoolClosed, match="the database connection that held the locks is gone"):
            await look(lease, lonely)
    assert tally(lonely, "tiny-1")["calls"] == 1


async def test_a_watchdog_that_fails_does_not_leave_the_locks_unwatched(processes, lonely, monkeypatch):
    process = processes.start(lonely, check_seconds=0.05)
    async with process.pool as pool, pool.lease() as lease:
        await look(lease, lonely)
        monkeypatch.setattr(process.store, "check_locks", lambda: 1 / 0)
        async with asyncio.timeout(5):
            while lease.is_connected:  # noqa: ASYNC110  # it happens in another task
                await asyncio.sleep(0.02)
        with pytest.raises(PoolClosed):
            await look(lease, lonely)


async def test_a_silent_peer_costs_one_deadline_and_a_new_connection(processes, lonely):
    lonely.fault("silence", method=HISTORY)
    process = processes.start(lonely, rpc_deadline=0.3)
    async with process.pool as pool, pool.lease() as lease:
        with pytest.raises(TransientTelegramError, match="no answer in time"):
            await look(lease, lonely)
        assert not lease.is_connected
        assert (await look(lease, lonely)).count is not None
    assert tally(lonely, "tiny-1", "help.getConfig")["calls"] == 2
    assert tally(lonely, "tiny-1")["calls"] == 2


@pytest.mark.parametrize(("when", "served"), [("before", 1), ("after", 2), ("half", 2)])
async def test_a_dropped_connection_is_an_error_once_and_replays_nothing(processes, lonely, when, served):
    lonely.fault("drop", when=when, method=HISTORY)
    async with processes.start(lonely).pool as pool, pool.lease() as lease:
        with pytest.raises(TransientTelegramError, match="connection"):
            await look(lease, lonely)
        assert (await look(lease, lonely)).count is not None
        assert lease.calls == 2
    assert tally(lonely, "tiny-1")["calls"] == served


async def test_an_internal_error_of_telegram_costs_one_call(processes, lonely):
    lonely.fault("error", code=500, message="RPC_CALL_FAIL", method=HISTORY)
    async with processes.start(lonely).pool as pool, pool.lease() as lease:
        with pytest.raises(TransientTelegramError, match="RPC_CALL_FAIL"):
            await look(lease, lonely)
        assert lease.is_connected
    assert tally(lonely, "tiny-1")["calls"] == 1


async def test_an_unreachable_telegram_is_transient_and_frees_the_account(processes, start_emulator):
    emulator = start_emulator(tiny_world(account(1)))
    process = processes.start(emulator)
    emulator.fault("drop", when="before", times=None)
    with pytest.raises(TransientTelegramError, match="connect"):
        async with process.pool.lease():
            pass
    assert process.store.try_lock(process.account_id("tiny-1"))


async def test_calls_of_one_lease_are_paced_and_never_overlap(processes, lonely):
    clock, slept = skipping_clock()
    process = processes.start(lonely, clock=clock, interval=2.0)
    async with process.pool as pool, pool.lease() as lease:
        await asyncio.gather(*(look(lease, lonely) for _ in range(5)))
    assert sum(slept) == pytest.approx(4 * 2.0, rel=0.1)
    saved = process.store.paces(process.account_id("tiny-1"))[HISTORY]
    assert (saved.ceiling, saved.blocked_until) == (None, None)
    assert 1.9 < saved.interval < 2.0
