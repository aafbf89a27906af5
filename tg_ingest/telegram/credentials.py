"""Sessions at rest: reading them from Telethon's formats, sealing and opening them. A session is the whole account.

Sealed: AES-256-GCM under a key from the environment or a file, bound to the account's number. Nothing here puts a
session or a key into an error, a log or a `repr`.
"""

import base64
import binascii
import ipaddress
import os
import sqlite3
import struct
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from telethon.crypto import AuthKey
from telethon.sessions import StringSession

from tg_ingest.errors import ConfigurationError

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_PRIVATE = 0o600
_AUTH_KEY_BYTES = 256


def key_id(key: bytes) -> str:
    """Name a key without giving it away, to tell keys apart."""
    return blake2b(key, digest_size=_KEY_ID_BYTES, person=b"tg_ingest key id").hexdigest()


def seal(session: str, *, key: bytes, account_id: int) -> bytes:
    """Encrypt a session for one account."""
    nonce = os.urandom(_NONCE_BYTES)
    return (
        _VERSION
        + bytes.fromhex(key_id(key))
        + nonce
        + AESGCM(key).encrypt(nonce, session.encode(), _bound_to(account_id))
    )


def unseal(sealed: bytes, *, key: bytes, account_id: int) -> str:
    """Decrypt a session; raises `ConfigurationError` when it was sealed with another key or for another account."""
    body = 1 + _KEY_ID_BYTES
    sealed_with, nonce, text = sealed[1:body].hex(), sealed[body : body + _NONCE_BYTES], sealed[body + _NONCE_BYTES :]
    if sealed[:1] != _VERSION or not text:
        raise ConfigurationError(f"the session of account {account_id} is not one that this version sealed")
    if sealed_with != key_id(key):
        raise ConfigurationError(
            f"the session of account {account_id} was sealed with key {sealed_with}, but the key at hand is "
            f"{key_id(key)}: bring the first one back, or import the session again"
        )
    try:
        return AESGCM(key).decrypt(nonce, text, _bound_to(account_id)).decode()
    except InvalidTag:
        pass
    raise ConfigurationError(f"the session of account {account_id} was changed or moved; import it again")


def load_key(text: str | None, key_file: Path) -> bytes:
    """Return the key given as base64 text, or else the one in `key_file`, which is made on first use with mode 0600.

    Raises `ConfigurationError` for a malformed key and for a file that others may read.
    """
    if text is not None:
        return _decoded(text, where="the secret key that was given")
    _make_once(key_file)
    try:
        if os.name == "posix" and key_file.stat().st_mode & 0o077:
            raise ConfigurationError(f"others may read {key_file}, which holds the key of all sessions; chmod 600 it")
        return _decoded(key_file.read_text(), where=str(key_file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the key file {key_file} cannot be read: {type(error).__name__}") from error


def read_session(text_or_path: str) -> str:
    """Return the string form of a Telethon session given as such, or as the path of a `.session` file.

    A file is only read: Telethon itself would convert it to its newest layout. Raises `ConfigurationError`.
    """
    given = text_or_path.strip()
    path = Path(given).expanduser()
    if len(given) < 256 and path.suffix == ".session":  # noqa: PLR2004  # the shortest session string is longer
        return _from_file(path)
    try:
        session = StringSession(given)
    except (ValueError, struct.error):  # a wrong version or alphabet, a wrong length; the cause would quote the text
        session = None
    if session is None or session.auth_key is None:
        raise ConfigurationError("not a Telethon session: give its string form, or the path of a .session file")
    return session.save()


def _from_file(path: Path) -> str:
    if not path.exists():
        raise ConfigurationError(f"there is no session file {path}")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT dc_id, server_address, port, auth_key FROM sessions").fetchall()
    except sqlite3.Error as error:
        raise ConfigurationError(f"{path} is not a Telethon session file ({error})") from error
    keys = [row for row in rows if isinstance(row[3], bytes) and len(row[3]) == _AUTH_KEY_BYTES]
    if len(keys) != 1:
        raise ConfigurationError(f"{path} holds no login; log in with Telethon first")
    dc_id, address, port, auth_key = keys[0]
    session = StringSession()
    session.set_dc(dc_id, ipaddress.ip_address(address).compressed, port)
    session.auth_key = AuthKey(auth_key)
    return session.save()


def _bound_to(account_id: int) -> bytes:
    return f"tg_ingest session of account {account_id}".encode()


def _decoded(text: str, *, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), altchars=b"-_" if set(text) & {"-", "_"} else None, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(
            f"{where} is not {_KEY_BYTES} bytes in base64; make one with `openssl rand -base64 32`"
        )
    return key


def _make_once(key_file: Path) -> None:
    """Write a new key unless there is one; of several processes one wins, and nobody reads half a key."""
    if key_file.exists():
        return
    draft = key_file.with_name(f".{key_file.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(os.urandom(_KEY_BYTES)).decode() + "\n")
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(draft, key_file)
    except OSError as error:
        raise ConfigurationError(f"the key file {key_file} cannot be made: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
