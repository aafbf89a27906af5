"""The emulator as the demo sees it: its admin interface, which tells the truth that the result is held against."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx


@dataclass(frozen=True, slots=True)
class WorldAccount:
    """An account of the emulated world and its ready-made Telegram session."""

    label: str
    session: str

    def __repr__(self) -> str:
        return f"WorldAccount({self.label!r})"


@dataclass(frozen=True, slots=True)
class WorldChannel:
    """A channel of the emulated world; `messages` counts what is visible, service messages included."""

    channel_id: int
    username: str
    title: str
    messages: int


class Fact(NamedTuple):
    """What is true of one message, whoever says it: the world or the database."""

    message_id: int
    date: datetime
    edit_date: datetime | None
    kind: str
    text: str


class Manners(NamedTuple):
    """What Telegram would hold against the accounts: floods, calls inside a wait, keys used on two connections."""

    flood_waits: int
    calls_inside_wait: int
    duplicated_keys: int


class EmulatorClient:
    """A client of one emulator's admin interface."""

    def __init__(self, admin: str) -> None:
        self._http = httpx.Client(base_url=admin, timeout=30.0)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def accounts(self) -> list[WorldAccount]:
        """The accounts of the world."""
        return [WorldAccount(a["label"], a["session"]) for a in self._get("/accounts")]

    def channels(self) -> list[WorldChannel]:
        """The channels that can be found by name."""
        return [
            WorldChannel(c["channel_id"], c["username"], c["title"], c["messages"])
            for c in self._get("/channels")
            if c["username"]
        ]

    def facts(self, channel_id: int) -> Iterator[Fact]:
        """Every visible message of a channel, the oldest first, straight from the world's plan."""
        with self._http.stream("GET", f"/truth/{channel_id}") as lines:
            lines.raise_for_status()
            for line in lines.iter_lines():
                fact = json.loads(line)
                edit_date = fact["edit_date"]
                yield Fact(
                    fact["message_id"],
                    datetime.fromtimestamp(fact["date"], UTC),
                    None if edit_date is None else datetime.fromtimestamp(edit_date, UTC),
                    fact["kind"],
                    fact["text"] or fact["rich_text"] or "",
                )

    def manners(self) -> Manners:
        """How the accounts behaved, by the emulator's own count."""
        served = self._get("/served")
        tallies = served["methods"]
        return Manners(
            flood_waits=sum(tally["floods"] for tally in tallies),
            calls_inside_wait=sum(tally["calls_inside_wait"] for tally in tallies),
            duplicated_keys=served["duplicated_keys"],
        )

    def _get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()
