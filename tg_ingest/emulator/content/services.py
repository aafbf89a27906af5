"""Service messages: what happened to a channel, in the words of TL's MessageAction classes."""

# ruff: noqa: PLR2004  # the numbers are shares of all messages and sizes of made-up things

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime

from telethon.tl import types as tl

from tg_ingest.emulator.content import media, people
from tg_ingest.emulator.content.draw import Rnd, between, bits62, pick, weighted
from tg_ingest.emulator.content.spec import ChannelSpec

_BROADCAST = weighted([
    ("pin", 40), ("edit_title", 5), ("edit_photo", 15), ("delete_photo", 2), ("group_call", 8), ("call_scheduled", 6),
    ("giveaway_launch", 4), ("giveaway_results", 4), ("set_ttl", 3), ("boost", 6), ("set_theme", 2), ("paid_price", 2),
])  # fmt: skip
_GROUP = weighted([
    ("pin", 20), ("edit_title", 3), ("edit_photo", 5), ("delete_photo", 1), ("group_call", 5), ("call_scheduled", 3),
    ("invite_to_call", 3), ("join_link", 30), ("join_request", 6), ("add_user", 18), ("delete_user", 8), ("set_ttl", 2),
    ("boost", 4), ("custom", 2), ("set_theme", 1), ("todo_done", 2), ("todo_append", 1), ("game_score", 2),
])  # fmt: skip
_FORUM_SHARE = 0.25  # of the service messages of a forum are about topics
THEMES = ("🏡", "🐣", "⛄", "🎮")
PINNING = ("pin", "game_score", "todo_done", "todo_append")  # actions that answer another message


def choose(rnd: Rnd, spec: ChannelSpec) -> str | None:
    """Decide whether a message is a service message, and of which kind."""
    is_group = spec.kind == "supergroup"
    if rnd() >= (0.03 if is_group else 0.008):
        return None
    if spec.topics and rnd() < _FORUM_SHARE:
        return "topic_edit"
    shares, kinds = _GROUP if is_group else _BROADCAST
    return kinds[bisect_right(shares, rnd())]


def action_of(kind: str, rnd: Rnd, spec: ChannelSpec, *, date: int, topic_id: int = 0) -> tl.TypeMessageAction:
    """Build the action of a service message; `topic_id` is the id of the message that creates a topic."""
    if kind == "channel_create":
        return tl.MessageActionChannelCreate(spec.title)
    if kind == "topic_create":
        topic = next(topic for topic in spec.topics if topic.message_id == topic_id)
        return tl.MessageActionTopicCreate(topic.title, topic.icon_color, icon_emoji_id=bits62(rnd))
    return _ACTIONS[kind](rnd, spec, date)


def _member(rnd: Rnd, spec: ChannelSpec) -> int:
    return people.member(spec.channel_id, between(rnd, 0, spec.people))


def _call(rnd: Rnd) -> tl.InputGroupCall:
    return tl.InputGroupCall(bits62(rnd), bits62(rnd))


def _group_call(rnd: Rnd, _spec: ChannelSpec, _date: int) -> tl.TypeMessageAction:
    has_ended = rnd() < 0.5
    return tl.MessageActionGroupCall(_call(rnd), duration=between(rnd, 60, 7200) if has_ended else None)


def _call_scheduled(rnd: Rnd, _spec: ChannelSpec, date: int) -> tl.TypeMessageAction:
    return tl.MessageActionGroupCallScheduled(_call(rnd), datetime.fromtimestamp(date + 86_400, UTC))


def _add_user(rnd: Rnd, spec: ChannelSpec, _date: int) -> tl.TypeMessageAction:
    return tl.MessageActionChatAddUser([_member(rnd, spec) for _ in range(between(rnd, 1, 4))])


_ACTIONS: dict[str, Callable[[Rnd, ChannelSpec, int], tl.TypeMessageAction]] = {
    "pin": lambda *_: tl.MessageActionPinMessage(),
    "edit_title": lambda rnd, spec, _: tl.MessageActionChatEditTitle(f"{spec.title} {pick(rnd, THEMES)}"),
    "edit_photo": lambda rnd, _, date: tl.MessageActionChatEditPhoto(media.photo(rnd, date=date)),
    "delete_photo": lambda *_: tl.MessageActionChatDeletePhoto(),
    "topic_edit": lambda rnd, spec, _: tl.MessageActionTopicEdit(pick(rnd, spec.topics).title, closed=rnd() < 0.5),
    "group_call": _group_call,
    "call_scheduled": _call_scheduled,
    "invite_to_call": lambda rnd, spec, _: tl.MessageActionInviteToGroupCall(_call(rnd), [_member(rnd, spec)]),
    "join_link": lambda rnd, spec, _: tl.MessageActionChatJoinedByLink(inviter_id=_member(rnd, spec)),
    "join_request": lambda *_: tl.MessageActionChatJoinedByRequest(),
    "add_user": _add_user,
    "delete_user": lambda rnd, spec, _: tl.MessageActionChatDeleteUser(_member(rnd, spec)),
    "boost": lambda rnd, _, __: tl.MessageActionBoostApply(between(rnd, 1, 5)),
    "set_ttl": lambda rnd, _, __: tl.MessageActionSetMessagesTTL(pick(rnd, (0, 86_400, 604_800))),
    "giveaway_launch": lambda *_: tl.MessageActionGiveawayLaunch(stars=500),
    "giveaway_results": lambda rnd, _, __: tl.MessageActionGiveawayResults(between(rnd, 1, 10), 0),
    "set_theme": lambda rnd, _, __: tl.MessageActionSetChatTheme(tl.ChatTheme(pick(rnd, THEMES))),
    "paid_price": lambda rnd, _, __: tl.MessageActionPaidMessagesPrice(stars=between(rnd, 1, 50)),
    "todo_done": lambda *_: tl.MessageActionTodoCompletions(completed=[1], incompleted=[2]),
    "todo_append": lambda *_: tl.MessageActionTodoAppendTasks([tl.TodoItem(9, tl.TextWithEntities("a lamp", []))]),
    "game_score": lambda rnd, _, __: tl.MessageActionGameScore(game_id=bits62(rnd), score=between(rnd, 10, 5000)),
    "custom": lambda rnd, spec, _: tl.MessageActionCustomAction(f"{spec.title} is {pick(rnd, THEMES)} today"),
}
