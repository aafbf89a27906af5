"""TL primitives and MTProto's own constructors, written from core.telegram.org/mtproto/serialize and its neighbours.

The protocol below the API uses nothing of a client library, so that a bug of that library cannot cancel itself out.
"""

import struct
from collections.abc import Sequence

REQ_PQ = 0x60469778
REQ_PQ_MULTI = 0xBE7E8EF1
RES_PQ = 0x05162463
P_Q_INNER_DATA = 0x83C95AEC
P_Q_INNER_DATA_DC = 0xA9F55F95
REQ_DH_PARAMS = 0xD712E4BE
SERVER_DH_PARAMS_FAIL = 0x79CB045D
SERVER_DH_PARAMS_OK = 0xD0E8075C
SERVER_DH_INNER_DATA = 0xB5890DBA
SET_CLIENT_DH_PARAMS = 0xF5045F1F
CLIENT_DH_INNER_DATA = 0x6643B654
DH_GEN_OK = 0x3BCBF734
DH_GEN_RETRY = 0x46DC1FB9
DH_GEN_FAIL = 0xA69DAE02

VECTOR = 0x1CB5C415
RPC_RESULT = 0xF35C6D01
RPC_ERROR = 0x2144CA19
MSG_CONTAINER = 0x73F1F8DC
GZIP_PACKED = 0x3072CFA1
MSGS_ACK = 0x62D6B459
BAD_MSG_NOTIFICATION = 0xA7EFF811
BAD_SERVER_SALT = 0xEDAB447B
NEW_SESSION_CREATED = 0x9EC20908
MSGS_STATE_REQ = 0xDA69FB52
MSGS_STATE_INFO = 0x04DEB57D
MSGS_ALL_INFO = 0x8CC0D131
MSG_RESEND_REQ = 0x7D861A08
RPC_DROP_ANSWER = 0x58E4A740
RPC_ANSWER_UNKNOWN = 0x5E2AD36E
RPC_ANSWER_DROPPED_RUNNING = 0xCD78E586
RPC_ANSWER_DROPPED = 0xA43AD8B7
GET_FUTURE_SALTS = 0xB921BD04
FUTURE_SALTS = 0xAE500895
PING = 0x7ABE77EC
PING_DELAY_DISCONNECT = 0xF3427B8C
PONG = 0x347773C5
DESTROY_SESSION = 0xE7512126
DESTROY_SESSION_OK = 0xE22045FC
DESTROY_SESSION_NONE = 0x62D350C9
HTTP_WAIT = 0x9299359F

_LONG_STRING = 254  # strings from this length on carry a three-byte length after this marker


class TlError(ValueError):
    """The bytes are not the TL object that was expected."""


class Reader:
    """Reads TL values one after the other; raises `TlError` at the first that does not fit."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    @property
    def rest(self) -> bytes:
        """What was not read yet."""
        return self._body[self._at :]

    def raw(self, count: int) -> bytes:
        """Read `count` bytes."""
        end = self._at + count
        if count < 0 or end > len(self._body):
            raise TlError(f"{count} bytes wanted at offset {self._at} of {len(self._body)}")
        chunk = self._body[self._at : end]
        self._at = end
        return chunk

    def int32(self) -> int:
        """Read a signed `int`."""
        return int.from_bytes(self.raw(4), "little", signed=True)

    def constructor(self) -> int:
        """Read a constructor number."""
        return int.from_bytes(self.raw(4), "little")

    def int64(self) -> int:
        """Read a signed `long`."""
        return int.from_bytes(self.raw(8), "little", signed=True)

    def uint64(self) -> int:
        """Read a `long` that is used as a bit pattern, such as a message id."""
        return int.from_bytes(self.raw(8), "little")

    def string(self) -> bytes:
        """Read a `bytes` or `string` value with its padding to four bytes."""
        length = self.raw(1)[0]
        head = 1
        if length == _LONG_STRING:
            length = int.from_bytes(self.raw(3), "little")
            head = 4
        elif length > _LONG_STRING:
            raise TlError("a string's length cannot begin with 255")
        value = self.raw(length)
        self.raw(-(head + length) % 4)
        return value

    def longs(self) -> list[int]:
        """Read a boxed `Vector long` as bit patterns."""
        if self.constructor() != VECTOR:
            raise TlError("a vector was expected")
        count = self.int32()
        if count < 0:
            raise TlError(f"a vector of {count} elements")
        return list(struct.unpack(f"<{count}Q", self.raw(8 * count)))


def uint32(value: int) -> bytes:
    """Serialise a constructor number."""
    return value.to_bytes(4, "little")


def string(value: bytes) -> bytes:
    """Serialise a `bytes` or `string` value, padded to four bytes."""
    if len(value) < _LONG_STRING:
        head = bytes([len(value)])
    else:
        head = bytes([_LONG_STRING]) + len(value).to_bytes(3, "little")
    return head + value + bytes(-(len(head) + len(value)) % 4)


def longs(values: Sequence[int]) -> bytes:
    """Serialise a boxed `Vector long` of bit patterns."""
    return struct.pack(f"<Ii{len(values)}Q", VECTOR, len(values), *values)


def vector(items: Sequence[bytes]) -> bytes:
    """Serialise a boxed vector of objects that are serialised already."""
    return struct.pack("<Ii", VECTOR, len(items)) + b"".join(items)


def rpc_error(code: int, message: str) -> bytes:
    """Serialise `rpc_error`."""
    return struct.pack("<Ii", RPC_ERROR, code) + string(message.encode())
