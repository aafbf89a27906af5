"""The walk and the search for dates: nothing missed and nothing twice, whatever a page is like."""

from datetime import UTC, datetime, timedelta

import pytest
from fix_telegram import NEWS, TALK, facts, info_of, tiny_world, truth

from tg_ingest.messages.coverage import IdRange
from tg_ingest.telegram.boundaries import first_id_since, top_of
from tg_ingest.telegram.history import walk

ANY = {"times": None}


@pytest.fixture
def emulator(start_emulator):
    return start_emulator(tiny_world())


async def walked(processes, emulator, span, *, channel=NEWS):
    """All pages of a walk."""
    async with processes.start(emulator).pool as pool, pool.lease() as lease:
        return [page async for page in walk(lease, info_of(emulator, channel, lease.account.label), span)]


def rows(pages):
    return [row for page in pages for row in page.rows]


async def test_a_walk_brings_every_message_as_the_world_has_it(processes, emulator):
    pages = await walked(processes, emulator, IdRange(1, 1001))
    assert facts(rows(pages)) == truth(emulator, NEWS)
    assert {row.problem for row in rows(pages)} == {None}
    assert len(pages) == 10


async def test_pages_cover_the_span_without_gap_or_overlap(processes, emulator):
    pages = await walked(processes, emulator, IdRange(150, 420))
    assert [page.covered.upper for page in pages] == [420, *(page.covered.lower for page in pages[:-1])]
    assert pages[-1].covered.lower == 150
    assert all(page.covered.lower <= row.message_id < page.covered.upper for page in pages for row in page.rows)
    assert facts(rows(pages)) == truth(emulator, NEWS, lower=150, upper=420)


@pytest.mark.parametrize(
    "disturbance",
    [
        {"effect": "short", "cap": 50, **ANY},
        {"effect": "short", "cap": 1, "times": 30},
        {"effect": "reversed", **ANY},
        {"effect": "swapped", **ANY},
        {"effect": "duplicate_boundary", "times": 9},
        {"effect": "message_empty", "lower": 400, "upper": 619, **ANY},
        {"effect": "empty", "times": 1},
    ],
    ids=lambda d: f"{d['effect']}-{d.get('cap', '')}",
)
async def test_no_kind_of_page_loses_or_repeats_a_message(processes, emulator, disturbance):
    emulator.fault("page", **disturbance)
    pages = await walked(processes, emulator, IdRange(1, 1001))
    expected = truth(emulator, NEWS)
    if disturbance["effect"] == "message_empty":
        expected = [t for t in expected if not 400 <= t[0] <= 619]
    assert facts(rows(pages)) == expected


async def test_the_end_is_asked_for_twice_before_it_is_believed(processes, emulator):
    emulator.delete(NEWS.channel_id, [t[0] for t in truth(emulator, NEWS, lower=1, upper=301)])
    pages = await walked(processes, emulator, IdRange(1, 330))
    assert [page.covered for page in pages] == [IdRange(301, 330), IdRange(1, 301)]
    assert len(emulator.served()["history"]) == 3
    assert facts(rows(pages)) == truth(emulator, NEWS, lower=1, upper=330)


async def test_a_forum_has_topics_and_a_channel_has_none(processes, emulator):
    async with processes.start(emulator).pool as pool, pool.lease() as lease:
        forum = await lease.resolve_username("tiny_talk")
        pages = [page async for page in walk(lease, forum, IdRange(1, 561))]
    assert forum.is_forum
    assert facts(rows(pages)) == truth(emulator, TALK)
    topics = {row.topic_id for row in rows(pages)}
    assert {1, 2, 90} <= topics
    assert None not in topics


async def test_a_date_becomes_the_first_id_at_or_after_it(processes, emulator):
    known = truth(emulator, NEWS)
    dates = [known[0][1], known[1][1], known[500][1], known[500][1] + 1, known[-1][1]]
    async with processes.start(emulator).pool as pool, pool.lease() as lease:
        info = info_of(emulator, NEWS, lease.account.label)
        for date in dates:
            older = [t[0] for t in known if t[1] < date]
            expected = max(older) + 1 if older else 1
            assert await first_id_since(lease, info, datetime.fromtimestamp(date, UTC)) == expected


async def test_dates_outside_of_the_channels_life(processes, emulator):
    async with processes.start(emulator).pool as pool, pool.lease() as lease:
        info = info_of(emulator, NEWS, lease.account.label)
        assert await first_id_since(lease, info, datetime(2015, 1, 1, tzinfo=UTC)) == 1
        assert await first_id_since(lease, info, datetime.now(UTC) + timedelta(days=400)) == 1001


async def test_the_top_of_a_channel(processes, emulator):
    async with processes.start(emulator).pool as pool, pool.lease() as lease:
        top = await top_of(lease, info_of(emulator, NEWS, lease.account.label))
    assert (top.message_id, top.count) == (1000, len(truth(emulator, NEWS)))
