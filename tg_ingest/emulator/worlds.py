"""Worlds by name (demo, tiny, bench), and worlds from JSON files."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

from tg_ingest.emulator import catalogue
from tg_ingest.emulator.content.spec import ChannelSpec, Topic
from tg_ingest.emulator.content.texts import BOOKS
from tg_ingest.emulator.timeline import DAY, Timeline, months_after
from tg_ingest.emulator.world import AccountSpec, Clock, LimitSpec, World, WorldChannel

DEFAULT_SEED = 7
DEMO_MONTHS = 36
BENCH_MESSAGES = 1_000_000
BENCH_TEMPLATES = 2_000
_DAYS_AFTER = 4  # a world's last messages fall into the first days of the month after its whole months
_CHOICES = "demo, tiny, bench, bench:<messages> (for example bench:1000000), or the path of a JSON file"

_Spec = TypeVar("_Spec")


class WorldError(ValueError):
    """No such world, or a file that does not describe one; the text names the choices or the wrong field."""


def load(
    name_or_path: str | Path,
    *,
    seed: int = DEFAULT_SEED,
    start: date,
    now: datetime | None = None,
    clock: Clock = time.time,
) -> World:
    """Build a world whose first messages are sent on `start`.

    Nothing is dated after `now` (by default the clock's): what the world holds beyond it has not been sent yet.
    `clock` also dates what happens live.
    Raises `WorldError` for an unknown name or a file that is no world.
    """
    text = str(name_or_path)
    build = _Builder(seed=seed, start=start, now=int(now.timestamp() if now else clock()), clock=clock)
    if text == "demo":
        return build.world(text, catalogue.DEMO_CHANNELS, catalogue.DEMO_ACCOUNTS, months=DEMO_MONTHS)
    if text == "tiny":
        return build.world(text, catalogue.TINY_CHANNELS, catalogue.unlimited_accounts("tiny", 3), months=3)
    if text == "bench" or text.startswith("bench:"):
        channel = catalogue.bench_channel(_bench_size(text), templates=BENCH_TEMPLATES)
        return build.world("bench", (channel,), catalogue.unlimited_accounts("bench", 8), months=DEMO_MONTHS)
    if not text.endswith(".json"):
        raise WorldError(f"there is no world {text!r}; choose {_CHOICES}")
    return _load_file(Path(name_or_path), build)


def _bench_size(text: str) -> int:
    _, _, size = text.partition(":")
    if not size:
        return BENCH_MESSAGES
    if not size.isdecimal() or not 1 <= int(size) < 2**31:
        raise WorldError(f"{text!r} names no size: write bench:<messages>, 1 to {2**31 - 1}")
    return int(size)


class _Builder:
    """Turns specifications into a world at one place in time."""

    def __init__(self, *, seed: int, start: date, now: int, clock: Clock) -> None:
        self.seed = seed
        self._start = start
        self._now = now
        self._clock = clock

    def world(
        self, name: str, channels: Sequence[ChannelSpec], accounts: Iterable[AccountSpec], *, months: int
    ) -> World:
        specs = {spec.channel_id: spec for spec in channels}
        if not specs or len(specs) < len(channels):
            raise ValueError("a world has channels, each with a channel_id of its own")
        built: dict[int, WorldChannel] = {}
        for spec in sorted(specs.values(), key=lambda spec: spec.kind):  # a discussion group needs its channel first
            linked = built.get(spec.linked_id or 0) if spec.kind == "supergroup" else None
            built[spec.channel_id] = WorldChannel(
                spec,
                seed=self.seed,
                timeline=self._timeline(spec, months=months),
                now=self._now,
                clock=self._clock,
                linked=linked,
            )
        return World(name, self.seed, {channel_id: built[channel_id] for channel_id in specs}, list(accounts))

    def _timeline(self, spec: ChannelSpec, *, months: int) -> Timeline:
        return Timeline(
            seed=self.seed ^ spec.channel_id,
            messages=spec.ids,
            first=self._midnight(spec.starts_after_months),
            last=self._midnight(months) + _DAYS_AFTER * DAY,
            growth=spec.growth,
        )

    def _midnight(self, months: int) -> int:
        year, month = months_after(self._start.year, self._start.month, months)
        return int(datetime(year, month, self._start.day if months == 0 else 1, tzinfo=UTC).timestamp())


def _load_file(path: Path, build: _Builder) -> World:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise WorldError(f"cannot read the world {path}: {exc.strerror}; choose {_CHOICES}") from exc
    except ValueError as exc:
        raise WorldError(f"{path} is not JSON: {exc}") from exc
    try:
        channels = [_channel(item) for item in content["channels"]]
        accounts = [_account(item) for item in content.get("accounts", [])]
        name, months = str(content.get("name", path.stem)), int(content.get("months", DEMO_MONTHS))
        return build.world(name, channels, accounts or catalogue.unlimited_accounts(name, 3), months=months)
    except KeyError as exc:
        raise WorldError(f"{path} does not describe a world: the field {exc} is missing") from exc
    except (TypeError, ValueError, AttributeError) as exc:
        raise WorldError(f"{path} does not describe a world: {exc}") from exc


def _channel(item: dict[str, Any]) -> ChannelSpec:
    values = dict(item)
    values["voices"] = tuple(dict(values.get("voices", {"english": 1})).items())
    if unknown := [language for language, _ in values["voices"] if language not in BOOKS]:
        raise ValueError(f"no voice speaks {unknown[0]!r}; there are {', '.join(BOOKS)}")
    values["topics"] = tuple(_checked(Topic, topic) for topic in values.get("topics", ()))
    values["stretches"] = tuple((int(lower), int(upper)) for lower, upper in values.get("stretches", ()))
    return _checked(ChannelSpec, values)


def _account(item: dict[str, Any]) -> AccountSpec:
    values = dict(item)
    limits = dict(values.get("limits", {}))
    values["limits"] = {method: _checked(LimitSpec, limit) for method, limit in limits.items()}
    return _checked(AccountSpec, values)


def _checked(spec: type[_Spec], values: dict[str, Any]) -> _Spec:
    """Make a specification; name a field that is missing or unknown."""
    known = {field.name: field for field in fields(spec)}  # type: ignore[arg-type]  # every spec is a dataclass
    if unknown := sorted(set(values) - set(known)):
        raise ValueError(f"{spec.__name__} has no field {unknown[0]!r}; it has {', '.join(known)}")
    for name, field in known.items():
        if name not in values and field.default is MISSING and field.default_factory is MISSING:
            raise KeyError(f"{spec.__name__}.{name}")
    return spec(**values)
