"""The pace against limits of several kinds: one flood teaches it, and the allowance is used."""

import math
from datetime import UTC, datetime

import pytest

from tg_ingest.accounts import Pace
from tg_ingest.emulator.limits import FixedWindow, SlidingWindow, TokenBucket
from tg_ingest.telegram.pacing import LONG_WAIT, PROBE_AFTER, Pacer, Pacers

BEGIN = 1_700_000_000.0
KINDS = {"fixed": FixedWindow, "sliding": SlidingWindow, "bucket": TokenBucket}


def play(pacer, window, *, seconds, begin=BEGIN):
    """Call as soon as the pace allows, for some time; the moments of floods, and of answers."""
    now, floods, answers = begin, [], []
    while (now := max(now, pacer.next_call_at())) < begin + seconds:
        pacer.call_started(now)
        missing = window.take(now + 0.01)
        now += 0.02
        if missing > 0:
            floods.append(now)
            pacer.flooded(now, math.ceil(missing))
        else:
            answers.append(now)
            pacer.call_answered(now)
    return floods, answers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", [3, 30])
@pytest.mark.parametrize("start", [0.5, 0.9, 1.0])
def test_one_flood_teaches_a_limit_and_most_of_it_is_used(kind, window, start):
    pacer = Pacer(window / 30 / start)
    floods, answers = play(pacer, KINDS[kind](30, window), seconds=60 * window)
    late = [t for t in answers if t > BEGIN + 40 * window]
    assert len(floods) <= (2 if kind == "bucket" else 1)  # a bucket's burst hides the limit at first
    assert len(late) / (20 * 30) > (0.64 if window == 3 else 0.75)  # a wait in whole seconds is coarse for 3 s


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_far_above_the_limit_is_brought_down_fast(kind):
    floods, _ = play(Pacer(0.0), KINDS[kind](30, 30), seconds=1800)
    assert len(floods) <= 4


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_learned_outlives_the_process(kind):
    window = KINDS[kind](30, 3)
    first = Pacer(0.2)
    floods, _ = play(first, window, seconds=120)
    again, _ = play(Pacer(0.2, first.pace()), window, seconds=300, begin=BEGIN + 120)
    assert (len(floods), len(again)) == (1, 0)


def test_short_processes_try_the_ceiling_no_more_often_than_a_long_one():
    learned = Pace(interval=1.0, ceiling=1.0, blocked_until=datetime.fromtimestamp(BEGIN, UTC))
    for minute in range(40, 64):  # each minute a process of one call
        pacer = Pacer(2.0, learned)
        pacer.call_answered(BEGIN + 60 * minute)
        learned = pacer.pace()
    assert learned.ceiling == pytest.approx(1 / 1.02)
    assert Pacer(2.0, learned).next_call_at() < BEGIN + 3600  # the last try is no wait


def test_a_goal_is_forgotten_when_another_process_moved_the_ceiling():
    pacer = Pacer(1.0)
    pacer.flooded(BEGIN, 1)
    pacer.learn(Pace(interval=9.0, ceiling=9.0, blocked_until=datetime.fromtimestamp(BEGIN + 1000, UTC)))
    for second in range(400):
        pacer.call_answered(BEGIN + 1000 + second)
    assert pacer.pace().ceiling == 9.0


def test_nothing_is_called_inside_a_wait():
    pacer = Pacer(1.0)
    pacer.call_started(BEGIN)
    pacer.flooded(BEGIN, 30, margin=1.5)
    assert pacer.next_call_at() == pacer.blocked_until() == BEGIN + 31.5
    assert pacer.pace().blocked_until == datetime.fromtimestamp(BEGIN + 31.5, UTC)


def test_a_stored_wait_is_kept_and_a_shorter_one_does_not_replace_it():
    until = datetime.fromtimestamp(BEGIN + 100, UTC)
    pacer = Pacer(1.0, Pace(interval=2.0, ceiling=None, blocked_until=until))
    pacer.flooded(BEGIN, 10)
    assert pacer.next_call_at() == BEGIN + 100


def test_the_pace_rises_slowly_and_never_above_what_was_learned():
    pacer = Pacer(2.0, Pace(interval=1.2, ceiling=1.0, blocked_until=datetime.fromtimestamp(BEGIN, UTC)))
    intervals = []
    for second in range(600):
        pacer.call_answered(BEGIN + second)
        intervals.append(pacer.pace().interval)
    assert 1.19 < intervals[0] < 1.2
    assert intervals == sorted(intervals, reverse=True)
    assert intervals[-1] == 1.0


def test_the_ceiling_is_tried_again_only_after_a_long_time_without_a_flood():
    pacer = Pacer(2.0, Pace(interval=1.0, ceiling=1.0, blocked_until=datetime.fromtimestamp(BEGIN, UTC)))
    pacer.call_answered(BEGIN + PROBE_AFTER - 1)
    assert pacer.pace().ceiling == 1.0
    pacer.call_answered(BEGIN + PROBE_AFTER)
    pacer.call_answered(BEGIN + PROBE_AFTER + 1)
    assert pacer.pace().ceiling == pytest.approx(1 / 1.02)


def test_a_long_wait_is_a_punishment_and_no_measure_of_the_window():
    pacer = Pacer(1.0)
    for second in range(100):
        pacer.call_started(BEGIN + second)
    pacer.flooded(BEGIN + 100, LONG_WAIT + 50_000)
    assert pacer.pace().ceiling == pytest.approx(1.0 / 0.9)


def test_an_idle_time_is_not_taken_for_a_slow_pace():
    pacer = Pacer(1.0)
    for second in [*range(50), *range(5000, 5050)]:
        pacer.call_started(BEGIN + second)
    pacer.flooded(BEGIN + 5050, 1)
    assert pacer.pace().ceiling == pytest.approx(1.0 / 0.9, rel=0.05)


def test_paces_are_apart_by_account_and_method():
    pacers = Pacers({"a": 5.0}, otherwise=1.0)
    until = datetime.fromtimestamp(BEGIN + 60, UTC)
    pacers.learn(1, {"a": Pace(interval=5.0, ceiling=None, blocked_until=until)})
    assert pacers.resting_until(1, {}, ["a", "b"]) == BEGIN + 60
    assert pacers.resting_until(1, {}, ["b"]) == 0.0
    assert pacers.resting_until(2, {}, ["a"]) == 0.0
    stored_by_another = {"a": Pace(interval=5.0, ceiling=None, blocked_until=until)}
    assert pacers.resting_until(2, stored_by_another, ["a"]) == BEGIN + 60
    assert (pacers.get(2, "a").pace().interval, pacers.get(2, "b").pace().interval) == (5.0, 1.0)
