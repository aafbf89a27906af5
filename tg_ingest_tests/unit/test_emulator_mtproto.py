"""The encrypted session: salts, message ids, sequence numbers, containers and service messages, without a socket."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tg_ingest.emulator import containers, crypto, tl
from tg_ingest.emulator.accounts import AuthKey
from tg_ingest.emulator.mtproto import EncryptedLink, ProtocolRefusal, Query
from tg_ingest.emulator.salts import SALT_SECONDS, Salts

SECRET = bytes(range(256))
NOW = 1_700_000_000.0
CALL = tl.uint32(0xC4F9186B)  # help.getConfig


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


class Client:
    """A client that says exactly what a test tells it to, correct where nothing else is said."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.key = AuthKey(SECRET, crypto.auth_key_id(SECRET), Salts(SECRET))
        self.link = EncryptedLink(
            lambda key_id: self.key if key_id == self.key.key_id else None, clock=self.clock, random_bytes=bytes
        )
        self.session_id = 77
        self.content = 0
        self.last_id = 0

    def next_id(self) -> int:
        self.last_id = max(self.last_id + 4, int(self.clock.now) << 32)
        return self.last_id

    def next_seqno(self) -> int:
        self.content += 1
        return self.content * 2 - 1

    def packet(self, body: bytes, *, msg_id: int, seqno: int, salt: int | None = None, length: int | None = None):
        salt = self.key.salts.current(self.clock.now) if salt is None else salt
        plain = struct.pack("<QQQii", salt, self.session_id, msg_id, seqno, len(body) if length is None else length)
        return crypto.encrypt_message(SECRET, plain + body, sender="client", random_bytes=bytes)

    def send(
        self, body: bytes = CALL, *, msg_id: int | None = None, seqno: int | None = None, salt: int | None = None
    ) -> list[Query]:
        msg_id = self.next_id() if msg_id is None else msg_id
        seqno = self.next_seqno() if seqno is None else seqno
        return self.link.receive(self.packet(body, msg_id=msg_id, seqno=seqno, salt=salt))

    def read(self) -> list[containers.Inner]:
        """Everything the server has to say, out of its containers."""
        messages = []
        for packet in self.link.packets():
            plain = crypto.decrypt_message(SECRET, packet, sender="server")
            salt, session_id, msg_id, seqno, length = struct.unpack_from("<QQQii", plain)
            assert (salt, session_id) == (self.key.salts.current(self.clock.now), self.session_id)
            message = containers.Inner(msg_id, seqno, plain[32 : 32 + length])
            is_container = message.body[:4] == tl.uint32(tl.MSG_CONTAINER)
            messages += containers.split(message.body) if is_container else [message]
        return messages

    def codes(self) -> list[int]:
        """The error codes of the notices among what the server has to say."""
        bodies = [message.body for message in self.read()]
        return [struct.unpack_from("<i", body, 16)[0] for body in bodies if kind(body) == tl.BAD_MSG_NOTIFICATION]


def kind(body: bytes) -> int:
    return int.from_bytes(body[:4], "little")


@pytest.fixture
def client():
    client = Client()
    client.send(tl.uint32(tl.PING) + bytes(8))
    client.read()
    return client


def test_a_new_session_is_announced_once_with_the_salt():
    client = Client()
    (query,) = client.send()
    client.link.answer(query, b"done")
    announced, result = client.read()
    assert announced.body == struct.pack(
        "<IQQQ", tl.NEW_SESSION_CREATED, query.msg_id, query.session.unique_id, client.key.salts.current(NOW)
    )
    assert result.body == struct.pack("<IQ", tl.RPC_RESULT, query.msg_id) + b"done"
    assert (announced.msg_id % 4, result.msg_id % 4, announced.seqno, result.seqno) == (3, 1, 1, 3)
    (query,) = client.send()
    client.link.answer(query, b"done")
    assert [kind(message.body) for message in client.read()] == [tl.RPC_RESULT]


