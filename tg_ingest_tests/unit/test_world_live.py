"""Posts, edits and deletions while the server runs."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from telethon.extensions import BinaryReader

from tg_ingest.emulator.worlds import load

NOW = int(datetime(2024, 6, 1, 12, tzinfo=UTC).timestamp())
START = date(2024, 1, 1)


def tiny(channel_id=2_200_000_201, **options):
    return load("tiny", start=START, clock=lambda: NOW, **options).channels[channel_id]


def served(channel, message_id) -> Any:
    return BinaryReader(channel.message_bytes(message_id)).tgread_object()


def first_with_text(channel):
    return next(t for t in channel.truth(1, channel.top_id + 1) if t.text)


def test_a_post_is_the_newest_message_and_counts_as_an_event():
    channel = tiny()
    top, count, pts = channel.top_id, channel.count, channel.pts
    message_id = channel.post("fresh 🦀")
    assert message_id > top
    assert (channel.top_id, channel.count, channel.pts) == (message_id, count + 1, pts + 1)
    assert channel.history(limit=2) == [message_id, top]
    message = served(channel, message_id)
    assert (message.message, int(message.date.timestamp()), message.edit_date) == ("fresh 🦀", NOW, None)
    assert list(channel.truth(message_id, message_id + 1)) == [(message_id, NOW, None, "message", "fresh 🦀", None)]


def test_a_post_is_plain():
    channel = tiny()
    for _ in range(40):
        message = served(channel, channel.post("plain"))
        assert (message.fwd_from, message.reply_to, message.reactions, message.media) == (None, None, None, None)


def test_posts_follow_a_stretch_of_ids_that_were_never_given_out(tmp_path):
    path = tmp_path / "young.json"
    spec = {"channel_id": 9, "title": "Young", "username": "young", "ids": 1000, "stretches": [[500, 900]]}
    path.write_text(json.dumps({"months": 12, "channels": [spec]}), encoding="utf-8")
    channel = load(path, start=START, clock=lambda: NOW).channels[9]
    assert channel.top_id < 500
    first, count = channel.post("a"), channel.count
    assert channel.post("b") == first + 1
    assert (channel.count, channel.top_id) == (count + 1, first + 1)
    assert channel.history(limit=2) == [first + 1, first]


def test_an_edit_changes_the_text_and_sets_the_edit_date():
    channel = tiny()
    before, pts = first_with_text(channel), channel.pts
    channel.edit(before.message_id, "corrected")
    message = served(channel, before.message_id)
    assert (message.message, int(message.edit_date.timestamp()), message.entities) == ("corrected", NOW, None)
    assert int(message.date.timestamp()) == before.date
    assert next(channel.truth(before.message_id, before.message_id + 1))[2:5] == (NOW, "message", "corrected")
    assert channel.pts == pts + 1


def test_a_post_can_be_edited_and_deleted():
    channel = tiny()
    message_id = channel.post("one")
    channel.edit(message_id, "two")
    assert served(channel, message_id).message == "two"
    channel.delete([message_id])
    assert not channel.exists(message_id)
    assert channel.post("three") == message_id + 1  # an id is never given out twice


def test_deleted_messages_are_gone_and_each_is_an_event():
    channel = tiny()
    ids = channel.history(limit=10)
    count, pts = channel.count, channel.pts
    channel.delete([*ids[2:5], ids[3], 10**6])
    assert channel.history(limit=7) == [*ids[:2], *ids[5:]]
    assert (channel.count, channel.pts) == (count - 3, pts + 3)
    assert [t.message_id for t in channel.truth(ids[9], ids[0] + 1)] == [*ids[9:4:-1], ids[1], ids[0]]
    with pytest.raises(KeyError, match=f"message {ids[3]} of channel 2200000201 is absent"):
        channel.message_bytes(ids[3])


def test_deleting_the_newest_message_leaves_the_one_before_as_the_top():
    channel = tiny()
    newest, before = channel.history(limit=2)
    channel.delete([newest])
    assert channel.top_id == before


def test_what_is_no_text_message_cannot_be_edited():
    channel = tiny()
    with pytest.raises(KeyError, match="service message"):
        channel.edit(1, "x")
    with pytest.raises(KeyError, match="absent"):
        channel.edit(10**6, "x")


def test_a_post_in_a_forum_and_its_senders_are_served():
    channel = tiny(2_200_000_202)
    message_id = channel.post("hello")
    assert served(channel, message_id).message == "hello"
    assert len(channel.users_for([message_id])) <= 1


def test_an_edited_message_of_a_templated_channel_keeps_its_attachment():
    channel = next(iter(load("bench:500", start=START, clock=lambda: NOW).channels.values()))
    with_photo = next(i for i in range(2, 500) if channel.exists(i) and getattr(served(channel, i), "photo", None))
    photo_id = served(channel, with_photo).photo.id
    channel.edit(with_photo, "new caption")
    assert (served(channel, with_photo).message, served(channel, with_photo).photo.id) == ("new caption", photo_id)
