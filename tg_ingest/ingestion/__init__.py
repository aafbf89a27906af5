"""The plain code of a run: joins the Telegram, messages and PostgreSQL wings. No Dagster here."""
