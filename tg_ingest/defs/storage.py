"""Where Dagster keeps its own tables: dagster-postgres, at the address that the settings name.

dagster.yaml names this class, so that every command takes the address from the same place.
"""

import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

from tg_ingest.errors import ConfigurationError
from tg_ingest.settings import Settings


class InstanceStorage(DagsterPostgresStorage):
    """PostgreSQL storage of the instance.

    Without DAGSTER_HOME Dagster makes an instance for one command (such as `dagster definitions validate`) and deletes
    it: that needs no database, so where none is set it is given temporary storage as well.
    """

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing: the address is a setting, and holds a password."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]  # an instance of one command has no PostgreSQL storage
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Mapping[str, Any],  # noqa: ARG003  # Dagster's signature
    ) -> DagsterStorage:
        """Make the storage; raises `ConfigurationError` when a lasting instance has no database."""
        try:
            url = Settings.from_environment().dagster_database_url
        except ConfigurationError:
            if os.environ.get("DAGSTER_HOME"):
                raise
            folder = tempfile.mkdtemp(prefix="tg_ingest-dagster-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            return DagsterSqliteStorage(folder)
        # SQLAlchemy 2.1 takes a bare postgresql:// for psycopg 3, which dagster-postgres does not install.
        url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", url)
        return cls(postgres_url=url, should_autocreate_tables=True, inst_data=inst_data)
