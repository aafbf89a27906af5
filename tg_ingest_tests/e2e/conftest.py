"""Everything as processes, as the demo starts it: PostgreSQL, emulator, webserver and daemon, over the tiny world."""

from collections.abc import Iterator

import pytest
from rich.console import Console

from tg_ingest import local_database
from tg_ingest.demo.services import Services, demo_settings, running
from tg_ingest.settings import Settings


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    home = tmp_path_factory.mktemp("a home with a space")
    settings = demo_settings(Settings.from_environment({"TG_INGEST_HOME": str(home)}))
    try:
        with running(settings, Console(stderr=True), world="tiny") as services:
            yield services
    finally:
        local_database.destroy(settings)
