"""One MTProto session: which client messages came, in what order, and which answers wait for an acknowledgement.

The rules are core.telegram.org/mtproto/service_messages_about_messages and /mtproto/description. No encryption here.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from enum import Enum
from typing import NamedTuple

MSG_ID_TOO_LOW = 16
MSG_ID_TOO_HIGH = 17
MSG_ID_NOT_DIVISIBLE = 18
CONTAINER_ID_REUSED = 19
MSG_ID_FORGOTTEN = 20
SEQNO_TOO_LOW = 32
SEQNO_TOO_HIGH = 33
SEQNO_MUST_BE_EVEN = 34
SEQNO_MUST_BE_ODD = 35
WRONG_SALT = 48
INVALID_CONTAINER = 64

_PAST_SECONDS = 300
_FUTURE_SECONDS = 30
_REMEMBERED = 1024
_KEPT_ANSWERS = 32


class Parity(Enum):
    """What a message's sequence number must be."""

    ODD = "content-related: the other side acknowledges it"
    EVEN = "a container or an acknowledgement"
    EITHER = "a service query; clients differ"


class State(Enum):
    """How far a received message got."""

    RECEIVED = 4  # the values are the bytes of msgs_state_info
    RUNNING = 4 | 32
    ANSWERED = 4 | 64


class Sent(NamedTuple):
    """A message that the client has not acknowledged yet."""

    seqno: int
    body: bytes
    answers: int | None


class Session:
    """The server's memory of one (auth key, session id)."""

    def __init__(self, session_id: int, unique_id: int) -> None:
        self.session_id = session_id
        self.unique_id = unique_id
        self.is_announced = False
        self.unacknowledged: OrderedDict[int, Sent] = OrderedDict()
        self._received: OrderedDict[int, State] = OrderedDict()
        self._order: list[tuple[int, int]] = []
        self._forgotten_up_to = 0
        self._content_sent = 0
        self._last_id = 0

    def refusal(self, msg_id: int, seqno: int, parity: Parity, now: float) -> int | None:
        """Return the error code of `bad_msg_notification` for a new message, or None when it is in order."""
        if msg_id % 4:
            return MSG_ID_NOT_DIVISIBLE
        sent_at = msg_id >> 32
        if sent_at > now + _FUTURE_SECONDS:
            return MSG_ID_TOO_HIGH
        if sent_at < now - _PAST_SECONDS:
            return MSG_ID_TOO_LOW
        if msg_id <= self._forgotten_up_to and msg_id not in self._received:
            return MSG_ID_FORGOTTEN
        return self._misnumbered(msg_id, seqno, parity)

    def has_received(self, msg_id: int) -> bool:
        """Tell whether a message came before (as far as the memory reaches)."""
        return msg_id in self._received

    def note_received(self, msg_id: int, seqno: int) -> None:
        """Remember a message that was accepted."""
        self._received[msg_id] = State.RECEIVED
        if seqno % 2:
            insort(self._order, (msg_id, seqno))
            del self._order[:-_REMEMBERED]
        while len(self._received) > _REMEMBERED:
            forgotten, _ = self._received.popitem(last=False)
            self._forgotten_up_to = max(self._forgotten_up_to, forgotten)

    def note_state(self, msg_id: int, state: State) -> None:
        """Remember how far a received message got."""
        if msg_id in self._received:
            self._received[msg_id] = state

    def state_of(self, msg_id: int) -> State | None:
        """Return how far a message got, or None when it is unknown."""
        return self._received.get(msg_id)

    def state_byte(self, msg_id: int, now: float) -> int:
        """Return the byte that `msgs_state_info` carries for a message."""
        state = self._received.get(msg_id)
        if state is not None:
            return state.value
        if msg_id <= self._forgotten_up_to:
            return 1
        return 3 if msg_id >> 32 > now + _FUTURE_SECONDS else 2

    def next_id(self, now: float, *, is_answer: bool) -> int:
        """Make a message id that rises, ends in 1 for answers and in 3 for everything else."""
        kind = 1 if is_answer else 3
        made = (int(now * (1 << 32)) & ~3) | kind
        if made <= self._last_id:
            made = (self._last_id & ~3) + 4 | kind
        self._last_id = made
        return made

    def next_seqno(self, *, is_content: bool) -> int:
        """Number a message of the server."""
        seqno = self._content_sent * 2 + is_content
        self._content_sent += is_content
        return seqno

    def keep(self, msg_id: int, sent: Sent) -> None:
        """Keep a message until it is acknowledged; the oldest of too many are given up."""
        self.unacknowledged[msg_id] = sent
        while len(self.unacknowledged) > _KEPT_ANSWERS:
            self.unacknowledged.popitem(last=False)

    def _misnumbered(self, msg_id: int, seqno: int, parity: Parity) -> int | None:
        """Check a number's parity, and that the numbers of content messages rise with their ids."""
        if seqno % 2 == 0:
            return SEQNO_MUST_BE_ODD if parity is Parity.ODD else None
        if parity is Parity.EVEN:
            return SEQNO_MUST_BE_EVEN
        at = bisect_left(self._order, (msg_id, 0))
        if at and self._order[at - 1][1] >= seqno:
            return SEQNO_TOO_LOW
        if at < len(self._order) and self._order[at][0] != msg_id and self._order[at][1] <= seqno:
            return SEQNO_TOO_HIGH
        return None
