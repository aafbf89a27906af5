import struct
from datetime import UTC, date, datetime
from typing import Any

import pytest
from telethon.extensions import BinaryReader

from tg_ingest.emulator.content.compose import compose
from tg_ingest.emulator.templates import make_template
from tg_ingest.emulator.worlds import load


def test_a_stamped_message_equals_the_one_built_for_its_id_and_date():
    channel = next(iter(load("bench:3000000", start=date(2022, 1, 1)).channels.values()))
    ids = [*range(2, 60), *range(1_000_003, 3_000_000, 9_901)]
    for message_id in filter(channel.exists, ids):
        assert channel.message_bytes(message_id) == bytes(compose(channel._planner, channel._plan(message_id)))


def test_the_truth_of_a_templated_channel_is_what_it_serves():
    channel = next(iter(load("bench:1000000", start=date(2022, 1, 1)).channels.values()))
    truths = [*channel.truth(1, 400), *channel.truth(999_000, 1_000_001)]
    for truth in truths:
        message: Any = BinaryReader(channel.message_bytes(truth.message_id)).tgread_object()
        edited = message.edit_date and int(message.edit_date.timestamp())
        seen = (message.id, int(message.date.timestamp()), edited, message.message or "")
        assert seen == (truth.message_id, truth.date, truth.edit_date, truth.text)
    assert len(truths) > 1300
    assert any(truth.edit_date for truth in truths)
    assert {truth.kind for truth in truths} == {"message", "service"}


def test_a_templated_message_is_not_edited_in_the_future():
    now = datetime(2023, 3, 1, tzinfo=UTC)
    channel = next(iter(load("bench:300000", start=date(2022, 1, 1), now=now).channels.values()))
    newest = list(channel.truth(channel.top_id - 400, channel.top_id + 1))
    served: list[Any] = [BinaryReader(channel.message_bytes(truth.message_id)).tgread_object() for truth in newest]
    assert [m.edit_date and int(m.edit_date.timestamp()) for m in served] == [truth.edit_date for truth in newest]
    assert all(m.edit_date is None or m.edit_date <= now for m in served)
    assert any(m.edit_date for m in served)


def test_messages_of_a_templated_channel_are_of_realistic_size():
    channel = next(iter(load("bench:100000", start=date(2022, 1, 1)).channels.values()))
    sizes = [len(channel.message_bytes(i)) for i in range(1, 8000) if channel.exists(i)]
    assert sum(sizes) / len(sizes) == pytest.approx(810, abs=90)


def test_what_depends_on_the_id_in_another_way_is_no_template():
    with pytest.raises(ValueError, match="byte 4 of the message"):
        make_template(lambda message_id, date: struct.pack("<iii", message_id, message_id * 3, date))
    with pytest.raises(ValueError, match="length"):
        make_template(lambda message_id, _: bytes(message_id % 9))
