from datetime import UTC, datetime, timedelta

from tg_ingest.demo.emulator_client import Fact
from tg_ingest.demo.proof import prove_channel

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def fact(message_id: int, **changes) -> Fact:
    return Fact(message_id, NOON, None, "message", f"text {message_id}")._replace(**changes)


def prove(world, rows):
    return prove_channel("news", world, rows, advance=lambda: None)


def test_equal_streams_hold():
    proof = prove([fact(1), fact(3)], [fact(1), fact(3)])
    assert proof.holds
    assert (proof.expected, proof.stored) == (2, 2)


def test_a_row_that_is_not_there_is_missing():
    assert prove([fact(1), fact(2), fact(3)], [fact(1), fact(3)]).missing == 1


def test_a_row_that_is_there_twice_is_a_duplicate():
    proof = prove([fact(1), fact(2)], [fact(1), fact(1), fact(2)])
    assert (proof.duplicates, proof.missing, proof.stored) == (1, 0, 3)


def test_a_row_that_the_world_does_not_know_is_unexpected():
    assert prove([fact(2)], [fact(1), fact(2), fact(9)]).unexpected == 2


def test_every_fact_is_compared():
    changes = [
        {"text": "other"},
        {"date": NOON + timedelta(seconds=1)},
        {"edit_date": NOON},
        {"kind": "service"},
    ]
    assert [prove([fact(1)], [fact(1, **change)]).mismatched for change in changes] == [1, 1, 1, 1]


def test_what_is_wrong_is_named():
    assert prove([fact(7)], []).examples == ["missing: message 7"]
