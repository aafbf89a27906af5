"""Which ids of a channel are visible, and which of them one call of messages.getHistory returns.

Ids lie in blocks of 128, and every whole block has lost the same number of ids, so that counting needs no memory.
Longer stretches of absent ids and what was deleted while the server runs are small sorted lists on top.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice, takewhile

from tg_ingest.emulator.content.draw import mix

BLOCK = 128
MAX_LIMIT = 100
DEFAULT_LIMIT = 20


class Thinned:
    """The ids 1, 2, 3… without `lost` scattered ids in every block of 128; ids of `kept` are never lost."""

    def __init__(self, *, seed: int, lost: int, kept: Iterable[int] = ()) -> None:
        if not 0 <= lost <= BLOCK // 2:
            raise ValueError(f"a block of {BLOCK} ids can lose 0 to {BLOCK // 2} of them, not {lost}")
        self._seed = seed
        self._lost = lost
        self._alive = BLOCK - lost
        self._kept = frozenset(kept)
        self._mask_of = lru_cache(maxsize=4096)(self._compute_mask)

    def _compute_mask(self, block: int) -> int:
        """The lost positions of a block as bits."""
        mask, state, first = 0, mix(self._seed ^ (block << 20)), block * BLOCK + 1
        while mask.bit_count() < self._lost:
            state = mix(state)
            position = state % BLOCK
            if first + position not in self._kept:
                mask |= 1 << position
        return mask

    def has(self, message_id: int) -> bool:
        """Tell whether the id is left."""
        block, position = divmod(message_id - 1, BLOCK)
        return message_id > 0 and not self._mask_of(block) >> position & 1

    def count_to(self, message_id: int) -> int:
        """Count the ids left, up to and including this one."""
        if message_id <= 0:
            return 0
        block, rest = divmod(message_id, BLOCK)
        if not rest:
            return block * self._alive
        return block * self._alive + rest - (self._mask_of(block) & ((1 << rest) - 1)).bit_count()

    def at(self, rank: int) -> int:
        """The id that is the rank-th one left, counted from 1."""
        block, rest = divmod(rank - 1, self._alive)
        first, mask = block * BLOCK + 1, self._mask_of(block)
        message_id = first + rest
        while True:  # each round steps over the lost ids that the last one uncovered: three rounds at 4 %
            found = message_id - first + 1 - (mask & ((2 << (message_id - first)) - 1)).bit_count()
            if found == rest + 1 and not mask >> (message_id - first) & 1:
                return message_id
            message_id += max(1, rest + 1 - found)

    def newest_first(self, upper: int) -> Iterator[int]:
        """Walk the ids left from `upper` down to 1."""
        while upper > 0:
            block = (upper - 1) // BLOCK
            first, mask = block * BLOCK + 1, self._mask_of(block)
            yield from [i for i in range(upper, first - 1, -1) if not mask >> (i - first) & 1]
            upper = first - 1


class VisibleIds:
    """The ids that a reader sees: 1 to `last`, thinned, without stretches, without what was deleted live."""

    def __init__(self, thinned: Thinned, *, last: int, stretches: Iterable[tuple[int, int]] = ()) -> None:
        """Take stretches as (lower, upper), half-open and disjoint: no id up to `last` in them is visible."""
        self._thinned = thinned
        self._stretches = sorted((lower, min(upper, last + 1)) for lower, upper in stretches if lower <= last)
        self._born = last  # ids above it were posted live: none of them is thinned out
        self._born_count = thinned.count_to(last)
        self._gone: list[int] = []  # deleted live
        self.last = last
        self._lost_before = [0]  # by the first n stretches
        self._seen_below: list[int] = []  # ids that are visible below each stretch
        for lower, upper in self._stretches:
            self._seen_below.append(thinned.count_to(lower - 1) - self._lost_before[-1])
            lost = thinned.count_to(upper - 1) - thinned.count_to(lower - 1)
            self._lost_before.append(self._lost_before[-1] + lost)

    def has(self, message_id: int) -> bool:
        """Tell whether a reader sees the id."""
        if not 0 < message_id <= self.last or (message_id <= self._born and not self._thinned.has(message_id)):
            return False
        nearest = bisect_left(self._stretches, message_id, key=_last_id)
        if nearest < len(self._stretches) and self._stretches[nearest][0] <= message_id:
            return False
        spot = bisect_left(self._gone, message_id)
        return spot == len(self._gone) or self._gone[spot] != message_id

    def __len__(self) -> int:
        return self.count_to(self.last)

    def count_to(self, message_id: int) -> int:
        """Count the visible ids, up to and including this one."""
        return self._count_but_gone(message_id) - bisect_right(self._gone, message_id)

    def _count_but_gone(self, message_id: int) -> int:
        """Count as if nothing had been deleted live."""
        if message_id > self._born:
            return self._born_count - self._lost_before[-1] + min(message_id, self.last) - self._born
        count = self._thinned.count_to(message_id)
        whole = bisect_right(self._stretches, message_id, key=_last_id)
        count -= self._lost_before[whole]
        if whole < len(self._stretches) and self._stretches[whole][0] <= message_id:
            count -= self._thinned.count_to(message_id) - self._thinned.count_to(self._stretches[whole][0] - 1)
        return count

    def at(self, rank: int) -> int:
        """The id that is the rank-th visible one, counted from 1 at the oldest."""
        if not 1 <= rank <= len(self):
            raise IndexError(f"no {rank}-th message among {len(self)}")
        # An absent id (or stretch) lies before the answer exactly if fewer than `rank` ids are visible below it.
        rank += bisect_left(range(len(self._gone)), rank, key=self._seen_below_gone)
        rank += self._lost_before[bisect_left(self._seen_below, rank)]
        return self._born + rank - self._born_count if rank > self._born_count else self._thinned.at(rank)

    def _seen_below_gone(self, index: int) -> int:
        return self._count_but_gone(self._gone[index] - 1) - index

    def newest_first(self, upper: int) -> Iterator[int]:
        """Walk the visible ids from `upper` down."""
        gone = set(self._gone)
        for message_id in chain(range(min(upper, self.last), self._born, -1), self._born_newest_first(upper)):
            if message_id not in gone:
                yield message_id

    def _born_newest_first(self, upper: int) -> Iterator[int]:
        upper = min(upper, self._born)
        for lower_absent, upper_absent in (*reversed(self._stretches), (0, 1)):
            if upper < lower_absent:
                continue
            yield from takewhile(upper_absent.__le__, self._thinned.newest_first(upper))
            upper = min(upper, lower_absent - 1)

    def append(self) -> int:
        """Give out the next id."""
        self.last += 1
        return self.last

    def remove(self, message_id: int) -> bool:
        """Delete an id; tell whether it was there."""
        if not self.has(message_id):
            return False
        insort(self._gone, message_id)
        return True


def _last_id(stretch: tuple[int, int]) -> int:
    return stretch[1] - 1


def page(
    ids: VisibleIds,
    *,
    last_before: Callable[[int], int],
    offset_id: int = 0,
    offset_date: int = 0,
    add_offset: int = 0,
    limit: int = 0,
    max_id: int = 0,
    min_id: int = 0,
) -> list[int]:
    """Ids that one messages.getHistory returns, newest first, by the rules of https://core.telegram.org/api/offsets.

    The offset is the rank of `offset_id`, counted from the newest message up to and including it, plus `add_offset`;
    the window of `limit` messages that starts there is clipped at the newest end and not refilled; `max_id` and
    `min_id` only then drop messages from it. `offset_date` (Unix seconds) counts only without an `offset_id`;
    `last_before` tells the highest id sent before a date.
    """
    count = len(ids)
    start = add_offset
    if offset_id:
        start += count - ids.count_to(offset_id - 1)
    elif offset_date:
        start += count - ids.count_to(last_before(offset_date))
    stop = start + min(limit or DEFAULT_LIMIT, MAX_LIMIT)
    start = max(start, 0)
    if stop <= start or start >= count:
        return []
    found = islice(ids.newest_first(ids.at(count - start)), stop - start)
    return [i for i in found if (not max_id or i < max_id) and (not min_id or i > min_id)]
