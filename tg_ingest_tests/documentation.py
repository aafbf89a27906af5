"""Remakes the generated parts of the documentation (`make docs`); test_readme.py holds what is committed against it."""

import io
import re
import tempfile
from pathlib import Path

from browser import opened_page
from rich.console import Console

from tg_ingest import local_database
from tg_ingest.demo.run import ingest_twice_and_prove, show
from tg_ingest.demo.services import Services, demo_settings, running
from tg_ingest.postgres.description import TableDescription, all_tables, reading_view
from tg_ingest.settings import Settings

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


def demo(screenshot: Path) -> str:
    """Run the demo on this machine, take a picture of the UI at its end; returns what the demo printed at last."""
    with tempfile.TemporaryDirectory() as home:
        settings = demo_settings(Settings.from_environment({"TG_INGEST_HOME": home}))
        try:
            with running(settings, Console(stderr=True)) as services:
                outcome, proofs = ingest_twice_and_prove(services, Console(stderr=True))
                picture(services, screenshot)
        finally:
            local_database.destroy(settings)
    printed = Console(record=True, width=88, file=io.StringIO())
    show(printed, outcome, proofs)
    return "\n".join(line.rstrip() for line in printed.export_text().splitlines()) + "\n"


def picture(services: Services, path: Path) -> None:
    """Save what the UI shows of one partition."""
    partition = f"harbor_news%7C{services.settings.first_window.year + 2}-06"
    with opened_page() as page:
        page.goto(f"{services.dagster.url}/assets/telegram/messages?view=partitions&partition={partition}")
        page.get_by_text("flood waits").wait_for()
        page.screenshot(path=path)


def main() -> None:
    """Write everything that is generated."""
    DATA_MODEL.write_text(data_model())
    output = demo(ROOT / "docs" / "images" / "asset.png")
    README.write_text(DEMO_OUTPUT.sub(lambda _: output, README.read_text()))


if __name__ == "__main__":
    main()
