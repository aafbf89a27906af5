"""Migrations: SQL that is never changed after a release."""
