"""The built-in worlds keep their promises, and a wrong name or file is one clear error."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tg_ingest.emulator.worlds import WorldError, load

START = date(2022, 5, 1)


def described(channel) -> Any:
    return channel.full(5).full_chat


def test_the_demo_world_is_as_large_and_as_long_as_promised():
    world = load("demo", start=START)
    assert sum(channel.count for channel in world.channels.values()) >= 60_000
    assert len(world.channels) == 7
    assert {channel.kind for channel in world.channels.values()} == {"broadcast", "supergroup"}
    assert any(channel.is_forum for channel in world.channels.values())
    first = min(channel.date_of(1) for channel in world.channels.values())
    last = max(channel.date_of(channel.top_id) for channel in world.channels.values())
    assert datetime.fromtimestamp(first, UTC).date() == START
    assert date(2025, 5, 1) <= datetime.fromtimestamp(last, UTC).date() <= date(2025, 5, 8)


def test_every_month_of_the_demo_has_messages_in_its_oldest_channel():
    channel = load("demo", start=START).channels[2_200_000_101]
    months = {
        datetime.fromtimestamp(channel.date_of(i), UTC).strftime("%Y-%m") for i in range(1, channel.top_id + 1, 9)
    }
    assert len(months) == 37


def test_a_stretch_of_the_demo_holds_more_absent_ids_than_a_page_has_messages():
    channel = load("demo", start=START).channels[2_200_000_104]
    assert not any(channel.exists(i) for i in range(2_741, 3_163))
    below = channel.history(offset_id=3_163, limit=100)
    assert below[0] < 2_741
    assert len(below) == 100


def test_the_discussion_group_and_its_channel_name_each_other():
    world = load("demo", start=START)
    news, talk = world.channel_named("HARBOR_NEWS"), world.channel_named("harbor_talk")
    assert news is not None
    assert talk is not None
    assert described(news).linked_chat_id == talk.channel_id
    assert described(talk).linked_chat_id == news.channel_id


def test_a_demo_account_is_flagged_and_another_revoked_amid_the_job():
    accounts = {account.label: account for account in load("demo", start=START).accounts}
    assert list(accounts) == ["demo-1", "demo-2", "demo-3"]
    assert (accounts["demo-2"].flag_after, accounts["demo-2"].flag_seconds) == (100, 600)
    assert accounts["demo-3"].revoke_after == 90
    limit = accounts["demo-1"].limits["messages.getHistory"]
    assert (limit.kind, limit.requests, limit.seconds) == ("sliding", 30, 1.0)


def test_nothing_is_dated_after_now_and_later_more_has_been_sent():
    noon = datetime(2025, 5, 1, 12, tzinfo=UTC)
    early = load("demo", start=START, now=noon)
    late = load("demo", start=START, now=noon + timedelta(days=2))
    for channel_id, channel in early.channels.items():
        truths = list(channel.truth(channel.top_id - 300, channel.top_id + 1))
        assert max(truth.date for truth in truths) <= noon.timestamp()
        assert max(truth.edit_date or 0 for truth in truths) <= noon.timestamp()
        assert channel.top_id < late.channels[channel_id].top_id
        assert channel.message_bytes(700) == late.channels[channel_id].message_bytes(700)


def test_by_default_now_is_what_the_clock_says():
    world = load("tiny", start=START, clock=lambda: datetime(2022, 6, 1, tzinfo=UTC).timestamp())
    assert all(0 < channel.top_id < 600 for channel in world.channels.values())


def test_the_tiny_world_is_small_and_unlimited():
    world = load("tiny", start=START)
    assert sum(channel.count for channel in world.channels.values()) == pytest.approx(1_500, abs=30)
    assert len(world.channels) == 2
    assert all(not account.limits and account.flag_after is None for account in world.accounts)


def test_the_same_seed_gives_the_same_world_and_another_seed_another():
    one, same, other = (load("tiny", seed=seed, start=START).channels[2_200_000_201] for seed in (1, 1, 2))
    assert [one.message_bytes(i) for i in one.history(limit=100)] == [
        same.message_bytes(i) for i in same.history(limit=100)
    ]
    assert list(one.truth(1, 200)) != list(other.truth(1, 200))


@pytest.mark.parametrize("name", ["", "Demo", "demo2", "tiny:5", "benches"])
def test_an_unknown_world_is_refused_with_the_choices(name):
    with pytest.raises(WorldError, match=r"there is no world .*; choose demo, tiny, bench"):
        load(name, start=START)


@pytest.mark.parametrize("size", ["0", "-4", "many", "1e6", str(2**31)])
def test_a_bench_world_needs_a_size(size):
    with pytest.raises(WorldError, match="bench:<messages>"):
        load(f"bench:{size}", start=START)


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


CHANNEL = {"channel_id": 5_000, "title": "Mine", "username": "mine", "ids": 300}


def test_a_world_can_be_described_in_a_file(tmp_path):
    group = {
        "channel_id": 5_001,
        "title": "Hidden",
        "kind": "supergroup",
        "ids": 400,
        "subject": "football",
        "voices": {"spanish": 1},
        "topics": [{"message_id": 2, "title": "Ida"}],
        "stretches": [[200, 290]],
        "available_min_id": 50,
    }
    limits = {"messages.getHistory": {"kind": "fixed", "requests": 3, "seconds": 1}}
    account = {"label": "a", "user_id": 1, "phone": "9996620009", "limits": limits}
    path = write(tmp_path / "mine.json", {"months": 2, "channels": [CHANNEL, group], "accounts": [account]})
    world = load(path, start=START)
    hidden = world.channels[5_001]
    assert (world.name, [a.label for a in world.accounts], len(world.channels)) == ("mine", ["a"], 2)
    assert (hidden.is_private, hidden.is_forum, hidden.username) == (True, True, None)
    assert hidden.history(offset_id=60, limit=100) == [i for i in range(59, 50, -1) if hidden.exists(i)]
    assert not any(hidden.exists(i) for i in (*range(1, 51), *range(200, 290)))
    assert described(hidden).available_min_id == 50


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is not JSON"),
        ([], "does not describe a world"),
        ({}, "the field 'channels' is missing"),
        ({"channels": []}, "a world has channels"),
        ({"channels": [CHANNEL, CHANNEL]}, "a channel_id of its own"),
        ({"channels": [{**CHANNEL, "colour": "red"}]}, "ChannelSpec has no field 'colour'; it has channel_id"),
        ({"channels": [{"channel_id": 1, "title": "x"}]}, "the field 'ChannelSpec.ids' is missing"),
        ({"channels": [{**CHANNEL, "ids": 0}]}, "a channel has 1 to"),
        ({"channels": [{**CHANNEL, "kind": "chat"}]}, "broadcast or supergroup, not 'chat'"),
        ({"channels": [{**CHANNEL, "voices": {"klingon": 1}}]}, "no voice speaks 'klingon'; there are english"),
        ({"channels": [{**CHANNEL, "stretches": [[9, 4]]}]}, "stretches are rising"),
        ({"channels": [{**CHANNEL, "topics": [{"message_id": 2, "title": "x"}]}]}, "only supergroups have topics"),
        ({"channels": [CHANNEL], "accounts": [{"label": "a"}]}, "the field 'AccountSpec.user_id' is missing"),
    ],
)
def test_a_malformed_file_is_one_error_that_names_the_fault(tmp_path, content, complaint):
    with pytest.raises(WorldError, match=complaint):
        load(write(tmp_path / "broken.json", content), start=START)


def test_a_missing_file_is_refused_with_the_choices(tmp_path):
    with pytest.raises(WorldError, match=r"cannot read the world .*none.json: No such file .*; choose demo"):
        load(tmp_path / "none.json", start=START)
