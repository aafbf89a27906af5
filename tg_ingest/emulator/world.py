"""A world: channels whose messages are computed when asked for, the accounts that may read them, and the truth.

What happens while the server runs (posts, edits, deletions) is a small overlay on what is computed.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from telethon.tl import types as tl
from telethon.tl.types.messages import ChatFull

from tg_ingest.emulator.content.chats import chat_of, full_of
from tg_ingest.emulator.content.compose import compose
from tg_ingest.emulator.content.draw import mix
from tg_ingest.emulator.content.people import user_bytes
from tg_ingest.emulator.content.plan import LONGEST_EDIT, MessagePlan, Planner
from tg_ingest.emulator.content.spec import ChannelSpec
from tg_ingest.emulator.history import Thinned, VisibleIds, page
from tg_ingest.emulator.templates import Template, make_template
from tg_ingest.emulator.timeline import Timeline

Clock = Callable[[], float]
"""Unix time; injected, so that tests decide when something was edited."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitSpec:
    """How many calls of a method an account may make: `requests` in `seconds`.

    `wait` is the FLOOD_WAIT given beyond it; None is the time that really remains, rounded up. Every further flood
    multiplies it by `escalate`.
    """

    kind: Literal["fixed", "sliding", "bucket"]
    requests: int
    seconds: float
    wait: int | None = None
    escalate: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountSpec:
    """An account of the world: its limits by method name ("messages.getHistory"), and what befalls it.

    After `flag_after` calls of messages.getHistory it gets FLOOD_WAIT of `flag_seconds`; after `revoke_after` its
    session is revoked.
    """

    label: str
    user_id: int
    phone: str
    limits: dict[str, LimitSpec] = field(default_factory=dict)
    flag_after: int | None = None
    flag_seconds: int = 0
    revoke_after: int | None = None


class Truth(NamedTuple):
    """What a message says, from the plan it is made of; dates in Unix seconds.

    `text` is the text field as sent. A rich message sends none: `rich_text` is then its blocks, one a line.
    """

    message_id: int
    date: int
    edit_date: int | None
    kind: str  # message | service
    text: str
    rich_text: str | None = None


@dataclass(slots=True)
class _Live:
    """What happened to one message while the server ran."""

    posted_at: int | None = None
    edited_at: int | None = None
    text: str = ""


