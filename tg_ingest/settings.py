"""Every setting of tg_ingest, read from the environment: the one place that names environment variables.

The command line and the Dagster processes read the same variables, so this stands beside `definitions`, which imports
Dagster and is too slow to load for every command.
"""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

from tg_ingest.errors import ConfigurationError

MESSAGES_DATABASE = "tg_ingest"
DAGSTER_DATABASE = "dagster"
Grain = Literal["month", "year"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator may set. Times are in seconds; `repr` shows no secret."""

    home: Path
    database: str | None
    dagster_database: str | None
    spool: Path
    api_id: int | None
    api_hash: str | None
    secret_key: str | None
    grain: Grain
    first_window: datetime
    windows_per_run: int
    sessions_per_run: int
    history_interval: float
    resolve_interval: float
    max_wait: float
    call_deadline: float
    holder_grace: float

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read TG_INGEST_* variables; a malformed one raises `ConfigurationError` that names it."""
        env = _Environment(environment)
        home = Path(env.text("HOME") or ".tg_ingest").expanduser().absolute()
        return cls(
            home=home,
            database=env.text("DATABASE_URL"),
            dagster_database=env.text("DAGSTER_DATABASE_URL"),
            spool=Path(env.text("SPOOL") or home / "spool").expanduser().absolute(),
            api_id=env.whole("API_ID", 0, least=1) or None,
            api_hash=env.text("API_HASH"),
            secret_key=env.text("SECRET_KEY"),
            grain="year" if env.choice("GRAIN", ("month", "year")) == "year" else "month",
            first_window=env.month("FIRST_WINDOW", "2015-09"),
            windows_per_run=env.whole("WINDOWS_PER_RUN", 12, least=1),
            sessions_per_run=env.whole("SESSIONS_PER_RUN", 4, least=1),
            history_interval=env.number("HISTORY_INTERVAL", 2.0, least=0.0),
            resolve_interval=env.number("RESOLVE_INTERVAL", 60.0, least=0.0),
            max_wait=env.number("MAX_WAIT", 300.0, least=0.0),
            call_deadline=env.number("CALL_DEADLINE", 60.0, least=0.1),
            holder_grace=env.number("HOLDER_GRACE", 30.0, least=0.0),
        )

    def to_environment(self) -> dict[str, str]:
        """The variables that make another process read the same settings; addresses of databases left out."""
        values = {
            "HOME": self.home,
            "SPOOL": self.spool,
            "API_ID": self.api_id or "",
            "API_HASH": self.api_hash or "",
            "SECRET_KEY": self.secret_key or "",
            "GRAIN": self.grain,
            "FIRST_WINDOW": f"{self.first_window:%Y-%m}",
            "WINDOWS_PER_RUN": self.windows_per_run,
            "SESSIONS_PER_RUN": self.sessions_per_run,
            "HISTORY_INTERVAL": self.history_interval,
            "RESOLVE_INTERVAL": self.resolve_interval,
            "MAX_WAIT": self.max_wait,
            "CALL_DEADLINE": self.call_deadline,
            "HOLDER_GRACE": self.holder_grace,
        }
        return {f"TG_INGEST_{name}": str(value) for name, value in values.items()}

    def __repr__(self) -> str:
        return f"Settings(home={str(self.home)!r}, grain={self.grain!r})"

    @property
    def secret_key_file(self) -> Path:
        """Where the key that seals sessions is kept when TG_INGEST_SECRET_KEY is not set."""
        return self.home / "secret.key"

    @property
    def staging(self) -> Path:
        """Where ops hand their small manifests of parts to each other."""
        return self.home / "staging"

    @property
    def embedded(self) -> Path:
        """The embedded PostgreSQL's folder, and the notes of its addresses."""
        return self.home / "postgres"

    @property
    def database_url(self) -> str:
        """The messages' database: TG_INGEST_DATABASE_URL, or the embedded server's."""
        return self.database or self._noted_url(MESSAGES_DATABASE, "TG_INGEST_DATABASE_URL")

    @property
    def dagster_database_url(self) -> str:
        """Dagster's own database: TG_INGEST_DAGSTER_DATABASE_URL, or the embedded server's."""
        return self.dagster_database or self._noted_url(DAGSTER_DATABASE, "TG_INGEST_DAGSTER_DATABASE_URL")

    def url_note(self, database: str) -> Path:
        """The file (mode 0600) in which a started embedded server leaves a database's address."""
        return self.embedded.with_name(f"postgres-{database}.url")

    def _noted_url(self, database: str, variable: str) -> str:
        note = self.url_note(database)
        if note.exists():
            return note.read_text().strip()
        raise ConfigurationError(
            f"no database: set {variable}=postgresql+psycopg2://user:password@host:5432/name, "
            "or start the embedded server with `tg-ingest db start`"
        )

    @property
    def api(self) -> tuple[int, str]:
        """The application's api_id and api_hash."""
        if self.api_id is None or not self.api_hash:
            raise ConfigurationError(
                "no Telegram application: set TG_INGEST_API_ID and TG_INGEST_API_HASH to your own, from my.telegram.org"
            )
        return self.api_id, self.api_hash


class _Environment:
    """Typed reading of TG_INGEST_* with errors that name the variable and its value's rule."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str) -> str | None:
        return self._variables.get(f"TG_INGEST_{name}", "").strip() or None

    def number(self, name: str, default: float, *, least: float) -> float:
        value = self.text(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or number < least:
            raise ConfigurationError(f"TG_INGEST_{name}={value!r}: give a number of at least {least:g}")
        return number

    def whole(self, name: str, default: int, *, least: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not re.fullmatch(r"\d{1,12}", value) or int(value) < least:
            raise ConfigurationError(f"TG_INGEST_{name}={value!r}: give a whole number of at least {least}")
        return int(value)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.text(name) or choices[0]
        if value not in choices:
            raise ConfigurationError(f"TG_INGEST_{name}={value!r}: choose one of {', '.join(choices)}")
        return value

    def month(self, name: str, default: str) -> datetime:
        value = self.text(name) or default
        if not re.fullmatch(r"20\d{2}-(0[1-9]|1[0-2])", value) or value > f"{datetime.now(UTC):%Y-%m}":
            raise ConfigurationError(f"TG_INGEST_{name}={value!r}: give a month such as 2015-09, not in the future")
        return datetime.strptime(value, "%Y-%m").replace(tzinfo=UTC)
