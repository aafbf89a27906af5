"""The one place where the project's errors become Dagster's: a failure with one clear line, and no blind retries."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from tg_ingest.errors import TgIngestError


@contextmanager
def failures_explained() -> Iterator[None]:
    """Turn a `TgIngestError` into a `dagster.Failure` that says what to do; retries were made where they help."""
    try:
        yield
    except TgIngestError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
