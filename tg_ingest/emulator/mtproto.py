"""The encrypted half of one connection, sans-I/O: packets in, queries out; answers in, packets out.

Service messages are answered at once (`service_messages`); every other body is a `Query` for the API. What Telegram
answers with a transport error raises `ProtocolRefusal`.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

from tg_ingest.emulator import containers, crypto, tl
from tg_ingest.emulator.accounts import AuthKey
from tg_ingest.emulator.service_messages import (
    PARITY,
    Answer,
    Received,
    answers_to,
    bad_message,
    bad_salt,
    disconnect_delay,
    new_session,
)
from tg_ingest.emulator.session import (
    CONTAINER_ID_REUSED,
    INVALID_CONTAINER,
    WRONG_SALT,
    Parity,
    Sent,
    Session,
    State,
)

UNKNOWN_KEY = -404
_HEADER = struct.Struct("<QQQii")
_MIN_PADDING, _MAX_PADDING = 12, 1024
_MAX_CONTAINER_BYTES = 1 << 20
_MAX_CONTAINER_MESSAGES = 100


class ProtocolRefusal(Exception):
    """The packet deserves a transport error; `code` is negative, as it goes over the wire."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code


class Query(NamedTuple):
    """One call of the API, still serialised."""

    key: AuthKey
    session: Session
    msg_id: int
    body: bytes


class _Place(NamedTuple):
    """The key and the session that a message belongs to."""

    key: AuthKey
    session: Session