def test_a_call_that_is_not_answered_at_once_is_acknowledged(client):
    (query,) = client.send()
    assert [message.body for message in client.read()] == [tl.uint32(tl.MSGS_ACK) + tl.longs([query.msg_id])]
    client.link.answer(query, b"late")
    assert [kind(message.body) for message in client.read()] == [tl.RPC_RESULT]


def test_a_wrong_salt_is_refused_with_the_right_one_and_nothing_is_served():
    client = Client()
    msg_id = client.next_id()
    assert client.send(msg_id=msg_id, seqno=1, salt=0) == []
    (notice,) = client.read()
    right = client.key.salts.current(NOW)
    assert notice.body == struct.pack("<IQiiQ", tl.BAD_SERVER_SALT, msg_id, 1, 48, right)


def test_the_previous_salt_is_accepted_for_one_more_period(client):
    old = client.key.salts.current(NOW)
    client.clock.now = NOW + SALT_SECONDS
    assert len(client.send(salt=old)) == 1
    client.clock.now = NOW + 2 * SALT_SECONDS
    assert client.send(salt=old) == []


def test_future_salts_are_those_that_will_be_current(client):
    client.send(struct.pack("<Ii", tl.GET_FUTURE_SALTS, 3))
    answer = next(message.body for message in client.read() if kind(message.body) == tl.FUTURE_SALTS)
    reader = tl.Reader(answer[12:])
    assert (reader.int32(), reader.int32()) == (int(NOW), 3)
    for period in range(3):
        since, until, salt = reader.int32(), reader.int32(), reader.uint64()
        assert until - since == 2 * SALT_SECONDS
        assert salt == client.key.salts.current(NOW + period * SALT_SECONDS)


def test_rotation_invalidates_every_salt():
    salts = Salts(SECRET, now=NOW, first=42)
    old = salts.current(NOW)
    assert salts.accepts(old, NOW)
    assert salts.accepts(42, NOW)
    salts.rotate()
    assert not salts.accepts(old, NOW)
    assert not salts.accepts(42, NOW)
    assert salts.accepts(salts.current(NOW), NOW)


@pytest.mark.parametrize(
    ("shift", "code"), [(-301, 16), (31, 17)], ids=["sent more than 300 s ago", "sent more than 30 s ahead"]
)
def test_a_client_with_a_wrong_clock_is_told_so(client, shift, code):
    assert client.send(msg_id=int(NOW + shift) << 32) == []
    assert client.codes() == [code]


@pytest.mark.parametrize("remainder", [1, 2, 3])
def test_a_clients_message_id_is_divisible_by_four(client, remainder):
    assert client.send(msg_id=client.next_id() + remainder) == []
    assert client.codes() == [18]


def test_a_repeated_call_is_acknowledged_again_and_not_served_again(client):
    msg_id, seqno = client.next_id(), client.next_seqno()
    assert len(client.send(msg_id=msg_id, seqno=seqno)) == 1
    client.read()
    assert client.send(msg_id=msg_id, seqno=seqno) == []
    assert [message.body for message in client.read()] == [tl.uint32(tl.MSGS_ACK) + tl.longs([msg_id])]


def test_a_message_too_old_to_be_remembered_is_refused(client):
    first = client.next_id()
    for _ in range(1100):
        client.send()
    client.read()
    client.send(msg_id=first, seqno=1)
    assert client.codes() == [20]


def test_sequence_numbers_rise_with_message_ids(client):
    first, second, third = (client.next_id() for _ in range(3))
    client.send(msg_id=second, seqno=11)
    client.read()
    client.send(msg_id=third, seqno=11)
    assert client.codes() == [32]
    client.send(msg_id=first, seqno=13)
    assert client.codes() == [33]
    assert len(client.send(msg_id=third, seqno=13)) == 1
    assert len(client.send(msg_id=first, seqno=9)) == 1


