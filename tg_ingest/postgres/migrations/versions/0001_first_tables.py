"""The first tables of `telegram` and `ingest`."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

_FILES = ("0001_telegram.sql", "0001_telegram_comments.sql", "0001_ingest.sql", "0001_ingest_comments.sql")


def upgrade() -> None:
    """Create both schemas."""
    cursor = op.get_bind().connection.cursor()
    for name in _FILES:
        cursor.execute(Path(__file__).with_name(name).read_text(encoding="utf-8"))
