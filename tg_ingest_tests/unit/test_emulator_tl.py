"""TL serialisation against bytes from the documentation, and constructor numbers against a client's schema."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import alltlobjects
from telethon.tl.core import GzipPacked, MessageContainer, RpcResult

from tg_ingest.emulator import tl


def test_strings_follow_the_documented_examples():
    # core.telegram.org/mtproto/serialize: up to 253 bytes one length byte, then 254 and three; padded to four.
    assert tl.string(b"") == bytes(4)
    assert tl.string(b"abc") == b"\x03abc"
    assert tl.string(b"abcd") == b"\x04abcd\x00\x00\x00"
    assert tl.string(b"x" * 253) == b"\xfd" + b"x" * 253 + b"\x00\x00"
    assert tl.string(b"x" * 254) == b"\xfe\xfe\x00\x00" + b"x" * 254 + b"\x00\x00"


def test_pq_is_serialised_as_in_the_documented_exchange():
    # core.telegram.org/mtproto/samples-auth_key, step 2.
    assert tl.string(bytes.fromhex("17ED48941A08F981")) == bytes.fromhex("0817ED48941A08F981000000")
    assert tl.longs([0xC3B42B026CE86B21]) == bytes.fromhex("15C4B51C01000000216BE86C022BB4C3")


@given(st.binary(max_size=1000))
def test_strings_survive(value):
    reader = tl.Reader(tl.string(value) + b"tail")
    assert (reader.string(), reader.rest) == (value, b"tail")


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_vectors_of_longs_survive(values):
    assert tl.Reader(tl.longs(values)).longs() == values


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b"\x05abc", "string"),
        (b"\xff\x00\x00\x00", "string"),
        (b"\xfe\xff\xff\xff", "string"),
        (b"\x00\x00\x00", "int32"),
        (bytes(8), "longs"),
        (tl.uint32(tl.VECTOR) + b"\xff\xff\xff\xff", "longs"),
        (tl.uint32(tl.VECTOR) + b"\xff\xff\xff\x7f", "longs"),
    ],
)
def test_torn_values_are_refused(body, read):
    with pytest.raises(tl.TlError):
        getattr(tl.Reader(body), read)()


def test_constructor_numbers_are_those_of_the_schema():
    known = set(alltlobjects.tlobjects) | {GzipPacked.CONSTRUCTOR_ID, MessageContainer.CONSTRUCTOR_ID}
    known |= {RpcResult.CONSTRUCTOR_ID, 0x1CB5C415}
    ours = {name: value for name, value in vars(tl).items() if name.isupper() and isinstance(value, int)}
    # req_pq gave way to req_pq_multi, and future_salt goes bare.
    assert {name for name, value in ours.items() if value not in known and not name.startswith("_")} <= {"REQ_PQ"}
