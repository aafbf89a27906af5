"""One row for each message: of several observations the newest counts, whatever order they come in."""

# pyarrow.compute makes its functions when it is imported, unseen by type checkers.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tg_ingest.messages.coverage import IdRanges
from tg_ingest.messages.models import KEY
from tg_ingest.messages.spool import Part, read_part

# The last two decide between observations of the same microsecond, so that the outcome does not depend on the order.
_NEWEST = ("observed_at", "content_hash", "account_id")
_ORDER = [*((name, "ascending") for name in KEY), *((name, "descending") for name in _NEWEST)]
_PART = "part"


def newest_per_key(table: pa.Table) -> pa.Table:
    """The newest row of each (channel_id, message_id), in the order of the keys."""
    if not table.num_rows:
        return table
    order = pc.sort_indices(table.select([name for name, _ in _ORDER]), sort_keys=_ORDER)
    keys = [table[name].to_numpy()[order.to_numpy()] for name in KEY]
    is_first = np.ones(table.num_rows, dtype=bool)
    is_first[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in keys])
    return table.take(order.filter(pa.array(is_first)))


def newest_over_parts(
    parts: Sequence[Part], *, read: Callable[[Part], pa.Table] = read_part
) -> Iterator[tuple[Part, pa.Table]]:
    """Each part of one channel with the rows that no other part has newer; a part may end up empty.

    Parts overlap when a page was fetched twice or an earlier run's part was adopted. Held in memory: one part, and the
    keys of the ids that several parts claim. `read` is called twice for a part with such ids.
    """
    contested = _contested(parts)
    winners = _winners(parts, contested, read) if contested else None
    for number, part in enumerate(parts):
        table = newest_per_key(read(part))
        if winners is not None:
            won_elsewhere = winners.filter(pc.not_equal(winners[_PART], number))["message_id"]
            table = table.filter(pc.invert(pc.is_in(table["message_id"], value_set=won_elsewhere.combine_chunks())))
        yield part, table


def _contested(parts: Sequence[Part]) -> IdRanges:
    """Ids that more than one part claims."""
    seen, twice = IdRanges(), IdRanges()
    for part in parts:
        twice |= seen & part.covered
        seen |= part.covered
    return twice


def _winners(parts: Sequence[Part], contested: IdRanges, read: Callable[[Part], pa.Table]) -> pa.Table:
    """Which part has the newest row of each contested message."""
    claims = []
    for number, part in enumerate(parts):
        if not part.covered & contested:
            continue
        keys = newest_per_key(read(part).select([*KEY, *_NEWEST]))
        keys = keys.filter(pa.array(_within(keys["message_id"].to_numpy(), contested)))
        claims.append(keys.append_column(_PART, pa.array(np.full(keys.num_rows, number))))
    return newest_per_key(pa.concat_tables(claims))


def _within(ids: np.ndarray, ranges: IdRanges) -> np.ndarray:
    """Which ids lie in the ranges."""
    lowers = np.array([lower for lower, _ in ranges])
    uppers = np.array([upper for _, upper in ranges])
    position = np.searchsorted(lowers, ids, side="right") - 1
    return (position >= 0) & (ids < uppers[position])
