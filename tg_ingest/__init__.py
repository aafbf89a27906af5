"""Ingest Telegram channel history into PostgreSQL with Dagster, completely and unattended."""

from importlib.metadata import version

__version__ = version("tg_ingest")
