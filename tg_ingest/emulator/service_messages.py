"""Answers to MTProto's service messages: pings, salts, states, acknowledgements.

The rules are core.telegram.org/mtproto/service_messages. Pure but for the session, which forgets what was
acknowledged. Calls of the API are not answered here.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

from tg_ingest.emulator import tl
from tg_ingest.emulator.accounts import AuthKey
from tg_ingest.emulator.session import Parity, Session, State

PARITY = {
    tl.MSG_CONTAINER: Parity.EVEN,
    tl.MSGS_ACK: Parity.EVEN,
    tl.HTTP_WAIT: Parity.EITHER,
    tl.PING: Parity.EITHER,
    tl.PING_DELAY_DISCONNECT: Parity.EITHER,
    tl.GET_FUTURE_SALTS: Parity.EITHER,
    tl.MSGS_STATE_REQ: Parity.EITHER,
    tl.MSGS_STATE_INFO: Parity.EITHER,
    tl.MSGS_ALL_INFO: Parity.EITHER,
    tl.MSG_RESEND_REQ: Parity.EITHER,
    tl.RPC_DROP_ANSWER: Parity.EITHER,
    tl.DESTROY_SESSION: Parity.EITHER,
}


class Received(NamedTuple):
    """A service message and where it came from; `reader` stands behind its constructor."""

    key: AuthKey
    session: Session
    msg_id: int
    now: float
    reader: tl.Reader


class Answer(NamedTuple):
    """A message for the client. `answers` is the client message that it responds to, if it does."""

    body: bytes
    is_content: bool = False
    answers: int | None = None


def answers_to(constructor: int, received: Received) -> list[Answer] | None:
    """Return the answers to a service message, or None when the message is none; raises `TlError`."""
    serve = _SERVED.get(constructor)
    return None if serve is None else serve(received)


def disconnect_delay(body: bytes) -> int:
    """Return the seconds that `ping_delay_disconnect` asks for."""
    reader = tl.Reader(body)
    reader.raw(12)
    return reader.int32()


def bad_message(msg_id: int, seqno: int, code: int) -> Answer:
    """Return the notice that a message was ignored."""
    return Answer(struct.pack("<IQii", tl.BAD_MSG_NOTIFICATION, msg_id, seqno, code), answers=msg_id)


def bad_salt(msg_id: int, seqno: int, code: int, salt: int) -> Answer:
    """Return the notice that a message was ignored for its salt, with the right one."""
    return Answer(struct.pack("<IQiiQ", tl.BAD_SERVER_SALT, msg_id, seqno, code, salt), answers=msg_id)


def new_session(session: Session, first_msg_id: int, salt: int) -> Answer:
    """Return the notice that the server began a session."""
    body = struct.pack("<IQQQ", tl.NEW_SESSION_CREATED, first_msg_id, session.unique_id, salt)
    return Answer(body, is_content=True)


def _acknowledged(received: Received) -> list[Answer]:
    for msg_id in received.reader.longs():
        received.session.unacknowledged.pop(msg_id, None)
    return []


def _nothing(_received: Received) -> list[Answer]:
    return []


def _pong(received: Received) -> list[Answer]:
    body = struct.pack("<IQ8s", tl.PONG, received.msg_id, received.reader.raw(8))
    return [Answer(body, answers=received.msg_id)]


def _future_salts(received: Received) -> list[Answer]:
    salts = received.key.salts.future(received.reader.int32(), received.now)
    body = struct.pack("<IQii", tl.FUTURE_SALTS, received.msg_id, int(received.now), len(salts))
    body += b"".join(struct.pack("<iiQ", *salt) for salt in salts)
    return [Answer(body, answers=received.msg_id)]


def _states(received: Received) -> list[Answer]:
    return [_state_info(received, received.reader.longs())]


def _state_info(received: Received, ids: list[int]) -> Answer:
    info = bytes(received.session.state_byte(each, received.now) for each in ids)
    body = struct.pack("<IQ", tl.MSGS_STATE_INFO, received.msg_id) + tl.string(info)
    return Answer(body, answers=received.msg_id)


def _resent(received: Received) -> list[Answer]:
    """Send again what is still kept; when something is not, its state is reported instead."""
    ids = received.reader.longs()
    kept = [sent for each in ids if (sent := received.session.unacknowledged.get(each)) is not None]
    answers = [Answer(sent.body, is_content=True, answers=sent.answers) for sent in kept]
    return answers if len(kept) == len(ids) else [*answers, _state_info(received, ids)]


def _session_destroyed(received: Received) -> list[Answer]:
    session_id = received.reader.uint64()
    is_other = session_id != received.session.session_id
    known = is_other and received.key.sessions.pop(session_id, None) is not None
    constructor = tl.DESTROY_SESSION_OK if known else tl.DESTROY_SESSION_NONE
    return [Answer(struct.pack("<IQ", constructor, session_id), answers=received.msg_id)]


def _answer_dropped(received: Received) -> list[Answer]:
    session, dropped_id = received.session, received.reader.uint64()
    kept = next((item for item in session.unacknowledged.items() if item[1].answers == dropped_id), None)
    if kept is not None:
        sent_id, sent = kept
        del session.unacknowledged[sent_id]
        result = struct.pack("<IQii", tl.RPC_ANSWER_DROPPED, sent_id, sent.seqno, len(sent.body))
    elif session.state_of(dropped_id) is State.RUNNING:
        result = tl.uint32(tl.RPC_ANSWER_DROPPED_RUNNING)
    else:
        result = tl.uint32(tl.RPC_ANSWER_UNKNOWN)
    body = struct.pack("<IQ", tl.RPC_RESULT, received.msg_id) + result
    return [Answer(body, is_content=True, answers=received.msg_id)]


_SERVED: dict[int, Callable[[Received], list[Answer]]] = {
    tl.MSGS_ACK: _acknowledged,
    tl.MSGS_STATE_INFO: _nothing,
    tl.MSGS_ALL_INFO: _nothing,
    tl.HTTP_WAIT: _nothing,
    tl.PING: _pong,
    tl.PING_DELAY_DISCONNECT: _pong,
    tl.GET_FUTURE_SALTS: _future_salts,
    tl.MSGS_STATE_REQ: _states,
    tl.MSG_RESEND_REQ: _resent,
    tl.DESTROY_SESSION: _session_destroyed,
    tl.RPC_DROP_ANSWER: _answer_dropped,
}
