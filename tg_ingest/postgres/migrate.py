"""Bring a database's schema up to date, and refuse to work with one that is not. There is no downgrade."""

from pathlib import Path

import alembic.command
import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from tg_ingest.errors import SchemaOutdated
from tg_ingest.postgres.connection import create_engine, translated

VERSION_TABLE = "tg_ingest_schema_version"
_LOCK = 7_264_151_001  # any number that no other program takes for an advisory lock
_FOLDER = Path(__file__).parent / "migrations"


def migrate(url: str) -> list[str]:
    """Apply the missing migrations, all or none, and return their revisions in order.

    Two that run at once wait for each other. Raises `StoreError`; `SchemaOutdated` for a database newer than this code.
    """
    engine = create_engine(url)
    try:
        with translated(engine), engine.begin() as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            missing = _missing(connection)
            if missing:
                config = _config()
                config.attributes["connection"] = connection
                alembic.command.upgrade(config, "head")
            return missing
    finally:
        engine.dispose()


def require_current(engine: sa.Engine) -> None:
    """Raise `SchemaOutdated` unless the database has exactly the schema that this version needs."""
    with translated(engine), engine.connect() as connection:
        missing = _missing(connection)
    if missing:
        raise SchemaOutdated(
            f"the database {engine.url.database} lacks {len(missing)} migration(s) ({', '.join(missing)}); "
            "run: tg-ingest db migrate"
        )


def _missing(connection: sa.Connection) -> list[str]:
    """Revisions that are not applied yet, oldest first."""
    known = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    applied = context.get_current_revision()
    if applied is None:
        return known
    if applied not in known:
        raise SchemaOutdated(f"the database is at revision {applied}, which this tg_ingest does not know; upgrade it")
    return known[known.index(applied) + 1 :]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