class EncryptedLink:
    """What one connection and its keys say to each other.

    `disconnect_at` is when the connection must be closed, once the client has sent `ping_delay_disconnect`. Only
    another one moves it (core.telegram.org/mtproto/service_messages, "ping_delay_disconnect").
    """

    def __init__(
        self,
        find_key: Callable[[int], AuthKey | None],
        *,
        clock: Callable[[], float],
        random_bytes: crypto.RandomBytes,
    ) -> None:
        self.disconnect_at: float | None = None
        self._find_key = find_key
        self._clock = clock
        self._random = random_bytes
        self._outgoing: list[tuple[_Place, Answer]] = []
        self._to_acknowledge: dict[int, tuple[_Place, list[int]]] = {}

    def receive(self, packet: bytes) -> list[Query]:
        """Decrypt one packet, answer its service messages, and return its API calls in order."""
        key = self._find_key(int.from_bytes(packet[:8], "little"))
        if key is None:
            raise ProtocolRefusal(UNKNOWN_KEY, "the auth key is unknown")
        try:
            plain = crypto.decrypt_message(key.secret, packet)
        except crypto.DecryptionError as error:
            raise ProtocolRefusal(UNKNOWN_KEY, str(error)) from error
        if len(plain) < _HEADER.size:
            raise ProtocolRefusal(UNKNOWN_KEY, f"{len(plain)} bytes hold no message header")
        salt, session_id, msg_id, seqno, length = _HEADER.unpack_from(plain)
        padding = len(plain) - _HEADER.size - length
        if length < 0 or length % 4 or not _MIN_PADDING <= padding <= _MAX_PADDING:
            raise ProtocolRefusal(UNKNOWN_KEY, f"a body of {length} bytes with {padding} bytes of padding")
        session = key.sessions.get(session_id)
        if session is None:
            session = Session(session_id, int.from_bytes(self._random(8), "little"))
        place, now = _Place(key, session), self._clock()
        if not key.salts.accepts(salt, now):
            self._outgoing.append((place, bad_salt(msg_id, seqno, WRONG_SALT, key.salts.current(now))))
            return []
        key.sessions[session_id] = session
        return self._accept(place, containers.Inner(msg_id, seqno, plain[_HEADER.size : _HEADER.size + length]))

    def answer(self, query: Query, result: bytes) -> None:
        """Queue the result (or `rpc_error`) of a query."""
        query.session.note_state(query.msg_id, State.ANSWERED)
        body = struct.pack("<IQ", tl.RPC_RESULT, query.msg_id) + result
        place = _Place(query.key, query.session)
        self._outgoing.append((place, Answer(body, is_content=True, answers=query.msg_id)))
        _, waiting = self._to_acknowledge.get(id(query.session), (place, []))
        if query.msg_id in waiting:
            waiting.remove(query.msg_id)  # an answer acknowledges its query

    def packets(self) -> list[bytes]:
        """Encrypt everything that waits, several messages of a session in one container."""
        for place, ids in self._to_acknowledge.values():
            if ids:
                self._outgoing.append((place, Answer(tl.uint32(tl.MSGS_ACK) + tl.longs(ids))))
        self._to_acknowledge.clear()
        outgoing, self._outgoing = self._outgoing, []
        packets = []
        while outgoing:
            place, batch = outgoing[0][0], _next_batch(outgoing)
            del outgoing[: len(batch)]
            packets.append(self._encrypt(place, batch))
        return packets

    def _accept(self, place: _Place, message: containers.Inner, *, is_inner: bool = False) -> list[Query]:
        """Check one message and serve it or hand it on."""
        msg_id, seqno, _ = message
        try:
            body = containers.unpack(message.body)
            constructor = tl.Reader(body).constructor()
        except tl.TlError as error:
            raise ProtocolRefusal(UNKNOWN_KEY, f"message {msg_id} is no TL object: {error}") from error
        is_container = constructor == tl.MSG_CONTAINER
        if place.session.has_received(msg_id):
            self._meet_again(place, msg_id, seqno, is_container=is_container)
            return []
        parity = PARITY.get(constructor, Parity.ODD)
        code = place.session.refusal(msg_id, seqno, parity, self._clock())
        if code is None and is_container and is_inner:
            code = INVALID_CONTAINER
        if code is not None:
            self._outgoing.append((place, bad_message(msg_id, seqno, code)))
            return []
        if is_container:
            return self._accept_container(place, msg_id, seqno, body)
        place.session.note_received(msg_id, seqno)
        self._announce(place, msg_id)
        if seqno % 2:
            self._acknowledge(place, msg_id)
        return self._serve(place, msg_id, constructor, body)

    def _accept_container(self, place: _Place, msg_id: int, seqno: int, body: bytes) -> list[Query]:
        try:
            messages = containers.split(body)
        except tl.TlError:
            messages = None
        if messages is None or any(message.msg_id >= msg_id for message in messages):
            self._outgoing.append((place, bad_message(msg_id, seqno, INVALID_CONTAINER)))
            return []
        place.session.note_received(msg_id, seqno)
        return [query for message in messages for query in self._accept(place, message, is_inner=True)]

    def _serve(self, place: _Place, msg_id: int, constructor: int, body: bytes) -> list[Query]:
        received = Received(place.key, place.session, msg_id, self._clock(), tl.Reader(body[4:]))
        try:
            answers = answers_to(constructor, received)
            if constructor == tl.PING_DELAY_DISCONNECT:
                self.disconnect_at = received.now + max(1, disconnect_delay(body))
        except tl.TlError as error:
            raise ProtocolRefusal(UNKNOWN_KEY, f"service message {constructor:08x}: {error}") from error
        if answers is None:
            place.session.note_state(msg_id, State.RUNNING)
            return [Query(place.key, place.session, msg_id, body)]
        self._outgoing += [(place, answer) for answer in answers]
        return []

    def _meet_again(self, place: _Place, msg_id: int, seqno: int, *, is_container: bool) -> None:
        """Ignore a message that came before; it is acknowledged again, because the first notice may be lost."""
        if is_container:
            self._outgoing.append((place, bad_message(msg_id, seqno, CONTAINER_ID_REUSED)))
        elif seqno % 2:
            self._acknowledge(place, msg_id)

    def _announce(self, place: _Place, first_msg_id: int) -> None:
        if not place.session.is_announced:
            place.session.is_announced = True
            salt = place.key.salts.current(self._clock())
            self._outgoing.append((place, new_session(place.session, first_msg_id, salt)))

    def _acknowledge(self, place: _Place, msg_id: int) -> None:
        self._to_acknowledge.setdefault(id(place.session), (place, []))[1].append(msg_id)

    def _encrypt(self, place: _Place, batch: list[Answer]) -> bytes:
        now, session = self._clock(), place.session
        numbered = [_number(session, message, now) for message in batch]
        if len(numbered) == 1:
            msg_id, seqno, body = numbered[0]
        else:
            body = containers.join(numbered)
            msg_id, seqno = session.next_id(now, is_answer=False), session.next_seqno(is_content=False)
        header = _HEADER.pack(place.key.salts.current(now), session.session_id, msg_id, seqno, len(body))
        return crypto.encrypt_message(place.key.secret, header + body, random_bytes=self._random)


def _number(session: Session, message: Answer, now: float) -> containers.Inner:
    msg_id = session.next_id(now, is_answer=message.answers is not None)
    seqno = session.next_seqno(is_content=message.is_content)
    if message.is_content:
        session.keep(msg_id, Sent(seqno, message.body, message.answers))
    return containers.Inner(msg_id, seqno, message.body)


def _next_batch(outgoing: list[tuple[_Place, Answer]]) -> list[Answer]:
    """Take the messages of the first one's session that follow it and fit into one container."""
    session, size = outgoing[0][0].session, 0
    batch: list[Answer] = []
    for place, message in outgoing[:_MAX_CONTAINER_MESSAGES]:
        size += len(message.body) + containers.HEADER_BYTES
        if place.session is not session or (batch and size > _MAX_CONTAINER_BYTES):
            break
        batch.append(message)
    return batch
