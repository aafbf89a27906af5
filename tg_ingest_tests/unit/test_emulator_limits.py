"""Quotas and imposed waits on a clock that the test moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tg_ingest.emulator.limits import Quota
from tg_ingest.emulator.served import MethodTally
from tg_ingest.emulator.world import LimitSpec


def limit(kind, *, requests=3, seconds=10.0, wait=None, escalate=1.0) -> Quota:
    return Quota(LimitSpec(kind=kind, requests=requests, seconds=seconds, wait=wait, escalate=escalate))


def answers(quota: Quota, times: list[float]) -> list[int | None]:
    return [quota.refusal(now) for now in times]


def test_a_fixed_window_begins_with_its_first_call():
    assert answers(limit("fixed"), [5, 6, 7, 8, 15, 15.5]) == [None, None, None, 7, None, None]


def test_a_sliding_window_frees_a_place_when_the_oldest_call_leaves_it():
    assert answers(limit("sliding"), [0, 4, 8, 9, 10, 11]) == [None, None, None, 1, None, 3]


def test_a_bucket_allows_a_burst_and_then_a_steady_rate():
    bucket = limit("bucket", requests=2, seconds=4.0)
    assert answers(bucket, [0, 0, 0.5, 2, 4.5, 4.75]) == [None, None, 2, 1, None, None]


def test_a_call_inside_the_wait_is_refused_with_what_is_left_and_counted():
    quota = limit("sliding", requests=1, wait=30)
    assert answers(quota, [0, 1, 11, 30.5, 31]) == [None, 30, 20, 1, None]
    assert quota.inside_wait == 2


def test_the_remaining_time_is_rounded_up():
    assert answers(limit("sliding", requests=1, seconds=2.5), [0, 0.1]) == [None, 3]


def test_waits_escalate_until_the_client_behaves_for_a_window():
    quota = limit("fixed", requests=1, wait=5, escalate=2.0)
    assert answers(quota, [0, 1, 11, 12, 22]) == [None, 5, None, 10, None]
    assert answers(quota, [40, 41]) == [None, 5]


def test_impatience_escalates_too():
    quota = limit("fixed", requests=1, wait=5, escalate=2.0)
    assert answers(quota, [0, 1, 2]) == [None, 5, 8]


def test_a_wait_can_be_imposed_without_a_limit():
    quota = Quota(None)
    assert quota.refusal(0) is None
    quota.impose(600, 0)
    assert answers(quota, [0.5, 599.5, 600]) == [600, 1, None]


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="drip"):
        limit("drip")


gaps = st.lists(st.floats(0, 5), min_size=1, max_size=60)


@given(gaps=gaps, requests=st.integers(1, 5), seconds=st.floats(1, 20), kind=st.sampled_from(["sliding", "fixed"]))
def test_no_window_ever_lets_more_pass_than_its_kind_allows(gaps, requests, seconds, kind):
    quota, now, passed = limit(kind, requests=requests, seconds=seconds), 0.0, []
    for gap in gaps:
        now += gap
        if quota.refusal(now) is None:
            passed.append(now)
    allowed = requests if kind == "sliding" else 2 * requests
    for start in passed:
        assert sum(1 for each in passed if start <= each < start + seconds) <= allowed


@given(gaps=gaps, requests=st.integers(1, 5), seconds=st.floats(1, 20))
def test_a_client_that_obeys_every_wait_is_never_refused_twice_in_a_row(gaps, requests, seconds):
    for kind in ("fixed", "sliding", "bucket"):
        quota, now = limit(kind, requests=requests, seconds=seconds), 0.0
        for gap in gaps:
            now += gap
            wait = quota.refusal(now)
            if wait is not None:
                now += wait
                assert quota.refusal(now) is None
        assert quota.inside_wait == 0


def test_the_ledger_knows_the_busiest_window():
    tally = MethodTally(window=10.0)
    for now in (0.0, 1.0, 9.9, 10.0, 30.0):
        tally.note_call(now)
    assert (tally.calls, tally.most_in_window) == (5, 3)
