"""What the demo world says: every kind of message is in it, and its truth is what Telethon reads from the wire."""

from collections import defaultdict
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from telethon.extensions import BinaryReader
from telethon.tl import types as tl

from tg_ingest.emulator.content.texts import utf16_length
from tg_ingest.emulator.worlds import load

NOW = datetime(2025, 5, 20, tzinfo=UTC)
NEWS, TALK, FORUM = 2_200_000_101, 2_200_000_102, 2_200_000_107


def read(octets) -> Any:
    """What Telethon makes of the bytes on the wire."""
    return BinaryReader(octets).tgread_object()


@pytest.fixture(scope="module")
def demo():
    return load("demo", start=date(2022, 5, 1), now=NOW)


@pytest.fixture(scope="module")
def messages(demo):
    """A third of all messages in whole runs of 100 ids, by channel, as Telethon reads them."""
    return {
        channel_id: [
            read(channel.message_bytes(i))
            for i in range(1, channel.top_id + 1)
            if (i - 1) // 100 % 3 == 0 and channel.exists(i)
        ]
        for channel_id, channel in demo.channels.items()
    }


@pytest.fixture(scope="module")
def everything(messages):
    return [message for of_channel in messages.values() for message in of_channel]


def seconds(moment):
    return None if moment is None else int(moment.timestamp())


def test_the_truth_is_what_telethon_reads_from_the_wire(demo, messages):
    compared = 0
    for channel_id, served in messages.items():
        truths = {t.message_id: t for t in demo.channels[channel_id].truth(1, served[-1].id + 1)}
        for message in served:
            truth = truths[message.id]
            kind = "service" if getattr(message, "action", None) else "message"
            text = "" if kind == "service" else message.message
            assert truth[:5] == (message.id, seconds(message.date), seconds(message.edit_date), kind, text)
            assert (truth.rich_text is None) == (kind == "service" or message.rich_message is None)
            assert message.peer_id == tl.PeerChannel(channel_id)
            compared += 1
    assert compared > 20_000


def test_every_kind_of_attachment_is_there(everything):
    kinds = {type(m.media).__name__.removeprefix("MessageMedia") for m in everything if m.media}
    common = {"Photo", "Document", "WebPage", "Poll", "Geo", "GeoLive", "Venue", "Contact", "Dice", "Invoice", "Story"}
    assert common | {"ToDo", "PaidMedia", "Giveaway", "Game", "Unsupported"} == kinds
    documents: list[Any] = [m.media for m in everything if isinstance(m.media, tl.MessageMediaDocument)]
    attributes = {type(a).__name__.removeprefix("DocumentAttribute") for d in documents for a in d.document.attributes}
    assert attributes == {"Video", "Audio", "Sticker", "Animated", "Filename", "ImageSize"}
    assert any(d.voice for d in documents)
    assert any(d.round for d in documents)


def test_every_common_entity_is_there(everything):
    kinds = {type(e).__name__.removeprefix("MessageEntity") for m in everything for e in m.entities or ()}
    assert kinds == {
        "BankCard", "Blockquote", "Bold", "BotCommand", "Cashtag", "Code", "CustomEmoji", "Email", "FormattedDate",
        "Hashtag", "Italic", "Mention", "MentionName", "Phone", "Pre", "Spoiler", "Strike", "TextUrl", "Underline",
        "Url",
    }  # fmt: skip


def test_entities_cover_whole_characters_counted_in_utf16(everything):
    starts = {tl.MessageEntityHashtag: "#", tl.MessageEntityMention: "@", tl.MessageEntityCashtag: "$"}
    astral = 0
    for message in everything:
        units = (message.message or "").encode("utf-16-le")
        for entity in message.entities or ():
            covered = units[2 * entity.offset : 2 * (entity.offset + entity.length)]
            assert len(covered) == 2 * entity.length > 0
            text = covered.decode("utf-16-le")  # raises where a surrogate pair is cut
            assert text.startswith(starts.get(type(entity), ""))
            astral += any(ord(character) > 0xFFFF for character in text)
    assert astral > 50


