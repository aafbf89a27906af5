from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tg_ingest.emulator.timeline import DAY, Timeline, months_after

FIRST = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**40), st.integers(1, 900), st.integers(1, 200), st.floats(0.5, 5))
def test_dates_never_decrease_and_stay_within_the_days(seed, messages, days, growth):
    sent = Timeline(seed=seed, messages=messages, first=FIRST, last=FIRST + days * DAY, growth=growth)
    dates = [sent(i) for i in range(1, messages + 1)]
    assert dates == sorted(dates)
    assert dates[0] >= FIRST
    assert dates[-1] < FIRST + days * DAY
    for moment in (FIRST, dates[0], dates[-1], dates[-1] + 1, dates[messages // 2]):
        assert sent.sent_before(moment) == len([date for date in dates if date < moment])


def test_nights_are_quieter_than_evenings():
    sent = Timeline(seed=3, messages=20_000, first=FIRST, last=FIRST + 300 * DAY)
    hours = [sent(i) % DAY // 3600 for i in range(1, 20_001)]
    assert hours.count(3) < hours.count(19) / 5


@pytest.mark.parametrize(("months", "expected"), [(0, (2022, 11)), (1, (2022, 12)), (2, (2023, 1)), (36, (2025, 11))])
def test_months_are_counted_over_the_turn_of_the_year(months, expected):
    assert months_after(2022, 11, months) == expected
