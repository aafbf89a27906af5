"""Tables and columns in words, out of the schema's own comments: for Dagster's metadata and docs/data-model.md."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tg_ingest.postgres.schema import METADATA, TELEGRAM
from tg_ingest.postgres.schema_ingest import COVERAGE
from tg_ingest.postgres.schema_telegram import MESSAGES, VIEW_COLUMN_COMMENTS, VIEW_COMMENT, VIEW_NAME

assert COVERAGE.metadata is METADATA  # noqa: S101  # both schema modules must have registered their tables


@dataclass(frozen=True, slots=True)
class ColumnDescription:
    """A column: its PostgreSQL type, whether it may be empty, and what it means."""

    name: str
    type: str
    is_nullable: bool
    comment: str


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table (or view) with its schema, meaning, primary key and columns."""

    schema: str
    name: str
    comment: str
    key: tuple[str, ...]
    columns: tuple[ColumnDescription, ...]


def messages_columns() -> tuple[ColumnDescription, ...]:
    """The columns of telegram.messages."""
    return _describe(MESSAGES).columns


def all_tables() -> list[TableDescription]:
    """Every table, those that analysts read first."""
    tables = sorted(METADATA.tables.values(), key=lambda table: (table.schema != TELEGRAM, table.name))
    return [_describe(table) for table in tables]


def reading_view() -> tuple[str, str, dict[str, str]]:
    """The view that joins content with counters: qualified name, meaning, and each column's meaning."""
    return f"{TELEGRAM}.{VIEW_NAME}", VIEW_COMMENT, {name: text or "" for name, text in VIEW_COLUMN_COMMENTS.items()}


def _describe(table: sa.Table) -> TableDescription:
    dialect = postgresql.dialect()
    columns = tuple(
        ColumnDescription(c.name, c.type.compile(dialect).lower(), bool(c.nullable), c.comment or "")
        for c in table.columns
    )
    key = tuple(column.name for column in table.primary_key.columns)
    return TableDescription(table.schema or "", table.name, table.comment or "", key, columns)
