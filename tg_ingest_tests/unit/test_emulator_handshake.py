"""The auth-key exchange, driven by a client written from core.telegram.org/mtproto/auth_key."""

from hashlib import sha1, sha256

import pytest

from tg_ingest.emulator import crypto, handshake, tl
from tg_ingest.emulator.handshake import Handshake, HandshakeError
from tg_ingest.emulator.primes import DH_PRIME
from tg_ingest.emulator.server_key import ServerKey

NONCE = bytes.fromhex("3E0549828CCA27E966B301A48FECE2FC")
SERVER_NONCE = bytes.fromhex("A5CF4D33F4A11EA877BA4AA573907330")
NEW_NONCE = bytes.fromhex("311C85DB234AA2640AFC4A76A735CF5B1F0FD68BD17FA181E1229AD867CC024D")
P, Q = 0x494C553B, 0x53911073
B = int.from_bytes(bytes(range(256)), "big")


@pytest.fixture(scope="module")
def server_key():
    return ServerKey.generate()


@pytest.fixture
def exchange(server_key, monkeypatch):
    """An exchange whose random numbers are those of core.telegram.org/mtproto/samples-auth_key."""
    monkeypatch.setattr(handshake, "two_primes", lambda _random: (P, Q))
    return Handshake(
        server_key,
        dc_id=2,
        is_taken=lambda _key_id: False,
        clock=lambda: 1_700_000_000.0,
        random_bytes=lambda count: (SERVER_NONCE * (count // 16 + 1))[:count],
    )


def number(value: int, size: int = 4) -> bytes:
    return tl.string(value.to_bytes(size, "big"))


def inner_data(*, p: int = P, q: int = Q, nonce: bytes = NONCE, dc: int | None = None) -> bytes:
    constructor = tl.P_Q_INNER_DATA if dc is None else tl.P_Q_INNER_DATA_DC
    body = tl.uint32(constructor) + number(P * Q, 8) + number(p) + number(q) + nonce + SERVER_NONCE + NEW_NONCE
    return body if dc is None else body + dc.to_bytes(4, "little", signed=True)


def raw_rsa(key: ServerKey, block: bytes) -> bytes:
    numbers = key.private.public_key().public_numbers()
    return pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(256, "big")


def sha1_prefixed(key: ServerKey, data: bytes) -> bytes:
    return raw_rsa(key, (sha1(data).digest() + data).ljust(255, b"\x07"))


def rsa_padded(key: ServerKey, data: bytes) -> bytes:
    padded = data.ljust(192, b"\x07")
    for first in range(256):
        temp_key = bytes([first]) + bytes(range(31))
        with_hash = padded[::-1] + sha256(temp_key + padded).digest()
        encrypted = crypto.encrypt_ige(with_hash, temp_key, bytes(32))
        masked = bytes(a ^ b for a, b in zip(temp_key, sha256(encrypted).digest(), strict=True))
        if int.from_bytes(masked + encrypted, "big") < key.private.public_key().public_numbers().n:
            return raw_rsa(key, masked + encrypted)
    raise AssertionError("no temporary key gives a number below the modulus")


def dh_params_query(encrypted: bytes, fingerprint: int, *, p: int = P, q: int = Q) -> bytes:
    named = number(p) + number(q) + fingerprint.to_bytes(8, "little") + tl.string(encrypted)
    return tl.uint32(tl.REQ_DH_PARAMS) + NONCE + SERVER_NONCE + named


def client_params_query(g_b: int, *, retry_id: int = 0) -> bytes:
    inner = (
        tl.uint32(tl.CLIENT_DH_INNER_DATA) + NONCE + SERVER_NONCE + retry_id.to_bytes(8, "little") + number(g_b, 256)
    )
    hashed = sha1(inner).digest() + inner
    hashed += bytes(-len(hashed) % 16)
    encrypted = crypto.encrypt_ige(hashed, *crypto.handshake_key_iv(SERVER_NONCE, NEW_NONCE))
    return tl.uint32(tl.SET_CLIENT_DH_PARAMS) + NONCE + SERVER_NONCE + tl.string(encrypted)


def up_to_g_a(exchange: Handshake, server_key: ServerKey, encrypt) -> int:
    exchange.answer(tl.uint32(tl.REQ_PQ_MULTI) + NONCE)
    answer = exchange.answer(dh_params_query(encrypt(server_key, inner_data()), server_key.fingerprint))
    reader = tl.Reader(answer)
    assert (reader.constructor(), reader.raw(16), reader.raw(16)) == (tl.SERVER_DH_PARAMS_OK, NONCE, SERVER_NONCE)
    plain = crypto.decrypt_ige(reader.string(), *crypto.handshake_key_iv(SERVER_NONCE, NEW_NONCE))
    inner = tl.Reader(plain[20:])
    assert (inner.constructor(), inner.raw(16), inner.raw(16), inner.int32()) == (
        tl.SERVER_DH_INNER_DATA,
        NONCE,
        SERVER_NONCE,
        3,
    )
    assert int.from_bytes(inner.string(), "big") == DH_PRIME
    g_a = int.from_bytes(inner.string(), "big")
    assert inner.int32() == 1_700_000_000
    assert sha1(plain[20 : len(plain) - len(inner.rest)]).digest() == plain[:20]
    return g_a


def test_res_pq_is_the_documented_one_byte_for_byte(exchange, monkeypatch):
    monkeypatch.setattr(ServerKey, "fingerprint", 0xC3B42B026CE86B21)
    documented = bytes.fromhex(
        "632416053E0549828CCA27E966B301A48FECE2FCA5CF4D33F4A11EA877BA4AA5739073300817ED48941A08F98100000015C4B51C"
        "01000000216BE86C022BB4C3"
    )
    assert exchange.answer(bytes.fromhex("789746603E0549828CCA27E966B301A48FECE2FC")) == documented


@pytest.mark.parametrize("encrypt", [sha1_prefixed, rsa_padded])
def test_both_sides_arrive_at_the_same_key(exchange, server_key, encrypt):
    g_a = up_to_g_a(exchange, server_key, encrypt)
    answer = exchange.answer(client_params_query(pow(3, B, DH_PRIME)))
    key = pow(g_a, B, DH_PRIME).to_bytes(256, "big")
    digest = crypto.new_nonce_hash(NEW_NONCE, 1, crypto.auth_key_aux_hash(key))
    assert answer == tl.uint32(tl.DH_GEN_OK) + NONCE + SERVER_NONCE + digest
    assert exchange.auth_key == key
    assert exchange.salt == int.from_bytes(NEW_NONCE[:8], "little") ^ int.from_bytes(SERVER_NONCE[:8], "little")


def test_a_key_that_is_taken_asks_for_another_g_b(server_key, exchange):
    taken = []
    exchange._is_taken = lambda key_id: not taken and not taken.append(key_id)
    g_a = up_to_g_a(exchange, server_key, rsa_padded)
    first = exchange.answer(client_params_query(pow(3, B, DH_PRIME)))
    assert first[:4] == tl.uint32(tl.DH_GEN_RETRY)
    assert exchange.auth_key is None
    key = pow(g_a, B, DH_PRIME).to_bytes(256, "big")
    retry_id = int.from_bytes(crypto.auth_key_aux_hash(key), "little")
    second = exchange.answer(client_params_query(pow(3, B + 1, DH_PRIME), retry_id=retry_id))
    assert second[:4] == tl.uint32(tl.DH_GEN_OK)


@pytest.mark.parametrize("g_b", [0, 1, 3, DH_PRIME - 1, DH_PRIME - 3])
def test_a_weak_g_b_fails(exchange, server_key, g_b):
    up_to_g_a(exchange, server_key, rsa_padded)
    assert exchange.answer(client_params_query(g_b))[:4] == tl.uint32(tl.DH_GEN_FAIL)
    assert exchange.auth_key is None


def test_wrong_factors_fail_with_the_hash_of_the_nonce(exchange, server_key):
    exchange.answer(tl.uint32(tl.REQ_PQ_MULTI) + NONCE)
    query = dh_params_query(rsa_padded(server_key, inner_data()), server_key.fingerprint, p=P - 2)
    digest = sha1(NEW_NONCE).digest()[4:]
    assert exchange.answer(query) == tl.uint32(tl.SERVER_DH_PARAMS_FAIL) + NONCE + SERVER_NONCE + digest


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        (inner_data(p=P - 2), "factors"),
        (inner_data(nonce=bytes(16)), "nonces"),
        (inner_data(dc=4), "another data centre"),
        (tl.uint32(0x3C6A84D4) + bytes(80), "temporary keys"),
    ],
)
def test_inner_data_of_another_exchange_is_refused(exchange, server_key, inner, reason):
    exchange.answer(tl.uint32(tl.REQ_PQ_MULTI) + NONCE)
    with pytest.raises(HandshakeError, match=reason):
        exchange.answer(dh_params_query(rsa_padded(server_key, inner), server_key.fingerprint))


