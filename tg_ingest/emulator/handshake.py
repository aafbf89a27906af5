"""The server's side of the auth-key exchange (core.telegram.org/mtproto/auth_key), sans-I/O: TL bodies in and out.

    client                                            server
      req_pq_multi(nonce)                    ->
                                             <-   resPQ(nonce, server_nonce, pq, fingerprints)
      req_DH_params(p, q, RSA(new_nonce...)) ->
                                             <-   server_DH_params_ok(AES(g, dh_prime, g_a, time))
      set_client_DH_params(AES(g_b))         ->
                                             <-   dh_gen_ok | dh_gen_retry | dh_gen_fail

What Telegram answers with a transport error (-404) raises `HandshakeError` here.
"""

import hmac
import os
import struct
import time
from collections.abc import Callable
from hashlib import sha1

from tg_ingest.emulator import crypto, tl
from tg_ingest.emulator.primes import DH_GENERATOR, DH_PRIME, two_primes
from tg_ingest.emulator.server_key import RsaError, ServerKey

_SAFETY = 1 << (2048 - 64)
_KEY_BYTES = 256
_TEST_DC_OFFSET = 10_000


class HandshakeError(Exception):
    """The client broke the exchange; Telegram answers -404 and closes."""


class Handshake:
    """One exchange on one connection. `auth_key` is set once `dh_gen_ok` was answered.

    `is_taken` says whether another session already owns an auth key id; then the client is asked to retry.
    """

    def __init__(
        self,
        server_key: ServerKey,
        *,
        dc_id: int,
        is_taken: Callable[[int], bool],
        clock: Callable[[], float] = time.time,
        random_bytes: crypto.RandomBytes = os.urandom,
    ) -> None:
        self.auth_key: bytes | None = None
        self.salt: int | None = None
        self._server_key = server_key
        self._dc_id = dc_id
        self._is_taken = is_taken
        self._clock = clock
        self._random = random_bytes
        self._nonce = self._server_nonce = self._new_nonce = b""
        self._pq = (0, 0)
        self._a = 0
        self._retry_of = 0

    def answer(self, body: bytes) -> bytes:
        """Take one query of the exchange and return its answer; raises `HandshakeError`."""
        reader = tl.Reader(body)
        try:
            constructor = reader.constructor()
            if constructor in {tl.REQ_PQ, tl.REQ_PQ_MULTI}:
                return self._answer_pq(reader)
            if constructor == tl.REQ_DH_PARAMS and self._server_nonce:
                return self._answer_dh_params(reader)
            if constructor == tl.SET_CLIENT_DH_PARAMS and self._new_nonce:
                return self._answer_client_params(reader)
        except (tl.TlError, RsaError) as error:
            raise HandshakeError(str(error)) from error
        raise HandshakeError(f"query {constructor:08x} has no place here")

    def _answer_pq(self, reader: tl.Reader) -> bytes:
        self._nonce = reader.raw(16)
        self._server_nonce = self._random(16)
        self._new_nonce = b""
        self._pq = two_primes(self._random)
        pq = (self._pq[0] * self._pq[1]).to_bytes(8, "big")
        return (
            tl.uint32(tl.RES_PQ)
            + self._nonce
            + self._server_nonce
            + tl.string(pq)
            + tl.longs([self._server_key.fingerprint])
        )

    def _answer_dh_params(self, reader: tl.Reader) -> bytes:
        self._check_nonces(reader)
        p, q = (int.from_bytes(reader.string(), "big") for _ in range(2))
        if reader.uint64() != self._server_key.fingerprint:
            raise HandshakeError("the client chose a key that this server does not have")
        new_nonce = self._read_inner(tl.Reader(self._server_key.decrypt(reader.string())))
        if (p, q) != self._pq:
            digest = sha1(new_nonce, usedforsecurity=False).digest()[4:]
            return tl.uint32(tl.SERVER_DH_PARAMS_FAIL) + self._nonce + self._server_nonce + digest
        self._new_nonce = new_nonce
        self._a = int.from_bytes(self._random(_KEY_BYTES), "big")
        inner = (
            tl.uint32(tl.SERVER_DH_INNER_DATA)
            + self._nonce
            + self._server_nonce
            + DH_GENERATOR.to_bytes(4, "little")
            + tl.string(DH_PRIME.to_bytes(_KEY_BYTES, "big"))
            + tl.string(pow(DH_GENERATOR, self._a, DH_PRIME).to_bytes(_KEY_BYTES, "big"))
            + int(self._clock()).to_bytes(4, "little")
        )
        hashed = sha1(inner, usedforsecurity=False).digest() + inner
        hashed += self._random(-len(hashed) % 16)
        key, iv = crypto.handshake_key_iv(self._server_nonce, new_nonce)
        encrypted = tl.string(crypto.encrypt_ige(hashed, key, iv))
        return tl.uint32(tl.SERVER_DH_PARAMS_OK) + self._nonce + self._server_nonce + encrypted

    def _read_inner(self, reader: tl.Reader) -> bytes:
        constructor = reader.constructor()
        if constructor not in {tl.P_Q_INNER_DATA, tl.P_Q_INNER_DATA_DC}:
            raise HandshakeError(f"inner data {constructor:08x}: temporary keys are not spoken here")
        product = int.from_bytes(reader.string(), "big")
        p, q = (int.from_bytes(reader.string(), "big") for _ in range(2))
        self._check_nonces(reader)
        new_nonce = reader.raw(32)
        if (p, q) != self._pq or product != p * q:
            raise HandshakeError("the encrypted p and q are not the factors of pq")
        if constructor == tl.P_Q_INNER_DATA_DC and reader.int32() not in {self._dc_id, self._dc_id + _TEST_DC_OFFSET}:
            raise HandshakeError("the client means another data centre")
        return new_nonce

    def _answer_client_params(self, reader: tl.Reader) -> bytes:
        self._check_nonces(reader)
        encrypted = reader.string()
        if not encrypted or len(encrypted) % 16:
            raise HandshakeError(f"{len(encrypted)} encrypted bytes are not whole blocks")
        key, iv = crypto.handshake_key_iv(self._server_nonce, self._new_nonce)
        retry_id, g_b = self._read_client_inner(crypto.decrypt_ige(encrypted, key, iv))
        if retry_id != self._retry_of:
            raise HandshakeError(f"retry_id {retry_id:016x} does not continue this exchange")
        secret = pow(g_b, self._a, DH_PRIME).to_bytes(_KEY_BYTES, "big")
        if not _SAFETY <= g_b <= DH_PRIME - _SAFETY:
            return self._generated(tl.DH_GEN_FAIL, 3, secret)
        if self._is_taken(crypto.auth_key_id(secret)):
            self._retry_of = int.from_bytes(crypto.auth_key_aux_hash(secret), "little")
            return self._generated(tl.DH_GEN_RETRY, 2, secret)
        self.auth_key = secret
        # The first salt is the XOR of the nonces' first halves, so that a client can start without asking for one.
        new, server = (int.from_bytes(nonce[:8], "little") for nonce in (self._new_nonce, self._server_nonce))
        self.salt = new ^ server
        return self._generated(tl.DH_GEN_OK, 1, secret)

    def _read_client_inner(self, hashed: bytes) -> tuple[int, int]:
        digest, inner = hashed[:20], hashed[20:]
        reader = tl.Reader(inner)
        if reader.constructor() != tl.CLIENT_DH_INNER_DATA:
            raise HandshakeError("the client's inner data does not decrypt")
        self._check_nonces(reader)
        retry_id = reader.uint64()
        g_b = int.from_bytes(reader.string(), "big")
        data = inner[: len(inner) - len(reader.rest)]
        if not hmac.compare_digest(sha1(data, usedforsecurity=False).digest(), digest):
            raise HandshakeError("the client's inner data carries a wrong hash")
        return retry_id, g_b

    def _check_nonces(self, reader: tl.Reader) -> None:
        if reader.raw(16) != self._nonce or reader.raw(16) != self._server_nonce:
            raise HandshakeError("the nonces are not those of this exchange")

    def _generated(self, constructor: int, number: int, secret: bytes) -> bytes:
        digest = crypto.new_nonce_hash(self._new_nonce, number, crypto.auth_key_aux_hash(secret))
        return struct.pack("<I16s16s16s", constructor, self._nonce, self._server_nonce, digest)
