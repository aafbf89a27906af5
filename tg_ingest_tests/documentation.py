"""Remakes the generated parts of the documentation (`make docs`); test_readme.py holds what is committed against it."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tg_ingest.postgres.description import TableDescription, all_tables, reading_view

ROOT = Path(__file__).parent.parent
DATA_MODEL = ROOT / "docs" / "data-model.md"
README = ROOT / "README.md"
DEMO_OUTPUT = re.compile(r"(?<=<!-- demo output: make docs -->\n```text\n).*?(?=```\n<!-- end)", re.DOTALL)
_INTRODUCTION = """# Data model

Generated from the comments in the schema by `make docs`; PostgreSQL holds the same texts (`\\d+ telegram.messages`).

Schema `telegram` is for analysts, schema `ingest` is what the pipeline needs to know. Ids are Telegram's own, 64 bits,
positive. Times are `timestamp with time zone`. Read messages through the view `{view}`: {meaning}.
"""


def data_model() -> str:
    """The text of docs/data-model.md."""
    view, meaning, _ = reading_view()
    introduction = _INTRODUCTION.format(view=view, meaning=meaning[0].lower() + meaning[1:])
    return introduction + "".join(map(_section, all_tables()))


def _section(table: TableDescription) -> str:
    rows = "".join(
        f"| `{column.name}` | {column.type} | {'' if column.is_nullable else 'yes'} | {column.comment} |\n"
        for column in table.columns
    )
    key = ", ".join(f"`{name}`" for name in table.key)
    return (
        f"\n## {table.schema}.{table.name}\n\n{table.comment}. Primary key: {key}.\n\n"
        f"| column | type | always there | meaning |\n|---|---|---|---|\n{rows}"
    )


def demo_output() -> str:
    """What the demo prints at its end on this machine: the result table and what follows it."""
    command = [sys.executable, "-m", "tg_ingest", "demo", "--once"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return printed[printed.rindex("Result") - 40 :].split("\n", 1)[1]


def main() -> None:
    """Write everything that is generated."""
    DATA_MODEL.write_text(data_model())
    README.write_text(DEMO_OUTPUT.sub(lambda _: demo_output(), README.read_text()))
    print(json.dumps({"written": [DATA_MODEL.name, README.name]}))


if __name__ == "__main__":
    main()