def test_this_data_centre_and_its_test_twin_are_accepted(exchange, server_key):
    for dc in (2, 10_002):
        exchange.answer(tl.uint32(tl.REQ_PQ_MULTI) + NONCE)
        answer = exchange.answer(dh_params_query(rsa_padded(server_key, inner_data(dc=dc)), server_key.fingerprint))
        assert answer[:4] == tl.uint32(tl.SERVER_DH_PARAMS_OK)


def test_steps_out_of_order_are_refused(exchange, server_key):
    with pytest.raises(HandshakeError, match="no place"):
        exchange.answer(dh_params_query(bytes(256), server_key.fingerprint))
    exchange.answer(tl.uint32(tl.REQ_PQ_MULTI) + NONCE)
    with pytest.raises(HandshakeError, match="no place"):
        exchange.answer(client_params_query(5))


def test_a_foreign_fingerprint_garbage_and_a_torn_query_are_refused(exchange, server_key):
    exchange.answer(tl.uint32(tl.REQ_PQ_MULTI) + NONCE)
    with pytest.raises(HandshakeError, match="does not have"):
        exchange.answer(dh_params_query(bytes(256), server_key.fingerprint ^ 1))
    with pytest.raises(HandshakeError, match="no valid hash"):
        exchange.answer(dh_params_query(b"\x01" * 256, server_key.fingerprint))
    with pytest.raises(HandshakeError, match="bytes wanted"):
        exchange.answer(dh_params_query(bytes(256), server_key.fingerprint)[:60])


def test_the_key_of_a_state_folder_stays_and_is_private(tmp_path):
    first = ServerKey.kept_in(tmp_path / "state")
    assert ServerKey.kept_in(tmp_path / "state").public_pem == first.public_pem
    assert first.public_pem.startswith("-----BEGIN RSA PUBLIC KEY-----")
    assert (tmp_path / "state" / "server_key.pem").stat().st_mode & 0o777 == 0o600
