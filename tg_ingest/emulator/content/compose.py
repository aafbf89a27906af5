"""From the plan of a message to the TL object that the server sends (layer 229)."""

# ruff: noqa: PLR2004  # the numbers are shares of all messages and sizes of made-up things

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from telethon.tl import types as tl

from tg_ingest.emulator.content import headers, media, people, services
from tg_ingest.emulator.content.draw import Rnd, between, bits62, pick
from tg_ingest.emulator.content.plan import MessagePlan, Planner

_FORWARDED_SHARE = {True: 0.06, False: 0.12}
_UNFORWARDABLE = {"poll", "giveaway", "paid", "invoice", "todo", "rich"}


def compose(planner: Planner, plan: MessagePlan) -> tl.Message | tl.MessageService:
    """Build the message; uses up the plan's stream, so it works once for each plan."""
    if plan.kind == "service":
        return _compose_service(planner, plan)
    rnd, spec = plan.rnd, planner.spec
    attachment = media.media_of(plan.media, rnd, date=plan.date)
    fields = _origin(planner, plan)
    fields.update(_counters(planner, plan))
    if rnd() < 0.09:  # each of the rare ones alone, so that common messages stay quick
        name, value = _rarity(rnd, is_group=planner.is_group)
        fields[name] = value
    return tl.Message(
        id=plan.message_id,
        peer_id=tl.PeerChannel(spec.channel_id),
        date=datetime.fromtimestamp(plan.date, UTC),
        message=plan.text,
        post=not planner.is_group,
        edit_date=datetime.fromtimestamp(plan.edit_date, UTC) if plan.edit_date else None,
        edit_hide=plan.is_edit_hidden and plan.edit_date is not None,
        entities=plan.entities,
        media=attachment,
        grouped_id=plan.album.grouped_id if plan.album else None,
        rich_message=_rich(plan) if plan.rich_blocks else None,
        **fields,
    )


def _compose_service(planner: Planner, plan: MessagePlan) -> tl.MessageService:
    rnd, spec, kind = plan.rnd, planner.spec, plan.action or ""
    reply_to = None
    if kind in services.PINNING:
        reply_to = tl.MessageReplyHeader(reply_to_msg_id=max(1, plan.message_id - between(rnd, 1, 30)))
    elif kind == "topic_edit" and (topic := planner.topic_of(plan.message_id)):
        reply_to = tl.MessageReplyHeader(reply_to_msg_id=topic.message_id, forum_topic=True)
    return tl.MessageService(
        id=plan.message_id,
        peer_id=tl.PeerChannel(spec.channel_id),
        date=datetime.fromtimestamp(plan.date, UTC),
        action=services.action_of(kind, rnd, spec, date=plan.date, topic_id=plan.message_id),
        post=not planner.is_group,
        from_id=_sender(planner, plan.message_id),
        reply_to=reply_to,
        reactions_are_possible=planner.is_group,
        reactions=headers.reactions(planner, plan, rnd) if planner.is_group and rnd() < 0.2 else None,
    )


def _sender(planner: Planner, message_id: int) -> tl.TypePeer | None:
    if not planner.is_group:
        return None
    user_id = planner.sender_of(message_id)
    return tl.PeerUser(user_id) if user_id else tl.PeerChannel(planner.spec.channel_id)


def _origin(planner: Planner, plan: MessagePlan) -> dict[str, Any]:
    """Sender, forward header and reply header."""
    rnd = plan.rnd
    if plan.post_of_linked and planner.linked:
        source = planner.linked.spec.channel_id
        return {
            "from_id": tl.PeerChannel(source),
            "fwd_from": headers.auto_forward(plan.post_of_linked, source, date=plan.date),
        }
    origin: dict[str, Any] = {"from_id": _sender(planner, plan.message_id)}
    if rnd() < _FORWARDED_SHARE[planner.is_group] and plan.media not in _UNFORWARDABLE:
        origin["fwd_from"] = headers.forward(rnd, date=plan.date)
    origin["reply_to"] = headers.reply(planner, plan, rnd)
    return origin


def _counters(planner: Planner, plan: MessagePlan) -> dict[str, Any]:
    """Views, forwards, replies and reactions: what changes without an edit."""
    rnd = plan.rnd
    counters: dict[str, Any] = {
        "reactions": headers.reactions(planner, plan, rnd),
        "replies": headers.comments(planner, plan, rnd),
    }
    if not planner.is_group or plan.post_of_linked:
        counters["views"] = int(planner.spec.participants * (0.2 + rnd()))
        counters["forwards"] = int(counters["views"] * rnd() * rnd() / 40)
    return counters


def _rarity(rnd: Rnd, *, is_group: bool) -> tuple[str, Any]:
    """One of the fields that few messages have; those without a maker here are flags."""
    name = pick(rnd, _GROUP_RARITIES if is_group else _BROADCAST_RARITIES)
    make = _RARITIES.get(name)
    return name, make(rnd) if make else True


def _factcheck(rnd: Rnd) -> tl.FactCheck:
    note = tl.TextWithEntities("The bridge opened in 2019, not in 2021.", [tl.MessageEntityBold(23, 4)])
    return tl.FactCheck(bits62(rnd), country="ES", text=note)


_RARITIES: dict[str, Callable[[Rnd], Any]] = {
    "reply_markup": headers.buttons,
    "via_bot_id": lambda rnd: pick(rnd, people.BOT_IDS),
    "post_author": headers.signature,
    "from_rank": headers.signature,
    "ttl_period": lambda rnd: pick(rnd, (86_400, 604_800)),
    "restriction_reason": lambda _: [tl.RestrictionReason("ios", "terms", "This message cannot be shown here.")],
    "factcheck": _factcheck,
    "effect": lambda _: 5_104_841_245_755_180_586,
    "paid_message_stars": lambda rnd: between(rnd, 1, 30),
    "from_boosts_applied": lambda rnd: between(rnd, 1, 30),
    "suggested_post": lambda _: tl.SuggestedPost(accepted=True, price=tl.StarsAmount(100, 0)),
    "summary_from_language": lambda _: "es",
}
_BROADCAST_RARITIES = (
    *["reply_markup"] * 6,
    *["post_author"] * 5,
    *["silent"] * 4,
    *["via_bot_id"] * 2,
    *["from_scheduled", "pinned", "noforwards", "invert_media", "ttl_period", "restriction_reason", "factcheck"],
    *["effect", "suggested_post", "summary_from_language", "paid_suggested_post_stars", "video_processing_pending"],
)
_GROUP_RARITIES = (
    *["via_bot_id"] * 6,
    *["from_boosts_applied"] * 3,
    *["reply_markup", "silent", "pinned", "noforwards", "from_rank", "ttl_period", "effect", "paid_message_stars"],
    *["restriction_reason", "offline", "mentioned", "invert_media"],
)


def _rich(plan: MessagePlan) -> tl.RichMessage:
    """A page of blocks: heading, paragraphs, and in longer ones a list; the message's own text stays empty."""
    heading, *paragraphs = [tl.TextPlain(block) for block in plan.rich_blocks]
    blocks: list[tl.TypePageBlock] = [tl.PageBlockHeading1(heading), tl.PageBlockParagraph(paragraphs[0])]
    if len(paragraphs) > 2:
        blocks.append(tl.PageBlockList([tl.PageListItemText(text) for text in paragraphs[1:]]))
    else:
        blocks.extend(tl.PageBlockParagraph(text) for text in paragraphs[1:])
    return tl.RichMessage(blocks=blocks, photos=[], documents=[])
