"""`make bench` runs all benchmarks, `make bench ARGS="memory --json"` one: ratios to a yardstick of the same run."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from tg_ingest_tests.benchmarks.measurement import Measurement
from tg_ingest_tests.benchmarks.memory import memory

BENCHMARKS: dict[str, Callable[..., Measurement]] = {"memory": memory}


def main() -> None:
    """Run the benchmarks that were asked for; exit 1 when one misses its goal."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, help="one benchmark; default: all")
    parser.add_argument("--messages", type=int, default=1_000_000, help="size of the channel")
    parser.add_argument("--json", action="store_true", help="end with one JSON object a benchmark")
    chosen = parser.parse_args()
    names = [chosen.name] if chosen.name else list(BENCHMARKS)
    results = [BENCHMARKS[name](messages=chosen.messages) for name in names]
    table = Table("benchmark", "ours", "yardstick", "unit", "ratio", "goal")
    for result in results:
        table.add_row(
            result.name, f"{result.ours:g}", f"{result.yardstick:g}", result.unit, f"{result.ratio:g}", result.goal
        )
    Console(stderr=chosen.json).print(table)
    if chosen.json:
        for result in results:
            print(json.dumps(asdict(result)))
    sys.exit(not all(result.is_met for result in results))


if __name__ == "__main__":
    main()