def test_every_common_service_message_is_there(everything):
    actions = {type(m.action).__name__.removeprefix("MessageAction") for m in everything if getattr(m, "action", None)}
    assert actions >= {
        "ChannelCreate", "PinMessage", "ChatEditTitle", "ChatEditPhoto", "ChatDeletePhoto", "ChatJoinedByLink",
        "ChatJoinedByRequest", "ChatAddUser", "ChatDeleteUser", "GroupCall", "GroupCallScheduled", "TopicCreate",
        "TopicEdit", "SetMessagesTTL", "BoostApply", "InviteToGroupCall", "GiveawayLaunch", "CustomAction",
    }  # fmt: skip


def test_the_first_message_of_every_channel_creates_it(demo):
    for channel in demo.channels.values():
        first = read(channel.message_bytes(1))
        assert first.action == tl.MessageActionChannelCreate(channel.title)


@pytest.mark.parametrize(
    "field",
    [
        "reply_markup", "via_bot_id", "post_author", "ttl_period", "noforwards", "silent", "pinned",
        "restriction_reason", "factcheck", "effect", "paid_message_stars", "rich_message", "edit_date", "edit_hide",
        "grouped_id", "from_rank",
        "from_boosts_applied", "views", "forwards", "replies", "reactions", "fwd_from", "reply_to",
        "suggested_post",
    ],
)  # fmt: skip
def test_every_field_that_an_ingester_keeps_is_used(everything, field):
    used = [m.id for m in everything if getattr(m, field, None)]
    assert 3 < len(used) < len(everything)


def test_reactions_are_emoji_custom_emoji_and_stars(everything):
    kinds = {type(r.reaction) for m in everything if m.reactions for r in m.reactions.results}
    assert kinds == {tl.ReactionEmoji, tl.ReactionCustomEmoji, tl.ReactionPaid}


def test_forwards_come_from_channels_users_and_people_who_hide(everything):
    headers = [m.fwd_from for m in everything if getattr(m, "fwd_from", None)]
    assert {type(h.from_id) for h in headers} == {tl.PeerChannel, tl.PeerUser, type(None)}
    assert all(h.from_name for h in headers if h.from_id is None)


def test_replies_quote_reach_other_chats_and_answer_stories(everything):
    replies = [m.reply_to for m in everything if m.reply_to]
    plain = [r for r in replies if isinstance(r, tl.MessageReplyHeader)]
    assert any(r.quote and not r.reply_to_peer_id for r in plain)
    assert any(r.quote and r.reply_to_peer_id and r.reply_from for r in plain)
    assert any(isinstance(r, tl.MessageReplyStoryHeader) for r in replies)


def test_a_reply_in_a_topic_answers_a_message_of_that_topic(messages):
    topic_of = {}
    created = {2, 3, 5, 640, 2_900}
    for message in messages[FORUM]:
        header = message.reply_to
        if isinstance(header, tl.MessageReplyHeader) and header.forum_topic:
            topic_of[message.id] = header.reply_to_top_id or header.reply_to_msg_id
    within = [m for m in messages[FORUM] if m.id in topic_of and m.reply_to.reply_to_top_id]
    assert set(topic_of.values()) == created
    assert len(within) > 100
    assert all(topic_of.get(m.reply_to.reply_to_msg_id, topic_of[m.id]) == topic_of[m.id] for m in within)
    assert all(topic <= message_id for message_id, topic in topic_of.items())


