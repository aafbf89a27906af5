"""Bodies that hold other bodies: `msg_container` and `gzip_packed`, in both directions."""

import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from tg_ingest.emulator import tl

_HEADER = struct.Struct("<Qii")
HEADER_BYTES = _HEADER.size
_MAX_MESSAGES = 1020  # more make the container invalid, core.telegram.org/mtproto/service_messages
_MAX_UNPACKED_BYTES = 1 << 24
_GZIP = zlib.MAX_WBITS | 16


class Inner(NamedTuple):
    """One message of a container."""

    msg_id: int
    seqno: int
    body: bytes


def split(body: bytes) -> list[Inner]:
    """Take a `msg_container` apart; raises `TlError` when it is not well formed."""
    reader = tl.Reader(body)
    reader.constructor()
    count = reader.int32()
    if not 0 <= count <= _MAX_MESSAGES:
        raise tl.TlError(f"a container of {count} messages")
    messages = []
    for _ in range(count):
        msg_id, seqno, length = reader.uint64(), reader.int32(), reader.int32()
        if length % 4:
            raise tl.TlError(f"an inner message of {length} bytes")
        messages.append(Inner(msg_id, seqno, reader.raw(length)))
    if reader.rest:
        raise tl.TlError(f"{len(reader.rest)} bytes follow the last message")
    return messages


def join(messages: Sequence[Inner]) -> bytes:
    """Serialise a `msg_container`."""
    framed = (_HEADER.pack(msg_id, seqno, len(body)) + body for msg_id, seqno, body in messages)
    return struct.pack("<Ii", tl.MSG_CONTAINER, len(messages)) + b"".join(framed)


def unpack(body: bytes) -> bytes:
    """Undo `gzip_packed`, leaving other bodies as they are; raises `TlError` for a broken or an unreasonable stream."""
    if body[:4] != tl.uint32(tl.GZIP_PACKED):
        return body
    engine = zlib.decompressobj(_GZIP)
    try:
        plain = engine.decompress(tl.Reader(body[4:]).string(), _MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise tl.TlError(f"not a gzip stream: {error}") from error
    if not engine.eof:
        raise tl.TlError(f"a gzip stream that does not end within {_MAX_UNPACKED_BYTES} bytes")
    return plain


def pack(body: bytes) -> bytes:
    """Return `gzip_packed` of a body, or the body itself when that is not larger."""
    engine = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    packed = tl.uint32(tl.GZIP_PACKED) + tl.string(engine.compress(body) + engine.flush())
    return packed if len(packed) < len(body) else body
