"""A real PostgreSQL: embedded, or any server by TG_INGEST_TEST_DATABASE_URL; a fresh database for each test."""

import os
import secrets
from collections.abc import Iterator

import psycopg2
import pytest
import sqlalchemy as sa
from psycopg2 import sql

from tg_ingest.postgres.connection import create_engine
from tg_ingest.postgres.embedded import EmbeddedPostgres
from tg_ingest.postgres.migrate import migrate

# Tests kill processes, never the machine: nothing needs to reach the disk.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server on which tests may create databases."""
    given = os.environ.get("TG_INGEST_TEST_DATABASE_URL")
    if given:
        yield given
        return
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), settings=_FAST)
    try:
        yield server.start()
    finally:
        server.destroy()


@pytest.fixture(scope="session")
def template_database(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database that others are copied from."""
    name = _create(postgres_server, "tg_ingest_template")
    migrate(_url(postgres_server, name))
    yield name
    _drop(postgres_server, name)


@pytest.fixture
def empty_database(postgres_server: str) -> Iterator[str]:
    """The URL of a database without any table."""
    name = _create(postgres_server, "tg_ingest_empty")
    yield _url(postgres_server, name)
    _drop(postgres_server, name)


@pytest.fixture
def database(postgres_server: str, template_database: str) -> Iterator[str]:
    """The URL of a migrated database of the test's own."""
    name = _create(postgres_server, "tg_ingest_test", template=template_database)
    yield _url(postgres_server, name)
    _drop(postgres_server, name)


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    """An engine of the test's own database."""
    made = create_engine(database)
    yield made
    made.dispose()


def _create(server: str, prefix: str, *, template: str = "template1") -> str:
    name = f"{prefix}_{secrets.token_hex(4)}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    _execute(server, create)
    return name


def _drop(server: str, name: str) -> None:
    _execute(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(server: str, statement: sql.Composed) -> None:
    connection = psycopg2.connect(server)
    connection.autocommit = True
    connection.cursor().execute(statement)
    connection.close()


def _url(server: str, name: str) -> str:
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)
