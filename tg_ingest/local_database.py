"""The embedded PostgreSQL of this machine's state folder: started with both databases, migrated, stopped."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from tg_ingest.postgres.embedded import EmbeddedPostgres
from tg_ingest.postgres.migrate import migrate
from tg_ingest.settings import DAGSTER_DATABASE, MESSAGES_DATABASE, Settings


def start(settings: Settings) -> str:
    """Start the server if it does not run, migrate, and note both addresses; returns where it listens (no secret)."""
    server = EmbeddedPostgres(settings.embedded)
    address = urlsplit(server.start())
    for name in (MESSAGES_DATABASE, DAGSTER_DATABASE):
        _write_private(settings.url_note(name), server.database_url(name))
    migrate(server.database_url(MESSAGES_DATABASE))
    return f"{address.hostname}:{address.port}"


def stop(settings: Settings) -> None:
    """Stop the server; its data and its addresses stay."""
    EmbeddedPostgres(settings.embedded).stop()


def destroy(settings: Settings) -> None:
    """Stop the server and delete its data."""
    EmbeddedPostgres(settings.embedded).destroy()
    for name in (MESSAGES_DATABASE, DAGSTER_DATABASE):
        settings.url_note(name).unlink(missing_ok=True)


def _write_private(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123  # mode at creation
        file.write(text)
