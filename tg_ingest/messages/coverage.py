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
        holes = other.ranges
        first = 0  # holes before it end below the present range; both sides are sorted, so they never count again
        for lower, upper in self.ranges:
            while first < len(holes) and holes[first].upper <= lower:
                first += 1
            start, next_hole = lower, first
            while next_hole < len(holes) and holes[next_hole].lower < upper:
                left.append((start, holes[next_hole].lower))
                start = holes[next_hole].upper
                next_hole += 1
            left.append((start, upper))
        return self.of(left)

    def __and__(self, other: Self) -> Self:
        return self - (self - other)

    def __str__(self) -> str:
        return ", ".join(map(str, self.ranges)) or "nothing"

    def split(self, size: int) -> list[IdRange]:
        """Cut into pieces of at most `size` ids (1 or more), the newest ids first."""
        if size < 1:
            raise ValueError(f"a piece holds at least one id, not {size}")
        return [
            IdRange(max(lower, top - size), top)
            for lower, upper in reversed(self.ranges)
            for top in range(upper, lower, -size)
        ]
