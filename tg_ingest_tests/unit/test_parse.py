"""Telegram messages made by hand, and the rows that they become."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from telethon.tl import types as t

from tg_ingest.messages.models import MessageRow
from tg_ingest.messages.part_stream import to_batch
from tg_ingest.telegram import media
from tg_ingest.telegram.parse import LAYER, parse_messages

CHANNEL = 1_234_567_890
SENT = datetime(2024, 3, 1, 12, 0, 0, tzinfo=UTC)
LATER = datetime(2024, 3, 1, 13, 0, 0, tzinfo=UTC)
SEEN = datetime(2024, 6, 1, tzinfo=UTC)


def message(**fields):
    """A plain text message, except for the given fields."""
    return t.Message(**{"id": 7, "peer_id": t.PeerChannel(CHANNEL), "date": SENT, "message": "hi", **fields})


def service(action, **fields):
    return t.MessageService(**{"id": 7, "peer_id": t.PeerChannel(CHANNEL), "date": SENT, "action": action, **fields})


def parse(*messages, is_forum=False, account_id=1):
    return parse_messages(messages, channel_id=CHANNEL, is_forum=is_forum, account_id=account_id, observed_at=SEEN)


def row(**fields):
    (only,) = parse(message(**fields))
    assert only.problem is None
    return only


def raw(**fields):
    return json.loads(row(**fields).raw)


def test_every_column_of_a_plain_message():
    assert row() == MessageRow(
        channel_id=CHANNEL,
        message_id=7,
        date=SENT,
        kind="message",
        sender_type=None,
        sender_id=None,
        post_author=None,
        is_post=False,
        via_bot_id=None,
        text="hi",
        text_source="message",
        entities=None,
        action_type=None,
        action=None,
        media_type=None,
        grouped_id=None,
        reply_to_message_id=None,
        reply_to_peer_type=None,
        reply_to_peer_id=None,
        reply_to_top_id=None,
        topic_id=None,
        quote_text=None,
        reply_to_story_peer_type=None,
        reply_to_story_peer_id=None,
        reply_to_story_id=None,
        forward_date=None,
        forward_from_type=None,
        forward_from_id=None,
        forward_from_name=None,
        forward_from_message_id=None,
        forward_post_author=None,
        is_imported=False,
        edit_date=None,
        is_edit_hidden=False,
        is_pinned=False,
        is_silent=False,
        has_protected_content=False,
        ttl_seconds=None,
        effect_id=None,
        factcheck=None,
        restriction_reason=None,
        paid_stars=None,
        layer=LAYER,
        raw='{"_":"Message","date":"2024-03-01T12:00:00Z","id":7,"message":"hi",'
        '"peer_id":{"_":"PeerChannel","channel_id":1234567890}}',
        content_hash=row().content_hash,
        views=None,
        forwards=None,
        reply_count=None,
        reaction_count=None,
        reactions=None,
        poll_results=None,
        observed_at=SEEN,
        account_id=1,
        problem=None,
    )
    assert -(2**63) <= row().content_hash < 2**63


def test_every_column_that_a_message_can_fill():
    full = row(
        from_id=t.PeerUser(42),
        post=True,
        post_author="Ann",
        via_bot_id=9,
        grouped_id=13_000_000_000_000_000,
        edit_date=LATER,
        edit_hide=True,
        pinned=True,
        silent=True,
        noforwards=True,
        ttl_period=86_400,
        effect=5_104_841_245_755_180_586,
        paid_message_stars=3,
        views=100,
        forwards=5,
        replies=t.MessageReplies(replies=4, replies_pts=9, comments=True, channel_id=55),
        restriction_reason=[t.RestrictionReason(platform="all", reason="terms", text="removed")],
        factcheck=t.FactCheck(hash=1, country="DE", text=t.TextWithEntities("not so", [])),
        reply_to=t.MessageReplyHeader(
            reply_to_msg_id=3,
            reply_to_peer_id=t.PeerChannel(77),
            reply_to_top_id=2,
            forum_topic=True,
            quote=True,
            quote_text="said",
        ),
        fwd_from=t.MessageFwdHeader(
            date=SENT, from_id=t.PeerChannel(88), channel_post=6, post_author="Bob", imported=True
        ),
    )
    assert full._asdict() | {"raw": "", "content_hash": 0} == row()._asdict() | {
        "raw": "",
        "content_hash": 0,
        "sender_type": "user",
        "sender_id": 42,
        "is_post": True,
        "post_author": "Ann",
        "via_bot_id": 9,
        "grouped_id": 13_000_000_000_000_000,
        "edit_date": LATER,
        "is_edit_hidden": True,
        "is_pinned": True,
        "is_silent": True,
        "has_protected_content": True,
        "ttl_seconds": 86_400,
        "effect_id": 5_104_841_245_755_180_586,
        "paid_stars": 3,
        "views": 100,
        "forwards": 5,
        "reply_count": 4,
        "restriction_reason": '[{"_":"RestrictionReason","platform":"all","reason":"terms","text":"removed"}]',
        "factcheck": '{"_":"FactCheck","country":"DE","text":{"_":"TextWithEntities","entities":[],"text":"not so"}}',
        "reply_to_message_id": 3,
        "reply_to_peer_type": "channel",
        "reply_to_peer_id": 77,
        "reply_to_top_id": 2,
        "topic_id": 2,
        "quote_text": "said",
        "forward_date": SENT,
        "forward_from_type": "channel",
        "forward_from_id": 88,
        "forward_from_message_id": 6,
        "forward_post_author": "Bob",
        "is_imported": True,
    }


def test_a_hidden_sender_of_a_forward_has_only_a_name():
    hidden = row(fwd_from=t.MessageFwdHeader(date=SENT, from_name="Somebody"))
    assert (hidden.forward_from_type, hidden.forward_from_id, hidden.forward_from_name) == (None, None, "Somebody")


def test_a_reply_to_a_story():
    reply = row(reply_to=t.MessageReplyStoryHeader(peer=t.PeerUser(5), story_id=12))
    assert (reply.reply_to_story_peer_type, reply.reply_to_story_peer_id, reply.reply_to_story_id) == ("user", 5, 12)
    assert reply.reply_to_message_id is None


@pytest.mark.parametrize(
    ("header", "is_forum", "topic"),
    [
        (None, False, None),
        (None, True, 1),
        ({"reply_to_msg_id": 30}, False, None),
        ({"reply_to_msg_id": 30}, True, 1),
        ({"reply_to_msg_id": 30, "forum_topic": True}, True, 30),
        ({"reply_to_msg_id": 30, "reply_to_top_id": 20, "forum_topic": True}, True, 20),
        ({"reply_to_msg_id": 30, "reply_to_top_id": 20}, False, None),
    ],
)
def test_the_topic_of_a_message(header, is_forum, topic):
    reply_to = None if header is None else t.MessageReplyHeader(**header)
    (only,) = parse(message(reply_to=reply_to), is_forum=is_forum)
    assert only.topic_id == topic


def test_a_topic_begins_with_the_message_that_creates_it():
    (only,) = parse(service(t.MessageActionTopicCreate(title="Soups", icon_color=1)), is_forum=True)
    assert (only.action_type, only.topic_id) == ("TopicCreate", 7)


def test_a_service_message():
    (only,) = parse(service(t.MessageActionChatEditTitle(title="New"), from_id=t.PeerUser(3), post=True))
    assert (only.kind, only.action_type, only.action, only.text, only.sender_id, only.is_post, only.problem) == (
        "service",
        "ChatEditTitle",
        '{"_":"MessageActionChatEditTitle","title":"New"}',
        "",
        3,
        True,
        None,
    )


def test_an_explicit_no_is_an_answer_and_stays_in_the_action():
    (only,) = parse(service(t.MessageActionTopicEdit(closed=False)))
    assert only.action == '{"_":"MessageActionTopicEdit","closed":false}'


def test_an_empty_message_is_no_row():
    assert parse(t.MessageEmpty(id=3, peer_id=t.PeerChannel(CHANNEL))) == []


def entities(text, *marks) -> Any:
    found = row(message=text, entities=list(marks)).entities
    return None if found is None else json.loads(found)


def test_entities_have_a_type_a_place_their_text_and_what_else_they_say():
    assert entities(
        "bold link @you",
        t.MessageEntityBold(0, 4),
        t.MessageEntityTextUrl(5, 4, url="https://example.org"),
        t.MessageEntityMentionName(10, 4, user_id=8),
        t.MessageEntityBlockquote(0, 14, collapsed=True),
        t.MessageEntityPre(0, 4, language="python"),
    ) == [
        {"type": "bold", "offset": 0, "length": 4, "text": "bold"},
        {"type": "text_url", "offset": 5, "length": 4, "text": "link", "url": "https://example.org"},
        {"type": "mention_name", "offset": 10, "length": 4, "text": "@you", "user_id": 8},
        {"type": "blockquote", "offset": 0, "length": 14, "text": "bold link @you", "collapsed": True},
        {"type": "pre", "offset": 0, "length": 4, "text": "bold", "language": "python"},
    ]
    assert entities("none") is None


def test_entity_offsets_count_utf16_units():
    assert entities("😀😀 жирный", t.MessageEntityBold(5, 6))[0]["text"] == "жирный"
    assert entities("ж😀b", t.MessageEntityCustomEmoji(1, 2, document_id=4))[0] == {
        "type": "custom_emoji",
        "offset": 1,
        "length": 2,
        "text": "😀",
        "document_id": 4,
    }


def test_an_entity_that_cuts_a_surrogate_pair_or_leaves_the_text_breaks_nothing():
    assert entities("a😀b", t.MessageEntityBold(2, 2))[0]["text"] == "\ufffdb"
    assert entities("a😀b", t.MessageEntityBold(0, 2))[0]["text"] == "a\ufffd"
    assert entities("ab", t.MessageEntityBold(1, 50))[0]["text"] == "b"
    assert entities("ab", t.MessageEntityBold(-5, 3))[0]["text"] == ""


def test_every_kind_of_entity_has_a_name():
    kinds = [k for n, k in vars(t).items() if n.startswith("MessageEntity")]
    extras = {"user_id": 1, "url": "u", "language": "l", "document_id": 1, "old_text": "o", "date": SENT}
    names = set()
    for kind in kinds:
        wanted = kind.__init__.__code__.co_varnames
        marked = entities("x", kind(offset=0, length=1, **{k: v for k, v in extras.items() if k in wanted}))
        names.add(marked[0]["type"])
    assert len(names) == len(kinds) == 24


def document(*attributes, **flags):
    inside = t.Document(
        id=1,
        access_hash=2,
        file_reference=b"r",
        date=SENT,
        mime_type="x/y",
        size=3,
        dc_id=4,
        attributes=list(attributes),
    )
    return t.MessageMediaDocument(document=inside, **flags)


VIDEO = t.DocumentAttributeVideo(duration=1.0, w=2, h=3)
POLL = t.Poll(
    id=1,
    question=t.TextWithEntities("Tea?", []),
    answers=[t.PollAnswer(t.TextWithEntities("Yes", []), b"0"), t.PollAnswer(t.TextWithEntities("No", []), b"1")],
    hash=99,
)
POINT = t.GeoPoint(long=1.5, lat=2.5, access_hash=3)
MEDIA = {
    "photo": t.MessageMediaPhoto(photo=t.PhotoEmpty(id=1)),
    "document": document(t.DocumentAttributeFilename("a.pdf")),
    "video": document(VIDEO, video=True),
    "video_note": document(t.DocumentAttributeVideo(duration=1.0, w=2, h=2, round_message=True)),
    "voice": document(t.DocumentAttributeAudio(duration=1, voice=True)),
    "audio": document(t.DocumentAttributeAudio(duration=1)),
    "sticker": document(t.DocumentAttributeSticker("😀", t.InputStickerSetID(id=1, access_hash=2)), VIDEO),
    "custom_emoji": document(t.DocumentAttributeCustomEmoji("😀", t.InputStickerSetEmpty())),
    "animation": document(t.DocumentAttributeAnimated(), VIDEO),
    "web_page": t.MessageMediaWebPage(t.WebPageEmpty(id=1)),
    "poll": t.MessageMediaPoll(POLL, t.PollResults()),
    "geo": t.MessageMediaGeo(POINT),
    "geo_live": t.MessageMediaGeoLive(POINT, period=60),
    "venue": t.MessageMediaVenue(POINT, "Inn", "Road 1", "", "", ""),
    "contact": t.MessageMediaContact("+491700000", "Ann", "Bee", "BEGIN:VCARD TEL:+491700000", 5),
    "invoice": t.MessageMediaInvoice("t", "d", "EUR", 100, "p"),
    "game": t.MessageMediaGame(t.Game(1, 2, "s", "t", "d", t.PhotoEmpty(1))),
    "dice": t.MessageMediaDice(6, "🎲"),
    "story": t.MessageMediaStory(t.PeerUser(5), 6),
    "giveaway": t.MessageMediaGiveaway([1], 2, LATER),
    "giveaway_results": t.MessageMediaGiveawayResults(1, 2, 3, 0, [4], LATER),
    "paid_media": t.MessageMediaPaidMedia(10, [t.MessageExtendedMediaPreview()]),
    "todo": t.MessageMediaToDo(t.TodoList(t.TextWithEntities("List", []), [])),
    "video_stream": t.MessageMediaVideoStream(t.InputGroupCall(1, 2)),
    "unsupported": t.MessageMediaUnsupported(),
}


@pytest.mark.parametrize("kind", MEDIA)
def test_the_kind_of_media(kind):
    assert row(media=MEDIA[kind]).media_type == kind


def test_media_that_expired_keeps_its_kind():
    assert row(media=t.MessageMediaDocument(voice=True, ttl_seconds=60)).media_type == "voice"
    assert row(media=t.MessageMediaPhoto(ttl_seconds=60)).media_type == "photo"
    assert row(media=t.MessageMediaEmpty()).media_type is None


def test_every_media_class_is_known():
    assert {k for n, k in vars(t).items() if n.startswith("MessageMedia")} == set(media._KINDS)


def test_reactions_are_listed_without_what_this_account_chose():
    counted = row(
        reactions=t.MessageReactions(
            [
                t.ReactionCount(t.ReactionEmoji("👍"), 2, chosen_order=1),
                t.ReactionCount(t.ReactionCustomEmoji(55), 7),
                t.ReactionCount(t.ReactionPaid(), 1),
            ]
        )
    )
    assert counted.reaction_count == 10
    assert json.loads(counted.reactions or "") == [
        {"kind": "custom", "value": 55, "count": 7},
        {"kind": "emoji", "value": "👍", "count": 2},
        {"kind": "paid", "value": None, "count": 1},
    ]


def test_a_poll_has_results_beside_its_content():
    results = t.PollResults(results=[t.PollAnswerVoters(b"0", chosen=True, voters=3)], total_voters=3)
    voted, fresh = row(media=t.MessageMediaPoll(POLL, results)), row(media=t.MessageMediaPoll(POLL, t.PollResults()))
    assert json.loads(voted.poll_results or "") == {
        "total_voters": 3,
        "closed": False,
        "answers": [{"option": "MA==", "text": "Yes", "voters": 3, "correct": False}],
    }
    assert voted.content_hash == fresh.content_hash
    assert "results" not in json.loads(voted.raw)["media"]


def test_a_rich_message_has_the_text_of_its_blocks():
    blocks = [
        t.PageBlockTitle(t.TextPlain("Title")),
        t.PageBlockParagraph(t.TextConcat([t.TextPlain("one "), t.TextBold(t.TextPlain("two")), t.TextEmpty()])),
        t.PageBlockList([t.PageListItemText(t.TextUrl(t.TextPlain("item"), "u", 1))]),
        t.PageBlockTable(
            title=t.TextPlain("Table"),
            rows=[t.PageTableRow([t.PageTableCell(text=t.TextPlain("a")), t.PageTableCell(text=t.TextPlain("b"))])],
        ),
        t.PageBlockPhoto(photo_id=1, caption=t.PageCaption(t.TextPlain("caption"), t.TextPlain("credit"))),
        t.PageBlockMath("x^2"),
        t.PageBlockDivider(),
    ]
    rich = row(message="", rich_message=t.RichMessage(blocks, [], []))
    assert rich.text == "Title\none two\nitem\nTable\na\tb\ncaption\ncredit\nx^2"
    assert rich.text_source == "rich_message"
    assert row(message="plain", rich_message=t.RichMessage(blocks, [], [])).text == "plain"


def test_counters_are_no_content():
    changed = row(
        views=9,
        forwards=1,
        replies=t.MessageReplies(1, 1),
        reactions=t.MessageReactions([t.ReactionCount(t.ReactionEmoji("👍"), 2)]),
    )
    assert changed.content_hash == row().content_hash
    assert changed.raw == row().raw


def test_two_accounts_that_see_the_same_message_agree_on_its_content():
    def seen_by(access_hash, **flags):
        photo = t.Photo(
            id=1, access_hash=access_hash, file_reference=bytes([access_hash]), date=SENT, sizes=[], dc_id=2
        )
        return row(media=t.MessageMediaPhoto(photo=photo), **flags)

    mine, yours = seen_by(1, out=True, mentioned=True, media_unread=True), seen_by(2)
    assert mine.raw == yours.raw
    assert mine.content_hash == yours.content_hash
    assert row(message="other").content_hash != row().content_hash


def test_no_phone_number_is_kept_anywhere():
    contact = row(media=MEDIA["contact"])
    assert "+4917" not in str(contact)
    assert json.loads(contact.raw)["media"] == {
        "_": "MessageMediaContact",
        "first_name": "Ann",
        "last_name": "Bee",
        "user_id": 5,
    }


def test_a_channel_inside_a_message_keeps_only_its_name():
    inside = t.Channel(
        id=5, title="Other", photo=t.ChatPhotoEmpty(), date=SENT, access_hash=6, creator=True, participants_count=9
    )
    block = raw(message="", rich_message=t.RichMessage([t.PageBlockChannel(inside)], [], []))["rich_message"]["blocks"][
        0
    ]
    assert block["channel"] == {"_": "Channel", "id": 5, "title": "Other"}


def test_raw_has_bytes_in_base64_and_times_in_utc():
    sizes: list[Any] = [t.PhotoStrippedSize("i", b"\x00\xff")]
    photo = t.Photo(id=1, access_hash=2, file_reference=b"x", date=SENT, sizes=sizes, dc_id=2)
    assert raw(media=t.MessageMediaPhoto(photo=photo))["media"]["photo"] == {
        "_": "Photo",
        "date": "2024-03-01T12:00:00Z",
        "dc_id": 2,
        "id": 1,
        "sizes": [{"_": "PhotoStrippedSize", "bytes": "AP8=", "type": "i"}],
    }


def test_what_has_no_fast_form_is_still_written_down():
    strange = row(message="lone \ud800 surrogate", grouped_id=None, via_business_bot_id=2**70)
    assert json.loads(strange.raw)["via_business_bot_id"] == 2**70


class Nonsense:
    id = 12


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("reply_to", t.PhotoEmpty(1), "AttributeError: reply_of"),
        ("media", t.PhotoEmpty(1), "KeyError: media_type_of"),
        ("media", object(), "TypeError: encode"),
        ("peer_id", t.PeerChannel(999), "ForeignPeerError: row_of"),
        ("from_id", t.PhotoEmpty(1), "KeyError: peer_of"),
        ("entities", [t.PhotoEmpty(1)], "KeyError: entities_json"),
        ("reactions", t.PhotoEmpty(1), "AttributeError: reactions_of"),
    ],
)
def test_a_message_of_unexpected_shape_is_a_row_with_a_problem_and_not_an_error(field, value, problem):
    broken = message()
    setattr(broken, field, value)
    before, bad, after = parse(message(id=1), broken, message(id=9))
    assert (before.problem, bad.problem, after.problem) == (None, problem, None)
    assert (bad.channel_id, bad.message_id, bad.observed_at, bad.account_id) == (CHANNEL, 7, SEEN, 1)
    assert json.loads(bad.raw)["id"] == 7


def test_something_that_is_no_message_at_all_does_not_cost_its_page():
    nonsense, good = parse(Nonsense(), message())
    assert (nonsense.message_id, nonsense.problem, good.problem) == (12, "AttributeError: row_of", None)


def test_rows_fit_the_schema_whatever_they_hold():
    batch = to_batch(parse(*(message(id=n, media=m) for n, m in enumerate(MEDIA.values())), Nonsense()))
    assert batch.num_rows == len(MEDIA) + 1
