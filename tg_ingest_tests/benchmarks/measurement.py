"""One figure of a benchmark, with the yardstick that it is a ratio to."""

import os
import platform
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """`ratio` is ours to the yardstick; `goal` says in words what `is_met` decided."""

    name: str
    ratio: float
    goal: str
    ours: float
    yardstick: float
    unit: str
    repeats: int
    is_met: bool
    details: dict[str, float] = field(default_factory=dict)
    machine: str = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
