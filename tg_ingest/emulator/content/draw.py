"""Numbers out of a seed: the same on every machine, every Python and every run."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

_T = TypeVar("_T")
_MASK = (1 << 64) - 1

Rnd = Callable[[], float]
"""The next number of a stream, 0 <= x < 1; `random.Random.random` is the one method promised never to change."""


def mix(value: int) -> int:
    """Scatter an integer over 64 bits (the splitmix64 finaliser)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def stream(key: int) -> Rnd:
    """Start the stream of numbers that belongs to a key."""
    return random.Random(key).random  # noqa: S311  # content of a made-up world, not a secret


def pick(rnd: Rnd, options: Sequence[_T]) -> _T:
    """Choose one option."""
    return options[int(rnd() * len(options))]


def between(rnd: Rnd, lower: int, upper: int) -> int:
    """Choose an integer, lower <= n < upper."""
    return lower + int(rnd() * (upper - lower))


def bits62(rnd: Rnd) -> int:
    """A positive 62-bit number, as Telegram's ids and access hashes of files look."""
    return int(rnd() * 2**31) << 31 | int(rnd() * 2**31)


def octets(rnd: Rnd, length: int) -> bytes:
    """Bytes that compress as badly as a thumbnail does; cheap, so the pattern repeats after 53 bits are used up."""
    word = mix(int(rnd() * 2**53))
    block = b"".join(mix(word + i).to_bytes(8, "little") for i in range(4))
    return (block * (length // 32 + 1))[:length]


def weighted(options: Sequence[tuple[_T, float]]) -> tuple[list[float], list[_T]]:
    """Cumulative weights, scaled to 1, and the options: for `bisect(cumulative, rnd())`."""
    total = sum(weight for _, weight in options)
    cumulative: list[float] = []
    so_far = 0.0
    for _, weight in options:
        so_far += weight / total
        cumulative.append(so_far)
    cumulative[-1] = 1.0
    return cumulative, [option for option, _ in options]