def test_the_discussion_group_holds_copies_of_the_posts_of_its_channel(demo, messages):
    copies = [m for m in messages[TALK] if m.from_id == tl.PeerChannel(NEWS)]
    of_living = [m for m in copies if demo.channels[NEWS].exists(m.fwd_from.channel_post)]
    assert len(copies) > len(of_living) > 200
    for copy in of_living[:60]:
        post = read(demo.channels[NEWS].message_bytes(copy.fwd_from.channel_post))
        assert (copy.message, copy.entities) == (post.message, post.entities)
        assert copy.date >= post.date
        assert type(copy.media) is type(post.media)


def test_albums_have_consecutive_ids_one_date_and_one_sender_and_some_straddle_a_page(demo):
    channel = demo.channels[NEWS]
    albums, straddling, offset = defaultdict(list), 0, 0
    for _ in range(30):
        ids = channel.history(offset_id=offset, limit=100)
        page = [read(channel.message_bytes(i)) for i in ids]
        grouped = {m.grouped_id for m in page if getattr(m, "grouped_id", None)}
        straddling += bool(grouped & set(albums))
        for message in page:
            if getattr(message, "grouped_id", None):
                albums[message.grouped_id].append(message)
        offset = ids[-1]
    assert len(albums) > 10
    assert straddling
    for members in albums.values():
        ids = [m.id for m in members]
        assert all(not channel.exists(gone) for above, below in pairwise(ids) for gone in range(below + 1, above))
        assert len({m.date for m in members}) == 1
        assert len(members) <= 10


def test_senders_are_served_and_nobody_else(demo, messages):
    channel = demo.channels[FORUM]
    some = messages[FORUM][:80]
    users = [read(each) for each in channel.users_for([m.id for m in some])]
    senders = {m.from_id.user_id for m in some if isinstance(m.from_id, tl.PeerUser)}
    assert {user.id for user in users} == senders
    assert len(users) == len(senders) > 10
    assert demo.channels[NEWS].users_for(range(1, 200)) == []


def test_texts_of_many_scripts_and_dangerous_ones_are_there(demo):
    truths = [t for channel in demo.channels.values() for t in channel.truth(1, channel.top_id + 1)]
    texts = "".join(t.text for t in truths)
    for letters in (
        "ferry",
        "¡",
        "ё",
        "م",
        "ש",
        "码",
        "の",
        "के",
        "👨‍👩‍👧‍👦",
        "🇯🇵",
        "👍🏽",
        "\u202e",
        "\u200b",
        "\ufeff",
        "\r\n",
        "\t",
        "\\N",
        "DROP TABLE",
    ):
        assert letters in texts
    assert "\x00" not in texts  # PostgreSQL cannot hold it, and Telegram does not send it
    longest = [t.text for t in truths if utf16_length(t.text) == 4096]
    assert {len(text) for text in longest} >= {2048}  # emoji of two code units
    assert any(text.isprintable() and len(text) > 4000 for text in longest)
    assert max(utf16_length(t.text) for t in truths) == 4096
    assert sum(not t.text for t in truths if t.kind == "message") > 5_000


def test_about_one_message_in_25_is_deleted_and_some_are_edited(demo):
    for channel in demo.channels.values():
        if not channel.spec.stretches:
            assert 0.035 < 1 - channel.count / channel.top_id < 0.045
    edited = [t for t in demo.channels[NEWS].truth(1, 5_000) if t.edit_date]
    assert 200 < len(edited) < 900
    assert all(t.date < t.edit_date <= NOW.timestamp() for t in edited)


def test_the_chat_is_described_as_its_kind(demo):
    news, forum = demo.channels[NEWS].chat(77), demo.channels[FORUM].chat(78)
    assert (news.broadcast, news.megagroup, news.access_hash, news.username) == (True, False, 77, "harbor_news")
    assert (forum.broadcast, forum.megagroup, forum.forum, forum.access_hash) == (False, True, True, 78)
    full = read(bytes(demo.channels[NEWS].full(77)))
    assert (full.full_chat.pts, full.full_chat.participants_count) == (demo.channels[NEWS].pts, 48_200)
    assert bytes(full.chats[0]) == bytes(news)
