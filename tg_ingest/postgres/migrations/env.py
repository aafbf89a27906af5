"""Alembic's entry point; `tg_ingest.postgres.migrate` drives it with a connection that is in a transaction already."""

from alembic import context

from tg_ingest.postgres.migrate import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
