from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tg_ingest.ingestion.windows import Boundaries, Window
from tg_ingest.messages.coverage import IdRanges

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2024, 6, 15, tzinfo=UTC)


def month(number: int) -> datetime:
    return datetime(2024, number, 1, tzinfo=UTC)


def boundaries(known=None, top_id: int | None = 900) -> Boundaries:
    return Boundaries(known=known or {}, top_id=top_id, first_window=FIRST, now=NOW)


def test_the_first_window_begins_with_the_first_id_whatever_its_date():
    assert boundaries().first_id(month(1)) == 1


def test_an_open_window_ends_behind_the_newest_message():
    assert boundaries({month(6): 800}).ids([Window(month(6), month(7))]) == IdRanges.of([(800, 901)])
    assert boundaries({month(6): 800}, top_id=None).ids([Window(month(6), month(7))]) is None


def test_a_moment_between_two_equal_boundaries_needs_no_question():
    known = {month(2): 50, month(5): 50}
    assert boundaries(known).first_id(month(3)) == 50
    assert boundaries({month(5): 1}).first_id(month(2)) == 1


def test_a_moment_between_two_different_boundaries_is_asked_for():
    known = {month(2): 50, month(5): 90}
    assert boundaries(known).unknown([Window(month(3), month(4))]) == [month(4), month(3)]


def test_only_what_is_past_is_asked_for():
    assert boundaries().unknown([Window(month(6), month(7))]) == [month(6)]
    assert boundaries().needs_top([Window(month(6), month(7))])
    assert not boundaries().needs_top([Window(month(4), month(5))])


@given(st.lists(st.integers(1, 500), min_size=5, max_size=5))
def test_windows_share_no_id_and_leave_none_out(ids):
    known = dict(zip(map(month, range(2, 7)), sorted(ids), strict=True))
    windows = [Window(month(n), month(n + 1)) for n in range(1, 7)]
    spans = [boundaries(known, top_id=600).ids([window]) or IdRanges() for window in windows]
    assert sum(span.size for span in spans) == 600
    assert boundaries(known, top_id=600).ids(windows) == IdRanges.of([(1, 601)])
