"""Auth keys and the accounts behind them: who may speak, with which access hashes, and which keys are dead.

Everything is computed from the world's seed, so that a session string handed out once stays good over restarts.
"""

import base64
import ipaddress
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256, sha512

from tg_ingest.emulator import crypto
from tg_ingest.emulator.salts import Salts
from tg_ingest.emulator.session import Session
from tg_ingest.emulator.world import AccountSpec

DUPLICATED = "AUTH_KEY_DUPLICATED"
_KEY_BYTES = 256
_PARALLEL_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class AuthKey:
    """One auth key: its sessions, its salts, whether it was initialised, and the error that ended it."""

    secret: bytes
    key_id: int
    salts: Salts
    account: AccountSpec | None = None
    dead: str | None = None
    is_initialised: bool = False
    takeout_id: int | None = None
    login: tuple[str, str] | None = None
    sessions: dict[int, Session] = field(default_factory=dict)
    senders: dict[int, float] = field(default_factory=dict)
    connections_opened: int = 0
    most_senders: int = 0
    is_duplicated: bool = False

    @property
    def label(self) -> str | None:
        """The account's label, when someone is logged in with this key."""
        return None if self.account is None else self.account.label

    def note_open(self, connection_id: int) -> None:
        """A connection sent its first packet under this key."""
        self.connections_opened += 1
        self.senders[connection_id] = float("-inf")

    def note_sending(self, connection_id: int, now: float) -> None:
        """A connection sent a call; a second one that does so while another is in use kills the key for good.

        core.telegram.org/api/errors: AUTH_KEY_DUPLICATED is raised when one session sends requests in parallel from
        two TCP connections. A connection that was closed does not count, nor one that has been silent for a minute.
        """
        self.senders[connection_id] = now
        active = sum(1 for sent_at in self.senders.values() if now - sent_at < _PARALLEL_SECONDS)
        self.most_senders = max(self.most_senders, active)
        if active > 1:
            self.is_duplicated = True
            self.dead = DUPLICATED

    def note_closed(self, connection_id: int) -> None:
        """A connection is gone."""
        self.senders.pop(connection_id, None)


class Accounts:
    """The emulated accounts, and every auth key the server knows."""

    def __init__(self, specs: Sequence[AccountSpec], *, seed: int) -> None:
        self._seed = seed
        self._keys: dict[int, AuthKey] = {}
        self._by_label = {spec.label: spec for spec in specs}
        for spec in specs:
            secret = session_secret(seed, spec.label)
            self._keys[crypto.auth_key_id(secret)] = self._make(secret, account=spec)

    @property
    def specs(self) -> list[AccountSpec]:
        """Every account, in the world's order."""
        return list(self._by_label.values())

    @property
    def keys(self) -> Iterable[AuthKey]:
        """Every key the server knows."""
        return self._keys.values()

    def find(self, key_id: int) -> AuthKey | None:
        """Return the key that a packet names, if the server knows it."""
        return self._keys.get(key_id)

    def is_taken(self, key_id: int) -> bool:
        """Tell whether an auth key id is in use."""
        return key_id in self._keys

    def register(self, secret: bytes, *, salt: int | None, now: float) -> AuthKey:
        """Add a key that was just negotiated; nobody is logged in with it."""
        key = AuthKey(secret, crypto.auth_key_id(secret), Salts(secret, now=now, first=salt))
        self._keys[key.key_id] = key
        return key

    def forget(self, key: AuthKey) -> None:
        """Make a key unknown: Telegram answers its packets with the transport error -404."""
        self._keys.pop(key.key_id, None)

    def named(self, label: str) -> AccountSpec | None:
        """Return the account with this label."""
        return self._by_label.get(label)

    def with_phone(self, phone: str) -> AccountSpec | None:
        """Return the account with this phone number, written with or without the leading plus."""
        digits = phone.lstrip("+").replace(" ", "")
        return next((spec for spec in self.specs if spec.phone.lstrip("+") == digits), None)

    def keys_of(self, label: str) -> list[AuthKey]:
        """Return every key that an account is logged in with."""
        return [key for key in self._keys.values() if key.label == label]

    def session_string(self, label: str, *, host: str, port: int, dc_id: int) -> str:
        """Return the account's session as a Telethon `StringSession`; `host` must be an IP address."""
        packed = ipaddress.ip_address(host).packed
        layout = f">B{len(packed)}sH{_KEY_BYTES}s"
        return "1" + base64.urlsafe_b64encode(
            struct.pack(layout, dc_id, packed, port, session_secret(self._seed, label))
        ).decode("ascii")

    def access_hash(self, account: AccountSpec, channel_id: int) -> int:
        """Return the hash by which one account names one channel; other accounts have other hashes."""
        named = f"access:{self._seed}:{account.user_id}:{channel_id}".encode()
        return int.from_bytes(sha256(named).digest()[:8], "little", signed=True)

    def _make(self, secret: bytes, *, account: AccountSpec) -> AuthKey:
        return AuthKey(secret, crypto.auth_key_id(secret), Salts(secret), account=account)


def session_secret(seed: int, label: str) -> bytes:
    """Return the 256-byte auth key that an account of this world is logged in with from the start."""
    return b"".join(sha512(f"auth key:{seed}:{label}:{part}".encode()).digest() for part in range(_KEY_BYTES // 64))