def test_calls_have_odd_and_acknowledgements_even_sequence_numbers(client):
    client.send(seqno=2)
    assert client.codes() == [35]
    client.send(tl.uint32(tl.MSGS_ACK) + tl.longs([1]), seqno=3)
    assert client.codes() == [34]


def container_of(client: Client, *bodies: bytes) -> bytes:
    return containers.join([containers.Inner(client.next_id(), client.next_seqno(), body) for body in bodies])


def test_the_calls_of_a_container_are_served_in_order(client):
    queries = client.send(container_of(client, CALL, CALL + b"more"), seqno=4)
    assert [query.body for query in queries] == [CALL, CALL + b"more"]
    for query in queries:
        client.link.answer(query, b"done")
    assert len(client.link.packets()) == 1


def test_a_container_inside_a_container_is_invalid(client):
    client.send(container_of(client, containers.join([containers.Inner(4, 1, CALL)])), seqno=4)
    assert 34 in client.codes()
    inner = containers.Inner(client.next_id(), 4, containers.join([containers.Inner(4, 1, CALL)]))
    client.send(containers.join([inner]), seqno=4)
    assert client.codes() == [64]


@pytest.mark.parametrize(
    "body",
    [
        struct.pack("<Ii", tl.MSG_CONTAINER, 1021),
        struct.pack("<IiQii", tl.MSG_CONTAINER, 1, 4, 1, 8) + CALL,
        struct.pack("<IiQii", tl.MSG_CONTAINER, 1, 4, 1, 4) + CALL + CALL,
    ],
    ids=["too many", "torn", "trailing bytes"],
)
def test_a_malformed_container_is_invalid(client, body):
    client.send(body, seqno=4)
    assert client.codes() == [64]


def test_an_empty_container_is_allowed(client):
    assert client.send(struct.pack("<Ii", tl.MSG_CONTAINER, 0), seqno=4) == []
    assert client.codes() == []


def test_a_container_older_than_what_it_holds_is_invalid(client):
    msg_id = client.next_id()
    client.send(container_of(client, CALL), msg_id=msg_id, seqno=4)
    assert client.codes() == [64]


def test_a_container_id_cannot_be_used_again(client):
    body, msg_id = container_of(client, CALL), client.next_id()
    client.send(body, msg_id=msg_id, seqno=4)
    client.read()
    client.send(body, msg_id=msg_id, seqno=4)
    assert client.codes() == [19]


def test_packed_calls_are_unpacked(client):
    engine = zlib.compressobj(wbits=31)
    packed = tl.uint32(tl.GZIP_PACKED) + tl.string(engine.compress(CALL * 50) + engine.flush())
    assert [query.body for query in client.send(packed)] == [CALL * 50]


def test_a_broken_gzip_stream_ends_the_connection(client):
    with pytest.raises(ProtocolRefusal):
        client.send(tl.uint32(tl.GZIP_PACKED) + tl.string(b"no gzip"))


@given(st.binary(max_size=5000).map(lambda content: content + bytes(-len(content) % 4)))
def test_what_the_server_packs_unpacks_to_the_same(body):
    packed = containers.pack(body)
    assert len(packed) <= len(body)
    if body[:4] != tl.uint32(tl.GZIP_PACKED):
        assert containers.unpack(packed) == body


def test_pings_are_answered_and_may_ask_for_a_disconnect(client):
    client.send(struct.pack("<IQ", tl.PING, 5), seqno=2)
    (pong,) = client.read()
    assert pong.body == struct.pack("<IQQ", tl.PONG, client.last_id, 5)
    client.send(struct.pack("<IQi", tl.PING_DELAY_DISCONNECT, 6, 75), seqno=2)
    (pong,) = client.read()
    assert pong.body == struct.pack("<IQQ", tl.PONG, client.last_id, 6)
    assert client.link.disconnect_at == NOW + 75


