"""MTProto 2.0's cryptography, written from core.telegram.org/mtproto/description and /mtproto/auth_key.

Pure functions over bytes. AES itself comes from `cryptg`; nothing here goes through a Telegram client library.
"""

import hmac
import os
from collections.abc import Callable
from hashlib import sha1, sha256
from typing import Literal

import cryptg

Sender = Literal["client", "server"]
RandomBytes = Callable[[int], bytes]

_OFFSET: dict[Sender, int] = {"client": 0, "server": 8}  # "x" in the protocol's description
_BLOCK = 16
_HEADER = 24  # auth_key_id and msg_key
_MIN_PADDING = 12


class DecryptionError(Exception):
    """A packet was not encrypted with this key by an honest client."""


def encrypt_ige(plain: bytes, key: bytes, iv: bytes) -> bytes:
    """Encrypt whole blocks with AES-256 in infinite garble extension mode."""
    return cryptg.encrypt_ige(plain, key, iv)


def decrypt_ige(cipher: bytes, key: bytes, iv: bytes) -> bytes:
    """Decrypt whole blocks with AES-256 in infinite garble extension mode."""
    return cryptg.decrypt_ige(cipher, key, iv)


def auth_key_id(auth_key: bytes) -> int:
    """Return the lower 64 bits of SHA1(auth_key)."""
    return int.from_bytes(sha1(auth_key, usedforsecurity=False).digest()[12:20], "little")


def auth_key_aux_hash(auth_key: bytes) -> bytes:
    """Return the higher 64 bits of SHA1(auth_key)."""
    return sha1(auth_key, usedforsecurity=False).digest()[:8]


def new_nonce_hash(new_nonce: bytes, number: int, aux_hash: bytes) -> bytes:
    """Return the lower 128 bits of SHA1(new_nonce + number + auth_key_aux_hash); number 1 is ok, 2 retry, 3 fail."""
    return sha1(new_nonce + bytes([number]) + aux_hash, usedforsecurity=False).digest()[4:20]


def handshake_key_iv(server_nonce: bytes, new_nonce: bytes) -> tuple[bytes, bytes]:
    """Return tmp_aes_key and tmp_aes_iv of the key exchange."""
    new_server = sha1(new_nonce + server_nonce, usedforsecurity=False).digest()
    server_new = sha1(server_nonce + new_nonce, usedforsecurity=False).digest()
    new_new = sha1(new_nonce + new_nonce, usedforsecurity=False).digest()
    return new_server + server_new[:12], server_new[12:] + new_new + new_nonce[:4]


def message_key(auth_key: bytes, plain: bytes, *, sender: Sender) -> bytes:
    """Return msg_key: the middle 128 bits of SHA256 over 32 bytes of the key and the padded plaintext."""
    start = 88 + _OFFSET[sender]
    return sha256(auth_key[start : start + 32] + plain).digest()[8:24]


def message_key_iv(auth_key: bytes, msg_key: bytes, *, sender: Sender) -> tuple[bytes, bytes]:
    """Return aes_key and aes_iv of one message."""
    x = _OFFSET[sender]
    a = sha256(msg_key + auth_key[x : x + 36]).digest()
    b = sha256(auth_key[40 + x : 76 + x] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]


def encrypt_message(
    auth_key: bytes, plain: bytes, *, sender: Sender = "server", random_bytes: RandomBytes = os.urandom
) -> bytes:
    """Pad and encrypt one message (salt, session, header and body) into `auth_key_id | msg_key | cipher`."""
    padded = plain + random_bytes(_MIN_PADDING + -(len(plain) + _MIN_PADDING) % _BLOCK)
    msg_key = message_key(auth_key, padded, sender=sender)
    key, iv = message_key_iv(auth_key, msg_key, sender=sender)
    return auth_key_id(auth_key).to_bytes(8, "little") + msg_key + encrypt_ige(padded, key, iv)


def decrypt_message(auth_key: bytes, packet: bytes, *, sender: Sender = "client") -> bytes:
    """Return the padded plaintext of `auth_key_id | msg_key | cipher`; raises `DecryptionError` on a wrong msg_key."""
    msg_key, cipher = packet[8:_HEADER], packet[_HEADER:]
    if not cipher or len(cipher) % _BLOCK:
        raise DecryptionError(f"{len(cipher)} encrypted bytes are not whole blocks")
    key, iv = message_key_iv(auth_key, msg_key, sender=sender)
    plain = decrypt_ige(cipher, key, iv)
    if not hmac.compare_digest(message_key(auth_key, plain, sender=sender), msg_key):
        raise DecryptionError("msg_key does not match the message")
    return plain
