"""What each message of a channel will be, decided before any TL object exists: this is the truth to compare with."""

# ruff: noqa: PLR2004  # the numbers are shares of all messages and sizes of made-up things

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tg_ingest.emulator.content import people, services, texts
from tg_ingest.emulator.content.draw import Rnd, between, mix, pick, stream, weighted
from tg_ingest.emulator.content.phrases import Book
from tg_ingest.emulator.content.spec import ChannelSpec, Topic

ALBUM_BLOCK = 32  # an album lies within a block of so many ids, so that it is found without looking back further
_LONGEST_ALBUM = 10
LONGEST_EDIT = 2 * 86_400  # seconds after a message was sent
_ONE_AUTO_FORWARD_IN = 6

_BROADCAST_MEDIA = weighted([
    ("", 26), ("photo", 34), ("video", 11), ("webpage", 15), ("document", 2), ("poll", 2), ("animation", 2),
    ("audio", 1), ("voice", 1), ("round", 0.6), ("sticker", 0.6), ("geo", 0.3), ("venue", 0.5), ("invoice", 0.3),
    ("giveaway", 0.3), ("paid", 0.4), ("story", 0.3), ("rich", 0.6), ("contact", 0.1), ("dice", 0.2),
    ("unsupported", 0.1), ("game", 0.1),
])  # fmt: skip
_GROUP_MEDIA = weighted([
    ("", 68), ("photo", 8), ("video", 2.5), ("webpage", 5), ("document", 1.5), ("poll", 0.7), ("animation", 2.5),
    ("audio", 0.5), ("voice", 2), ("round", 0.6), ("sticker", 6), ("geo", 0.4), ("geo_live", 0.2), ("venue", 0.3),
    ("contact", 0.2), ("dice", 0.6), ("todo", 0.2), ("game", 0.2), ("story", 0.2), ("rich", 0.2), ("unsupported", 0.1),
])  # fmt: skip
_CAPTIONED = {"photo": 0.85, "video": 0.8, "document": 0.5, "animation": 0.3, "audio": 0.4, "voice": 0.1, "paid": 0.8}


@dataclass(frozen=True, slots=True)
class Album:
    """Messages with consecutive ids that clients show as one; any of them may be deleted."""

    first: int
    length: int
    grouped_id: int


@dataclass(slots=True)
class MessagePlan:
    """One message, decided. `rnd` is where its stream stands: composing goes on from there, once."""

    message_id: int
    date: int
    rnd: Rnd
    kind: str = "message"  # message | service
    text: str = ""
    entities: list[Any] | None = None
    edit_date: int | None = None
    is_edit_hidden: bool = False
    media: str = ""
    album: Album | None = None
    action: str | None = None
    rich_blocks: tuple[str, ...] = ()
    post_of_linked: int | None = None  # the channel post of which this message in the discussion group is the copy


