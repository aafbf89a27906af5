"""The Dagster instance of this machine: its home folder, and the environment that every Dagster process needs."""

import os
import secrets
from pathlib import Path

import tg_ingest
from tg_ingest.errors import ConfigurationError
from tg_ingest.settings import Settings

_PACKAGE = Path(tg_ingest.__file__).parent


def instance_file(name: str) -> Path:
    """`dagster.yaml` or `workspace.yaml`: at the top of a checkout, inside the package of an installed wheel."""
    for folder in (_PACKAGE, _PACKAGE.parent):
        if (folder / name).is_file():
            return folder / name
    raise ConfigurationError(f"{name} is missing beside {_PACKAGE}: install tg_ingest again")


def dagster_environment(settings: Settings) -> dict[str, str]:
    """The variables for webserver, daemon and runs. An operator's own DAGSTER_HOME is respected.

    Without one, the instance lives in the state folder, with the project's dagster.yaml.
    """
    environment = dict(os.environ)
    if "DAGSTER_HOME" not in environment:
        home = settings.home / "dagster"
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        _bring_up_to_date(home / "dagster.yaml", instance_file("dagster.yaml").read_text())
        environment["DAGSTER_HOME"] = str(home)
    return environment | {
        "TG_INGEST_HOME": str(settings.home),
        "TG_INGEST_DATABASE_URL": settings.database_url,
        "TG_INGEST_DAGSTER_DATABASE_URL": settings.dagster_database_url,
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }


def _bring_up_to_date(path: Path, text: str) -> None:
    """Write in one step: a run that starts in this moment must not read half of its instance, or none."""
    if path.exists() and path.read_text() == text:
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.write_text(text)
    draft.rename(path)