def test_only_another_ping_of_its_kind_moves_the_time_to_disconnect(client):
    client.send(struct.pack("<IQi", tl.PING_DELAY_DISCONNECT, 6, 75), seqno=2)
    client.clock.now += 60
    client.send()
    client.send(struct.pack("<IQ", tl.PING, 5), seqno=4)
    assert client.link.disconnect_at == NOW + 75
    client.send(struct.pack("<IQi", tl.PING_DELAY_DISCONNECT, 7, 75), seqno=4)
    assert client.link.disconnect_at == NOW + 60 + 75


def test_states_of_messages_are_told(client):
    (running,) = client.send()
    (answered,) = client.send()
    client.link.answer(answered, b"done")
    client.read()
    later = int(NOW + 100) << 32
    client.send(tl.uint32(tl.MSGS_STATE_REQ) + tl.longs([running.msg_id, answered.msg_id, client.last_id + 8, later]))
    info = next(message.body for message in client.read() if kind(message.body) == tl.MSGS_STATE_INFO)
    assert tl.Reader(info[12:]).string() == bytes([4 | 32, 4 | 64, 2, 3])


def test_an_answer_is_sent_again_until_it_is_acknowledged(client):
    (query,) = client.send()
    client.link.answer(query, b"done")
    (sent,) = client.read()
    client.send(tl.uint32(tl.MSG_RESEND_REQ) + tl.longs([sent.msg_id]), seqno=4)
    assert sent.body in [message.body for message in client.read()]
    acknowledged = list(query.session.unacknowledged)
    client.send(tl.uint32(tl.MSGS_ACK) + tl.longs(acknowledged), seqno=4)
    assert query.session.unacknowledged == {}


def test_an_answer_can_be_dropped(client):
    (running,) = client.send()
    (answered,) = client.send()
    client.link.answer(answered, b"done")
    client.read()
    kinds = []
    for dropped in (running.msg_id, answered.msg_id, 4):
        client.send(struct.pack("<IQ", tl.RPC_DROP_ANSWER, dropped))
        results = [message.body for message in client.read() if kind(message.body) == tl.RPC_RESULT]
        kinds.append(kind(results[0][12:]))
    assert kinds == [tl.RPC_ANSWER_DROPPED_RUNNING, tl.RPC_ANSWER_DROPPED, tl.RPC_ANSWER_UNKNOWN]


def test_another_session_of_the_key_can_be_destroyed(client):
    client.session_id = 78
    client.send()
    client.read()
    for expected in (tl.DESTROY_SESSION_OK, tl.DESTROY_SESSION_NONE):
        client.send(struct.pack("<IQ", tl.DESTROY_SESSION, 77))
        answers = [message.body for message in client.read() if kind(message.body) != tl.MSGS_ACK]
        assert answers == [struct.pack("<IQ", expected, 77)]


@pytest.mark.parametrize("length", [-4, 3, 12, 400])
def test_a_length_that_leaves_a_wrong_padding_ends_the_connection(client, length):
    with pytest.raises(ProtocolRefusal) as refusal:
        client.link.receive(client.packet(CALL, msg_id=client.next_id(), seqno=1, length=length))
    assert refusal.value.code == -404


def test_a_packet_too_short_for_a_header_ends_the_connection(client):
    short = bytes(16)
    msg_key = crypto.message_key(SECRET, short, sender="client")
    key, iv = crypto.message_key_iv(SECRET, msg_key, sender="client")
    packet = client.key.key_id.to_bytes(8, "little") + msg_key + crypto.encrypt_ige(short, key, iv)
    with pytest.raises(ProtocolRefusal) as refusal:
        client.link.receive(packet)
    assert refusal.value.code == -404


def test_an_unknown_key_and_a_forged_packet_end_the_connection(client):
    packet = client.packet(CALL, msg_id=client.next_id(), seqno=1)
    for forged in (b"\x01" + packet[1:], packet[:-1] + bytes([packet[-1] ^ 1]), packet[:24]):
        with pytest.raises(ProtocolRefusal) as refusal:
            client.link.receive(forged)
        assert refusal.value.code == -404
