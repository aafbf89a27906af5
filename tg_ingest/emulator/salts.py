"""Server salts of one auth key: they change on a schedule, and the one before stays good for as long again."""

from hashlib import sha256
from typing import NamedTuple

SALT_SECONDS = 1800  # "valid for 30 minutes", core.telegram.org/mtproto/description
_MAX_FUTURE = 64


class FutureSalt(NamedTuple):
    """One salt and the Unix times between which it is accepted."""

    valid_since: int
    valid_until: int
    salt: int


class Salts:
    """The salts of one key, computed from the key and the time, so that they survive a restart.

    `first` is a salt that both sides know from the key exchange; it is accepted for one period from `now`.
    """

    def __init__(self, secret: bytes, *, now: float = 0.0, first: int | None = None) -> None:
        self._secret = secret
        self._first = first
        self._first_until = now + SALT_SECONDS if first is not None else 0.0
        self._rotations = 0

    def current(self, now: float) -> int:
        """Return the salt that answers carry now."""
        return self._salt(int(now) // SALT_SECONDS)

    def accepts(self, salt: int, now: float) -> bool:
        """Tell whether a client may use this salt now."""
        if salt == self._first and now < self._first_until:
            return True
        period = int(now) // SALT_SECONDS
        return salt in {self._salt(period), self._salt(period - 1)}

    def future(self, count: int, now: float) -> list[FutureSalt]:
        """Return the current salt and those after it, at most 64."""
        period = int(now) // SALT_SECONDS
        return [
            FutureSalt(number * SALT_SECONDS, (number + 2) * SALT_SECONDS, self._salt(number))
            for number in range(period, period + max(1, min(count, _MAX_FUTURE)))
        ]

    def rotate(self) -> None:
        """Make every salt that clients know invalid at once."""
        self._rotations += 1
        self._first = None

    def _salt(self, period: int) -> int:
        named = b"salt" + period.to_bytes(8, "little") + self._rotations.to_bytes(4, "little")
        return int.from_bytes(sha256(self._secret + named).digest()[:8], "little")
