"""The proof of a run: every message of the world against every row of the database, one by one."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tg_ingest.demo.emulator_client import Fact

Advance = Callable[[], None]


@dataclass(slots=True)
class ChannelProof:
    """What holds for one channel. `mismatched` counts rows whose text, date, edit date or kind is not the world's."""

    title: str
    expected: int = 0
    stored: int = 0
    missing: int = 0
    duplicates: int = 0
    unexpected: int = 0
    mismatched: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the channel in the database is the channel in the world."""
        return not (self.missing or self.duplicates or self.unexpected or self.mismatched)


def prove_channel(title: str, world: Iterable[Fact], rows: Iterable[Fact], *, advance: Advance) -> ChannelProof:
    """Compare two streams that are both in the order of ids."""
    proof = ChannelProof(title)
    stored = _each_once(rows, proof)
    row = next(stored, None)
    for fact in world:
        proof.expected += 1
        while row is not None and row.message_id < fact.message_id:
            _note(proof, "unexpected", row.message_id)
            row = next(stored, None)
        if row is None or row.message_id != fact.message_id:
            _note(proof, "missing", fact.message_id)
        else:
            if row != fact:
                _note(proof, "mismatched", fact.message_id)
            row = next(stored, None)
        advance()
    while row is not None:
        _note(proof, "unexpected", row.message_id)
        row = next(stored, None)
    return proof


def _each_once(rows: Iterable[Fact], proof: ChannelProof) -> Iterator[Fact]:
    last = None
    for row in rows:
        proof.stored += 1
        if row.message_id == last:
            _note(proof, "duplicates", row.message_id)
            continue
        last = row.message_id
        yield row


def _note(proof: ChannelProof, kind: str, message_id: int) -> None:
    setattr(proof, kind, getattr(proof, kind) + 1)
    if len(proof.examples) < 5:  # noqa: PLR2004  # enough to start looking
        proof.examples.append(f"{kind}: message {message_id}")
