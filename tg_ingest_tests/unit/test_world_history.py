"""messages.getHistory's window, against a list that is sliced as https://core.telegram.org/api/offsets words it."""

import time
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tg_ingest.emulator.history import Thinned, VisibleIds, page
from tg_ingest.emulator.worlds import load


def newest_first(ids, dates, *, offset_id, offset_date, add_offset, limit, max_id, min_id):
    """The documentation's text, word for word, on a plain list."""
    results = sorted(ids, reverse=True)
    if offset_id:
        rank = len([i for i in results if i >= offset_id])
    elif offset_date:
        rank = len([i for i in results if not dates[i] < offset_date])
    else:
        rank = 0
    window = [rank + add_offset + n for n in range(min(limit, 100) if limit else 20)]
    sliced = [results[n] for n in window if 0 <= n < len(results)]
    return [i for i in sliced if (max_id == 0 or i < max_id) and (min_id == 0 or i > min_id)]


@st.composite
def channels(draw):
    """A channel with thinned ids, stretches of absent ids, and posts and deletions made while it is read."""
    last = draw(st.integers(0, 420))
    edges = draw(st.lists(st.integers(2, 430), unique=True, max_size=6).map(sorted))
    stretches = list(zip(edges[::2], edges[1::2], strict=False))
    lost = draw(st.sampled_from([0, 5, 40]))
    thinned = Thinned(seed=draw(st.integers(0, 2**32)), lost=lost, kept=(1, 7))
    ids = VisibleIds(thinned, last=last, stretches=stretches)
    expected = {
        i for i in range(1, last + 1) if thinned.has(i) and not any(lower <= i < upper for lower, upper in stretches)
    }
    for _ in range(draw(st.integers(0, 30))):
        expected.add(ids.append())
    for gone in draw(st.lists(st.integers(-1, 460), max_size=60)):
        assert ids.remove(gone) == (gone in expected)
        expected.discard(gone)
    return ids, expected


@settings(max_examples=300, deadline=None)
@given(
    channel=channels(),
    offset_id=st.just(0) | st.integers(0, 470),
    offset_date=st.just(0) | st.integers(0, 160),
    add_offset=st.integers(-130, 130),
    limit=st.integers(0, 130),
    max_id=st.sampled_from([0, 0, 1, 90, 300, 500]),
    min_id=st.sampled_from([0, 0, 1, 90, 300, 500]),
)
def test_a_page_is_what_the_documentation_says(channel, offset_id, offset_date, add_offset, limit, max_id, min_id):
    ids, expected = channel
    wanted = {"offset_id": offset_id, "offset_date": offset_date, "add_offset": add_offset}
    wanted |= {"limit": limit, "max_id": max_id, "min_id": min_id}
    dates = {i: i // 3 for i in range(1, 500)}  # three messages share each second
    found = page(ids, last_before=lambda moment: max(0, 3 * moment - 1), **wanted)
    assert found == newest_first(expected, dates, **wanted)


@settings(max_examples=150, deadline=None)
@given(channels())
def test_counting_and_selecting_ids_are_inverse(channel):
    ids, expected = channel
    ordered = sorted(expected)
    assert len(ids) == len(ordered)
    assert [ids.at(rank) for rank in range(1, len(ordered) + 1)] == ordered
    assert [i for i in range(-1, 470) if ids.has(i)] == ordered
    assert [ids.count_to(i) for i in ordered] == list(range(1, len(ordered) + 1))
    with pytest.raises(IndexError):
        ids.at(len(ordered) + 1)


def test_a_window_that_hangs_over_the_newest_end_is_clipped_and_not_refilled():
    ids = VisibleIds(Thinned(seed=1, lost=0), last=1000)
    assert page(ids, last_before=int, offset_id=998, add_offset=-100, limit=100) == [1000, 999, 998]
    assert page(ids, last_before=int, offset_id=0, add_offset=-3, limit=5) == [1000, 999]
    assert page(ids, last_before=int, offset_id=1001, add_offset=-100, limit=100) == []


def test_max_id_and_min_id_only_empty_a_page():
    ids = VisibleIds(Thinned(seed=1, lost=0), last=1000)
    assert page(ids, last_before=int, limit=100, max_id=900) == []
    assert page(ids, last_before=int, limit=100, max_id=903) == [902, 901]
    assert page(ids, last_before=int, limit=100, min_id=998) == [1000, 999]


def test_a_page_holds_a_hundred_messages_at_most_and_twenty_if_nothing_is_asked():
    ids = VisibleIds(Thinned(seed=1, lost=0), last=1000)
    assert len(page(ids, last_before=int, limit=5000)) == 100
    assert len(page(ids, last_before=int)) == 20


def test_a_channel_of_ten_million_messages_answers_at_any_offset_at_once():
    channel = next(iter(load("bench:10000000", start=date(2020, 1, 1)).channels.values()))
    began = time.perf_counter()
    pages = [channel.history(offset_id=1 + 49_999 * n, limit=100) for n in range(200)]
    assert time.perf_counter() - began < 0.2  # 200 pages; 10 ms alone on the machine
    assert [len(ids) for ids in pages] == [0, *[100] * 199]
    assert channel.count == pytest.approx(10_000_000 * 123 / 128, rel=1e-5)


def test_an_offset_date_finds_the_messages_sent_before_it():
    channel = load("tiny", start=date(2024, 1, 1)).channels[2_200_000_201]
    for day in (date(2024, 1, 1), date(2024, 1, 20), date(2024, 2, 11), date(2024, 3, 31), date(2024, 9, 1)):
        moment = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
        before = [i for i in range(1, channel.top_id + 1) if channel.exists(i) and channel.date_of(i) < moment]
        assert channel.history(offset_date=moment, limit=7) == before[::-1][:7]
