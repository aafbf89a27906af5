"""Laws of id ranges, against plain sets of ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tg_ingest.messages.coverage import IdRange, IdRanges

PAIRS = st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=8)
RANGES = st.builds(IdRanges.of, PAIRS)


def ids(ranges: IdRanges) -> set[int]:
    return {i for lower, upper in ranges for i in range(lower, upper)}


def is_normal(ranges: IdRanges) -> bool:
    flat = [bound for pair in ranges for bound in pair]
    return flat == sorted(set(flat))


@given(PAIRS)
def test_any_pairs_become_sorted_disjoint_ranges_of_the_same_ids(pairs):
    ranges = IdRanges.of(pairs)
    assert is_normal(ranges)
    assert ids(ranges) == {i for lower, upper in pairs for i in range(lower, upper)}
    assert ranges.size == len(ids(ranges))
    assert bool(ranges) == bool(ids(ranges))


@given(RANGES, RANGES)
def test_union_difference_and_intersection_are_those_of_sets(a, b):
    assert ids(a | b) == ids(a) | ids(b)
    assert ids(a - b) == ids(a) - ids(b)
    assert ids(a & b) == ids(a) & ids(b)
    assert is_normal(a | b)
    assert is_normal(a - b)
    assert is_normal(a & b)


@given(RANGES, RANGES)
def test_equal_sets_are_equal_values(a, b):
    assert (a == b) == (ids(a) == ids(b))
    assert (a - b) | (a & b) == a


@given(RANGES, st.integers(1, 9))
def test_pieces_are_small_disjoint_newest_first_and_lose_nothing(ranges, size):
    pieces = ranges.split(size)
    assert all(1 <= piece.size <= size for piece in pieces)
    assert pieces == sorted(pieces, reverse=True)
    assert IdRanges.of(pieces) == ranges
    assert sum(piece.size for piece in pieces) == ranges.size


def test_a_piece_of_no_ids_is_refused():
    with pytest.raises(ValueError, match="at least one id, not 0"):
        IdRanges.of([(1, 3)]).split(0)


def test_ranges_read_as_inclusive_ids():
    assert str(IdRange(1, 4)) == "1..3"
    assert str(IdRanges.of([(1, 4), (9, 10)])) == "1..3, 9..9"
    assert str(IdRanges()) == "nothing"


def test_a_difference_of_many_ranges_takes_linear_time():
    many = IdRanges.of((i, i + 1) for i in range(0, 400_000, 4))
    holes = IdRanges.of((i, i + 1) for i in range(2, 400_000, 4))
    assert (many - holes) == many  # 10^10 steps if it were quadratic: the test's deadline would end it
