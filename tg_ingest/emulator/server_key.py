"""The server's RSA key, and the two ways in which a client may encrypt `p_q_inner_data` with it."""

import os
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tg_ingest.emulator import crypto, tl

_MODULUS_BYTES = 256
_TEMP_KEY = 32
_PADDED = 192
_SHA1 = 20


class RsaError(Exception):
    """The encrypted data is neither RSA_PAD nor SHA1-prefixed data under this key."""


@dataclass(frozen=True, slots=True)
class ServerKey:
    """A 2048-bit RSA key pair; clients must be given `public_pem`."""

    private: rsa.RSAPrivateKey

    @classmethod
    def generate(cls) -> "ServerKey":
        """Make a fresh key."""
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    @classmethod
    def kept_in(cls, folder: Path) -> "ServerKey":
        """Load the key of a state folder, making it at first use (mode 0600)."""
        path = folder / "server_key.pem"
        if path.exists():
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
            if not isinstance(key, rsa.RSAPrivateKey):
                raise ValueError(f"{path} holds no RSA key")
            return cls(key)
        made = cls.generate()
        folder.mkdir(parents=True, exist_ok=True)
        pem = made.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        return made

    @property
    def public_pem(self) -> str:
        """The public half as a PKCS#1 PEM ("BEGIN RSA PUBLIC KEY"), the form that clients embed."""
        return (
            self.private.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
            .decode("ascii")
        )

    @property
    def fingerprint(self) -> int:
        """The lower 64 bits of SHA1 over the bare `rsa_public_key n:string e:string`."""
        numbers = self.private.public_key().public_numbers()
        return rsa_fingerprint(numbers.n, numbers.e)

    def decrypt(self, encrypted: bytes) -> bytes:
        """Return the data that a client encrypted, followed by its padding; raises `RsaError`."""
        numbers = self.private.private_numbers()
        modulus = numbers.public_numbers.n
        cipher = int.from_bytes(encrypted, "big")
        if len(encrypted) != _MODULUS_BYTES or cipher >= modulus:
            raise RsaError(f"{len(encrypted)} bytes are not one RSA block")
        block = pow(cipher, numbers.d, modulus).to_bytes(_MODULUS_BYTES, "big")
        data = _undo_rsa_pad(block)
        if data is None:
            data = _undo_sha1_prefix(block)
        if data is None:
            raise RsaError("the decrypted block carries no valid hash")
        return data


def rsa_fingerprint(modulus: int, exponent: int) -> int:
    """Return the fingerprint by which handshakes name a public key."""
    named = b"".join(
        tl.string(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (modulus, exponent)
    )
    return int.from_bytes(sha1(named, usedforsecurity=False).digest()[12:], "little")


def _undo_rsa_pad(block: bytes) -> bytes | None:
    """Undo RSA_PAD (core.telegram.org/mtproto/auth_key, step 4.1); None when its hash does not fit."""
    masked_key, encrypted = block[:_TEMP_KEY], block[_TEMP_KEY:]
    temp_key = bytes(a ^ b for a, b in zip(masked_key, sha256(encrypted).digest(), strict=True))
    data_with_hash = crypto.decrypt_ige(encrypted, temp_key, bytes(32))
    padded = data_with_hash[:_PADDED][::-1]
    return padded if sha256(temp_key + padded).digest() == data_with_hash[_PADDED:] else None


def _undo_sha1_prefix(block: bytes) -> bytes | None:
    """Undo `SHA1(data) + data + padding`, the scheme before RSA_PAD; None when the hash fits no TL object.

    The hash does not cover the padding and no length is sent, so every length on a word boundary is tried.
    """
    digest, data = block[1 : 1 + _SHA1], block[1 + _SHA1 :]
    for end in range(4, len(data) + 1, 4):
        if sha1(data[:end], usedforsecurity=False).digest() == digest:
            return data
    return None
