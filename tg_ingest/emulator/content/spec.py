"""What makes a channel what it is: the few facts from which every message of it is computed."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """A forum topic; its id is the id of the service message that created it."""

    message_id: int
    title: str
    icon_color: int = 0x6FB9F0


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelSpec:
    """A channel or supergroup of a world.

    `ids` is how many message ids it has given out at the end of the world's time; `lost` of every 128 are deleted, and
    all of those in `stretches` (half-open). `voices` are (language, weight) pairs. A private channel has no username.
    """

    channel_id: int
    title: str
    ids: int
    kind: Literal["broadcast", "supergroup"] = "broadcast"
    username: str | None = None
    about: str = ""
    subject: str = "news"
    voices: tuple[tuple[str, float], ...] = (("english", 1.0),)
    participants: int = 1000
    people: int = 200  # different senders in a supergroup
    lost: int = 5
    stretches: tuple[tuple[int, int], ...] = ()
    topics: tuple[Topic, ...] = ()
    linked_id: int | None = None  # discussion group of a broadcast channel, or channel of a discussion group
    available_min_id: int = 0  # ids up to this one are hidden from new members
    growth: float = 2.0  # how much busier the last day is than the first
    starts_after_months: int = 0
    verbosity: float = 1.0  # of a broadcast channel: scales the number of sentences
    templates: int = 0  # above 0: messages are copies of that many, with id and dates patched

    def __post_init__(self) -> None:
        """Refuse what no channel can be."""
        topic_ids = [topic.message_id for topic in self.topics]
        hidden = self.available_min_id
        edges = [edge for stretch in self.stretches for edge in stretch]
        if self.kind not in {"broadcast", "supergroup"}:
            raise ValueError(f"a channel's kind is broadcast or supergroup, not {self.kind!r}")
        if not 1 <= self.ids < 2**31:
            raise ValueError(f"a channel has 1 to {2**31 - 1} ids, not {self.ids}")
        if self.kind == "broadcast" and self.topics:
            raise ValueError("only supergroups have topics")
        if self.kind == "supergroup" and self.templates:
            raise ValueError("only broadcast channels are stamped out of templates: their messages have no sender")
        if topic_ids != sorted(set(topic_ids)) or any(not 1 < i <= self.ids for i in topic_ids):
            raise ValueError(f"topics are created in the order of ids 2 to {self.ids}, not {topic_ids}")
        if edges != sorted(set(edges)) or any(not hidden + 1 < edge <= self.ids + 1 for edge in edges):
            limits = f"ids {hidden + 2} to {self.ids}"
            raise ValueError(f"stretches are rising (lower, upper) pairs of {limits}, not {self.stretches}")
        if any(lower <= i < upper for i in topic_ids for lower, upper in self.stretches):
            raise ValueError("a stretch of deleted ids holds the message that creates a topic")
