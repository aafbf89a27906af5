"""What all tables have in common: the metadata they register in, and the column types in the words of this project.

The tables are in `schema_telegram` (what analysts read) and `schema_ingest` (what the pipeline needs to know). Comments
are written there, once: PostgreSQL, Dagster's column metadata and docs/data-model.md take them from `METADATA`.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

METADATA = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)
TELEGRAM = "telegram"
INGEST = "ingest"


def key(name: str, comment: str) -> sa.Column[int]:
    """One column of a primary key: a 64-bit id that Telegram gave."""
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False, comment=comment)


def bigint(name: str, comment: str, *, null: bool = True) -> sa.Column[int]:
    """A 64-bit integer."""
    return sa.Column(name, sa.BigInteger, nullable=null, comment=comment)


def text(name: str, comment: str, *, null: bool = True, primary_key: bool = False) -> sa.Column[str]:
    """Text of any length."""
    return sa.Column(name, sa.Text, nullable=null, primary_key=primary_key, comment=comment)


def flag(name: str, comment: str) -> sa.Column[bool]:
    """A boolean that is always known."""
    return sa.Column(name, sa.Boolean, nullable=False, comment=comment)


def moment(name: str, comment: str, *, null: bool = True, default: sa.TextClause | None = None) -> sa.Column:
    """A point in time; never without its zone."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null, server_default=default, comment=comment)


def jsonb(name: str, comment: str, *, null: bool = True) -> sa.Column:
    """JSON that is queried."""
    return sa.Column(name, postgresql.JSONB, nullable=null, comment=comment)


def archived_json(name: str, comment: str) -> sa.Column:
    """JSON that is only kept: `json` skips the parsing that makes `jsonb` two thirds of the cost of a load."""
    return sa.Column(name, postgresql.JSON, nullable=False, comment=comment)


def real(name: str, comment: str, *, null: bool = True) -> sa.Column[float]:
    """A double precision number."""
    return sa.Column(name, sa.Double, nullable=null, comment=comment)
