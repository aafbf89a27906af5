"""One client connection, sans-I/O: framing, key exchange and encryption together. Bytes in, queries out, and back."""

import os
import struct
from collections.abc import Callable

from tg_ingest.emulator.accounts import Accounts, AuthKey
from tg_ingest.emulator.crypto import RandomBytes
from tg_ingest.emulator.handshake import Handshake, HandshakeError
from tg_ingest.emulator.mtproto import UNKNOWN_KEY, EncryptedLink, ProtocolRefusal, Query
from tg_ingest.emulator.server_key import ServerKey
from tg_ingest.emulator.transport import ServerTransport, TransportError

_PLAIN = struct.Struct("<QQi")


class Link:
    """The protocol state of one connection. After `is_closing` became true nothing more is read from it."""

    def __init__(
        self,
        accounts: Accounts,
        server_key: ServerKey,
        *,
        connection_id: int,
        dc_id: int,
        clock: Callable[[], float],
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self.is_closing = False
        self._accounts = accounts
        self._connection_id = connection_id
        self._clock = clock
        self._transport = ServerTransport()
        self._encrypted = EncryptedLink(self._find_key, clock=clock, random_bytes=random_bytes)
        self._handshake = Handshake(
            server_key, dc_id=dc_id, is_taken=accounts.is_taken, clock=clock, random_bytes=random_bytes
        )
        self._outgoing: list[bytes] = []
        self._keys: list[AuthKey] = []
        self._last_plain_id = 0

    @property
    def disconnect_in(self) -> float | None:
        """Seconds until the client wants the connection closed, if it said so; never negative."""
        at = self._encrypted.disconnect_at
        return None if at is None else max(0.0, at - self._clock())

    def feed(self, chunk: bytes) -> list[Query]:
        """Take what the socket gave and return the API calls in it, in order."""
        queries: list[Query] = []
        try:
            for packet in self._transport.feed(chunk):
                queries += self._receive(packet)
        except TransportError:
            self.is_closing = True
        except ProtocolRefusal as refusal:
            self.is_closing = True
            self._outgoing.append(struct.pack("<i", refusal.code))
        return queries

    def answer(self, query: Query, result: bytes) -> None:
        """Queue the answer of a query."""
        self._encrypted.answer(query, result)

    def data_to_send(self) -> bytes:
        """Return the framed bytes of everything that is queued."""
        packets = self._encrypted.packets() + self._outgoing
        self._outgoing = []
        return b"".join(self._transport.encode(packet) for packet in packets)

    def closed(self) -> None:
        """Tell the keys that this connection is gone."""
        for key in self._keys:
            key.note_closed(self._connection_id)

    def _receive(self, packet: bytes) -> list[Query]:
        if len(packet) < _PLAIN.size:
            raise ProtocolRefusal(UNKNOWN_KEY, f"a packet of {len(packet)} bytes")
        if any(packet[:8]):
            return self._encrypted.receive(packet)
        _, msg_id, length = _PLAIN.unpack_from(packet)
        body = packet[_PLAIN.size :]
        if length != len(body) or msg_id % 4:
            raise ProtocolRefusal(UNKNOWN_KEY, "the plain message's header is wrong")
        try:
            answer = self._handshake.answer(body)
        except HandshakeError as error:
            raise ProtocolRefusal(UNKNOWN_KEY, str(error)) from error
        self._outgoing.append(_PLAIN.pack(0, self._plain_id(), len(answer)) + answer)
        if self._handshake.auth_key is not None:
            self._accounts.register(self._handshake.auth_key, salt=self._handshake.salt, now=self._clock())
            self._handshake.auth_key = None
        return []

    def _find_key(self, key_id: int) -> AuthKey | None:
        key = self._accounts.find(key_id)
        if key is not None and key not in self._keys:
            self._keys.append(key)
            key.note_open(self._connection_id)
        return key

    def _plain_id(self) -> int:
        self._last_plain_id = max(self._last_plain_id + 4, int(self._clock() * (1 << 32)) & ~3 | 1)
        return self._last_plain_id
