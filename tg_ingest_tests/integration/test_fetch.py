"""Fetching with several sessions: what is asked for arrives once, whoever must rest, dies or is cut off on the way."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from fix_telegram import NEWS, account, facts, let_know, rows_of, skipping_clock, tally, tiny_world, truth

from tg_ingest.accounts import Channel
from tg_ingest.emulator.world import LimitSpec
from tg_ingest.errors import ChannelUnavailable, ConfigurationError, PoolClosed
from tg_ingest.messages.coverage import IdRange, IdRanges
from tg_ingest.telegram.fetch import fetch_history

HISTORY = "messages.getHistory"
ALL = IdRanges((IdRange(1, 1001),))


@pytest.fixture
def emulator(start_emulator):
    return start_emulator(tiny_world(account(1), account(2)))


@pytest.fixture
def lonely(start_emulator):
    """A Telegram with one account."""
    return start_emulator(tiny_world(account(1)))


async def fetch(process, spool, *, ranges=ALL, channel=NEWS, **arguments):
    defaults = {"run_id": "run", "piece_size": 250, "max_sessions": 2, "max_wait": 0.5}
    async with process.pool as pool:
        return await fetch_history(pool, channel=channel, ranges=ranges, spool=spool, **{**defaults, **arguments})


async def served(emulator, pages):
    """Wait until the emulator has served so many pages."""
    async with asyncio.timeout(20):
        while tally(emulator, "tiny-1")["ok"] < pages:  # noqa: ASYNC110  # it happens in another thread
            await asyncio.sleep(0.02)


async def test_two_sessions_fetch_everything_once(processes, emulator, spool):
    report = await fetch(processes.start(emulator), spool)
    assert facts(rows_of(report.parts)) == truth(emulator, NEWS)
    assert (report.missing, report.reason, report.resume_at) == (IdRanges(), None, None)
    assert report.fetched == len(truth(emulator, NEWS))
    assert (report.floods, report.rotations, report.retired) == (0, 0, 0)
    assert {part.covered.size for part in report.parts} == {250}
    assert tally(emulator, "tiny-1")["ok"] > 0
    assert tally(emulator, "tiny-2")["ok"] > 0
    assert report.requests == sum(tally(emulator, label)["calls"] for label in ("tiny-1", "tiny-2")) + 2  # resolving


async def test_only_what_is_asked_for_is_fetched(processes, emulator, spool):
    wanted = IdRanges((IdRange(40, 60), IdRange(500, 700)))
    report = await fetch(processes.start(emulator), spool, ranges=wanted)
    expected = [t for t in truth(emulator, NEWS) if 40 <= t[0] < 60 or 500 <= t[0] < 700]
    assert facts(rows_of(report.parts)) == expected
    nothing = await fetch(processes.start(emulator), spool, ranges=IdRanges())
    assert (nothing.parts, nothing.requests) == ([], 0)


async def test_a_flagged_session_hands_its_work_on(processes, emulator, spool):
    process = processes.start(emulator)
    let_know(process, emulator, "tiny-1", "tiny-2")
    emulator.fault("flood", seconds=900, account="tiny-1", method=HISTORY)
    report = await fetch(process, spool, max_sessions=1)
    assert facts(rows_of(report.parts)) == truth(emulator, NEWS)
    assert (report.floods, report.rotations, report.missing) == (1, 1, IdRanges())
    assert (tally(emulator, "tiny-1")["calls"], tally(emulator, "tiny-1")["calls_inside_wait"]) == (1, 0)


async def test_a_session_revoked_in_the_middle_of_a_walk_loses_nothing(processes, start_emulator, spool):
    emulator = start_emulator(tiny_world(account(1, revoke_after=4), account(2)))
    process = processes.start(emulator)
    report = await fetch(process, spool, max_sessions=1, piece_size=1000)
    assert facts(rows_of(report.parts)) == truth(emulator, NEWS)
    assert (report.retired, report.rotations) == (1, 1)
    assert process.state("tiny-1") == "retired"


@pytest.mark.parametrize("when", ["before", "after", "half"])
async def test_dropped_connections_lose_and_repeat_nothing(processes, lonely, spool, when):
    clock, _ = skipping_clock()
    lonely.fault("drop", when=when, method=HISTORY, times=3)
    report = await fetch(processes.start(lonely, clock=clock), spool)
    assert facts(rows_of(report.parts)) == truth(lonely, NEWS)
    assert report.missing == IdRanges()


async def test_a_peer_that_falls_silent_is_left_and_called_again(processes, lonely, spool):
    clock, _ = skipping_clock()
    process = processes.start(lonely, clock=clock, rpc_deadline=0.3)
    lonely.fault("silence", method=HISTORY)
    report = await fetch(process, spool)
    assert facts(rows_of(report.parts)) == truth(lonely, NEWS)


async def test_internal_errors_of_telegram_are_tried_again(processes, lonely, spool):
    clock, _ = skipping_clock()
    lonely.fault("error", code=500, message="HISTORY_GET_FAILED", method=HISTORY)
    report = await fetch(processes.start(lonely, clock=clock), spool)
    assert facts(rows_of(report.parts)) == truth(lonely, NEWS)


async def test_a_telegram_that_stays_away_ends_the_fetch_with_what_there_is(processes, lonely, spool):
    clock, slept = skipping_clock()
    process = processes.start(lonely, clock=clock)
    let_know(process, lonely, "tiny-1")
    lonely.fault("drop", when="before", method=HISTORY, times=None)
    with pytest.raises(Exception, match="connection"):
        await fetch(process, spool)
    assert 540 < sum(slept) < 800
    assert max(slept) <= 60 * 1.2


async def test_a_limit_is_learned_from_one_flood_and_then_kept(processes, start_emulator, spool):
    limits = {HISTORY: LimitSpec(kind="sliding", requests=20, seconds=1.0)}
    emulator = start_emulator(tiny_world(account(1, limits=limits)))
    process = processes.start(emulator, interval=0.04)
    report = await fetch(process, spool, piece_size=10, ranges=IdRanges((IdRange(1, 401),)))
    assert facts(rows_of(report.parts)) == truth(emulator, NEWS, lower=1, upper=401)
    counted = tally(emulator, "tiny-1")
    assert (counted["floods"], counted["calls_inside_wait"]) == (1, 0)


async def test_when_all_must_rest_the_report_says_what_is_missing_and_until_when(processes, start_emulator, spool):
    emulator = start_emulator(tiny_world(account(1, flag_after=3, flag_seconds=3600)))
    process = processes.start(emulator)
    report = await fetch(process, spool, piece_size=1000)
    fetched = facts(rows_of(report.parts))
    assert fetched
    assert fetched == [t for t in truth(emulator, NEWS) if t[0] >= report.missing.ranges[-1].upper]
    assert report.missing.ranges[0].lower == 1
    assert report.resume_at is not None
    assert timedelta(minutes=59) < report.resume_at - datetime.now(UTC) < timedelta(minutes=61)
    assert "tiny-1 rests until" in (report.reason or "")


async def test_the_rest_is_fetched_by_the_next_run(processes, start_emulator, spool):
    emulator = start_emulator(tiny_world(account(1, flag_after=3, flag_seconds=3600), account(2)))
    first = processes.start(emulator)
    first.store.set_state(first.account_id("tiny-2"), "paused", None)
    one = await fetch(first, spool)
    first.store.set_state(first.account_id("tiny-2"), "active", None)
    two = await fetch(processes.start(emulator), spool, ranges=one.missing)
    assert facts(rows_of(one.parts + two.parts)) == truth(emulator, NEWS)


async def test_a_channel_that_nobody_can_read_is_unavailable(processes, emulator, spool):
    process = processes.start(emulator)
    let_know(process, emulator, "tiny-1", "tiny-2")
    emulator.fault("error", code=406, message="CHANNEL_PRIVATE", method=HISTORY, times=None)
    with pytest.raises(ChannelUnavailable, match=r"no session can read channel 'tiny_news': CHANNEL_PRIVATE"):
        await fetch(process, spool)
    assert process.store.access(process.account_id("tiny-1"), NEWS.channel_id or 0) is None


async def test_an_account_without_access_hands_on_to_one_with_it(processes, emulator, spool):
    process = processes.start(emulator)
    emulator.fault("error", code=406, message="CHANNEL_PRIVATE", account="tiny-1", method=HISTORY, times=None)
    # Else the other one may be done before this one has asked.
    emulator.fault("latency", milliseconds=1000, account="tiny-2", method="help.getConfig")
    report = await fetch(process, spool)
    assert facts(rows_of(report.parts)) == truth(emulator, NEWS)
    assert tally(emulator, "tiny-1")["calls"] == 1


async def test_a_stale_access_hash_is_replaced_once(processes, lonely, spool):
    process = processes.start(lonely)
    let_know(process, lonely, "tiny-1")
    lonely.fault("error", code=400, message="CHANNEL_INVALID", method=HISTORY)
    report = await fetch(process, spool)
    assert facts(rows_of(report.parts)) == truth(lonely, NEWS)
    assert tally(lonely, "tiny-1", "contacts.resolveUsername")["calls"] == 1


async def test_a_username_is_resolved_once_per_account(processes, lonely, spool):
    for _ in range(3):
        await fetch(processes.start(lonely), spool)
    assert tally(lonely, "tiny-1", "contacts.resolveUsername")["calls"] == 1


async def test_a_username_that_moved_is_never_merged(processes, lonely, spool):
    moved = Channel(slug="old", username="tiny_news", channel_id=4_711)
    with pytest.raises(ChannelUnavailable, match=r"@tiny_news now belongs to another channel \(id 2200000201\)"):
        await fetch(processes.start(lonely), spool, channel=moved)


async def test_a_flood_on_looking_up_the_channel_is_a_wait_and_not_the_channels_end(processes, lonely, spool):
    lonely.fault("flood", seconds=3600, method="contacts.resolveUsername")
    report = await fetch(processes.start(lonely), spool)
    assert (report.fetched, report.missing, report.requests) == (0, ALL, 1)
    assert "no session may look up 'tiny_news' before" in (report.reason or "")
    assert report.resume_at is not None
    assert report.resume_at > datetime.now(UTC) + timedelta(minutes=59)


async def test_an_unresolved_channel_is_refused(processes, lonely, spool):
    with pytest.raises(ConfigurationError, match="'new' was never resolved"):
        await fetch(processes.start(lonely), spool, channel=Channel(slug="new", username="new", channel_id=None))


async def test_an_unknown_error_punishes_nobody(processes, lonely, spool):
    process = processes.start(lonely)
    lonely.fault("error", code=406, message="SOMETHING_NEW", method=HISTORY)
    with pytest.raises(Exception, match=r"messages.getHistory: Telegram answers SOMETHING_NEW \(406\)"):
        await fetch(process, spool)
    assert process.state("tiny-1") == "active"


async def test_a_cancelled_fetch_keeps_its_pages_and_frees_its_sessions(processes, lonely, spool):
    process = processes.start(lonely, interval=0.1)
    task = asyncio.create_task(fetch(process, spool, piece_size=1000))
    await served(lonely, 4)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert spool.rows_waiting(NEWS.channel_id or 0) >= 250
    assert process.store.connected_since(process.account_id("tiny-1")) is None
    assert processes.start(lonely).store.try_lock(process.account_id("tiny-1"))


async def test_a_lost_database_stops_the_fetch(processes, lonely, spool):
    process = processes.start(lonely, interval=0.1, check_seconds=0.05)
    task = asyncio.create_task(fetch(process, spool, piece_size=1000))
    await served(lonely, 2)
    processes.kill_lock_connections()
    with pytest.raises(PoolClosed):
        await asyncio.wait_for(task, 10)
