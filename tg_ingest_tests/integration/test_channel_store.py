"""Channels in a real PostgreSQL: a slug is bound to one id for ever, and what is known of a channel is kept."""

from datetime import UTC, datetime

import pytest

from tg_ingest.accounts import Channel, ChannelInfo
from tg_ingest.errors import StoreError
from tg_ingest.messages.coverage import IdRange, IdRanges
from tg_ingest.messages.models import Rejection
from tg_ingest.postgres.channel_store import ChannelStore
from tg_ingest.postgres.upsert import store_part
from tg_ingest_tests.message_rows import CHANNEL, SEEN, message, table_of


@pytest.fixture
def channels(engine):
    return ChannelStore(engine)


def info(channel_id: int, title: str = "News") -> ChannelInfo:
    return ChannelInfo(
        channel_id=channel_id, access_hash=1, title=title, username="news", kind="broadcast", is_forum=False
    )


def test_a_channel_is_registered_once_and_listed_by_slug(channels):
    assert channels.add("news", username="News") == Channel(slug="news", username="News", channel_id=None)
    channels.add("alpha", username=None)
    assert channels.add("news", username="News") == channels.get("news")
    assert [channel.slug for channel in channels.channels()] == ["alpha", "news"]
    assert channels.get("beta") is None
    with pytest.raises(StoreError, match="'news' is registered for @News, not for @other"):
        channels.add("news", username="other")


def test_a_slug_keeps_the_id_of_its_first_resolve(channels):
    channels.add("news", username="news")
    bound = Channel(slug="news", username="news", channel_id=10**10)
    assert channels.bind("news", info(10**10)) == bound
    assert channels.bind("news", info(10**10, title="Renamed")) == bound
    with pytest.raises(
        StoreError, match="'news' is bound to channel 10000000000, but now resolves to 5: the user name"
    ):
        channels.bind("news", info(5))
    assert channels.get("news") == bound


def test_an_id_is_never_under_two_slugs(channels):
    channels.add("news", username="news")
    channels.add("copy", username="news")
    channels.bind("news", info(7))
    with pytest.raises(StoreError, match="channel 7 is registered as 'news' already; 'copy' is the same channel"):
        channels.bind("copy", info(7))
    assert channels.get("copy") == Channel(slug="copy", username="news", channel_id=None)


def test_an_unregistered_slug_names_the_command(channels):
    with pytest.raises(StoreError, match="no channel is registered as 'x'; run: tg-ingest channel add x"):
        channels.bind("x", info(1))


def test_the_top_of_a_channel_never_goes_back(channels):
    channels.add("news", username="news")
    channels.bind("news", info(7))
    assert channels.top_message_id(7) is None
    channels.record_top(7, top_message_id=500, message_count=450, pts=900, is_count_inexact=False)
    channels.record_top(7, top_message_id=400, message_count=449, pts=None, is_count_inexact=True)
    assert channels.top_message_id(7) == 500
    assert channels.top_message_id(8) is None


def test_boundaries_are_kept_with_their_zone(channels):
    january, february = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
    channels.save_boundaries(7, {february: 90, january: 1})
    channels.save_boundaries(7, {february: 95})
    channels.save_boundaries(7, {})
    assert channels.boundaries(7) == {january: 1, february: 95}
    assert channels.boundaries(8) == {}


def test_stored_and_rejected_messages_are_counted_by_range(channels, engine):
    rejections = [
        Rejection(CHANNEL, 50, "unparsed", "x", None, "{}", SEEN),
        Rejection(CHANNEL, 50, "unparsed", "x", None, '{"other":1}', SEEN),
        Rejection(CHANNEL, 60, "unparsed", "x", None, "{}", SEEN),
    ]
    rows = table_of(*(message(i) for i in range(1, 11)))
    store_part(engine, rows, channel_id=CHANNEL, covered=IdRanges(), rejections=rejections, run_id="r")
    assert channels.stored_messages(CHANNEL) == 10
    assert channels.stored_messages(CHANNEL, IdRange(3, 6)) == 3
    assert channels.stored_messages(CHANNEL, IdRange(6, 6)) == 0
    assert channels.rejected_messages(CHANNEL) == 2
    assert channels.rejected_messages(CHANNEL, IdRange(51, 99)) == 1
    assert channels.stored_messages(1) == 0