class WorldChannel:
    """One channel or supergroup, its past computed and its present kept."""

    def __init__(
        self,
        spec: ChannelSpec,
        *,
        seed: int,
        timeline: Timeline,
        now: int | None = None,
        clock: Clock = time.time,
        linked: "WorldChannel | None" = None,
    ) -> None:
        """Take the channel of a discussion group as `linked`; nothing is dated after `now`."""
        self.spec = spec
        self.channel_id = spec.channel_id
        self.username = spec.username
        self.title = spec.title
        self.kind = spec.kind
        self.is_forum = bool(spec.topics)
        self.is_private = spec.username is None
        self._timeline = timeline
        self._clock = clock
        kept = (1, *(topic.message_id for topic in spec.topics))
        last = timeline.messages if now is None else timeline.sent_before(now + 1)
        thinned = Thinned(seed=mix(seed ^ ~spec.channel_id), lost=spec.lost, kept=kept)
        hidden = ((1, spec.available_min_id + 1),) if spec.available_min_id else ()
        self._ids = VisibleIds(thinned, last=last, stretches=(*hidden, *spec.stretches))
        self._born = last
        self._now = now
        self._changes = 2 * last - len(self._ids)  # every id given out, and every one deleted since
        self._live: dict[int, _Live] = {}
        self._planner = Planner(
            spec,
            seed=seed,
            date_of=timeline,
            now=now,
            post_before=linked.last_id_before if linked else None,
            linked=linked._planner if linked else None,  # noqa: SLF001  # a channel and its group are one piece
        )
        self._template_of = lru_cache(maxsize=spec.templates)(self._make_template)

    def __repr__(self) -> str:
        return f"<WorldChannel {self.channel_id} {self.username or 'private'}: {self.count} messages>"

    @property
    def top_id(self) -> int:
        """The newest visible id; 0 in an empty channel."""
        return self._ids.at(len(self._ids)) if self.count else 0

    @property
    def count(self) -> int:
        """How many messages are visible, service messages included."""
        return len(self._ids)

    @property
    def pts(self) -> int:
        """The channel's event counter: it grows with every message, edit and deletion."""
        return self._changes

    def exists(self, message_id: int) -> bool:
        """Tell whether the id is visible."""
        return self._ids.has(message_id)

    def history(
        self,
        *,
        offset_id: int = 0,
        offset_date: int = 0,
        add_offset: int = 0,
        limit: int = 0,
        max_id: int = 0,
        min_id: int = 0,
    ) -> list[int]:
        """Ids that messages.getHistory returns for these parameters, newest first; see `history.page`."""
        return page(
            self._ids,
            last_before=self.last_id_before,
            offset_id=offset_id,
            offset_date=offset_date,
            add_offset=add_offset,
            limit=limit,
            max_id=max_id,
            min_id=min_id,
        )

    def last_id_before(self, timestamp: int) -> int:
        """The highest id, visible or not, that was sent before a date; 0 if none was."""
        last = self._ids.last
        while last > self._born and self.date_of(last) >= timestamp:
            last -= 1
        if last > self._born:
            return last
        last = min(self._timeline.sent_before(timestamp), self._born)
        while last < self._born and self.date_of(last + 1) < timestamp:  # an album is dated like its first message
            last += 1
        return last

    def date_of(self, message_id: int) -> int:
        """When the id was sent, in Unix seconds."""
        live = self._live.get(message_id)
        if live is not None and live.posted_at is not None:
            return live.posted_at
        return self._planner.date_of(message_id)

    def message_bytes(self, message_id: int) -> bytes:
        """The message, serialised (layer 229); raises `KeyError` for an id that is not visible."""
        if self.spec.templates and message_id != 1 and message_id not in self._live and self._ids.has(message_id):
            date = self._timeline(message_id)
            if self._now is None or date < self._now - LONGEST_EDIT:  # later ones may not have been edited yet
                return self._template_of(self._template_index(message_id)).stamp(message_id, date)
        return bytes(compose(self._planner, self._plan(message_id)))

    def _template_index(self, message_id: int) -> int:
        return mix(self.channel_id ^ message_id << 1) % self.spec.templates

    def _make_template(self, index: int) -> Template:
        return make_template(
            lambda message_id, date: bytes(
                compose(self._planner, self._planner.plan(message_id, date=date, template=index))
            )
        )

    def _plan(self, message_id: int) -> MessagePlan:
        """The message as it stands now."""
        if not self._ids.has(message_id):
            raise KeyError(f"message {message_id} of channel {self.channel_id} is absent")
        live = self._live.get(message_id)
        templated = self.spec.templates and message_id != 1
        plan = self._planner.plan(
            message_id,
            date=live.posted_at if live else None,
            template=self._template_index(message_id) if templated else None,
        )
        return plan if live is None else _overlaid(plan, live)

    def users_for(self, message_ids: Iterable[int]) -> list[bytes]:
        """The senders of these messages, serialised, each once."""
        senders = dict.fromkeys(self._planner.sender_of(message_id) for message_id in message_ids)
        return [user_bytes(sender) for sender in senders if sender is not None]

    def truth(self, lower: int, upper: int) -> Iterator[Truth]:
        """What the visible messages of lower <= id < upper say now, the oldest first."""
        for message_id in range(max(lower, 1), min(upper, self._ids.last + 1)):
            if self._ids.has(message_id):
                plan = self._plan(message_id)
                rich_text = "\n".join(plan.rich_blocks) or None
                yield Truth(message_id, plan.date, plan.edit_date, plan.kind, plan.text, rich_text)

    def post(self, text: str) -> int:
        """Publish a message now; returns its id."""
        date = max(int(self._clock()), self.date_of(self._ids.last) if self._ids.last else 0)
        message_id = self._ids.append()
        self._live[message_id] = _Live(posted_at=date, text=text)
        self._changes += 1
        return message_id

    def edit(self, message_id: int, text: str) -> None:
        """Give a message another text, and the edit date now; raises `KeyError` where there is none to edit."""
        plan = self._plan(message_id)
        if plan.kind == "service":
            raise KeyError(f"message {message_id} of channel {self.channel_id} is a service message: it has no text")
        live = self._live.setdefault(message_id, _Live())
        live.text, live.edited_at = text, max(int(self._clock()), plan.date)
        self._changes += 1

    def delete(self, message_ids: Iterable[int]) -> None:
        """Delete messages; ids that are not visible are passed over."""
        self._changes += sum(self._ids.remove(message_id) for message_id in message_ids)

    def chat(self, access_hash: int) -> tl.Channel:
        """The channel as an account with this access hash sees it."""
        return chat_of(self.spec, access_hash, created=self._timeline(1))

    def full(self, access_hash: int) -> ChatFull:
        """The channel's full description as an account with this access hash sees it."""
        return full_of(self.spec, [self.chat(access_hash)], pts=self.pts, unread=self.count)


def _overlaid(plan: MessagePlan, live: _Live) -> MessagePlan:
    """The plan after what happened live: a post is plain text, an edit replaces the text and keeps the attachment."""
    plan.text, plan.entities, plan.rich_blocks = live.text, None, ()
    if live.posted_at is not None:
        plan.kind, plan.action, plan.media, plan.album, plan.post_of_linked = "message", None, "", None, None
        plan.edit_date = None
        plan.rnd = _nothing_unlikely  # no forward, no reply, no reactions: what was posted and nothing more
    if live.edited_at is not None:
        plan.edit_date, plan.is_edit_hidden = live.edited_at, False
    return plan


def _nothing_unlikely() -> float:
    return 0.999


@dataclass(slots=True)
class World:
    """Channels by id, and the accounts that may log in."""

    name: str
    seed: int
    channels: dict[int, WorldChannel]
    accounts: list[AccountSpec]

    def channel_named(self, username: str) -> WorldChannel | None:
        """Find a public channel, whatever the case of the letters."""
        wanted = username.casefold()
        return next((c for c in self.channels.values() if c.username and c.username.casefold() == wanted), None)
