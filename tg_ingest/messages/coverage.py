"""Arithmetic on sets of message ids: what was seen, what is missing. Half-open ranges [lower, upper)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self


class IdRange(NamedTuple):
    """Ids from `lower` to `upper` - 1."""

    lower: int
    upper: int

    @property
    def size(self) -> int:
        """How many ids the range holds."""
        return self.upper - self.lower

    def __str__(self) -> str:
        return f"{self.lower}..{self.upper - 1}"


@dataclass(frozen=True, slots=True)
class IdRanges:
    """A set of ids as sorted, disjoint, non-adjacent, non-empty ranges. Immutable; operators return new sets."""

    ranges: tuple[IdRange, ...] = ()

    @classmethod
    def of(cls, ranges: Iterable[tuple[int, int]]) -> Self:
        """Normalise any (lower, upper) pairs: sorted, merged where they touch, empty ones dropped."""
        merged: list[IdRange] = []
        for lower, upper in sorted(ranges):
            if lower >= upper:
                continue
            if merged and lower <= merged[-1].upper:
                merged[-1] = IdRange(merged[-1].lower, max(merged[-1].upper, upper))
            else:
                merged.append(IdRange(lower, upper))
        return cls(tuple(merged))

    @property
    def size(self) -> int:
        """How many ids the set holds."""
        return sum(r.size for r in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __iter__(self) -> Iterator[IdRange]:
        return iter(self.ranges)

    def __or__(self, other: Self) -> Self:
        return self.of((*self.ranges, *other.ranges))

    def __sub__(self, other: Self) -> Self:
        left: list[tuple[int, int]] = []
        for lower, upper in self.ranges:
            for hole in other.ranges:
                if hole.upper <= lower or hole.lower >= upper:
                    continue
                left.append((lower, hole.lower))
                lower = max(lower, hole.upper)  # noqa: PLW2901  # the rest of this range, right of the hole
            left.append((lower, upper))
        return self.of(left)

    def __and__(self, other: Self) -> Self:
        return self - (self - other)

    def __str__(self) -> str:
        return ", ".join(map(str, self.ranges)) or "nothing"

    def split(self, size: int) -> list[IdRange]:
        """Cut into pieces of at most `size` ids, the newest ids first."""
        return [
            IdRange(max(lower, top - size), top)
            for lower, upper in reversed(self.ranges)
            for top in range(upper, lower, -size)
        ]
