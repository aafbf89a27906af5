"""Migrations reach exactly the schema that the code describes, once, however many start them."""

import threading

import psycopg2
import pytest
import sqlalchemy as sa

from tg_ingest.errors import ConfigurationError, SchemaOutdated, StoreError, TransientStoreError
from tg_ingest.postgres import schema_ingest, schema_telegram
from tg_ingest.postgres.connection import create_engine, parse_url, run_transaction, translated
from tg_ingest.postgres.migrate import migrate, require_current
from tg_ingest.postgres.schema import METADATA

# Everything that two schemas can differ in, as lines of text from the catalogue.
CATALOGUE = {
    "columns": """
        SELECT c.oid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
            || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
            || a.attidentity::text || a.attgenerated::text
            || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') || ' #' || a.attnum
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind IN ('r', 'v') AND c.relnamespace::regnamespace::text IN ('telegram', 'ingest')""",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname IN ('telegram', 'ingest')",
    "constraints": """
        SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace::regnamespace::text IN ('telegram', 'ingest')""",
    "comments": """
        SELECT objoid::regclass || ' ' || objsubid || ' ' || description FROM pg_description
        WHERE classoid = 'pg_class'::regclass
            AND objoid IN (
                SELECT oid FROM pg_class WHERE relnamespace::regnamespace::text IN ('telegram', 'ingest'))""",
    "options and views": """
        SELECT oid::regclass || ' ' || coalesce(reloptions::text, '')
            || CASE relkind WHEN 'v' THEN pg_get_viewdef(oid) ELSE '' END FROM pg_class
        WHERE relnamespace::regnamespace::text IN ('telegram', 'ingest')""",
}


def catalogue(url: str) -> dict[str, set[str]]:
    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    found = {}
    for kind, query in CATALOGUE.items():
        cursor.execute(query)
        found[kind] = {row[0] for row in cursor.fetchall()}
    connection.close()
    return found


def create_from_models(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for name in ("telegram", "ingest"):
            connection.execute(sa.schema.CreateSchema(name))
        METADATA.create_all(connection)
        view = f"telegram.{schema_telegram.VIEW_NAME}"
        connection.exec_driver_sql(
            f"CREATE VIEW {view} AS SELECT {', '.join(schema_telegram.VIEW_COLUMNS)} FROM telegram.messages m "
            "LEFT JOIN telegram.message_counters c USING (channel_id, message_id)"
        )
        comments = {f"VIEW {view}": schema_telegram.VIEW_COMMENT} | {
            f"COLUMN {view}.{name}": comment for name, comment in schema_telegram.VIEW_COLUMN_COMMENTS.items()
        }
        for target, comment in comments.items():
            literal = sa.literal(comment).compile(engine, compile_kwargs={"literal_binds": True})
            connection.exec_driver_sql(f"COMMENT ON {target} IS {literal}")
    engine.dispose()


@pytest.mark.parametrize("kind", CATALOGUE)
def test_the_migrations_build_what_the_models_describe(database, empty_database, kind):
    create_from_models(empty_database)
    migrated = catalogue(database)[kind]
    assert migrated == catalogue(empty_database)[kind]
    assert len(migrated) > 10


def test_every_table_and_column_has_a_comment():
    assert [table.name for table in METADATA.tables.values() if not table.comment] == []
    assert [str(column) for table in METADATA.tables.values() for column in table.columns if not column.comment] == []
    assert schema_ingest.COVERAGE.schema == "ingest"


def test_a_database_is_refused_until_it_is_migrated_and_then_migrated_once(empty_database):
    engine = create_engine(empty_database)
    with pytest.raises(SchemaOutdated, match=r"lacks 1 migration\(s\) \(0001\); run: tg-ingest db migrate"):
        require_current(engine)
    assert migrate(empty_database) == ["0001"]
    require_current(engine)
    assert migrate(empty_database) == []
    engine.dispose()


def test_migrators_that_start_together_apply_each_migration_once(empty_database):
    applied = []
    threads = [threading.Thread(target=lambda: applied.append(migrate(empty_database))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [[], [], ["0001"]]


def test_a_database_of_a_later_version_is_left_alone(engine, database):
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tg_ingest_schema_version SET version_num = '9999'")
    with pytest.raises(SchemaOutdated, match="revision 9999, which this tg_ingest does not know"):
        require_current(engine)
    with pytest.raises(SchemaOutdated, match="9999"):
        migrate(database)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_url_in_any_usual_spelling_connects(database, scheme):
    engine = create_engine(scheme + "://" + database.partition("://")[2])
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW timezone").scalar() == "UTC"
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "10min"
    engine.dispose()


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://u:secret@h/d", "postgresql://u:secret@h:port/d", "postgres://h"]
)
def test_a_malformed_url_is_a_configuration_error_without_the_password(url):
    with pytest.raises(ConfigurationError, match="correct TG_INGEST_DATABASE_URL") as caught:
        parse_url(url)
    assert "secret" not in str(caught.value)


def test_a_database_that_is_down_is_named_with_the_way_out_and_tried_again():
    engine = create_engine("postgresql://someone:secret@127.0.0.1:1/nowhere")
    waits = []
    with pytest.raises(TransientStoreError) as caught:
        run_transaction(engine, lambda _: None, sleep=waits.append)
    words = str(caught.value)
    assert words.startswith("PostgreSQL at 127.0.0.1:1/nowhere is out of reach: Connection refused")
    assert words.endswith("start the server or correct TG_INGEST_DATABASE_URL")
    assert "secret" not in words
    assert "\n" not in words
    assert len(waits) == 4
    assert all(0 < wait < 3 for wait in waits)


def test_an_unknown_user_and_a_missing_database_are_not_tried_again(database):
    url = sa.make_url(database)
    for wrong, words in (
        (url.set(username="stranger", password="wrong"), "password authentication|not exist"),
        (url.set(database="nix"), "not exist"),
    ):
        engine = create_engine(wrong.render_as_string(hide_password=False))
        waits = []
        with pytest.raises(StoreError, match=words) as caught:
            run_transaction(engine, lambda _: None, sleep=waits.append)
        assert not isinstance(caught.value, TransientStoreError)
        assert waits == []


def test_an_error_does_not_show_the_row(engine):
    with pytest.raises(StoreError) as caught, translated(engine), engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO ingest.boundaries VALUES (1, now(), 1), (2, 'private words', 3)")
    assert str(caught.value) == "PostgreSQL refused a value: 22007 invalid_datetime_format"
    assert caught.value.__cause__ is None


def test_a_deadlock_is_retried_until_both_have_written(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO ingest.coverage VALUES (1, '{}'), (2, '{}')")
    met = threading.Barrier(2, timeout=30)
    tries = []

    def work(first: int, second: int) -> None:
        def update(connection: sa.Connection) -> None:
            tries.append(first)
            touch = sa.text("UPDATE ingest.coverage SET updated_at = now() WHERE channel_id = :channel")
            connection.execute(touch, {"channel": first})
            if tries.count(first) == 1:
                met.wait()
            connection.execute(touch, {"channel": second})

        run_transaction(engine, update)

    threads = [threading.Thread(target=work, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tries) == 3
