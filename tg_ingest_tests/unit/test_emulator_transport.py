"""MTProto's TCP framings, against frames worked out by hand from core.telegram.org/mtproto/mtproto-transports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tg_ingest.emulator import transport

PACKET = bytes(range(8))
LONG = bytes(508)  # 127 words: the first length that abridged writes in three bytes

FULL_FRAME = bytes.fromhex("14000000000000000001020304050607")


def fed(stream: bytes, *, sizes: list[int] | None = None) -> tuple[transport.ServerTransport, list[bytes]]:
    server = transport.ServerTransport()
    packets = []
    for size in sizes or [len(stream)]:
        packets += server.feed(stream[:size])
        stream = stream[size:]
    return server, packets + server.feed(stream)


@pytest.mark.parametrize(
    ("stream", "framing", "packet"),
    [
        (b"\xef" + b"\x02" + PACKET, "Abridged", PACKET),
        (b"\xef" + b"\x7f\x7f\x00\x00" + LONG, "Abridged", LONG),
        (b"\xee\xee\xee\xee" + b"\x08\x00\x00\x00" + PACKET, "Intermediate", PACKET),
    ],
)
def test_frames_written_by_hand_are_read(stream, framing, packet):
    server, packets = fed(stream)
    assert (server.framing, packets) == (framing, [packet])


def test_the_server_writes_the_same_frames():
    assert transport.Abridged().encode(PACKET) == b"\x02" + PACKET
    assert transport.Abridged().encode(LONG) == b"\x7f\x7f\x00\x00" + LONG
    assert transport.Intermediate().encode(PACKET) == b"\x08\x00\x00\x00" + PACKET


def test_full_frames_carry_length_number_and_checksum():
    # CRC-32/ISO-HDLC of the ASCII digits 123456789 is cbf43926 in every catalogue; the framing uses that polynomial.
    codec = transport.Full()
    first, second = codec.encode(PACKET), codec.encode(b"1234")
    assert first == FULL_FRAME + bitwise_crc32(FULL_FRAME).to_bytes(4, "little")
    assert second[:8] == bytes.fromhex("1000000001000000")
    assert bitwise_crc32(b"123456789") == 0xCBF43926


def bitwise_crc32(content: bytes) -> int:
    """CRC-32 as ISO 3309 defines it, bit by bit."""
    value = 0xFFFFFFFF
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def test_a_quick_ack_request_changes_nothing_but_its_bit():
    assert fed(b"\xef" + b"\x82" + PACKET)[1] == [PACKET]
    assert fed(b"\xee\xee\xee\xee" + b"\x08\x00\x00\x80" + PACKET)[1] == [PACKET]


def test_padding_of_an_encrypted_packet_is_cut():
    packet = b"\x01" * 8 + bytes(16) + bytes(range(32))
    padded = packet + b"\x55" * 15
    assert fed(b"\xdd\xdd\xdd\xdd" + len(padded).to_bytes(4, "little") + padded)[1] == [packet]


def test_padding_of_a_plain_packet_is_cut():
    packet = bytes(8) + b"\x04" * 8 + (20).to_bytes(4, "little") + bytes(range(20))
    padded = packet + b"\x55" * 7
    assert fed(b"\xdd\xdd\xdd\xdd" + len(padded).to_bytes(4, "little") + padded)[1] == [packet]


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"\xef" + b"\x00", "cannot hold"),
        (b"\xee\xee\xee\xee" + b"\xff\xff\xff\x7f", "larger than"),
        (b"GET / HTTP/1.1\r\n", "no framing"),
        (FULL_FRAME + bytes(4), "checksum"),
        (b"\x14\x00\x00\x00\x00\x00\x00\x00" + bytes(8) + bytes(4), "checksum"),
    ],
)
def test_foreign_bytes_end_the_connection(stream, reason):
    with pytest.raises(transport.TransportError, match=reason):
        fed(stream)


def test_a_repeated_packet_number_ends_the_connection():
    frame = transport.Full().encode(PACKET)
    with pytest.raises(transport.TransportError, match="number 0 came where 1 was due"):
        fed(frame + frame)


def test_nothing_can_be_sent_before_the_client_spoke():
    with pytest.raises(transport.TransportError, match="before the client"):
        transport.ServerTransport().encode(PACKET)


words = st.binary(min_size=4, max_size=600).map(lambda content: content[: len(content) // 4 * 4])


@given(
    packets=st.lists(words, max_size=6),
    codec=st.sampled_from([transport.Abridged, transport.Intermediate, transport.Full]),
    sizes=st.lists(st.integers(1, 50), max_size=60),
)
def test_packets_survive_any_chunking(packets, codec, sizes):
    writer = codec()
    stream = getattr(codec, "tag", b"") + b"".join(writer.encode(packet) for packet in packets)
    assert fed(stream, sizes=sizes)[1] == packets
