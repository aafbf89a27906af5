from datetime import UTC, datetime
from pathlib import Path

import pytest

from tg_ingest.errors import ConfigurationError
from tg_ingest.settings import Settings


def test_everything_has_a_default():
    settings = Settings.from_environment({})
    assert settings.home == Path(".tg_ingest").absolute()
    assert settings.spool == settings.home / "spool"
    assert (settings.grain, settings.first_window) == ("month", datetime(2015, 9, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRAIN", "week"),
        ("FIRST_WINDOW", "2024"),
        ("FIRST_WINDOW", "2024-13"),
        ("FIRST_WINDOW", "0000-01"),
        ("FIRST_WINDOW", "2099-01"),
        ("SESSIONS_PER_RUN", "0"),
        ("SESSIONS_PER_RUN", "many"),
        ("MAX_WAIT", "nan"),
        ("HISTORY_INTERVAL", "-1"),
        ("API_ID", "1e9"),
    ],
)
def test_a_malformed_value_is_named_with_its_rule(name, value):
    with pytest.raises(ConfigurationError, match=f"TG_INGEST_{name}='{value}': "):
        Settings.from_environment({f"TG_INGEST_{name}": value})


def test_another_process_reads_the_same_settings():
    given = {
        "TG_INGEST_HOME": "/tmp/here",
        "TG_INGEST_GRAIN": "year",
        "TG_INGEST_API_ID": "7",
        "TG_INGEST_MAX_WAIT": "1.5",
    }
    settings = Settings.from_environment(given)
    assert Settings.from_environment(settings.to_environment()) == settings


def test_no_secret_is_shown():
    secrets = {
        "TG_INGEST_API_HASH": "hash!",
        "TG_INGEST_SECRET_KEY": "key!",
        "TG_INGEST_DATABASE_URL": "postgresql://u:pass!@h/d",
    }
    assert "!" not in repr(Settings.from_environment(secrets))


def test_without_a_database_the_way_out_is_said(tmp_path):
    with pytest.raises(ConfigurationError, match=r"TG_INGEST_DATABASE_URL=.*tg-ingest db start"):
        _ = Settings.from_environment({"TG_INGEST_HOME": str(tmp_path)}).database_url
