"""The only wing that imports sqlalchemy and psycopg2: schema, migrations, bulk upserts, stores, the embedded server."""
