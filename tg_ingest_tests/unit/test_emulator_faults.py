"""Faults: read from JSON with errors that name the field, aimed at calls, used up."""

import pytest

from tg_ingest.emulator.faults import Drop, FaultError, Faults, Flood, Page, Revoke, RotateSalts, disturb, parse


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"kind": "flood", "seconds": 30}, Flood(seconds=30)),
        ({"kind": "flood", "seconds": 30, "account": "a", "times": None}, Flood(seconds=30, account="a", times=None)),
        ({"kind": "drop", "when": "half", "method": "m", "times": 2}, Drop(when="half", method="m", times=2)),
        ({"kind": "page", "effect": "short", "cap": 3}, Page(effect="short", cap=3)),
        ({"kind": "revoke", "account": "a"}, Revoke(account="a", error="AUTH_KEY_UNREGISTERED")),
        ({"kind": "rotate_salts"}, RotateSalts(account=None)),
    ],
)
def test_faults_are_read_from_json(document, fault):
    assert parse(document) == fault


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "must be a JSON object"),
        ({"kind": "flod"}, "kind: 'flod' is none of"),
        ({"kind": "flood"}, "seconds"),
        ({"kind": "flood", "seconds": 0}, "seconds: must be at least 1"),
        ({"kind": "flood", "seconds": True}, "seconds: True"),
        ({"kind": "flood", "seconds": 1, "second": 1}, "second: a fault of kind flood has no such field"),
        ({"kind": "drop", "when": "never"}, "when: 'never' is none of before, after, half"),
        ({"kind": "page", "effect": "torn"}, "effect: 'torn'"),
        ({"kind": "latency", "milliseconds": "5"}, "milliseconds: '5'"),
        ({"kind": "silence", "times": 0}, "times: must be at least 1"),
        ({"kind": "revoke"}, "account"),
        ({"kind": "flood", "seconds": 10**400}, "seconds: must be at most"),
        ({"kind": "latency", "milliseconds": 2**31}, "milliseconds: must be at most"),
        ({"kind": "error", "code": 2**31, "message": "X"}, "code: must be an error code"),
        ({"kind": "error", "code": 400, "message": "\ud800"}, "message: half a surrogate pair"),
        ({"kind": "page", "effect": "empty", "channel_id": 2**63}, "channel_id: must be a whole number"),
    ],
)
def test_a_wrong_fault_names_the_field(document, reason):
    with pytest.raises(FaultError, match=reason):
        parse(document)


def test_a_fault_hits_whom_it_is_aimed_at_and_is_used_up():
    faults = Faults()
    faults.arm(Flood(seconds=9, account="a", method="m", times=2))
    assert faults.use(Flood, account="b", method="m") is None
    assert faults.use(Flood, account="a", method="n") is None
    assert faults.use(Drop, account="a", method="m") is None
    assert [faults.use(Flood, account="a", method="m") is not None for _ in range(3)] == [True, True, False]


def test_a_fault_without_a_number_stays_until_it_is_cleared():
    faults = Faults()
    faults.arm(Flood(seconds=9, times=None))
    assert all(faults.use(Flood, account=None, method="m") for _ in range(5))
    assert faults.clear() == 1
    assert faults.use(Flood, account=None, method="m") is None


@pytest.mark.parametrize(
    ("effect", "ids"),
    [
        ("empty", []),
        ("duplicate_boundary", [10, 9, 8, 7]),
        ("reversed", [6, 7, 8, 9]),
        ("swapped", [9, 7, 8, 6]),
        ("short", [9, 8]),
        ("message_empty", [9, 8, 7, 6]),
    ],
)
def test_pages_are_disturbed_as_named(effect, ids):
    assert disturb([9, 8, 7, 6], Page(effect=effect, cap=2), offset_id=10) == ids
    assert disturb([], Page(effect=effect), offset_id=10) == []