class Planner:
    """Decides the messages of one channel."""

    def __init__(
        self,
        spec: ChannelSpec,
        *,
        seed: int,
        date_of: Callable[[int], int],
        now: int | None = None,
        post_before: Callable[[int], int | None] | None = None,
        linked: "Planner | None" = None,
    ) -> None:
        """Take the channel of a discussion group as `linked`, and `post_before(date)` as its latest post then."""
        self.spec = spec
        self.is_group = spec.kind == "supergroup"
        self.linked = linked
        self._post_before = post_before
        self._seed = mix(seed ^ spec.channel_id)
        self._raw_date_of = date_of
        self._now = now
        self._topics = {topic.message_id: topic for topic in spec.topics}
        self._topic_starts = [topic.message_id for topic in spec.topics]
        self._voices = weighted(spec.voices)
        self._media = _GROUP_MEDIA if self.is_group else _BROADCAST_MEDIA
        self._album_share = 24 if self.is_group else 90  # of 256 blocks

    def hash_of(self, message_id: int, purpose: int) -> int:
        """64 bits that belong to an id and a purpose; for what must be known without planning the message."""
        return mix(self._seed ^ (purpose << 48) ^ message_id)

    def album_of(self, message_id: int) -> Album | None:
        """The album that the id belongs to."""
        if self.spec.templates:
            return None
        block = (message_id - 1) // ALBUM_BLOCK
        draw = self.hash_of(block, 1)
        if draw & 0xFF >= self._album_share:
            return None
        length = 2 + (draw >> 8) % (_LONGEST_ALBUM - 1)
        first = block * ALBUM_BLOCK + 1 + (draw >> 16) % (ALBUM_BLOCK - length + 1)
        if not first <= message_id < first + length:
            return None
        return Album(first, length, 13_000_000_000_000_000 + (draw >> 14))

    def date_of(self, message_id: int) -> int:
        """When the id was sent; an album is sent at once."""
        album = self.album_of(message_id)
        return self._raw_date_of(album.first if album else message_id)

    def sender_of(self, message_id: int) -> int | None:
        """The user who sent the id; None for the channel itself, an anonymous admin or the linked channel."""
        if not self.is_group or self.is_auto_forward(message_id):
            return None
        album = self.album_of(message_id)
        draw = self.hash_of(album.first if album else message_id, 2)
        if draw % 37 == 0:  # anonymous admin
            return None
        share = (draw >> 11) / 2**53
        return people.member(self.spec.channel_id, int(self.spec.people * share * share))

    def topic_of(self, message_id: int) -> Topic | None:
        """The forum topic that the id was written in; None is General."""
        open_topics = bisect_right(self._topic_starts, message_id - 1)
        if not open_topics:
            return None
        album = self.album_of(message_id)
        draw = self.hash_of(album.first if album else message_id, 3) % (open_topics * 8 + 7)
        return self.spec.topics[draw // 8] if draw < open_topics * 8 and self.spec.topics else None

    def is_auto_forward(self, message_id: int) -> bool:
        """Tell whether the id, in a discussion group, may be the copy of a post of the linked channel."""
        if self.linked is None or message_id == 1 or self.album_of(message_id):
            return False
        return self.hash_of(message_id, 4) % _ONE_AUTO_FORWARD_IN == 0

    def plan(self, message_id: int, *, date: int | None = None, template: int | None = None) -> MessagePlan:
        """Decide one message; `template` decides as if for another, unconnected id."""
        rnd = stream(self.hash_of(message_id, 0) if template is None else self.hash_of(template, 5))
        plan = MessagePlan(message_id, self.date_of(message_id) if date is None else date, rnd)
        if template is None and (message_id == 1 or message_id in self._topics):
            plan.kind, plan.action = "service", "channel_create" if message_id == 1 else "topic_create"
            return plan
        if self.is_auto_forward(message_id) and (copied := self._copy_post(plan)):
            return copied
        plan.album = self.album_of(message_id)
        if plan.album is None and (action := services.choose(rnd, self.spec)):
            plan.kind, plan.action = "service", action
            return plan
        self._decide_content(plan)
        self._decide_edit(plan)
        return plan

    def _copy_post(self, plan: MessagePlan) -> MessagePlan | None:
        if self.linked is None or self._post_before is None:
            return None
        post_id = self._post_before(plan.date)
        if post_id is None:
            return None
        copied = self.linked.plan(post_id)
        if copied.kind == "service" or copied.album:
            return None
        copied.message_id, copied.date, copied.edit_date = plan.message_id, plan.date, None
        copied.post_of_linked = post_id
        return copied

    def _decide_content(self, plan: MessagePlan) -> None:
        rnd = plan.rnd
        if plan.album:
            plan.media = "photo" if rnd() < 0.75 else "video"  # as seen in news channels
            has_text = plan.message_id == plan.album.first and rnd() < 0.8
        else:
            shares, kinds = self._media
            plan.media = kinds[bisect_right(shares, rnd())]
            has_text = plan.media in {"", "webpage"} or rnd() < _CAPTIONED.get(plan.media, 0.0)
        if plan.media == "rich":
            book = self._books(rnd)[0]
            plan.rich_blocks = (book.headline(rnd), *[book.sentence(rnd) for _ in range(between(rnd, 2, 6))])
        elif has_text:
            text = self._write(rnd, date=plan.date, is_caption=bool(plan.media) and plan.media != "webpage")
            plan.text, plan.entities = str(text), text.entities or None

    def _write(self, rnd: Rnd, *, date: int, is_caption: bool) -> texts.StyledText:
        spec, (book, chat) = self.spec, self._books(rnd)
        oddity = rnd()
        if oddity < 0.012:  # rare, and still hundreds of them in the demo
            return texts.write_hostile(rnd)
        if oddity < 0.0145 and not is_caption:
            return texts.write_longest(rnd, book)
        if self.is_group:
            return texts.write_line(rnd, chat, book, date=date)
        return texts.write_post(rnd, book, date=date, sentences=1 + int(4 * spec.verbosity * rnd() * rnd()))

    def _books(self, rnd: Rnd) -> tuple[Book, Book]:
        shares, languages = self._voices
        books = texts.BOOKS[languages[bisect_right(shares, rnd())]]
        subject = books.get(self.spec.subject) or pick(rnd, [book for name, book in books.items() if name != "chat"])
        return subject, books["chat"]

    def _decide_edit(self, plan: MessagePlan) -> None:
        rnd = plan.rnd
        if rnd() < (0.05 if self.is_group else 0.1):
            edit_date = plan.date + 15 + int(2 ** (4 + 13 * rnd()))  # half a minute to a day and a half
            plan.is_edit_hidden = rnd() < 0.25  # buttons and reactions count as edits, too
            if self._now is None or edit_date <= self._now:
                plan.edit_date = edit_date
