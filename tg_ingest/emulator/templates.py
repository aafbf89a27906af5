"""Messages serialised once and stamped out many times with another id and date, for channels of millions."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

_WORD = struct.Struct("<i")

# Two serialisations of one message, that differ in id and date by different amounts, show where both are written.
_FIRST = (2**20, 1_500_000_000)
_SECOND = (2**20 + 77_777, 1_500_000_000 + 55_555)


@dataclass(frozen=True, slots=True)
class Template:
    """A serialised message and where its ids and dates lie, each with its distance from the message's own."""

    octets: bytes
    ids: tuple[tuple[int, int], ...]
    dates: tuple[tuple[int, int], ...]

    def stamp(self, message_id: int, date: int) -> bytes:
        """Make the message with this id and date."""
        octets = bytearray(self.octets)
        for offset, distance in self.ids:
            _WORD.pack_into(octets, offset, max(1, message_id + distance))
        for offset, distance in self.dates:
            _WORD.pack_into(octets, offset, date + distance)
        return bytes(octets)


def make_template(serialise: Callable[[int, int], bytes]) -> Template:
    """Learn a template from a function of (id, date) by comparing two of its results, 32 bits at a time.

    TL aligns everything to 32 bits, so an id or date is one word. Raises `ValueError` when anything else differs.
    """
    first, second = serialise(*_FIRST), serialise(*_SECOND)
    if len(first) != len(second):
        raise ValueError("the message's length depends on its id or date, so it cannot be a template")
    ids: list[tuple[int, int]] = []
    dates: list[tuple[int, int]] = []
    for offset in range(0, len(first), 4):
        one, two = _WORD.unpack_from(first, offset)[0], _WORD.unpack_from(second, offset)[0]
        if two - one == _SECOND[0] - _FIRST[0]:
            ids.append((offset, one - _FIRST[0]))
        elif two - one == _SECOND[1] - _FIRST[1]:
            dates.append((offset, one - _FIRST[1]))
        elif one != two:
            raise ValueError(f"byte {offset} of the message depends on its id or date in another way than by adding")
    return Template(first, tuple(ids), tuple(dates))
