"""MTProto's TCP framings as sans-I/O codecs: bytes in, packets out. No sockets, no encryption.

The first bytes of a connection say which framing the client speaks (core.telegram.org/mtproto/mtproto-transports):

    abridged              ef                 then  [len/4: 1] [packet]   or   [7f] [len/4: 3] [packet]
    intermediate          ee ee ee ee        then  [len: 4] [packet]
    padded intermediate   dd dd dd dd        then  [len: 4] [packet] [0-15 bytes of padding]
    full                  (no tag)                 [len: 4] [number: 4] [packet] [crc32: 4]

All numbers are little-endian; `full` counts its own 12 bytes in `len` and numbers the packets of each direction from 0.
The highest bit of a length (`0x80` in abridged) asks for a quick ack; it is taken off and not answered.
The obfuscated framings are not spoken.
"""

import os
import struct
from typing import Protocol
from zlib import crc32

# Telegram closes a connection whose packet is larger; a container of 1,044,456 bytes plus header and padding must pass.
MAX_PACKET_BYTES = (1 << 20) + 2048
_QUICK_ACK_BYTE = 0x80
_QUICK_ACK_WORD = 0x80000000
_LONG_ABRIDGED = 0x7F
_FULL_OVERHEAD = 12
_WORD = 4
_PLAIN_HEADER = 20
_ENCRYPTED_HEADER = 24
_BLOCK = 16


class TransportError(Exception):
    """The bytes are no framing that this server speaks; the connection must be closed."""


class Codec(Protocol):
    """One framing, for one connection."""

    def take(self, buffer: bytearray) -> bytes | None:
        """Cut the first whole packet off `buffer`, or return None when more bytes are needed."""
        ...

    def encode(self, packet: bytes) -> bytes:
        """Frame one packet for the client."""
        ...


def _checked(length: int) -> int:
    if length > MAX_PACKET_BYTES:
        raise TransportError(f"a packet of {length} bytes is larger than {MAX_PACKET_BYTES}")
    if length < _WORD:
        raise TransportError(f"a packet of {length} bytes cannot hold anything")
    return length


class Abridged:
    """`[len/4: 1] [packet]`, or `[7f] [len/4: 3] [packet]` from 508 bytes on."""

    tag = b"\xef"

    def take(self, buffer: bytearray) -> bytes | None:
        """Cut one packet off the buffer."""
        if not buffer:
            return None
        words, head = buffer[0] & ~_QUICK_ACK_BYTE, 1
        if words == _LONG_ABRIDGED:
            if len(buffer) < _WORD:
                return None
            words, head = int.from_bytes(buffer[1:4], "little"), _WORD
        end = head + _checked(words * _WORD)
        return _cut(buffer, head, end, end)

    def encode(self, packet: bytes) -> bytes:
        """Frame one packet."""
        words = len(packet) // _WORD
        if words < _LONG_ABRIDGED:
            return bytes([words]) + packet
        return bytes([_LONG_ABRIDGED]) + words.to_bytes(3, "little") + packet


class Intermediate:
    """`[len: 4] [packet]`."""

    tag = b"\xee\xee\xee\xee"

    def take(self, buffer: bytearray) -> bytes | None:
        """Cut one packet off the buffer."""
        if len(buffer) < _WORD:
            return None
        length = _checked(int.from_bytes(buffer[:4], "little") & ~_QUICK_ACK_WORD)
        return _cut(buffer, _WORD, _WORD + length, _WORD + length)

    def encode(self, packet: bytes) -> bytes:
        """Frame one packet."""
        return len(packet).to_bytes(4, "little") + packet


class PaddedIntermediate(Intermediate):
    """`[len: 4] [packet] [padding]`; `len` counts the padding, so the packet's own content says where it ends.

    A plain packet (key id 0) carries its length in its fifth word; an encrypted one is 24 bytes and whole blocks of 16.
    """

    tag = b"\xdd\xdd\xdd\xdd"

    def take(self, buffer: bytearray) -> bytes | None:
        """Cut one packet off the buffer, without its padding."""
        packet = super().take(buffer)
        if packet is None:
            return None
        if not any(packet[:8]):
            return packet[: _PLAIN_HEADER + int.from_bytes(packet[16:_PLAIN_HEADER], "little")]
        return packet[: len(packet) - (len(packet) - _ENCRYPTED_HEADER) % _BLOCK]

    def encode(self, packet: bytes) -> bytes:
        """Frame one packet with up to three bytes of padding."""
        return super().encode(packet + os.urandom(os.urandom(1)[0] % _WORD))


class Full:
    """`[len: 4] [number: 4] [packet] [crc32: 4]`; a wrong number or checksum ends the connection."""

    def __init__(self) -> None:
        self._received = 0
        self._sent = 0

    def take(self, buffer: bytearray) -> bytes | None:
        """Cut one packet off the buffer."""
        if len(buffer) < _WORD:
            return None
        length = _checked(int.from_bytes(buffer[:4], "little") - _FULL_OVERHEAD) + _FULL_OVERHEAD
        if len(buffer) < length:
            return None
        number = int.from_bytes(buffer[4:8], "little")
        if number != self._received:
            raise TransportError(f"packet number {number} came where {self._received} was due")
        if crc32(memoryview(buffer)[: length - 4]) != int.from_bytes(buffer[length - 4 : length], "little"):
            raise TransportError(f"the checksum of packet {number} is wrong")
        self._received += 1
        return _cut(buffer, 8, length - 4, length)

    def encode(self, packet: bytes) -> bytes:
        """Frame one packet."""
        framed = struct.pack("<II", len(packet) + _FULL_OVERHEAD, self._sent) + packet
        self._sent += 1
        return framed + crc32(framed).to_bytes(4, "little")


class ServerTransport:
    """The server's end of one connection: learns the framing from the first bytes, then cuts and frames packets."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._codec: Codec | None = None

    @property
    def framing(self) -> str | None:
        """The name of the framing, once it is known."""
        return None if self._codec is None else type(self._codec).__name__

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take what the socket gave and return the packets that are complete now; raises `TransportError`."""
        self._buffer += chunk
        if self._codec is None:
            self._codec = _detect(self._buffer)
        if self._codec is None:
            return []
        packets = []
        while (packet := self._codec.take(self._buffer)) is not None:
            packets.append(packet)
        return packets

    def encode(self, packet: bytes) -> bytes:
        """Frame one packet in the client's framing."""
        if self._codec is None:
            raise TransportError("nothing can be sent before the client has shown its framing")
        return self._codec.encode(packet)


def _cut(buffer: bytearray, start: int, end: int, frame_end: int) -> bytes | None:
    if len(buffer) < frame_end:
        return None
    packet = bytes(memoryview(buffer)[start:end])
    del buffer[:frame_end]
    return packet


def _detect(buffer: bytearray) -> Codec | None:
    """Choose the framing, cutting its tag off the buffer; None while the bytes do not suffice."""
    if buffer[:1] == Abridged.tag:
        del buffer[:1]
        return Abridged()
    if len(buffer) < _WORD:
        return None
    for codec in (PaddedIntermediate, Intermediate):
        if buffer.startswith(codec.tag):
            del buffer[:_WORD]
            return codec()
    # The second word of `full` is packet number 0; anything else would be an obfuscated or a foreign protocol.
    if len(buffer) < 2 * _WORD:
        return None
    if any(buffer[4:8]):
        raise TransportError(f"the connection begins with {buffer[:8].hex()}, which is no framing that is spoken here")
    return Full()
