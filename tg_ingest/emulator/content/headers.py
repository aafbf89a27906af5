"""What stands around a message's content: where it was forwarded from, what it answers, how it was received."""

# ruff: noqa: PLR2004, RUF001  # the numbers are shares of all messages and sizes of made-up things

from datetime import UTC, datetime

from telethon.tl import types as tl

from tg_ingest.emulator.content import people
from tg_ingest.emulator.content.draw import Rnd, between, bits62, pick
from tg_ingest.emulator.content.plan import MessagePlan, Planner

_FOREIGN_CHANNELS = tuple(range(2_200_009_001, 2_200_009_041))
_FOREIGN_POSTS = 20_000
_SIGNATURES = ("Ada W.", "Редакция", "Turno de noche", "هيئة التحرير", "R. D'Angelo <night>")
_REACTIONS = ("👍", "❤", "🔥", "😁", "🤔", "🎉", "😢", "👏", "🙏", "🤯", "👨‍💻", "🤷‍♂", "⚡", "💯")
_BUTTONS = (("Read on", "https://example.org/harbour"), ("Читать", "https://example.com/код"), ("💬", "tg://resolve"))


def _at(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def auto_forward(post_id: int, linked_id: int, *, date: int) -> tl.MessageFwdHeader:
    """The header that Telegram puts on the copy of a channel's post in its discussion group."""
    source = tl.PeerChannel(linked_id)
    return tl.MessageFwdHeader(
        _at(date), from_id=source, channel_post=post_id, saved_from_peer=source, saved_from_msg_id=post_id
    )


def forward(rnd: Rnd, *, date: int) -> tl.MessageFwdHeader:
    """A forward from a channel, from a user, or from a user who hides."""
    original = _at(date - between(rnd, 60, 900_000))
    source = rnd()
    if source < 0.6:
        author = pick(rnd, _SIGNATURES) if rnd() < 0.2 else None
        channel = tl.PeerChannel(pick(rnd, _FOREIGN_CHANNELS))
        return tl.MessageFwdHeader(
            original, from_id=channel, channel_post=between(rnd, 1, _FOREIGN_POSTS), post_author=author
        )
    user_id = people.FIRST_USER_ID + between(rnd, 0, 200)
    if source < 0.8:
        return tl.MessageFwdHeader(original, from_id=tl.PeerUser(user_id))
    imported = source > 0.98  # brought along from another messenger
    return tl.MessageFwdHeader(original, from_name=people.full_name(user_id), imported=imported)


def reply(planner: Planner, plan: MessagePlan, rnd: Rnd) -> tl.TypeMessageReplyHeader | None:
    """What the message answers, if anything; in a forum also the topic that it lies in."""
    message_id = plan.message_id
    answers = rnd()
    if planner.spec.topics:
        return _reply_in_forum(planner, message_id, rnd, answers=answers < 0.3)
    if planner.linked is not None and answers < 0.6:
        return _comment(planner, message_id, rnd)
    return _reply_in_chat(plan, rnd) if answers < (0.3 if planner.is_group else 0.05) else None


def _reply_in_chat(plan: MessagePlan, rnd: Rnd) -> tl.TypeMessageReplyHeader:
    oddity = rnd()
    if oddity < 0.04:
        return tl.MessageReplyStoryHeader(tl.PeerUser(people.FIRST_USER_ID + between(rnd, 0, 200)), between(rnd, 1, 90))
    if oddity < 0.1:
        return _reply_elsewhere(rnd, date=plan.date)
    return _reply_nearby(max(1, plan.message_id - 1 - int(40 * rnd() * rnd())), with_quote=oddity < 0.2)


def _reply_in_forum(planner: Planner, message_id: int, rnd: Rnd, *, answers: bool) -> tl.MessageReplyHeader | None:
    topic = planner.topic_of(message_id)
    if answers:
        first = message_id - 1 - int(6 * rnd())
        for target in range(first, max(first - 30, 1), -1):
            if planner.topic_of(target) != topic:
                continue
            if topic is None:
                return tl.MessageReplyHeader(reply_to_msg_id=target)
            return tl.MessageReplyHeader(reply_to_msg_id=target, reply_to_top_id=topic.message_id, forum_topic=True)
    return tl.MessageReplyHeader(reply_to_msg_id=topic.message_id, forum_topic=True) if topic else None


def _comment(planner: Planner, message_id: int, rnd: Rnd) -> tl.MessageReplyHeader | None:
    for post in range(message_id - 1, max(message_id - 60, 1), -1):
        if planner.is_auto_forward(post):
            target = message_id - 1 - int(4 * rnd())
            if target <= post:
                return tl.MessageReplyHeader(reply_to_msg_id=post)
            return tl.MessageReplyHeader(reply_to_msg_id=target, reply_to_top_id=post)
    return None


def _reply_elsewhere(rnd: Rnd, *, date: int) -> tl.MessageReplyHeader:
    channel = tl.PeerChannel(pick(rnd, _FOREIGN_CHANNELS))
    post = between(rnd, 1, _FOREIGN_POSTS)
    origin = tl.MessageFwdHeader(_at(date - between(rnd, 60, 900_000)), from_id=channel, channel_post=post)
    return tl.MessageReplyHeader(
        quote=True,
        reply_to_msg_id=post,
        reply_to_peer_id=channel,
        reply_from=origin,
        quote_text="the 🚢 leaves at noon",
        quote_entities=[tl.MessageEntityBold(4, 2)],
        quote_offset=17,
    )


def _reply_nearby(target: int, *, with_quote: bool) -> tl.MessageReplyHeader:
    if not with_quote:
        return tl.MessageReplyHeader(reply_to_msg_id=target)
    return tl.MessageReplyHeader(quote=True, reply_to_msg_id=target, quote_text="а кто будет платить?", quote_offset=0)


def reactions(planner: Planner, plan: MessagePlan, rnd: Rnd) -> tl.MessageReactions | None:
    """How readers reacted: emoji, now and then custom emoji and paid stars."""
    if rnd() >= (0.25 if planner.is_group else 0.6):
        return None
    scale = 12 if planner.is_group else 900
    first = int(rnd() * len(_REACTIONS))
    results = [
        tl.ReactionCount(
            tl.ReactionEmoji(_REACTIONS[(first + 3 * i) % len(_REACTIONS)]), 1 + int(scale * rnd() * rnd())
        )
        for i in range(1 + int(4 * rnd()))
    ]
    oddity = rnd()
    top = None
    if oddity < 0.08:
        results.append(tl.ReactionCount(tl.ReactionCustomEmoji(bits62(rnd)), between(rnd, 1, 50)))
    elif oddity < 0.12 and not planner.is_group:
        results.insert(0, tl.ReactionCount(tl.ReactionPaid(), between(rnd, 1, 300)))
        top = [tl.MessageReactor(between(rnd, 1, 100), top=True, anonymous=True)]
    recent = None
    if planner.is_group and oddity > 0.5:
        peer = tl.PeerUser(people.member(planner.spec.channel_id, between(rnd, 0, planner.spec.people)))
        recent = [tl.MessagePeerReaction(peer, _at(plan.date + between(rnd, 5, 5000)), results[0].reaction)]
    return tl.MessageReactions(results, can_see_list=planner.is_group, recent_reactions=recent, top_reactors=top)


def comments(planner: Planner, plan: MessagePlan, rnd: Rnd) -> tl.MessageReplies | None:
    """How a post of a channel was discussed, or a message of a group answered."""
    if planner.is_group:
        if rnd() >= 0.08:
            return None
        return tl.MessageReplies(replies=between(rnd, 1, 9), replies_pts=plan.message_id + 20)
    if planner.spec.linked_id is None:
        return None
    count = int(60 * rnd() * rnd())
    recent: list[tl.TypePeer] = [tl.PeerUser(people.FIRST_USER_ID + between(rnd, 0, 200))]
    return tl.MessageReplies(
        replies=count,
        replies_pts=plan.message_id + count,
        comments=True,
        recent_repliers=recent if count else None,
        channel_id=planner.spec.linked_id,
        max_id=plan.message_id + count,
    )


def buttons(rnd: Rnd) -> tl.ReplyInlineMarkup:
    """An inline keyboard under the message."""
    label, url = pick(rnd, _BUTTONS)
    row: list[tl.TypeKeyboardInlineButton] = [tl.KeyboardInlineButton(label, tl.InlineButtonTypeUrl(url))]
    if rnd() < 0.4:
        row.append(tl.KeyboardInlineButton("🔔", tl.InlineButtonTypeCallback(b"\x00\xffbell")))
    return tl.ReplyInlineMarkup([tl.KeyboardInlineButtonRow(row)])


def signature(rnd: Rnd) -> str:
    """The author's name under a post."""
    return pick(rnd, _SIGNATURES)
